"""A virtual screen that shows one picture, a real agent that watches it, and a phone that aims at it."""

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from demo.desktop import Picture, VirtualScreen, environment
from demo.monitor_camera import Pose, photograph
from demo.programs import Program, Programs
from desktop_agent.overlay_message import SHOWN, OverlayMessage, Patch
from mobile_client.clients import AgentClient, AimedView
from protocol.geometry import ScreenPoint
from protocol.pairing import PairingLink

VIEW_SIZE = (960, 720)
WIDTH_VIEW = 90.0  # of what the phone holds, in pixels of its view
START_S = 60.0
FOREVER_S = 1e6


@dataclass(frozen=True)
class AimedScreen:
    """The three of them."""

    screen: VirtualScreen
    agent: Program
    phone: AgentClient

    def view(self, aim: ScreenPoint, seed: int) -> AimedView:
        """What the phone's camera sees of the screen now. Args: aim: its centre. seed: of the camera's noise."""
        view = photograph(self.screen.screenshot(), aim, VIEW_SIZE, Pose(), seed)
        return AimedView(view, time.monotonic(), WIDTH_VIEW)


@contextlib.contextmanager
def aim_at(picture: Picture, folder: Path) -> Iterator[AimedScreen]:
    """Start them; they end with the `with` block.

    Args:
        picture: (H, W, 3) uint8, RGB: what the screen shows, as large as the screen.
        folder: an empty one.
    """
    height, width = picture.shape[:2]
    with Programs(folder) as programs:
        screen = VirtualScreen(programs, "screen", width, height)
        own = {**environment(folder / "home", screen.display), "XAUTHORITY": os.devnull}
        with _showing(picture, own):
            command = [sys.executable, "-m", "desktop_agent", "--port", "0", "--data-dir", str(folder / "data")]
            agent = programs.start("agent", [*command, "--server-url", "http://127.0.0.1:1", "--no-window"], own)
            link = PairingLink.from_uri("arpaste:" + agent.wait_for("arpaste:", START_S))
            stranger = AgentClient(link.agent_url, link.certificate_sha256)
            key = stranger.pair(link.token, "phone").device_key
            phone = AgentClient(link.agent_url, link.certificate_sha256, key)
            phone.status()  # which tells the agent's clock
            yield AimedScreen(screen, agent, phone)


@contextlib.contextmanager
def _showing(picture: Picture, environment: dict[str, str]) -> Iterator[None]:
    """Fill the screen with a picture."""
    opaque = np.dstack([picture, np.full(picture.shape[:2], 255, np.uint8)])
    command = [sys.executable, "-m", "desktop_agent.overlay_window"]
    program = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment)
    assert program.stdin and program.stdout
    OverlayMessage([Patch(0, 0, opaque)], FOREVER_S).write(program.stdin)  # type: ignore[arg-type]  # as in overlay.py
    assert program.stdout.readline() == SHOWN
    try:
        yield
    finally:
        program.stdin.close()
        program.wait()
