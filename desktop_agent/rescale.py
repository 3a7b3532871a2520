"""A window's two screenshots -> how much its document was zoomed in between."""

import cv2
import numpy as np

from desktop_agent.features import Features, Grey, find_features, match, shrink
from desktop_agent.homography import apply
from desktop_agent.look import Plane, find_changed
from desktop_agent.mapping import Size, scaling
from desktop_agent.pictures import Picture

LONGEST_PX = 960
MOST_FEATURES = 1500  # of each
LEAST_CHANGED_OF_ALL = 0.02  # a blank sheet or a small one: too little to recognise
AROUND_PX = 25  # a feature, with a side of this
LEAST_CHANGED = 0.3  # of the pixels around a feature of the document
NEAR_PX = 2.0  # from where the zoom puts a feature
LEAST_FEATURES = 16  # that must tell the same zoom
LEAST_SHARE = 0.3  # of all pairs
MOST_TURN = 0.02  # radians; a zoom turns nothing


def find_rescaling(before: Picture, after: Picture) -> float | None:
    """How many times larger the document is shown than before.

    What has not changed is left out, as menus and tools look the same at every zoom.

    Args:
        before: (H, W, 3) uint8, RGB: the window.
        after: (H, W, 3) uint8, RGB: likewise, now.

    Returns:
        The ratio of the two zooms; None where the document has too little to recognise, or is another one.
    """
    changed = find_changed(before, after)
    if changed.mean() < LEAST_CHANGED_OF_ALL:
        return None
    changed_around = np.asarray(cv2.blur(changed.astype(np.float32), (AROUND_PX, AROUND_PX)), np.float32)
    one, other = (_features_where(picture, changed_around) for picture in (before, after))
    pairs = match(one, other)
    if len(pairs) < LEAST_FEATURES:
        return None
    after_from_before, fits = cv2.estimateAffinePartial2D(
        one.points[pairs[:, 0]], other.points[pairs[:, 1]], ransacReprojThreshold=NEAR_PX
    )
    if after_from_before is None or fits.sum() < max(LEAST_FEATURES, LEAST_SHARE * len(pairs)):
        return None
    turned_zoom = complex(after_from_before[0, 0], after_from_before[1, 0])
    return abs(turned_zoom) if abs(np.angle(turned_zoom)) <= MOST_TURN else None


def _features_where(picture: Picture, changed_around: Plane) -> Features:
    grey = np.asarray(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), np.uint8)
    small = shrink(grey, LONGEST_PX)
    window_from_small = scaling(_size(small), _size(grey))
    features = find_features(small, MOST_FEATURES).moved(lambda points: apply(window_from_small, points))
    columns, rows = np.clip(np.rint(features.points).astype(int), 0, np.subtract(_size(grey), 1)).T
    return features.chosen(changed_around[rows, columns] >= LEAST_CHANGED)


def _size(grey: Grey) -> Size:
    return int(grey.shape[1]), int(grey.shape[0])
