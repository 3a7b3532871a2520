"""grey picture -> SIFT features, and which of two pictures' features belong together."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

Grey = npt.NDArray[np.uint8]  # (H, W)
Points = npt.NDArray[np.float64]  # (N, 2), (x, y)
Mask = npt.NDArray[np.uint8]  # (H, W)
Pairs = npt.NDArray[np.intp]  # (P, 2): an index into the one picture's features, and one into the other's

CONTRAST = 0.02  # half of what is usual: screens have faint lines, and views of them are fainter still
MATCH_RATIO = 0.85  # of the distances to the nearest and the second nearest; the fit bears many wrong pairs
CHUNK_ROWS = 512
MARGIN_PX = 32  # what the descriptors of features reach over
ALIGNED_PX = 16  # so that parts are halved on the same grid as the whole is
FEATURES_IN_PX = 0.008  # at most, on average; screens full of text have more
THREADS = 2


@dataclass(frozen=True)
class Features:
    """Where a picture is distinctive, and what it looks like there."""

    points: Points  # (N, 2)
    descriptors: npt.NDArray[np.float32]  # (N, 128), rootSIFT, of unit length

    def moved(self, move: Callable[[Points], Points]) -> "Features":
        """The same features in the pixels of another picture."""
        return Features(move(self.points), self.descriptors)

    def chosen(self, is_chosen: npt.NDArray[np.bool_]) -> "Features":
        """Some of them; is_chosen: (N,)."""
        return Features(self.points[is_chosen], self.descriptors[is_chosen])


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

    @property
    def without_margin(self) -> tuple[slice, slice]:
        """The part itself, as an index into what lies within the margin."""
        rows, columns = self.with_margin
        return (
            slice(self.rows.start - rows.start, self.rows.stop - rows.start),
            slice(self.columns.start - columns.start, self.columns.stop - columns.start),
        )

    def contains(self, points: Points) -> npt.NDArray[np.bool_]:
        """Whether (N, 2) points lie in it: (N,)."""
        start, stop = (self.columns.start, self.rows.start), (self.columns.stop, self.rows.stop)
        return np.asarray(((points >= np.subtract(start, 0.5)) & (points < np.subtract(stop, 0.5))).all(axis=1))


def shrink(grey: Grey, longest: int) -> Grey:
    """The same picture, its long side at most so many pixels."""
    ratio = longest / max(grey.shape)
    if ratio >= 1:
        return grey
    size = (max(1, round(grey.shape[1] * ratio)), max(1, round(grey.shape[0] * ratio)))
    while max(grey.shape) >= 2 * longest and min(grey.shape) > 1:  # by two is quickest
        grey = np.asarray(cv2.resize(grey, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA), np.uint8)
    return np.asarray(cv2.resize(grey, size, interpolation=cv2.INTER_AREA), np.uint8)


def find_features(grey: Grey, most: int, mask: Mask | None = None) -> Features:
    """SIFT keypoints with rootSIFT descriptors (Arandjelović and Zisserman 2012).

    Args:
        grey: (H, W) uint8.
        most: how many of the strongest to keep; screens full of text have tens of thousands.
        mask: (H, W) uint8, 0 where no feature is wanted.
    """
    keypoints, descriptors = cv2.SIFT.create(nfeatures=most, contrastThreshold=CONTRAST).detectAndCompute(grey, mask)
    if descriptors is None:
        return Features(np.empty((0, 2)), np.empty((0, 128), np.float32))
    unit = descriptors / (descriptors.sum(axis=1, keepdims=True) + 1e-7)
    points = np.array([keypoint.pt for keypoint in keypoints], np.float64)
    return Features(points, np.sqrt(unit, dtype=np.float32))


def find_in_halves(grey: Grey) -> Features:
    """The features of a whole picture, by two threads."""
    height, width = grey.shape
    halves = [Part(slice(0, height), columns) for columns in (slice(0, width // 2), slice(width // 2, width))]
    with ThreadPoolExecutor(THREADS) as pool:  # OpenCV lets go of the interpreter while it works
        return join(list(pool.map(lambda half: find_in_part(grey, half), halves)))


def find_in_part(grey: Grey, part: Part) -> Features:
    """The features whose centre lies in a part of a picture, in the whole picture's pixels."""
    rows, columns = part.with_margin
    looked_at = grey[rows, columns]
    mask = np.zeros_like(looked_at)
    mask[part.without_margin] = 255
    found = find_features(looked_at, round(looked_at.size * FEATURES_IN_PX), mask)
    return found.moved(lambda points: np.add(points, (columns.start, rows.start)))


def join(parts: Sequence[Features]) -> Features:
    """The features of several parts of a picture as one."""
    return Features(
        np.concatenate([part.points for part in parts]), np.concatenate([part.descriptors for part in parts])
    )


def match(one: Features, other: Features) -> Pairs:
    """Pairs of a feature and the other picture's nearest one, if that is clearly nearer than the second nearest.

    No feature is in two pairs. The likeliest pair comes first.
    """
    if len(one.points) < 2 or len(other.points) < 2:
        return np.empty((0, 2), np.intp)
    nearest = np.empty(len(one.points), np.intp)
    similarity, second = np.empty((2, len(one.points)), np.float32)
    for begin in range(0, len(one.points), CHUNK_ROWS):  # so that not all similarities are held at once
        rows = slice(begin, begin + CHUNK_ROWS)
        similarities = one.descriptors[rows] @ other.descriptors.T
        nearest[rows] = similarities.argmax(axis=1)
        in_chunk = np.arange(len(similarities))
        similarity[rows] = similarities[in_chunk, nearest[rows]]
        similarities[in_chunk, nearest[rows]] = -1
        second[rows] = similarities.max(axis=1)
    ratio = _distance(similarity) / _distance(second)
    order = np.argsort(ratio)
    order = order[ratio[order] < MATCH_RATIO]
    _, first = np.unique(nearest[order], return_index=True)
    chosen = order[np.sort(first)]
    return np.stack([chosen, nearest[chosen]], axis=1)


def _distance(similarity: npt.NDArray[np.floating]) -> npt.NDArray[np.floating]:
    """Of two unit vectors, from their cosine; what is nearer than rounding can tell is equally near."""
    return np.asarray(np.sqrt(np.maximum(2 - 2 * similarity, 1e-5)))
