"""The desktop's keyboard and pointer."""

import sys
from types import ModuleType
from typing import Any

from protocol.errors import DesktopUnavailable
from protocol.geometry import ScreenPoint

DRAG_S = 0.3


def press(*names: str) -> None:
    """Press keys together; their names are pyautogui's, such as "ctrl" and "v".

    Raises:
        DesktopUnavailable: there is no desktop, or it lets no program press keys.
    """
    _pyautogui().hotkey(*names)


def move_pointer(point: ScreenPoint) -> None:
    """Let the pointer hover over a point, without a click.

    Raises:
        DesktopUnavailable: there is no desktop, or it lets no program move the pointer.
    """
    _pyautogui().moveTo(round(point.x), round(point.y))


class PyautoguiInput:
    """The keyboard and the pointer, by pyautogui."""

    command_key = "ctrl"

    def press(self, *keys: str) -> None:
        """Press keys together."""
        press(*keys)

    def pointer(self) -> ScreenPoint:
        """Where the pointer is."""
        return ScreenPoint(*_pyautogui().position())

    def move_pointer(self, point: ScreenPoint) -> None:
        """Let it hover there."""
        move_pointer(point)

    def click(self, point: ScreenPoint) -> None:
        """Click once, with the left button."""
        _pyautogui().click(round(point.x), round(point.y))

    def drag(self, start: ScreenPoint, end: ScreenPoint) -> None:
        """Drag with the left button, slowly enough for every editor to follow."""
        move_pointer(start)
        _pyautogui().dragTo(round(end.x), round(end.y), duration=DRAG_S, button="left")


def _pyautogui() -> Any:  # it ships no types
    """Imported late, because importing it already needs a desktop."""
    # It would import mouseinfo, which ends the whole program where tkinter is missing; we need neither.
    sys.modules.setdefault("mouseinfo", _nothing())
    try:
        import pyautogui
    except (KeyError, OSError, RuntimeError) as error:  # KeyError: no DISPLAY
        raise DesktopUnavailable(f"({error})") from error
    pyautogui.PAUSE = 0.0  # the second look waits for what it needs, and no longer
    pyautogui.FAILSAFE = False  # a corner of the screen is a place like any other to aim at
    return pyautogui


def _nothing() -> ModuleType:
    return ModuleType("mouseinfo")
