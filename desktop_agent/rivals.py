"""a mapping that was found -> others by which the same screen shows the view elsewhere just as well.

Two windows with the same content look alike; only what lies around them tells which of them a view shows.
"""

import math
from collections.abc import Iterator

import cv2
import numpy as np
import numpy.typing as npt

from desktop_agent.align import FARTHEST_PX
from desktop_agent.features import Grey
from desktop_agent.homography import apply
from desktop_agent.mapping import Mapping, Size, corners_of, scaling
from desktop_agent.ready_screen import FRAME_PX, ReadyScreen
from desktop_agent.search import Candidate, View, examine

ALIKE = 0.65  # correlation of places that are worth comparing with the view; two equal windows have .7 or more
MOST_PLACES = 3
BEYOND = 0.3  # of what the view shows, to each side: how much of it may lie beside the screen
NOTHING = 128  # grey level of a screen's structure where it has none

Mask = npt.NDArray[np.bool_]  # (h, w)


def find_rivals(view: View, candidate: Candidate, apart_px: float) -> Iterator[Candidate]:
    """Where else on the same screen what the view shows may be.

    Args:
        view: the view.
        candidate: what was found in it.
        apart_px: in screen pixels, how far from that another place begins.
    """
    mapping = candidate.fit.mapping
    for dx, dy in find_places_alike(candidate.screen, mapping, apart_px):
        moved = np.array([[1.0, 0, -dx], [0, 1.0, -dy], [0, 0, 1.0]])
        rival = examine(view, candidate.screen, Mapping(mapping.view_from_screen @ moved, mapping.bend, mapping.size))
        if rival:
            yield rival


def find_places_alike(screen: ReadyScreen, mapping: Mapping, apart_px: float) -> Iterator[tuple[float, float]]:
    """How far, in screen pixels, from what a view shows the screen looks about the same: (dx, dy), the likest first."""
    structure, framed = screen.structure, (screen.framed.shape[1], screen.framed.shape[0])
    size = structure.shape[1], structure.shape[0]
    shown, is_seen, (left, top) = _cut_out(structure, _seen_part(mapping, size, framed))
    if not shown.size:
        return
    height, width = shown.shape
    beyond_x, beyond_y = int(BEYOND * width), int(BEYOND * height)
    around = (beyond_y, beyond_y, beyond_x, beyond_x)
    everywhere = np.asarray(cv2.copyMakeBorder(structure, *around, cv2.BORDER_CONSTANT, value=NOTHING), np.uint8)
    left, top = left + beyond_x, top + beyond_y
    alike = np.nan_to_num(np.asarray(cv2.matchTemplate(everywhere, shown, cv2.TM_CCOEFF_NORMED), np.float32))
    apart = math.ceil(apart_px * size[0] / framed[0])
    _rule_out(alike, left, top, apart)
    for _ in range(MOST_PLACES):
        y, x = (int(place) for place in np.unravel_index(int(alike.argmax()), alike.shape))
        if alike[y, x] <= 0 or _correlate(shown, everywhere[y : y + height, x : x + width], is_seen) < ALIKE:
            return
        yield (x - left) * framed[0] / size[0], (y - top) * framed[1] / size[1]
        _rule_out(alike, x, y, apart)


def _seen_part(mapping: Mapping, size: Size, framed: Size) -> Grey:
    """Which pixels of a picture of the framed screen lie in the view: (h, w), 0 or 255."""
    seen = np.zeros(size[::-1], np.uint8)
    corners = corners_of(mapping.size)
    if mapping.is_below_horizon(corners).all():
        outline = np.clip(mapping.to_screen(corners), -FARTHEST_PX, FARTHEST_PX) + FRAME_PX
        return np.asarray(cv2.fillPoly(seen, [np.rint(apply(scaling(framed, size), outline)).astype(np.int32)], 255))
    rows, columns = np.indices(seen.shape)
    places = apply(scaling(size, framed), np.stack([columns.ravel(), rows.ravel()], axis=1)) - FRAME_PX
    in_view = mapping.to_view(places)
    is_seen = mapping.is_in_front(places) & ((in_view >= 0) & (in_view <= corners[2])).all(axis=1)
    seen[is_seen.reshape(seen.shape)] = 255
    return seen


def _cut_out(picture: Grey, seen: Grey) -> tuple[Grey, Mask, tuple[int, int]]:
    """What is seen of a picture, in the box around it; where in that box; and where the box's top-left pixel is."""
    left, top, width, height = cv2.boundingRect(seen)
    box = slice(top, top + height), slice(left, left + width)
    is_seen = seen[box] > 0
    return np.where(is_seen, picture[box], NOTHING).astype(np.uint8), is_seen, (left, top)


def _rule_out(alike: npt.NDArray[np.float32], x: int, y: int, around: int) -> None:
    alike[max(0, y - around) : y + around + 1, max(0, x - around) : x + around + 1] = -1


def _correlate(one: Grey, other: Grey, where: Mask) -> float:
    a, b = (picture[where].astype(np.float32) - picture[where].mean() for picture in (one, other))
    return float((a @ b) / np.sqrt(max(float((a @ a) * (b @ b)), 1e-6)))
