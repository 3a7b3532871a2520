"""grey picture -> SIFT features, and which of two pictures' features belong together."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

Grey = npt.NDArray[np.uint8]  # (H, W)
Points = npt.NDArray[np.float64]  # (N, 2), (x, y)
Pairs = npt.NDArray[np.intp]  # (P, 2): an index into the one picture's features, and one into the other's

MATCH_RATIO = 0.75  # of the distances to the nearest and the second nearest; Lowe 2004, section 7.1
CHUNK_ROWS = 512
GUIDED_RATIO = 0.9  # where the place already speaks for the match
GUIDED_SIMILARITY = 0.78  # cosine of two descriptors that are near each other in place, too


@dataclass(frozen=True)
class Features:
    """Where a picture is distinctive, and what it looks like there."""

    points: Points  # (N, 2)
    descriptors: npt.NDArray[np.float32]  # (N, 128), rootSIFT, of unit length


def find_features(grey: Grey, most: int) -> Features:
    """SIFT keypoints with rootSIFT descriptors (Arandjelović and Zisserman 2012).

    Args:
        grey: (H, W) uint8.
        most: how many of the strongest to keep; screens full of text have tens of thousands.
    """
    keypoints, descriptors = cv2.SIFT.create(nfeatures=most).detectAndCompute(grey, None)
    if descriptors is None:
        return Features(np.empty((0, 2)), np.empty((0, 128), np.float32))
    unit = descriptors / (descriptors.sum(axis=1, keepdims=True) + 1e-7)
    points = np.array([keypoint.pt for keypoint in keypoints], np.float64)
    return Features(points, np.sqrt(unit, dtype=np.float32))


def join(parts: Sequence[Features]) -> Features:
    """The features of several parts of a picture as one."""
    return Features(
        np.concatenate([part.points for part in parts]), np.concatenate([part.descriptors for part in parts])
    )


def match(one: Features, other: Features) -> Pairs:
    """Pairs that are each other's nearest neighbour, and clearly nearer than the second nearest."""
    if len(one.points) < 2 or len(other.points) < 2:
        return np.empty((0, 2), np.intp)
    nearest, second = np.empty(len(one.points), np.intp), np.empty(len(one.points), np.float32)
    similarity = np.empty(len(one.points), np.float32)
    back, back_similarity = np.zeros(len(other.points), np.intp), np.full(len(other.points), -1, np.float32)
    for begin in range(0, len(one.points), CHUNK_ROWS):  # so that not all similarities are held at once
        rows = slice(begin, begin + CHUNK_ROWS)
        similarities = one.descriptors[rows] @ other.descriptors.T
        nearest[rows] = similarities.argmax(axis=1)
        in_chunk = np.arange(len(similarities))
        similarity[rows] = similarities[in_chunk, nearest[rows]]
        is_nearer = similarities.max(axis=0) > back_similarity
        back[is_nearer] = begin + similarities[:, is_nearer].argmax(axis=0)
        back_similarity[is_nearer] = similarities[back[is_nearer] - begin, is_nearer]
        similarities[in_chunk, nearest[rows]] = -1
        second[rows] = similarities.max(axis=1)
    is_mutual = back[nearest] == np.arange(len(one.points))
    is_clear = _distance(similarity) < MATCH_RATIO * _distance(second)
    chosen = np.flatnonzero(is_mutual & is_clear)
    return np.stack([chosen, nearest[chosen]], axis=1)


def _distance(similarity: npt.NDArray[np.floating]) -> npt.NDArray[np.floating]:
    """Of two unit vectors, from their cosine."""
    return np.asarray(np.sqrt(np.maximum(2 - 2 * similarity, 0)))


def match_nearby(one: Features, other: Features, other_points_in_one: Points, radius: float) -> Pairs:
    """Pairs that look alike and lie near each other, once it is known roughly where the other's features should be.

    Args:
        one: features of the picture in whose pixels places are compared.
        other: features of the other picture.
        other_points_in_one: (N, 2), where the other's features should be in the one picture.
        radius: in pixels of the one picture.
    """
    pairs = _find_near(one.points, other_points_in_one, radius)
    similarity = np.einsum("pd,pd->p", one.descriptors[pairs[:, 0]], other.descriptors[pairs[:, 1]])
    order = np.argsort(-similarity)
    pairs, similarity = pairs[order], similarity[order]
    is_best_of_one = _is_first(pairs[:, 0])
    is_best_of_other = _is_first(pairs[:, 1])
    distance = _distance(similarity)
    second = _second_by(pairs[:, 0], distance, len(one.points))[pairs[:, 0]]
    is_clear = (similarity > GUIDED_SIMILARITY) & (distance < GUIDED_RATIO * second)
    return np.asarray(pairs[is_best_of_one & is_best_of_other & is_clear])


def _find_near(points: Points, others: Points, radius: float) -> Pairs:
    """All pairs of a point and another no further apart than `radius`, by way of a grid of cells of that size."""
    cells = np.floor(points / radius).astype(np.int64)
    other_cells = np.floor(np.clip(others, -1e6, 1e6) / radius).astype(np.int64)
    width = 2 ** np.int64(31)
    keys = other_cells[:, 1] * width + other_cells[:, 0]
    order = np.argsort(keys)
    found = []
    for dy in (-1, 0, 1):
        # Cells of one row lie next to each other, so three of them are one stretch of the sorted others.
        first = (cells[:, 1] + dy) * width + cells[:, 0] - 1
        begin, end = np.searchsorted(keys[order], first), np.searchsorted(keys[order], first + 2, side="right")
        counts = end - begin
        index = np.repeat(np.arange(len(points)), counts)
        within = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
        found.append(np.stack([index, order[np.repeat(begin, counts) + within]], axis=1))
    pairs = np.concatenate(found)
    is_near = np.hypot(*(points[pairs[:, 0]] - others[pairs[:, 1]]).T) <= radius
    return np.asarray(pairs[is_near], np.intp)


def _is_first(values: npt.NDArray[np.intp]) -> npt.NDArray[np.bool_]:
    """Whether each entry is the first one of its value."""
    _, first = np.unique(values, return_index=True)
    is_first = np.zeros(len(values), bool)
    is_first[first] = True
    return is_first


def _second_by(
    groups: npt.NDArray[np.intp], distances: npt.NDArray[np.floating], count: int
) -> npt.NDArray[np.float64]:
    """The second smallest distance of each group, of distances in rising order; infinite where there is none."""
    second = np.full(count, np.inf)
    rest = ~_is_first(groups)
    later_groups, later_distances = groups[rest], distances[rest]
    is_second = _is_first(later_groups)
    second[later_groups[is_second]] = later_distances[is_second]
    return second
