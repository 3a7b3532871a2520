"""Editors that paste under the pointer: Inkscape, Krita, drawing pages in a browser. Nothing is clicked."""

import sys

from desktop_agent import clipboard, keys
from desktop_agent.pictures import Cutout
from desktop_agent.windows import Window, Windows
from protocol.geometry import ScreenPoint

COMMAND_KEY = "command" if sys.platform == "darwin" else "ctrl"


class PastesUnderPointer:
    """Puts the cutout on the clipboard and presses the paste keys while the pointer hovers over the spot."""

    def __init__(self, window: Window, windows: Windows) -> None:
        """Args: window: whose document is pasted into. windows: the desktop that it is a window of."""
        self.name = window.program
        self.strategy = "paste under the pointer"
        self._window = window
        self._windows = windows

    def approach(self, point: ScreenPoint) -> None:
        """Bring the window to the front and the pointer over the spot."""
        self._windows.focus(self._window)
        keys.move_pointer(point)

    def paste(self, cutout: Cutout) -> None:
        """Copy and press paste."""
        clipboard.copy(cutout)
        keys.press(COMMAND_KEY, "v")

    def undo(self) -> None:
        """Press undo."""
        keys.press(COMMAND_KEY, "z")

    def is_in_front(self) -> bool:
        """Whether the window still has the keyboard."""
        return self._windows.focused() == self._window
