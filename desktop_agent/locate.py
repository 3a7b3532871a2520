"""view + screenshots -> the screen point under the camera's centre.

SIFT features and a homography, as in section 6.1 of the paper; then everything that can betray a wrong answer is
checked, because a wrong answer pastes into the wrong place.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from desktop_agent.agreement import measure_agreement
from desktop_agent.features import Features, Grey, find_features, match, match_nearby
from desktop_agent.homography import Homography, Matrix, apply, fit_robustly, refine
from desktop_agent.pictures import Picture
from desktop_agent.screenshot import Screenshot
from protocol.errors import (
    AimBesideScreen,
    CopyPasteError,
    ScreenDiffers,
    ScreenNotInView,
    ScreenTooPlain,
    ViewTooBlurred,
)
from protocol.geometry import ScreenPoint, ViewPoint, view_centre

LONGEST_VIEW_PX = 1280  # more pixels of a view cost time and no longer help
FEWEST_FEATURES = 40
MOST_FEATURES_VIEW = 6000
MOST_FEATURES_SCREEN = 20000
GUIDED_RADII_PX = (24.0, 10.0, 5.0, 3.0)  # in view pixels: what the fit before may be wrong by
FEWEST_PAIRS = 12
LARGEST_RADIUS_PX = 5.0  # of 95 %, in screen pixels; beyond that, the pairs lie too far from the aim
LENS_PX = 1.0  # in view pixels: what a lens bends near the centre, which a homography cannot follow
BLUR_VARIANCE = 15.0  # variance of the Laplacian of a view too blurred to read a screen from
AGREEING_SHARE = 0.6  # of all textured blocks; other content in the same program reaches 0.59
LARGEST_MAGNIFICATION = 12.0  # screen pixels in a view pixel, or the other way round


@dataclass(frozen=True)
class FoundPoint:
    """Where the camera's centre points to."""

    screen_point: ScreenPoint
    scale: float  # screen pixels in a view pixel, around that point
    radius_95: float  # screen pixels around the point that hold the true one with 95 %
    agreement: float  # 0 to 1: share of the view's textured blocks that look like the screen


def find_screen_point(view: Picture, screenshots: Sequence[Screenshot]) -> FoundPoint:
    """Find the point of the desktop under the centre of the view.

    Args:
        view: (H, W, 3) uint8, RGB: the phone's picture of the screen.
        screenshots: what each monitor showed at that moment.

    Raises:
        ViewTooBlurred, ScreenTooPlain, ScreenNotInView, ScreenDiffers, AimBesideScreen: why there is no such point.
    """
    grey_view, view_from_small = _shrink(view)
    features_view = find_features(grey_view, MOST_FEATURES_VIEW)
    if len(features_view.points) < FEWEST_FEATURES:
        raise _why_without_features(grey_view)
    found, refusals = [], []
    for screenshot in screenshots:
        try:
            found.append(_find_on(screenshot, grey_view, features_view, view_from_small))
        except CopyPasteError as refusal:
            refusals.append(refusal)
    if found:
        return max(found, key=lambda point: point.agreement)
    raise _most_telling(refusals)


def _shrink(view: Picture) -> tuple[Grey, float]:
    """The view in grey, its long side at most LONGEST_VIEW_PX, and how many of its pixels one of them covers."""
    grey = cv2.cvtColor(view, cv2.COLOR_RGB2GRAY)
    view_from_small = max(1.0, max(grey.shape) / LONGEST_VIEW_PX)
    if view_from_small > 1:
        size = (round(grey.shape[1] / view_from_small), round(grey.shape[0] / view_from_small))
        grey = cv2.resize(grey, size, interpolation=cv2.INTER_AREA)
    return np.asarray(grey, np.uint8), view_from_small


def _why_without_features(grey_view: Grey) -> CopyPasteError:
    is_blurred = cv2.Laplacian(grey_view, cv2.CV_64F).var() < BLUR_VARIANCE and grey_view.std() > 10
    return ViewTooBlurred() if is_blurred else ScreenNotInView()


def _find_on(screenshot: Screenshot, grey_view: Grey, features_view: Features, view_from_small: float) -> FoundPoint:
    grey_screen = np.asarray(cv2.cvtColor(screenshot.pixels, cv2.COLOR_RGB2GRAY), np.uint8)
    features_screen = find_features(grey_screen, MOST_FEATURES_SCREEN)
    if len(features_screen.points) < FEWEST_FEATURES:
        raise ScreenTooPlain
    homography = _fit(features_view, features_screen)
    screen_from_view = homography.screen_from_view
    centre = view_centre(grey_view.shape[1], grey_view.shape[0])
    (x, y), scale = _map_point(screen_from_view, centre)
    _check_shape(screen_from_view, scale, grey_view.shape)
    agreement = measure_agreement(grey_view, grey_screen, screen_from_view, scale)
    if agreement < AGREEING_SHARE:
        raise ScreenDiffers
    point = screenshot.to_desktop(x, y)
    radius_95 = float(np.hypot(homography.radius_95(centre), LENS_PX * scale))
    if not screenshot.contains(point):
        raise AimBesideScreen
    if radius_95 > LARGEST_RADIUS_PX:
        raise ScreenTooPlain
    return FoundPoint(point, scale / view_from_small, radius_95, agreement)


def _fit(features_view: Features, features_screen: Features) -> Homography:
    """Match by looks, fit, then match again where things should be: that finds what lies far from the first matches."""
    pairs = match(features_view, features_screen)
    view_from_screen = fit_robustly(features_view.points[pairs[:, 0]], features_screen.points[pairs[:, 1]])
    if view_from_screen is None:
        raise ScreenNotInView
    for radius in GUIDED_RADII_PX:
        expected = apply(view_from_screen, features_screen.points)
        pairs = match_nearby(features_view, features_screen, expected, radius)
        if len(pairs) < FEWEST_PAIRS:
            raise ScreenNotInView
        points_view, points_screen = features_view.points[pairs[:, 0]], features_screen.points[pairs[:, 1]]
        homography = refine(view_from_screen, points_view, points_screen)
        view_from_screen = homography.view_from_screen
    return homography


def _check_shape(screen_from_view: Matrix, scale: float, shape: tuple[int, ...]) -> None:
    """Refuse a homography that no camera before a flat screen can have: mirrored, folded, or of an absurd scale."""
    height, width = shape
    corners_view = np.array([[0, 0, 1], [width - 1, 0, 1], [width - 1, height - 1, 1], [0, height - 1, 1]], np.float64)
    depths = (corners_view @ screen_from_view.T)[:, 2]
    is_seen_from_front = bool(np.all(depths * depths[0] > 0)) and scale > 0
    if not (is_seen_from_front and 1 / LARGEST_MAGNIFICATION < scale < LARGEST_MAGNIFICATION):
        raise ScreenNotInView


def _map_point(screen_from_view: Matrix, point: ViewPoint) -> tuple[tuple[float, float], float]:
    """The point on the screenshot, and the screen pixels in a view pixel there (0 if the mapping mirrors)."""
    u, v, w = screen_from_view @ (point.x, point.y, 1.0)
    area = np.linalg.det(screen_from_view) / w**3  # the Jacobian's determinant
    return (float(u / w), float(v / w)), float(np.sqrt(max(area, 0.0)))


def _most_telling(refusals: Sequence[CopyPasteError]) -> CopyPasteError:
    """Of one refusal per monitor, the one that came furthest and so knows most."""
    furthest = (AimBesideScreen, ScreenDiffers, ScreenTooPlain, ScreenNotInView)
    return min(refusals, key=lambda refusal: furthest.index(type(refusal)), default=ScreenNotInView())
