"""Pairs of points of which many are wrong -> a first homography between two pictures."""

import cv2
import numpy as np
import numpy.typing as npt

from desktop_agent.features import Points

Matrix = npt.NDArray[np.float64]

INLIER_PX = 4.0  # in view pixels: what lens distortion may add, too


def apply(target_from_source: Matrix, points: Points) -> Points:
    """Map (N, 2) points."""
    mapped = np.column_stack([points, np.ones(len(points))]) @ target_from_source.T
    return np.asarray(mapped[:, :2] / mapped[:, 2:])


def fit_robustly(points_view: Points, points_screen: Points) -> Matrix | None:
    """A first homography from pairs of which many may be wrong, with USAC_MAGSAC (Barath et al. 2020).

    Args:
        points_view: (N, 2).
        points_screen: (N, 2).

    Returns:
        (3, 3) view_from_screen, or None if no four pairs agree with enough others.
    """
    if len(points_view) < 4:
        return None
    found, _inliers = cv2.findHomography(
        points_screen, points_view, cv2.USAC_MAGSAC, INLIER_PX, maxIters=5000, confidence=0.9999
    )
    is_usable = found is not None and abs(np.linalg.det(found)) > 1e-12 and abs(found[2, 2]) > 1e-12
    return np.asarray(found, np.float64) if is_usable else None


def normalise(points: Points) -> Matrix:
    """The (3, 3) similarity that brings points around the origin, at a distance of about 1 (Hartley 1997)."""
    x, y = points.mean(axis=0)
    scale = np.sqrt(2) / max(float(points.std()), 1e-9)
    return np.array([[scale, 0, -scale * x], [0, scale, -scale * y], [0, 0, 1]])


def derive_by_parameters(normal: Matrix, points: Points) -> npt.NDArray[np.float64]:
    """How mapped points move with the first eight entries of the mapping: (N, 2, 8)."""
    places = np.column_stack([points, np.ones(len(points))])
    mapped = places @ normal.T
    places, mapped = places / mapped[:, 2:], mapped / mapped[:, 2:]
    rows = np.zeros((len(points), 2, 8))
    rows[:, 0, :3] = rows[:, 1, 3:6] = places
    rows[:, :, 6:] = -mapped[:, :2, None] * places[:, None, :2]
    return rows
