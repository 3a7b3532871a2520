"""An overlay's windows on X11: there, a window can have any shape, so nothing needs a compositor."""

import contextlib
import io
from collections.abc import Sequence
from typing import Any

import numpy as np

from desktop_agent.overlay_message import Patch

SHAPE_INPUT = 2  # of the SHAPE extension since version 1.1, which Xlib for Python does not know
ROWS_BYTES = 200_000  # in one request; X takes 262,140


def open_windows() -> "X11Windows":
    """On this display. Raises OSError or ValueError if it cannot have such windows."""
    from Xlib import display, error

    try:
        with contextlib.redirect_stdout(io.StringIO()):  # where Xlib remarks on files that it could do without
            return X11Windows(display.Display())
    except (error.DisplayError, error.XauthError, error.ConnectionClosedError) as reason:
        raise OSError(str(reason)) from reason


class X11Windows:
    """The windows, one for each patch."""

    attends_every_s: float | None = None  # nothing is asked of them

    def __init__(self, display: Any) -> None:
        """Args: display: an open one. Raises ValueError if it is not of the usual kind."""
        from Xlib.ext import shape
        from Xlib.protocol import rq, structs

        self._display = display
        self._screen = display.screen()
        if self._screen.root_depth != 24 or not display.has_extension(shape.extname):
            raise ValueError("it has no 24-bit colours, or no SHAPE extension")
        self._windows: list[Any] = []

        class ShapeRectangles(rq.Request):  # type: ignore[misc]  # Xlib ships no types
            """The extension's request of that name, for any region, of which Xlib's own knows two."""

            _request = rq.Struct(
                *(rq.Card8("opcode"), rq.Opcode(1), rq.RequestLength(), rq.Card8("operation"), rq.Card8("region")),
                *(rq.Card8("ordering"), rq.Pad(1), rq.Window("window"), rq.Int16("x"), rq.Int16("y")),
                rq.List("rectangles", structs.Rectangle),
            )

        self._shape_rectangles = ShapeRectangles
        self._shape = shape

    def show(self, patches: Sequence[Patch]) -> None:
        """Show these instead of those before; returns once they are on the screen."""
        from Xlib import error

        try:
            before, self._windows = self._windows, [self._open(patch) for patch in patches]
            for window in before:
                window.destroy()
            self._display.sync()
        except error.ConnectionClosedError as reason:
            raise OSError(str(reason)) from reason

    def attend(self) -> None:
        """Nothing."""

    def _open(self, patch: Patch) -> Any:
        from Xlib import X

        height, width = patch.pixels.shape[:2]
        picture = self._draw(patch)
        window = self._screen.root.create_window(
            *(round(patch.x), round(patch.y), width, height, 0, X.CopyFromParent, X.InputOutput, X.CopyFromParent),
            override_redirect=True,
            background_pixmap=picture,  # so that the server draws it whenever it must be drawn
        )
        picture.free()
        self._cut_out(window, self._shape.ShapeBounding, rectangles(patch.pixels[:, :, 3] > 0))
        self._cut_out(window, SHAPE_INPUT, [])
        window.map()
        return window

    def _draw(self, patch: Patch) -> Any:
        from Xlib import X

        height, width = patch.pixels.shape[:2]
        picture = self._screen.root.create_pixmap(width, height, 24)
        context = picture.create_gc()
        bgrx = np.ascontiguousarray(patch.pixels[:, :, [2, 1, 0, 3]])
        rows = max(1, ROWS_BYTES // (width * 4))
        for top in range(0, height, rows):
            part = bgrx[top : top + rows]
            picture.put_image(context, 0, top, width, len(part), X.ZPixmap, 24, 0, part.tobytes())
        context.free()
        return picture

    def _cut_out(self, window: Any, region: int, rows: list[tuple[int, int, int, int]]) -> None:
        """Give a window a shape: that in which it is seen, or that in which it takes clicks."""
        self._shape_rectangles(
            display=self._display.display,
            opcode=self._display.display.get_extension_major(self._shape.extname),
            operation=self._shape.ShapeSet,
            region=region,
            ordering=0,
            window=window.id,
            x=0,
            y=0,
            rectangles=rows,
        )


def rectangles(is_seen: np.ndarray[tuple[int, ...], np.dtype[np.bool_]]) -> list[tuple[int, int, int, int]]:
    """The true pixels of a mask, (H, W), as (x, y, width, height) of each stretch, over all rows that are alike."""
    is_new = np.concatenate([[True], (is_seen[1:] != is_seen[:-1]).any(axis=1)])
    tops = np.flatnonzero(is_new)
    found = []
    for top, bottom in zip(tops, [*tops[1:], len(is_seen)], strict=True):
        edges = np.flatnonzero(np.diff(np.concatenate([[False], is_seen[top], [False]]).astype(np.int8)))
        height = int(bottom - top)
        found += [(int(x), int(top), int(end - x), height) for x, end in zip(edges[::2], edges[1::2], strict=True)]
    return found
