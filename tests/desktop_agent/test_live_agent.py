"""A real agent on a real (virtual) screen, and a phone that aims at it."""

import contextlib
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import psutil
import pytest

from demo.desktop import VirtualScreen, environment
from demo.monitor_camera import Pose, photograph
from demo.programs import Program, Programs
from desktop_agent.overlay_message import SHOWN, OverlayMessage, Patch
from desktop_agent.pictures import Picture
from mobile_client.clients import AgentClient, AimedView
from protocol.errors import NoEditorThere, SecondViewWanted
from protocol.geometry import ScreenPoint
from protocol.messages import AimAnswer
from protocol.pairing import PairingLink
from tests.conftest import draw_cutout, draw_screen

pytestmark = pytest.mark.skipif(shutil.which("Xvfb") is None, reason="`make test` installs a virtual screen")
AIM = ScreenPoint(600, 350)
WIDTH, HEIGHT = 1280, 800
START_S = 60.0
PATIENCE_S = 20.0
MEASURED_S = 4.0
MOST_CPU = 0.08  # of a core, while a phone holds and the screen is still; docs/benchmarks.md has what was measured


@dataclass
class Stage:
    """A screen that shows a picture, and an agent that watches it."""

    screen: VirtualScreen
    agent: Program
    phone: AgentClient

    def view(self, seed: int = 1) -> AimedView:
        """What the phone's camera sees of the screen now."""
        view = photograph(self.screen.screenshot(), AIM, (960, 720), Pose(), seed)
        return AimedView(view, time.monotonic(), 90.0)

    def aim(self, seed: int) -> AimAnswer:
        return self.phone.aim(self.view(seed))

    def differs_from(self, picture: Picture) -> Picture:
        """Which pixels of the screen show something else: (H, W)."""
        return np.asarray(cv2.absdiff(self.screen.screenshot(), picture).max(axis=2), np.uint8)


@contextlib.contextmanager
def show(picture: Picture, environment: dict[str, str]) -> Iterator[None]:
    """Fill the screen with a picture."""
    opaque = np.dstack([picture, np.full(picture.shape[:2], 255, np.uint8)])
    command = [sys.executable, "-m", "desktop_agent.overlay_window"]
    program = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment)
    assert program.stdin and program.stdout
    OverlayMessage([Patch(0, 0, opaque)], 600.0).write(program.stdin)  # type: ignore[arg-type]  # as in overlay.py
    assert program.stdout.readline() == SHOWN
    yield
    program.stdin.close()
    program.wait()


@contextlib.contextmanager
def stage(picture: Picture, folder: Path) -> Iterator[Stage]:
    with Programs(folder) as programs:
        screen = VirtualScreen(programs, "screen", WIDTH, HEIGHT)
        own = {**environment(folder / "home", screen.display), "XAUTHORITY": os.devnull}
        with show(picture, own):
            command = [sys.executable, "-m", "desktop_agent", "--port", "0", "--data-dir", str(folder / "data")]
            agent = programs.start("agent", [*command, "--server-url", "http://127.0.0.1:1", "--no-window"], own)
            link = PairingLink.from_uri("arpaste:" + agent.wait_for("arpaste:", START_S))
            stranger = AgentClient(link.agent_url, link.certificate_sha256)
            phone = AgentClient(
                link.agent_url, link.certificate_sha256, stranger.pair(link.token, "test phone").device_key
            )
            phone.status()  # which tells the agent's clock
            yield Stage(screen, agent, phone)


@pytest.fixture
def on_desktop(tmp_path: Path) -> Iterator[Stage]:
    with stage(draw_screen(seed=1, width=WIDTH, height=HEIGHT), tmp_path) as found:
        yield found


@pytest.fixture
def on_blank_page(tmp_path: Path) -> Iterator[Stage]:
    with stage(np.full((HEIGHT, WIDTH, 3), 250, np.uint8), tmp_path) as found:
        yield found


def wait_until(is_so: Callable[[], bool]) -> None:
    deadline_s = time.monotonic() + PATIENCE_S
    while not is_so():
        assert time.monotonic() < deadline_s
        time.sleep(0.05)


def test_a_phone_that_aims_is_told_and_shown_where_a_paste_would_land(on_desktop: Stage) -> None:
    before = on_desktop.screen.screenshot()
    answers = [on_desktop.aim(seed) for seed in range(1, 5)]
    assert max(answer.aim.distance_to(AIM) for answer in answers) < 2
    assert answers[-1].probability > answers[0].probability
    rows, columns = np.nonzero(on_desktop.differs_from(before))
    assert ScreenPoint(columns.mean(), rows.mean()).distance_to(answers[-1].aim) < 2
    assert columns.max() - columns.min() < 60
    wait_until(lambda: not on_desktop.differs_from(before).any())


def test_an_agent_that_is_killed_leaves_no_mark(on_desktop: Stage) -> None:
    before = on_desktop.screen.screenshot()
    on_desktop.aim(1)
    assert on_desktop.differs_from(before).any()
    on_desktop.agent.process.kill()
    wait_until(lambda: not on_desktop.differs_from(before).any())


def test_a_still_screen_costs_little_while_a_phone_holds(on_desktop: Stage) -> None:
    on_desktop.aim(1)
    time.sleep(1.0)
    agent = psutil.Process(on_desktop.agent.process.pid)
    before_s = sum(agent.cpu_times()[:2])
    time.sleep(MEASURED_S)
    assert (sum(agent.cpu_times()[:2]) - before_s) / MEASURED_S < MOST_CPU


def test_a_blank_page_is_found_in_a_second_view(on_blank_page: Stage) -> None:
    before = on_blank_page.screen.screenshot()
    with pytest.raises(SecondViewWanted):
        on_blank_page.phone.paste(draw_cutout(), on_blank_page.view())
    assert on_blank_page.differs_from(before).any()
    with pytest.raises(NoEditorThere):  # the point was found, but there is no editor on this screen
        on_blank_page.phone.paste(draw_cutout(), on_blank_page.view(), is_second_view=True)
    wait_until(lambda: not on_blank_page.differs_from(before).any())
