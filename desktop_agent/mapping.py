"""Pairs of points -> where a screen lies in a view: a homography, then the bend of the lens.

Everything is fitted in the view's pixels, where the errors are made, whatever the distance of the screen.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from desktop_agent.features import Points
from desktop_agent.homography import Matrix, apply, derive_by_parameters, normalise

Reals = npt.NDArray[np.float64]
Size = tuple[int, int]  # (width, height)

STEPS = 10
LAST_STEP = 1e-4  # in half long sides of the view, at most some hundredths of a pixel: what follows changes nothing
RADIUS_95 = 2.448  # of a normal distribution in the plane, in standard deviations
BEND_SIGMA = 0.012  # of phones' lenses: what `bend` is likely to be, as a standard deviation from 0
FOCAL = 1.5  # of phones' cameras, in half long sides of the view: 26 mm on film
FOCAL_SIGMA = 0.3  # of its logarithm: two of them are a wide-angle lens or twofold zoom
CAMERA_SIGMA = 0.015  # how far from square a square of the screen may come out: the lens is not quite centred
UNBENDING_STEPS = 6
FINEST_PX = 0.05  # in view pixels: no patch is followed better than that


@dataclass(frozen=True)
class Mapping:
    """Where screen pixels lie in a view."""

    view_from_screen: Matrix  # (3, 3), through an ideal lens
    bend: float  # p -> p (1 + bend r²), with p from the view's centre, and r its length in half long sides of the view
    size: Size  # of the view

    @cached_property
    def screen_from_view(self) -> Matrix:
        """(3, 3), through an ideal lens; exact at the view's centre through any."""
        return invert(self.view_from_screen)

    @property
    def normal_from_view(self) -> Matrix:
        """(3, 3): the view's centre becomes the origin, half its long side 1."""
        reach = max(self.size) / 2
        x, y = (self.size[0] - 1) / 2, (self.size[1] - 1) / 2
        return np.array([[1 / reach, 0, -x / reach], [0, 1 / reach, -y / reach], [0, 0, 1]])

    def to_view(self, points_screen: Points) -> Points:
        """Map (N, 2) points."""
        ideal = apply(self.normal_from_view @ self.view_from_screen, points_screen)
        bent = ideal * (1 + self.bend * (ideal**2).sum(axis=1, keepdims=True))
        return apply(invert(self.normal_from_view), bent)

    def to_screen(self, points_view: Points) -> Points:
        """Map (N, 2) points."""
        bent = apply(self.normal_from_view, points_view)
        ideal = bent
        for _ in range(UNBENDING_STEPS):
            ideal = bent / (1 + self.bend * (ideal**2).sum(axis=1, keepdims=True))
        return apply(self.screen_from_view @ invert(self.normal_from_view), ideal)

    def is_below_horizon(self, points_view: Points) -> npt.NDArray[np.bool_]:
        """Which of (N, 2) points show the screen's plane, not what lies beyond its horizon: (N,); of an ideal lens."""
        depths = np.column_stack([points_view, np.ones(len(points_view))]) @ self.screen_from_view[2]
        return np.asarray(depths * self._depth_at_centre > 0)

    def is_in_front(self, points_screen: Points) -> npt.NDArray[np.bool_]:
        """Which of (N, 2) points of the screen lie in front of the camera: (N,)."""
        depths = np.column_stack([points_screen, np.ones(len(points_screen))]) @ self.view_from_screen[2]
        return np.asarray(depths * self._depth_at_centre > 0)

    @property
    def _depth_at_centre(self) -> float:
        """Of either sign: that of all that lies in front of the camera."""
        return float(self.screen_from_view[2] @ ((self.size[0] - 1) / 2, (self.size[1] - 1) / 2, 1.0))

    def at_centre(self) -> tuple[float, float]:
        """The screen pixel under the centre of the view."""
        x, y = apply(self.screen_from_view, np.array([[(self.size[0] - 1) / 2, (self.size[1] - 1) / 2]]))[0]
        return float(x), float(y)

    def jacobian_at_centre(self) -> Matrix:
        """How screen pixels follow view pixels there: (2, 2)."""
        u, v, w = self.screen_from_view @ ((self.size[0] - 1) / 2, (self.size[1] - 1) / 2, 1.0)
        return np.asarray((self.screen_from_view[:2, :2] - np.outer((u / w, v / w), self.screen_from_view[2, :2])) / w)

    def resized(self, size: Size) -> "Mapping":
        """The mapping to the same view in another size."""
        return Mapping(scaling(self.size, size) @ self.view_from_screen, self.bend, size)


@dataclass(frozen=True)
class Fit:
    """A mapping, and how well it explains the pairs it was fitted to."""

    mapping: Mapping
    residuals_px: Reals  # (N,), in the view
    covariance: Matrix  # (2, 2), of the screen pixel under the view's centre

    @property
    def radius_95(self) -> float:
        """The radius around that pixel, in screen pixels, that holds the true one with 95 %."""
        return RADIUS_95 * float(np.sqrt(np.linalg.eigvalsh(self.covariance)[-1]))


def invert(mapping: Matrix) -> Matrix:
    """The mapping the other way round."""
    return np.asarray(np.linalg.inv(mapping), np.float64)


def corners_of(size: Size) -> Points:
    """The centres of a picture's corner pixels: (4, 2), clockwise from the top left."""
    right, bottom = size[0] - 1.0, size[1] - 1.0
    return np.array([[0, 0], [right, 0], [right, bottom], [0, bottom]])


def scaling(size: Size, other: Size) -> Matrix:
    """(3, 3), from the pixels of a picture to those of the same picture in another size."""
    x, y = other[0] / size[0], other[1] / size[1]
    return np.array([[x, 0, (x - 1) / 2], [0, y, (y - 1) / 2], [0, 0, 1]])


def fit(start: Mapping, points_view: Points, points_screen: Points, knowing: Reals, outlier_px: float) -> Fit:
    """The mapping of least weighted error in the view, by Gauss and Newton.

    Args:
        start: near the answer.
        points_view: (N, 2), N at least 5.
        points_screen: (N, 2).
        knowing: (N, 2, 2), projects a residual onto the directions that a pair knows.
        outlier_px: residuals in the view beyond this lose their say (Cauchy's weights).
    """
    normal_from_screen = normalise(points_screen)
    screen, view = apply(normal_from_screen, points_screen), apply(start.normal_from_view, points_view)
    homography = start.normal_from_view @ start.view_from_screen @ np.linalg.inv(normal_from_screen)
    px = start.normal_from_view[0, 0]
    bend, focal = start.bend, FOCAL
    directions = np.trace(knowing, axis1=1, axis2=2)
    for _ in range(STEPS):
        homography = homography / homography[2, 2]
        jacobian, residual = _linearise(homography, bend, screen, view)
        jacobian, residual = knowing @ jacobian, (knowing @ residual[:, :, None])[:, :, 0]
        squared = (residual**2).sum(axis=1)
        weight = 1 / (1 + squared / (outlier_px * px) ** 2)
        variance = max((weight @ squared) / max(weight @ directions - 9, 1.0), (FINEST_PX * px) ** 2)
        by_parameters = jacobian.reshape(-1, 9)
        weighted = by_parameters.T * np.repeat(weight / variance, 2)
        curvature, slope = np.zeros((10, 10)), np.zeros(10)
        curvature[:9, :9], slope[:9] = weighted @ by_parameters, weighted @ residual.ravel()
        curvature += 1e-12 * np.trace(curvature) * np.eye(10)  # solvable, even if the points say too little
        by_prior, expected = _expect_a_phone(homography, bend, focal)
        curvature += by_prior.T @ by_prior
        slope += by_prior.T @ expected
        step = np.linalg.solve(curvature, slope)
        homography = homography + np.append(step[:8], 0.0).reshape(3, 3)
        bend, focal = bend + float(step[8]), focal * float(np.exp(step[9]))
        if np.abs(step).max() < LAST_STEP:
            break
    homography = homography / homography[2, 2]
    refined = np.linalg.inv(start.normal_from_view) @ homography @ normal_from_screen
    covariance = _at_centre(homography, invert(curvature)) / normal_from_screen[0, 0] ** 2
    return Fit(Mapping(refined, bend, start.size), np.sqrt(squared) / px, covariance)


def _linearise(homography: Matrix, bend: float, screen: Points, view: Points) -> tuple[Reals, Reals]:
    """How mapped points move with the parameters, (N, 2, 9), and by how much they are off, (N, 2)."""
    ideal = apply(homography, screen)
    squared = (ideal**2).sum(axis=1)
    residual = view - ideal * (1 + bend * squared)[:, None]
    jacobian = np.empty((len(screen), 2, 9))
    bending = (1 + bend * squared)[:, None, None] * np.eye(2) + 2 * bend * ideal[:, :, None] * ideal[:, None, :]
    jacobian[:, :, :8], jacobian[:, :, 8] = bending @ derive_by_parameters(homography, screen), ideal * squared[:, None]
    return jacobian, residual


def _expect_a_phone(homography: Matrix, bend: float, focal: float) -> tuple[Matrix, Reals]:
    """What is known of cameras before any pair is seen, as rows of a least-squares problem: (4, 10) and (4,).

    A square of the screen is square again when seen from straight ahead: the first two columns of the homography,
    freed of the focal length, are at right angles and of the same length (Zhang 2000, section 2.3).
    """
    parameters = np.append(homography.ravel()[:8], np.log(focal))
    nudges = 1e-6 * np.maximum(np.abs(parameters), 1e-2)
    here, *nudged = _squareness(parameters + np.vstack([np.zeros(9), np.diag(nudges)]))
    by_parameters = (nudged - here) / nudges[:, None]
    rows = np.zeros((4, 10))
    rows[:2, [0, 1, 2, 3, 4, 5, 6, 7, 9]] = by_parameters.T / CAMERA_SIGMA
    rows[2, 8], rows[3, 9] = 1 / BEND_SIGMA, 1 / FOCAL_SIGMA
    expected = np.array([*(-here / CAMERA_SIGMA), -bend / BEND_SIGMA, np.log(FOCAL / focal) / FOCAL_SIGMA])
    return rows, expected


def _squareness(parameters: Reals) -> Reals:
    """How far from square a square comes out: the cosine of its corner, and the logarithm of its sides' ratio.

    Args:
        parameters: (..., 9), the first eight entries of a homography, and the logarithm of the focal length.

    Returns:
        (..., 2).
    """
    sides = np.stack([parameters[..., [0, 3, 6]], parameters[..., [1, 4, 7]]])
    sides[..., :2] /= np.exp(parameters[..., 8:])
    one, other = sides
    length_one, length_other = np.sqrt((sides**2).sum(axis=-1))
    cosine = (one * other).sum(axis=-1) / (length_one * length_other)
    return np.stack([cosine, np.log(length_one / length_other)], axis=-1)


def _at_centre(homography: Matrix, covariance: Matrix) -> Matrix:
    """The covariance of the point that is mapped to the origin, by the implicit function of its projection."""
    point = apply(invert(homography), np.zeros((1, 2)))
    by_parameters = derive_by_parameters(homography, point)
    by_point = homography[:2, :2] / float(homography[2] @ (*point[0], 1.0))
    spread = np.linalg.solve(by_point, by_parameters[0])
    return np.asarray(spread @ covariance[:8, :8] @ spread.T)
