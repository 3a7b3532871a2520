"""Pairs of points -> the homography between two pictures, and how sure it is of a point.

Everything is fitted in the view's pixels, where the errors are made, whatever the distance of the screen.
"""

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from desktop_agent.features import Points
from protocol.geometry import ViewPoint

Matrix = npt.NDArray[np.float64]

INLIER_PX = 4.0  # in view pixels: what lens distortion may add, too
OUTLIER_PX = 1.0  # residuals beyond this lose their say (Cauchy's weights)
STEPS = 12
RADIUS_95 = 2.448  # of a normal distribution in the plane, in standard deviations


@dataclass(frozen=True)
class Homography:
    """A mapping from the screen to the view, with the covariance of its parameters."""

    view_from_screen: Matrix  # (3, 3)
    covariance: Matrix  # (8, 8), of the first eight entries of the normalised mapping
    normal_from_view: Matrix  # (3, 3), see normalise
    normal_from_screen: Matrix  # (3, 3)

    @property
    def screen_from_view(self) -> Matrix:
        """The mapping the other way round."""
        return np.asarray(np.linalg.inv(self.view_from_screen))

    def radius_95(self, point: ViewPoint) -> float:
        """The radius, in screen pixels, that holds the screen point of a view point with 95 %, through an ideal lens.

        The covariance of the parameters is carried to the point by the implicit function of its projection.
        """
        normal = self.normal_from_view @ self.view_from_screen @ np.linalg.inv(self.normal_from_screen)
        mapped = np.linalg.inv(normal) @ self.normal_from_view @ (point.x, point.y, 1.0)
        screen = (mapped[:2] / mapped[2])[None]
        by_parameters = derive_by_parameters(normal / normal[2, 2], screen)[0]
        by_screen = _by_screen(normal / normal[2, 2], screen[0])
        spread = np.linalg.solve(by_screen, by_parameters)
        covariance = spread @ self.covariance @ spread.T / self.normal_from_screen[0, 0] ** 2
        return RADIUS_95 * float(np.sqrt(np.linalg.eigvalsh(covariance)[-1]))


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


def refine(view_from_screen: Matrix, points_view: Points, points_screen: Points) -> Homography:
    """The homography of least weighted reprojection error in the view, by Gauss and Newton.

    Args:
        view_from_screen: (3, 3), near the answer.
        points_view: (N, 2), N at least 5.
        points_screen: (N, 2).
    """
    normal_from_view, normal_from_screen = normalise(points_view), normalise(points_screen)
    screen, view = apply(normal_from_screen, points_screen), apply(normal_from_view, points_view)
    normal = normal_from_view @ view_from_screen @ np.linalg.inv(normal_from_screen)
    for _ in range(STEPS):
        normal = normal / normal[2, 2]
        jacobian, residual = derive_by_parameters(normal, screen), view - apply(normal, screen)
        weight = 1 / (1 + (residual**2).sum(axis=1) / (OUTLIER_PX * normal_from_view[0, 0]) ** 2)
        curvature = np.einsum("nki,n,nkj->ij", jacobian, weight, jacobian)
        curvature += 1e-9 * np.trace(curvature) * np.eye(8)  # solvable, even if the points say too little
        step = np.linalg.solve(curvature, np.einsum("nki,n,nk->i", jacobian, weight, residual))
        normal = normal + np.append(step, 0.0).reshape(3, 3)
        if np.abs(step).max() < 1e-9:
            break
    variance = (weight * (residual**2).sum(axis=1)).sum() / max(2 * weight.sum() - 8, 1.0)
    refined = np.linalg.inv(normal_from_view) @ normal @ normal_from_screen
    return Homography(refined, np.linalg.inv(curvature) * variance, normal_from_view, normal_from_screen)


def normalise(points: Points) -> Matrix:
    """The (3, 3) similarity that brings points around the origin, at a distance of about 1 (Hartley 1997)."""
    x, y = points.mean(axis=0)
    scale = np.sqrt(2) / max(float(points.std()), 1e-9)
    return np.array([[scale, 0, -scale * x], [0, scale, -scale * y], [0, 0, 1]])


def derive_by_parameters(normal: Matrix, points: Points) -> npt.NDArray[np.float64]:
    """How mapped points move with the first eight entries of the mapping: (N, 2, 8)."""
    x, y = points.T
    mapped = np.column_stack([points, np.ones(len(points))]) @ normal.T
    u, v, w = mapped[:, 0] / mapped[:, 2], mapped[:, 1] / mapped[:, 2], mapped[:, 2]
    zero, one = np.zeros_like(x), np.ones_like(x)
    rows_u = np.stack([x, y, one, zero, zero, zero, -u * x, -u * y], axis=1)
    rows_v = np.stack([zero, zero, zero, x, y, one, -v * x, -v * y], axis=1)
    return np.stack([rows_u, rows_v], axis=1) / w[:, None, None]


def _by_screen(normal: Matrix, point: Points) -> Matrix:
    """How a mapped point moves with the point: (2, 2)."""
    u, v, w = normal @ (point[0], point[1], 1.0)
    return np.array((normal[:2, :2] - np.outer((u / w, v / w), normal[2, :2])) / w)
