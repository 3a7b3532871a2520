"""view + screenshots -> the screen point under the camera's centre.

SIFT features and a homography, as in section 6.1 of the paper; then everything that can betray a wrong answer is
checked, because a wrong answer pastes into the wrong place.
"""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace

import cv2
import numpy as np

from desktop_agent.agreement import measure_agreement
from desktop_agent.features import Features, Grey, find_features, match, match_nearby
from desktop_agent.homography import Homography, Matrix, apply, fit_robustly, refine
from desktop_agent.pictures import Picture
from desktop_agent.ready_screen import ReadyScreen
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
    turn_deg: float  # how far, clockwise on the screen, what is upright in the view is turned; -180 to 180
    radius_95: float  # screen pixels around the point that hold the true one with 95 %
    probability: float  # 0 to 1: that the point is right
    agreement: float  # 0 to 1: share of the view's textured blocks that look like the screen
    monitor: Screenshot  # the one it was found on
    screen_from_view: Matrix  # (3, 3), to pixels of that screenshot
    view_size: tuple[int, int]  # (width, height), in whose pixels screen_from_view is
    stages_s: dict[str, float] = field(default_factory=dict)  # seconds that each stage took


def find_screen_point(view: Picture, screens: Sequence[ReadyScreen], *, near: FoundPoint | None = None) -> FoundPoint:
    """Find the point of the desktop under the centre of the view.

    Args:
        view: (H, W, 3) uint8, RGB: the phone's picture of the screen.
        screens: what each monitor showed at that moment.
        near: what was found in the view a moment before, if any; it need not hold any more.

    Raises:
        ViewTooBlurred, ScreenTooPlain, ScreenNotInView, ScreenDiffers, AimBesideScreen: why there is no such point.
    """
    stages_s: dict[str, float] = {}
    with _stage(stages_s, "features"):
        grey_view = _shrink(view)
        features_view = find_features(grey_view, MOST_FEATURES_VIEW)
    if len(features_view.points) < FEWEST_FEATURES:
        raise _why_without_features(grey_view)
    found, refusals = [], []
    with _stage(stages_s, "match"):
        for screen in screens:
            try:
                found.append(_find_near(screen, grey_view, features_view, view, near))
            except CopyPasteError as refusal:
                refusals.append(refusal)
    if found:
        return replace(max(found, key=lambda point: point.agreement), stages_s=stages_s)
    raise _most_telling(refusals)


@contextmanager
def _stage(stages_s: dict[str, float], name: str) -> Iterator[None]:
    start_s = time.monotonic()
    yield
    stages_s[name] = time.monotonic() - start_s


def _shrink(view: Picture) -> Grey:
    """The view in grey, its long side at most LONGEST_VIEW_PX."""
    grey = cv2.cvtColor(view, cv2.COLOR_RGB2GRAY)
    shrink = LONGEST_VIEW_PX / max(grey.shape)
    if shrink < 1:
        size = (round(grey.shape[1] * shrink), round(grey.shape[0] * shrink))
        grey = cv2.resize(grey, size, interpolation=cv2.INTER_AREA)
    return np.asarray(grey, np.uint8)


def _why_without_features(grey_view: Grey) -> CopyPasteError:
    is_blurred = cv2.Laplacian(grey_view, cv2.CV_64F).var() < BLUR_VARIANCE and grey_view.std() > 10
    return ViewTooBlurred() if is_blurred else ScreenNotInView()


def _find_near(
    screen: ReadyScreen, grey_view: Grey, features_view: Features, view: Picture, near: FoundPoint | None
) -> FoundPoint:
    """Match near where things were a moment ago; if that does not hold any more, anywhere."""
    if near and near.monitor.is_of_same_monitor(screen.screenshot):
        with suppress(CopyPasteError, np.linalg.LinAlgError):
            return _find_on(screen, grey_view, features_view, view, near)
    return _find_on(screen, grey_view, features_view, view, None)


def _find_on(
    screen: ReadyScreen, grey_view: Grey, features_view: Features, view: Picture, near: FoundPoint | None
) -> FoundPoint:
    if len(screen.features.points) < FEWEST_FEATURES:
        raise ScreenTooPlain
    small = (grey_view.shape[1], grey_view.shape[0])
    homography = _fit(features_view, screen, small, near)
    found = point_through(homography, small, view, screen.screenshot)
    scale_small = found.scale * view.shape[1] / small[0]
    _check_shape(homography.screen_from_view, scale_small, grey_view.shape)
    agreement = measure_agreement(grey_view, screen.grey, homography.screen_from_view, scale_small)
    if agreement < AGREEING_SHARE:
        raise ScreenDiffers
    check_point(found)
    return replace(found, probability=agreement, agreement=agreement)


def point_through(homography: Homography, small: tuple[int, int], view: Picture, screenshot: Screenshot) -> FoundPoint:
    """The point under the centre of the view, with nothing checked but that the screen is seen from its front.

    Args:
        homography: between the monitor and a smaller copy of the view.
        small: (width, height) of that copy.
        view: (H, W, 3) uint8, RGB.
        screenshot: of that monitor.

    Raises:
        ScreenNotInView: it is not.
    """
    size = (view.shape[1], view.shape[0])
    small_from_view = _scaling(size, small)
    screen_from_small, centre = homography.screen_from_view, view_centre(*small)
    (x, y), scale = _map_point(screen_from_small, centre)
    if scale <= 0:
        raise ScreenNotInView
    return FoundPoint(
        screen_point=screenshot.to_desktop(x, y),
        scale=scale * float(small_from_view[0, 0]),
        turn_deg=_turn_deg(screen_from_small, centre),
        radius_95=float(np.hypot(homography.radius_95(centre), LENS_PX * scale)),
        probability=1.0,
        agreement=1.0,
        monitor=screenshot,
        screen_from_view=screen_from_small @ small_from_view,
        view_size=size,
    )


def check_point(found: FoundPoint) -> None:
    """Refuse a point that one cannot paste at.

    Raises:
        AimBesideScreen: it is not on the monitor.
        ScreenTooPlain: nobody can say where exactly it is.
    """
    if not found.monitor.contains(found.screen_point):
        raise AimBesideScreen
    if found.radius_95 > LARGEST_RADIUS_PX:
        raise ScreenTooPlain


def _scaling(size: tuple[int, int], small: tuple[int, int]) -> Matrix:
    """From the pixels of a picture to those of the same picture in another size; (3, 3)."""
    x, y = small[0] / size[0], small[1] / size[1]
    return np.array([[x, 0, (x - 1) / 2], [0, y, (y - 1) / 2], [0, 0, 1]])


def _fit(features_view: Features, screen: ReadyScreen, small: tuple[int, int], near: FoundPoint | None) -> Homography:
    if near:
        small_from_screen = _scaling(near.view_size, small) @ np.linalg.inv(near.screen_from_view)
        return _guide(small_from_screen, features_view, screen.features)
    pairs = match(features_view, screen.features)
    view_from_screen = fit_robustly(features_view.points[pairs[:, 0]], screen.features.points[pairs[:, 1]])
    if view_from_screen is None:
        raise ScreenNotInView
    return _guide(view_from_screen, features_view, screen.features)


def _guide(view_from_screen: Matrix, features_view: Features, features_screen: Features) -> Homography:
    """Match again where things should be: that finds what lies far from the first matches."""
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


def _turn_deg(screen_from_view: Matrix, point: ViewPoint) -> float:
    """How far the mapping turns things clockwise around a point of the view."""
    u, v, w = screen_from_view @ (point.x, point.y, 1.0)
    jacobian = (screen_from_view[:2, :2] - np.outer((u / w, v / w), screen_from_view[2, :2])) / w
    return float(np.rad2deg(np.arctan2(jacobian[1, 0] - jacobian[0, 1], jacobian[0, 0] + jacobian[1, 1])))


def _most_telling(refusals: Sequence[CopyPasteError]) -> CopyPasteError:
    """Of one refusal per monitor, the one that came furthest and so knows most."""
    furthest = (AimBesideScreen, ScreenDiffers, ScreenTooPlain, ScreenNotInView)
    return min(refusals, key=lambda refusal: furthest.index(type(refusal)), default=ScreenNotInView())
