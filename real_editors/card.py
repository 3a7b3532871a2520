"""A cutout that can be measured wherever it lands, by other means than the agent's own second look."""

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from protocol.geometry import ScreenPoint
from real_editors.documents import Cutout, Picture

Zone = npt.NDArray[np.bool_]
Levels = npt.NDArray[np.float32]

WIDTH, HEIGHT = 300, 200
TRANSPARENT_PX = 14  # the outermost frame
RING_PX = 18  # the next one, half transparent
HIDDEN = (0, 255, 0)  # under the transparent frame: seen only where alpha is lost
RING = (30, 20, 110)
RING_ALPHA = 128
MARKERS = {  # colour: centre, in pixels of the card
    (255, 0, 255): (64.0, 64.0),
    (0, 255, 255): (235.0, 64.0),
    (255, 255, 0): (64.0, 135.0),
    (0, 0, 255): (235.0, 135.0),
}
MARKER_RADIUS = 15
NEAR_LEVELS = 80  # of 255: how far resampling may take a marker's colour
SMALLEST_MARKER_PX = 12  # its area
FARTHEST_MARKER_PX = 2.0  # from where the others say it is
CHANGED_LEVELS = 12
STILL_LEVELS = 2.0
GAMMAS = (1.0, 2.2)  # most blend the numbers; GIMP blends light
FAITHFUL_LEVELS = 8.0  # colour management and rounding; an opaque ring would be off by 22 or more
MARGIN_PX = 3.0  # on the card: left out at the rims of frame and ring, where resampling mixes them


@dataclass(frozen=True)
class Sight:
    """A test card found on a screenshot."""

    centre: ScreenPoint
    scale: float  # screen pixels in a pixel of the card
    turn_deg: float  # clockwise
    keeps_alpha: bool


def draw_card() -> Cutout:
    """The card: (HEIGHT, WIDTH, 4) uint8, RGBA, straight alpha."""
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    stripes = np.where((x // 10 + y // 14) % 2, 165, 75)
    card = np.dstack([stripes, 165 - x // 4, 90 + y // 4, np.full_like(x, 255)]).astype(np.uint8)
    cv2.putText(card, "AR", (112, 118), cv2.FONT_HERSHEY_SIMPLEX, 1.9, (20, 20, 20, 255), 6, cv2.LINE_AA)
    for colour, (marker_x, marker_y) in MARKERS.items():
        card[np.hypot(x - marker_x, y - marker_y) <= MARKER_RADIUS, :3] = colour
    rim = _rim()
    card[rim < TRANSPARENT_PX + RING_PX] = (*RING, RING_ALPHA)
    card[rim < TRANSPARENT_PX] = (*HIDDEN, 0)
    return card


def find_card(before: Picture, after: Picture, sheet: Picture | None = None) -> Sight | None:
    """Find a card that appeared between two screenshots, by its four colours.

    Args:
        before: (H, W, 3) uint8, RGB.
        after: likewise.
        sheet: likewise; what lies under the card, if that is not what was there before.

    Returns:
        Where it is; None if fewer than three of its markers are in sight, or they do not lie as on a card.
    """
    changed = cv2.absdiff(before, after).max(axis=2) > CHANGED_LEVELS
    found = {centre: _find_marker(after, changed, colour) for colour, centre in MARKERS.items()}
    pairs = [(card, screen) for card, screen in found.items() if screen is not None]
    if len(pairs) < 3:
        return None
    card, screen = (np.array([complex(*point) for point in points]) for points in zip(*pairs, strict=True))
    spread = card - card.mean()
    zoom = np.vdot(spread, screen - screen.mean()) / np.vdot(spread, spread)  # scale and turn, as one complex number
    shift = screen.mean() - zoom * card.mean()
    if np.abs(zoom * card + shift - screen).max() > FARTHEST_MARKER_PX:
        return None
    centre = zoom * complex((WIDTH - 1) / 2, (HEIGHT - 1) / 2) + shift
    return Sight(
        ScreenPoint(float(centre.real), float(centre.imag)),
        float(abs(zoom)),
        float(np.degrees(np.angle(zoom))),
        _keeps_alpha(before if sheet is None else sheet, after, zoom, shift),
    )


def _find_marker(after: Picture, changed: Zone, colour: tuple[int, int, int]) -> tuple[float, float] | None:
    """The centre of the largest changed patch of a colour."""
    near = np.abs(after.astype(np.int16) - np.array(colour)).max(axis=2) < NEAR_LEVELS
    count, _, stats, centres = cv2.connectedComponentsWithStats((near & changed).astype(np.uint8))
    if count < 2:
        return None
    largest = 1 + int(np.argmax(stats[1:, cv2.CC_STAT_AREA]))
    if stats[largest, cv2.CC_STAT_AREA] < SMALLEST_MARKER_PX:
        return None
    x, y = centres[largest]
    return float(x), float(y)


def _keeps_alpha(sheet: Picture, after: Picture, zoom: complex, shift: complex) -> bool:
    """Whether the sheet shows through the frame unchanged, and through the ring by half."""
    rim = _rim()
    frame = (rim >= MARGIN_PX) & (rim < TRANSPARENT_PX - MARGIN_PX)
    ring = (rim >= TRANSPARENT_PX + MARGIN_PX) & (rim < TRANSPARENT_PX + RING_PX - MARGIN_PX)
    under, shown = (_seen_through(frame, picture, zoom, shift) for picture in (sheet, after))
    if np.median(np.abs(shown - under)) > STILL_LEVELS:
        return False
    under, shown = (_seen_through(ring, picture, zoom, shift) for picture in (sheet, after))
    blends = (_blend(under, gamma) for gamma in GAMMAS)
    return any(bool(np.median(np.abs(shown - blend)) < FAITHFUL_LEVELS) for blend in blends)


def _seen_through(zone: Zone, picture: Picture, zoom: complex, shift: complex) -> Levels:
    """The pixels of a picture of the screen that lie in a zone of the card: (N, 3)."""
    y, x = np.nonzero(zone)
    at = zoom * (x + 1j * y) + shift
    columns, rows = np.rint(at.real).astype(int), np.rint(at.imag).astype(int)
    inside = (columns >= 0) & (columns < picture.shape[1]) & (rows >= 0) & (rows < picture.shape[0])
    return np.asarray(picture[rows[inside], columns[inside]], np.float32)


def _blend(under: Levels, gamma: float) -> Levels:
    """The ring's colour laid over others: (N, 3)."""
    share = RING_ALPHA / 255
    light = share * (np.array(RING) / 255) ** gamma + (1 - share) * (under / 255) ** gamma
    return np.asarray(255 * light ** (1 / gamma), np.float32)


def _rim() -> Levels:
    """How far each pixel of the card lies from its edge: (HEIGHT, WIDTH)."""
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    return np.asarray(np.minimum.reduce([x, WIDTH - 1 - x, y, HEIGHT - 1 - y]))
