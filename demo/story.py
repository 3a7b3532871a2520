"""One copy and one paste, from the photo to the editor, and an independent look at where the cutout landed."""

import io
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import requests
from PIL import Image

from demo.desktop import Desktop, Picture
from demo.monitor_camera import Pose, photograph
from demo.phone import Phone
from demo.programs import Program, ProgramEnded, Programs
from protocol import routes
from protocol.geometry import ScreenPoint
from protocol.pairing import PairingLink

PHOTO = Path(__file__).parent / "coffee.png"
AIM = ScreenPoint(850, 462)  # an empty spot of the poster
VIEW_SIZE = (1200, 800)
START_S = 60.0
ANSWER_S = 60.0
CAMERA_S = 0.5  # for the app to show what its camera sees
CHANGED_LEVELS = 12
HANDLES_PX = 15


@dataclass(frozen=True)
class Story:
    """What happened, in pictures, pixels and seconds."""

    photo: Picture  # (H, W, 3) uint8, RGB, as all of them
    cutout: Picture  # (h, w, 4) uint8, RGBA
    phone_holding: Picture
    view: Picture
    screen_before: Picture
    screen_after: Picture
    message: str  # what the phone told its user at the end
    agent_message: str  # what the agent told its user: the stages of the paste
    landed: ScreenPoint
    steps_s: dict[str, float]

    @property
    def distance_px(self) -> float:
        """From the aim to where the cutout landed."""
        return self.landed.distance_to(AIM)


@dataclass(frozen=True)
class Cast:
    """Everything that runs."""

    server: Program
    server_url: str
    agent: Program
    agent_url: str
    desktop: Desktop
    phone: Phone


def start_all(programs: Programs, folder: Path, say: Callable[[str], None]) -> Cast:
    """Start the computer, the server, the agent and the phone, and pair the last two.

    Args:
        programs: what ends them.
        folder: an empty one.
        say: told what is going on.
    """
    say("Opening Inkscape with a poster on a virtual screen")
    desktop = Desktop(programs, folder / "desktop")
    say("Starting the segmentation server")
    command = [sys.executable, "-m", "segmentation_server", "--port", "0"]
    server = programs.start("segmentation server", command, desktop.environment)
    server_url = server.wait_for("Segmentation server ready at ", START_S)
    _wait_until_ready(server_url)
    say("Starting the desktop agent")
    command = [sys.executable, "-m", "desktop_agent", "--port", "0", "--server-url", server_url, "--no-window"]
    command += ["--data-dir", str(folder / "agent")]
    agent = programs.start("desktop agent", command, desktop.environment)
    link = "arpaste:" + agent.wait_for("arpaste:", START_S)
    say("Starting the phone app and pairing it with the agent")
    phone = Phone(programs, folder, link)
    return Cast(server, server_url, agent, PairingLink.from_uri(link).agent_url, desktop, phone)


def copy_and_paste(cast: Cast, say: Callable[[str], None]) -> Story:
    """Tap on the thing, tap on the screen.

    Args:
        cast: what start_all started.
        say: told what is going on.
    """
    steps_s = {}
    phone, screen = cast.phone, cast.desktop.screen
    photo = Image.open(PHOTO).convert("RGB")
    phone.point_at(photo)
    time.sleep(CAMERA_S)
    say("Tap: copy what the camera sees")
    steps_s["tap to cutout"] = _timed(phone.tap, lambda: phone.wait_for_state("holding", ANSWER_S))
    before = screen.screenshot()
    view = photograph(before, AIM, VIEW_SIZE, Pose(), seed=1)
    phone.point_at(Image.fromarray(view))
    phone.wait_for_aim(ANSWER_S)
    time.sleep(CAMERA_S)
    holding = phone.screenshot()
    say("Tap: paste where the camera points")
    message = ""

    def wait_for_message() -> None:
        nonlocal message
        message = phone.wait_for_message(ANSWER_S)

    steps_s["tap to pasted"] = _timed(phone.tap, wait_for_message)
    agent_message = cast.agent.wait_for("Pasted into", ANSWER_S)
    after = screen.screenshot()
    cutout = _fetch_cutout(cast.server_url, PHOTO)
    landed = find_change(before, after, AIM)
    return Story(np.asarray(photo), cutout, holding, view, before, after, message, agent_message, landed, steps_s)


def find_change(before: Picture, after: Picture, aim: ScreenPoint) -> ScreenPoint:
    """The centre of what changed around a point: an editor's handles lie evenly around what was pasted.

    This knows nothing of the cutout, so that it checks the agent's own second look by other means.

    Args:
        before: (H, W, 3) uint8, RGB.
        after: likewise.
        aim: around which to look.
    """
    changed = (cv2.absdiff(before, after).max(axis=2) > CHANGED_LEVELS).astype(np.uint8)
    closed = cv2.morphologyEx(changed, cv2.MORPH_CLOSE, np.ones((HANDLES_PX, HANDLES_PX), np.uint8))
    _, _, stats, _ = cv2.connectedComponentsWithStats(closed)
    boxes = [tuple(int(number) for number in row[:4]) for row in stats[1:]]
    around = [box for box in boxes if box[0] <= aim.x < box[0] + box[2] and box[1] <= aim.y < box[1] + box[3]]
    if not around:
        return ScreenPoint(float("inf"), float("inf"))
    x, y, width, height = max(around, key=lambda box: box[2] * box[3])
    return ScreenPoint(x + (width - 1) / 2, y + (height - 1) / 2)


def _timed(act: Callable[[], None], wait: Callable[[], None]) -> float:
    start_s = time.monotonic()
    act()
    wait()
    return time.monotonic() - start_s


def _wait_until_ready(server_url: str) -> None:
    deadline_s = time.monotonic() + START_S
    with _without_proxy() as session:
        while session.get(server_url + routes.READYZ, timeout=10).status_code != 200:
            if time.monotonic() > deadline_s:
                raise ProgramEnded("The segmentation server's model did not get ready.")
            time.sleep(0.1)


def _fetch_cutout(server_url: str, photo: Path) -> Picture:
    """The cutout once more, as a client without a phone gets it: (H, W, 4) uint8, RGBA."""
    with _without_proxy() as session:
        answer = session.post(server_url + routes.CUTOUT, files={routes.PHOTO_PART: photo.read_bytes()}, timeout=60)
    answer.raise_for_status()
    return np.asarray(Image.open(io.BytesIO(answer.content)).convert("RGBA"))


def _without_proxy() -> requests.Session:
    """Requests to programs on this machine, which a proxy of the environment has nothing to do with."""
    session = requests.Session()
    session.trust_env = False
    return session
