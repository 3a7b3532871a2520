"""Chromium: a page that ignores what is pasted may take what is dropped; it is asked before anything is.

Chromium itself takes any file, and opens it in a tab of its own where the page does not take it.
"""

from pathlib import Path

from desktop_agent.editors.at_caret import AtCaretInText
from desktop_agent.editors.by_drop import write_dropped
from desktop_agent.pictures import Cutout
from desktop_agent.platforms import Drop, Platform, Window
from protocol.errors import EditorRefused
from protocol.geometry import ScreenPoint


class DropOnPage(AtCaretInText):
    """Pastes; where the page ignores that, drops if the page says that it takes a drop."""

    def __init__(self, name: str, platform: Platform, drop: Drop, folder: Path) -> None:
        """Args: name: of the program. platform, drop: the desktop's. folder: for files, which are left there."""
        super().__init__(
            name, platform.input, platform.clipboard, (platform.input.command_key, "v"), platform.is_over_text
        )
        self._windows = platform.windows
        self._drop = drop
        self._folder = folder
        self._dropped: Path | None = None
        self._tab = ""  # the file's name and size, as the browser calls a tab with it
        self._window: Window | None = None  # that was dropped on
        self._dropped_on = ""  # the title of the page that was seen to take a drop

    def insert(self, cutout: Cutout, point: ScreenPoint) -> None:
        """Paste; but on a page that has taken a drop, drop at once."""
        self._dropped = None
        if not (self._dropped_on and self._title() == self._dropped_on and self.insert_otherwise(cutout, point)):
            super().insert(cutout, point)

    def insert_otherwise(self, cutout: Cutout, point: ScreenPoint) -> bool:
        """Drop, if the page takes that and was not dropped on before."""
        if self._dropped:
            return False
        file = write_dropped(cutout, self._folder)
        self._tab = f"{file.name} ({cutout.shape[1]}\N{MULTIPLICATION SIGN}{cutout.shape[0]})"
        self._window = self._windows.focused()
        is_taken = self._drop_into_text(file, point) if self.puts_at_caret else self._drop_file(file, point)
        if is_taken:
            self._dropped = file
            self.strategy = "drop at the caret" if self.puts_at_caret else "drop at the spot"
        return is_taken

    def check(self) -> None:
        """Some pages take what is dragged, and leave what is dropped to the browser; its tab is closed.

        Only a tab that is surely the browser's own: a page may well call itself after the file that it was given.
        """
        if not self._dropped or not self._title().startswith(self._tab):
            return
        if self._title() != f"{self._tab} - Chromium" or self._windows.focused() != self._window:
            raise EditorRefused("The page seems to have left it to the browser: look for a tab with the cutout.")
        self._hands.press(self._hands.command_key, "w")
        raise EditorRefused("The page left it to the browser, which opened it in a tab; that was closed again.")

    def learn(self, landed: ScreenPoint, zoom: float) -> bool:
        """Remember the page that has taken a drop."""
        self._dropped_on = self._title() if self._dropped else ""
        return super().learn(landed, zoom)

    def _drop_into_text(self, file: Path, point: ScreenPoint) -> bool:
        is_taken = self._drop.drop_into_text(file, point)
        if is_taken:
            self._hands.press("right")  # what was dropped is selected, which tints it
        return is_taken

    def _drop_file(self, file: Path, point: ScreenPoint) -> bool:
        return self._drop.is_taken_by_page(file, point) and self._drop.drop(file, point)

    def _title(self) -> str:
        focused = self._windows.focused()
        return focused.title if focused else ""
