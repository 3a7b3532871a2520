"""Editors that are open on the desk."""

import contextlib
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from demo.programs import Program, ProgramEnded
from real_editors.desk import Desk
from real_editors.documents import Picture, draw_blank, draw_texture
from real_editors.editors import RealEditor
from real_editors.hand import MIDDLE

OPENS_S = 120.0  # Krita's first start on a busy machine takes up to 100
STILL_S = 1.5
POLL_S = 0.2
LARGEST_CARET_PX = 800  # its area; carets blink, and are as tall as a picture in their line
LEAST_WHITE = 250.0  # of 255: median of a blank document
LEAST_TEXTURE = 12.0  # grey levels: standard deviation of a textured one, words included
SCROLL_STEPS = 3
SCROLL_PX = 130


@dataclass(frozen=True)
class OpenEditor:
    """A real editor with a document."""

    editor: RealEditor
    desk: Desk
    program: Program
    home: Path
    is_blank: bool

    @property
    def document(self) -> str:
        """The kind of document that is open."""
        return "blank" if self.is_blank else "textured"

    def canvas_slices(self) -> tuple[slice, slice]:
        """The rows and columns of a screenshot in which the document shows."""
        canvas = self.editor.canvas
        return slice(canvas.y, canvas.y + canvas.height), slice(canvas.x, canvas.x + canvas.width)

    def wait_until_open(self) -> None:
        """Wait for its window, make that as large as the screen, and wait until it has drawn its document.

        Raises:
            ProgramEnded: the editor has ended, or never came to rest.
        """
        deadline_s = time.monotonic() + OPENS_S
        while not self.desk.is_maximised() and time.monotonic() < deadline_s:
            time.sleep(POLL_S)
            self.desk.maximise()
        self.wait_until_still()
        if not self.desk.is_maximised():  # some take a size of their own when they load a document
            self.desk.maximise()
            self.wait_until_still()

    def wait_until_still(self, still_s: float = STILL_S) -> Picture:
        """The screenshot once the document is in sight and the screen stands still.

        Raises:
            ProgramEnded: the editor has ended, or never came to rest.
        """
        deadline_s = time.monotonic() + OPENS_S
        last, since_s = self.desk.screenshot(), time.monotonic()
        while time.monotonic() < deadline_s:
            if self.program.process.poll() is not None:
                raise ProgramEnded(f"{self.editor.name} has ended.")
            time.sleep(POLL_S)
            current = self.desk.screenshot()
            if _differ(last, current) or not self._shows_document(current):
                since_s = time.monotonic()
            elif time.monotonic() - since_s >= still_s:
                return current
            last = current
        raise ProgramEnded(f"{self.editor.name} did not come to rest in {OPENS_S:.0f} s.")

    def zoom(self) -> None:
        """Turn to the second zoom."""
        hand = self.desk.hand
        hand.move(*self._middle())
        with contextlib.nullcontext() if self.editor.wheel_zooms else hand.holding_key("Control_L"):
            hand.wheel(self.editor.zoom_steps)
        self.wait_until_still()

    def scroll(self) -> None:
        """Show another part of the document."""
        hand = self.desk.hand
        x, y = self._middle()
        hand.move(x, y)
        if self.editor.wheel_zooms:
            with hand.holding_button(MIDDLE):
                for step in range(1, 4):
                    hand.move(x - SCROLL_PX * step // 6, y - SCROLL_PX * step // 3)
                    time.sleep(POLL_S)
        else:
            hand.wheel(-SCROLL_STEPS)
        self.wait_until_still()

    def _middle(self) -> tuple[int, int]:
        canvas = self.editor.canvas
        return canvas.x + canvas.width // 2, canvas.y + canvas.height // 2

    def _shows_document(self, screenshot: Picture) -> bool:
        shown = screenshot[self.canvas_slices()][::4, ::4]
        return bool(np.median(shown) >= LEAST_WHITE if self.is_blank else shown.std(axis=(0, 1)).max() >= LEAST_TEXTURE)


def _differ(one: Picture, other: Picture) -> bool:
    return bool(np.count_nonzero(cv2.absdiff(one, other).max(axis=2)) > LARGEST_CARET_PX)


@contextmanager
def open_editor(editor: RealEditor, desk: Desk, home: Path, *, is_blank: bool) -> Iterator[OpenEditor]:
    """An editor with a document of our own; it ends with the `with` block.

    Args:
        editor: which.
        desk: where.
        home: an empty folder; a profile of its own keeps what earlier runs left away.
        is_blank: whether its document is a white sheet.

    Raises:
        ProgramEnded: it is not installed, has ended, or shows no document.
    """
    if shutil.which(editor.command[0]) is None:
        raise ProgramEnded(f"{editor.package} is not installed. `make test-editors` installs it.")
    (home / ".cache").mkdir()  # Inkscape pastes by way of it, and only if it is there
    for name, text in editor.profile:
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        (home / name).write_text(text)
    document = editor.write_document(home, draw_blank() if is_blank else draw_texture())
    program = desk.start(editor.name, [*editor.command, str(document)], home)
    try:
        opened = OpenEditor(editor, desk, program, home, is_blank)
        opened.wait_until_open()
        yield opened
    finally:
        program.end()


VIEWS: dict[str, Callable[[OpenEditor], object]] = {
    "as opened": OpenEditor.wait_until_still,
    "scrolled": OpenEditor.scroll,
    "zoomed": OpenEditor.zoom,
    "zoomed, scrolled": OpenEditor.scroll,
}
"""Each view and how to turn to it from the one before."""
