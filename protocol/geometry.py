"""Points and boxes, each in its frame, and the pixel-centre rule.

The pixel-centre rule: (0, 0) is the centre of the top-left pixel, x runs right, y runs down. A picture of W x H pixels
therefore reaches from -0.5 to W - 0.5 and has its centre at ((W - 1) / 2, (H - 1) / 2).
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class ViewPoint:
    """A point in the phone's picture of the screen, in its pixels."""

    x: float
    y: float


@dataclass(frozen=True)
class ScreenPoint:
    """A point on the desktop, from the top-left corner of the primary monitor, as the pointer is moved.

    That is in real pixels on X11 and Windows; on macOS and Wayland a point may be several pixels wide.
    """

    x: float
    y: float

    def distance_to(self, other: "ScreenPoint") -> float:
        """Distance in screen pixels."""
        return float(((self.x - other.x) ** 2 + (self.y - other.y) ** 2) ** 0.5)


@dataclass(frozen=True)
class Box:
    """Whole pixels of a picture: columns x to x + width - 1, rows y to y + height - 1."""

    x: int
    y: int
    width: int
    height: int


def view_centre(width: int, height: int) -> ViewPoint:
    """The point under the reticle of a view of `width` x `height` pixels."""
    return ViewPoint((width - 1) / 2, (height - 1) / 2)
