"""Ways of pasting into editors, one file for each; profiles.py says which editor takes which."""

from typing import Protocol

from desktop_agent.pictures import Cutout
from protocol.geometry import ScreenPoint


class Editor(Protocol):
    """The program whose document lies under a screen point. Its window is in front when any of this is asked for.

    All but `name` and `strategy` raise DesktopUnavailable where the clipboard, the keyboard or the pointer cannot be
    used.
    """

    name: str  # of the program, as the user knows it
    strategy: str  # the way it is pasted into, in a few words
    can_insert_again: bool  # one undo takes back all of an insertion, so that it may be done anew in another size
    puts_at_caret: bool  # it goes into a line of text, as near to the spot as text allows

    def approach(self, point: ScreenPoint) -> None:
        """Do what changes the screen but not the document: move the pointer there."""
        ...

    def lands_at(self, point: ScreenPoint) -> ScreenPoint:
        """Where something inserted for a point shows up before it is moved, as far as that is known."""
        ...

    def insert(self, cutout: Cutout, point: ScreenPoint) -> None:
        """Paste, with its centre as near to a point as this way can. The screen shows later whether it worked.

        Args:
            cutout: (h, w, 4) uint8, RGBA, straight alpha.
            point: on the desktop.

        Raises:
            EditorRefused: the editor said that it does not take it, or did not say that it did.
        """
        ...

    def insert_otherwise(self, cutout: Cutout, point: ScreenPoint) -> bool:
        """Insert in a second way, as the first has changed nothing on the screen; False where there is none.

        Args and raises as for `insert`.
        """
        ...

    def check(self) -> None:
        """Look where what was inserted has gone.

        Raises:
            EditorRefused: it was opened by itself, in a place of its own, which is closed again.
        """
        ...

    def move(self, start: ScreenPoint, end: ScreenPoint, zoom: float) -> bool:
        """Move what was just inserted, without a step of its own to undo.

        Args:
            start: where its centre was seen.
            end: where it should be.
            zoom: points of the desktop in a pixel of what was inserted.

        Returns:
            False where this way cannot move anything.
        """
        ...

    def learn(self, landed: ScreenPoint, zoom: float) -> bool:
        """Remember where the last insertion landed, and its zoom; whether the next would land nearer by it."""
        ...

    def forget(self) -> None:
        """Hold nothing for true that depends on how far the view is scrolled or zoomed: it has changed."""
        ...

    def undo(self) -> None:
        """Take back the last step of the document."""
        ...
