"""Ways of pasting into editors, one file per family."""

from typing import Protocol

from desktop_agent.pictures import Cutout
from protocol.geometry import ScreenPoint


class Editor(Protocol):
    """The program whose document lies under a screen point."""

    name: str  # of the program, as the user knows it
    strategy: str  # the way it is pasted into, in a word or two

    def approach(self, point: ScreenPoint) -> None:
        """Do what changes the screen but not the document: bring the window to the front, move the pointer there."""
        ...

    def paste(self, cutout: Cutout) -> None:
        """Paste where the pointer is. Returns at once; the screen shows later whether it worked.

        Args:
            cutout: (h, w, 4) uint8, RGBA, straight alpha.

        Raises:
            DesktopUnavailable: the clipboard, the keyboard or the pointer cannot be used.
        """
        ...

    def undo(self) -> None:
        """Take back the last step of the document."""
        ...

    def is_in_front(self) -> bool:
        """Whether keys go to this editor, and not to a dialog that popped up over it."""
        ...
