"""Linux with X11: what the pointer looks like, through the XFIXES extension; programs say by it what lies under it."""

from typing import Any

import numpy as np
import numpy.typing as npt
from Xlib.protocol import rq

VERSION = 4  # of the extension; any that knows cursors
SLENDER = 0.8  # of its height, at most, that a bar to write with is wide
UPRIGHT = 0.25  # of its height, at most, from its hot spot to its middle: an arrow's is at its tip


class QueryVersion(rq.ReplyRequest):  # type: ignore[misc]  # Xlib ships no types
    """The server answers nothing else before it was asked this."""

    _request = rq.Struct(
        *(rq.Card8("opcode"), rq.Opcode(0), rq.RequestLength()),
        *(rq.Card32("major_version"), rq.Card32("minor_version")),
    )
    _reply = rq.Struct(
        *(rq.ReplyCode(), rq.Pad(1), rq.Card16("sequence_number"), rq.ReplyLength()),
        *(rq.Card32("major_version"), rq.Card32("minor_version"), rq.Pad(16)),
    )


class GetCursorImage(rq.ReplyRequest):  # type: ignore[misc]  # likewise
    """The picture of the pointer as it is shown."""

    _request = rq.Struct(rq.Card8("opcode"), rq.Opcode(4), rq.RequestLength())
    _reply = rq.Struct(
        *(rq.ReplyCode(), rq.Pad(1), rq.Card16("sequence_number"), rq.ReplyLength()),
        *(rq.Int16("x"), rq.Int16("y"), rq.Card16("width"), rq.Card16("height")),
        *(rq.Card16("x_hot"), rq.Card16("y_hot"), rq.Card32("serial"), rq.Pad(8)),
        rq.List("pixels", rq.Card32Obj),  # ARGB
    )


class X11Cursor:
    """The pointer's picture."""

    def __init__(self, display: Any) -> None:
        """Args: display: of Xlib."""
        self._display = display
        self._extension = display.query_extension("XFIXES")
        if self._extension:
            QueryVersion(
                display=display.display, opcode=self._extension.major_opcode, major_version=VERSION, minor_version=0
            )

    def is_over_text(self) -> bool:
        """Whether the pointer is a bar to write with."""
        if not self._extension:
            return False
        shown = GetCursorImage(display=self._display.display, opcode=self._extension.major_opcode)
        alpha = np.array(shown.pixels, np.uint32).reshape(shown.height, shown.width) >> 24
        return is_bar(alpha > 0, shown.y_hot)


def is_bar(shape: npt.NDArray[np.bool_], hot_row: int) -> bool:
    """Whether a pointer is slender and points with its middle.

    Args:
        shape: (H, W) bool: where it is seen.
        hot_row: the row that it points with.
    """
    rows, columns = np.nonzero(shape)
    if not len(rows):
        return False
    height, width = np.ptp(rows) + 1, np.ptp(columns) + 1
    is_at_middle = abs(hot_row - (rows.min() + rows.max()) / 2) <= UPRIGHT * height
    return bool(width <= SLENDER * height and is_at_middle)
