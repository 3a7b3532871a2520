"""What the user has on the desk beside the document: something copied, a pointer, a window with the keyboard."""

import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from protocol.geometry import ScreenPoint
from real_editors.desk import Desk

PARKED = (1000, 8)  # the pointer: beside the menus and the tabs, where nothing lights up
COPIED = "what the user had copied before"
ANSWERS_S = 3.0


@dataclass(frozen=True)
class Belongings:
    """The user's things, to be as they were after a paste."""

    copied: str | None
    pointer: ScreenPoint
    focused: int | None  # the window's number


def lay_out(desk: Desk, home: Path) -> Belongings:
    """Copy a text, as another program would, and park the pointer; what the user then has."""
    desk.start("xclip", ["xclip", "-selection", "clipboard", "-quiet", str(_write(home))], home)
    desk.hand.move(*PARKED)
    deadline_s = time.monotonic() + ANSWERS_S
    while _copied(desk) != COPIED and time.monotonic() < deadline_s:
        time.sleep(0.02)
    return look(desk)


def look(desk: Desk) -> Belongings:
    """What the user has now."""
    return Belongings(_copied(desk), desk.hand.position(), desk.active_window())


def _write(home: Path) -> Path:
    path = home / "copied.txt"
    path.write_text(COPIED)
    return path


def _copied(desk: Desk) -> str | None:
    with desk.as_own():
        try:
            asked = subprocess.run(
                ["xclip", "-selection", "clipboard", "-out"], capture_output=True, timeout=ANSWERS_S, check=False
            )
        except subprocess.TimeoutExpired:
            return None
    return asked.stdout.decode(errors="replace") if asked.returncode == 0 else None
