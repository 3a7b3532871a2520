"""screenshot -> the same with its features ready, so that a view needs only be matched; changes are followed."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np
import numpy.typing as npt

from desktop_agent.features import Features, Grey, Points, find_features, join, shrink
from desktop_agent.homography import apply
from desktop_agent.mapping import scaling
from desktop_agent.screenshot import Screenshot

FRAME_PX = 32  # laid around the screenshot, because the camera sees a monitor's dark frame beside it
FRAME_GREY = 25
COARSE_PX = 960  # long side of the picture whose features are always ready
FINE_PX = 1920  # long side of the one whose features are found when those do not suffice
MARGIN_PX = 32  # of the coarse picture: what the descriptors of features reach over
ALIGNED_PX = 16  # so that parts are halved on the same grid as the whole is
FEATURES_IN_PX = 0.008  # at most, on average; screens full of text have more
THREADS = 2


@dataclass(frozen=True)
class Part:
    """A part of a picture whose features depend on the pixels in and around it alone."""

    rows: slice
    columns: slice

    @property
    def with_margin(self) -> tuple[slice, slice]:
        """What its features depend on, as an index into the picture."""
        top, left = (max(0, whole.start - MARGIN_PX) // ALIGNED_PX * ALIGNED_PX for whole in (self.rows, self.columns))
        return slice(top, self.rows.stop + MARGIN_PX), slice(left, self.columns.stop + MARGIN_PX)

    def contains(self, points: Points) -> npt.NDArray[np.bool_]:
        """Whether (N, 2) points lie in it: (N,)."""
        start, stop = (self.columns.start, self.rows.start), (self.columns.stop, self.rows.stop)
        return np.asarray(((points >= np.subtract(start, 0.5)) & (points < np.subtract(stop, 0.5))).all(axis=1))


@dataclass(frozen=True)
class ReadyScreen:
    """What one monitor shows, and where it is distinctive."""

    screenshot: Screenshot
    framed: Grey  # (H + 2 FRAME_PX, W + 2 FRAME_PX), the screenshot in a monitor's frame
    coarse: Grey  # (h, w), the same, its long side at most COARSE_PX
    coarse_features: Features  # of the coarse picture, in its pixels

    @cached_property
    def features(self) -> Features:
        """Those of the coarse picture, in the screenshot's pixels."""
        return self.coarse_features.moved(lambda points: self._to_screen(points, self.coarse))

    @cached_property
    def fine_features(self) -> Features:
        """More of them, found when they are first asked for."""
        fine = shrink(self.framed, FINE_PX)
        return _find(fine).moved(lambda points: self._to_screen(points, fine))

    def _to_screen(self, points: Points, picture: Grey) -> Points:
        size, framed = (picture.shape[1], picture.shape[0]), (self.framed.shape[1], self.framed.shape[0])
        return apply(scaling(size, framed), points) - FRAME_PX


def make_ready(screenshot: Screenshot) -> ReadyScreen:
    """Find the features of a screen."""
    framed = _frame(screenshot)
    coarse = shrink(framed, COARSE_PX)
    return ReadyScreen(screenshot, framed, coarse, _find(coarse))


def update_ready(ready: ReadyScreen, screenshot: Screenshot) -> ReadyScreen:
    """As make_ready(screenshot), but only what differs from `ready`, and what is around it, is looked at anew."""
    if not ready.screenshot.is_of_same_monitor(screenshot):
        return make_ready(screenshot)
    framed = _frame(screenshot)
    coarse = shrink(framed, COARSE_PX)
    features = ready.coarse_features
    for part in _changed_parts(ready.coarse, coarse):
        features = join([features.chosen(~part.contains(features.points)), _find_in_part(coarse, part)])
    return ReadyScreen(screenshot, framed, coarse, features)


def _changed_parts(before: Grey, now: Grey) -> list[Part]:
    """The parts whose features may have changed."""
    changed = (before != now).astype(np.uint8)
    reached = cv2.dilate(changed, np.ones((2 * MARGIN_PX + 1, 2 * MARGIN_PX + 1), np.uint8))
    _, _, boxes, _ = cv2.connectedComponentsWithStats(reached)
    return [Part(slice(top, top + height), slice(left, left + width)) for left, top, width, height, _ in boxes[1:]]


def _frame(screenshot: Screenshot) -> Grey:
    grey = cv2.cvtColor(screenshot.pixels, cv2.COLOR_RGB2GRAY)
    around = (FRAME_PX, FRAME_PX, FRAME_PX, FRAME_PX)
    return np.asarray(cv2.copyMakeBorder(grey, *around, cv2.BORDER_CONSTANT, value=FRAME_GREY), np.uint8)


def _find(picture: Grey) -> Features:
    """The features of a whole picture, in its pixels."""
    height, width = picture.shape
    halves = [Part(slice(0, height), columns) for columns in (slice(0, width // 2), slice(width // 2, width))]
    with ThreadPoolExecutor(THREADS) as pool:  # OpenCV lets go of the interpreter while it works
        return join(list(pool.map(lambda half: _find_in_part(picture, half), halves)))


def _find_in_part(picture: Grey, part: Part) -> Features:
    """The features whose centre lies in the part, in the picture's pixels."""
    rows, columns = part.with_margin
    looked_at = picture[rows, columns]
    found = find_features(looked_at, round(looked_at.size * FEATURES_IN_PX))
    found = found.moved(lambda points: np.add(points, (columns.start, rows.start)))
    return found.chosen(part.contains(found.points))
