"""view + screenshots -> the screen point under the camera's centre.

SIFT features and a homography, as in section 6.1 of the paper; then everything that can betray a wrong answer is
checked, because a wrong answer pastes into the wrong place.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from desktop_agent.screenshot import Picture, Screenshot
from protocol.errors import (
    AimBesideScreen,
    CopyPasteError,
    ScreenDiffers,
    ScreenNotInView,
    ScreenTooPlain,
    ViewTooBlurred,
)
from protocol.geometry import ScreenPoint, ViewPoint, view_centre

Grey = npt.NDArray[np.uint8]  # (H, W)
Floats = npt.NDArray[np.float32]
Points = Floats  # (N, 2), (x, y)
Reals = npt.NDArray[np.float64]
Matrix = npt.NDArray[np.float64]  # (3, 3)

LONGEST_VIEW_PX = 1280  # more pixels of a view cost time and no longer help
MATCH_RATIO = 0.75  # Lowe 2004, section 7.1
FEWEST_FEATURES = 40
FEWEST_INLIERS = 12
INLIER_PX = 3.0  # in view pixels
BLUR_VARIANCE = 15.0  # variance of the Laplacian of a view too blurred to read a screen from
BLOCK_PX = 24  # side of the blocks that are compared one by one
BLOCK_TEXTURE = 4.0  # standard deviation of grey levels, along the weaker direction, of a block that can tell
FEWEST_BLOCKS = 12
BLOCK_ZNCC = 0.5  # correlation of a block that agrees
AGREEING_SHARE = 0.6  # of all textured blocks; other content in the same program reaches 0.59
LARGEST_MAGNIFICATION = 12.0  # screen pixels in a view pixel, or the other way round


@dataclass(frozen=True)
class FoundPoint:
    """Where the camera's centre points to."""

    screen_point: ScreenPoint
    scale: float  # screen pixels in a view pixel, around that point
    agreement: float  # 0 to 1: share of the view's textured blocks that look like the screen


@dataclass(frozen=True)
class _Features:
    points: Points  # (N, 2)
    descriptors: Floats  # (N, 128), rootSIFT


def find_screen_point(view: Picture, screenshots: Sequence[Screenshot]) -> FoundPoint:
    """Find the point of the desktop under the centre of the view.

    Args:
        view: (H, W, 3) uint8, RGB: the phone's picture of the screen.
        screenshots: what each monitor showed at that moment.

    Raises:
        ViewTooBlurred, ScreenTooPlain, ScreenNotInView, ScreenDiffers, AimBesideScreen: why there is no such point.
    """
    grey_view, view_from_small = _shrink(view)
    features_view = _find_features(grey_view)
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


def _find_features(grey: Grey) -> _Features:
    keypoints, descriptors = cv2.SIFT.create().detectAndCompute(grey, None)
    if descriptors is None or len(keypoints) < 2:
        return _Features(np.empty((0, 2), np.float32), np.empty((0, 128), np.float32))
    unit = descriptors / (descriptors.sum(axis=1, keepdims=True) + 1e-7)
    points = np.array([keypoint.pt for keypoint in keypoints], np.float32)
    return _Features(points, np.sqrt(unit))  # rootSIFT: Arandjelović and Zisserman 2012


def _why_without_features(grey_view: Grey) -> CopyPasteError:
    is_blurred = cv2.Laplacian(grey_view, cv2.CV_64F).var() < BLUR_VARIANCE and grey_view.std() > 10
    return ViewTooBlurred() if is_blurred else ScreenNotInView()


def _find_on(screenshot: Screenshot, grey_view: Grey, features_view: _Features, view_from_small: float) -> FoundPoint:
    grey_screen = np.asarray(cv2.cvtColor(screenshot.pixels, cv2.COLOR_RGB2GRAY), np.uint8)
    features_screen = _find_features(grey_screen)
    if len(features_screen.points) < FEWEST_FEATURES:
        raise ScreenTooPlain
    screen_from_view = _fit_homography(features_view, features_screen)
    centre = view_centre(grey_view.shape[1], grey_view.shape[0])
    (x, y), scale = _map_point(screen_from_view, centre)
    _check_shape(screen_from_view, scale, grey_view.shape)
    agreement = _agreement(grey_view, grey_screen, screen_from_view, scale)
    point = screenshot.to_desktop(x, y)
    if not screenshot.contains(point):
        raise AimBesideScreen
    return FoundPoint(point, scale / view_from_small, agreement)


def _fit_homography(features_view: _Features, features_screen: _Features) -> Matrix:
    points_view, points_screen = _match(features_view, features_screen)
    if len(points_view) < FEWEST_INLIERS:
        raise ScreenNotInView
    # Fitted towards the view, so that INLIER_PX is in view pixels, whatever the distance.
    view_from_screen, inliers = cv2.findHomography(
        points_screen, points_view, cv2.USAC_MAGSAC, INLIER_PX, maxIters=5000, confidence=0.9999
    )
    if view_from_screen is None or inliers.sum() < FEWEST_INLIERS or abs(np.linalg.det(view_from_screen)) < 1e-12:
        raise ScreenNotInView
    return np.asarray(np.linalg.inv(view_from_screen), np.float64)


def _match(features_view: _Features, features_screen: _Features) -> tuple[Points, Points]:
    """Pairs of points that are each other's nearest neighbour and clearly nearer than the second: two (N, 2)."""
    matcher = cv2.BFMatcher(cv2.NORM_L2)
    pairs = matcher.knnMatch(features_view.descriptors, features_screen.descriptors, k=2)
    back = {
        match.queryIdx: match.trainIdx
        for match in matcher.match(features_screen.descriptors, features_view.descriptors)
    }
    good = [
        first
        for first, second in pairs
        if first.distance < MATCH_RATIO * second.distance and back[first.trainIdx] == first.queryIdx
    ]
    return (
        features_view.points[[match.queryIdx for match in good]],
        features_screen.points[[match.trainIdx for match in good]],
    )


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


def _agreement(grey_view: Grey, grey_screen: Grey, screen_from_view: Matrix, scale: float) -> float:
    """Lay the screenshot into the view and compare block by block: the share of textured blocks that agree.

    The number of inliers is no evidence: repeated widgets give hundreds of them for the wrong screen.
    """
    size = (grey_view.shape[1], grey_view.shape[0])
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    smooth_screen = cv2.GaussianBlur(grey_screen, (0, 0), 0.5 * max(scale, 1.0))  # what a view pixel averages over
    expected = cv2.warpPerspective(smooth_screen, screen_from_view, size, flags=flags)
    seen = cv2.warpPerspective(np.full_like(grey_screen, 255), screen_from_view, size, flags=flags) == 255
    zncc, texture, on_screen = _compare_blocks(grey_view.astype(np.float64), expected.astype(np.float64), seen)
    is_telling = (on_screen == 1) & (texture > BLOCK_TEXTURE)
    if is_telling.sum() < FEWEST_BLOCKS:
        raise ScreenTooPlain
    share = float((zncc[is_telling] > BLOCK_ZNCC).mean())
    if share < AGREEING_SHARE:
        raise ScreenDiffers
    return share


def _compare_blocks(view: Reals, expected: Reals, seen: npt.NDArray[np.bool_]) -> tuple[Reals, Reals, Reals]:
    """Per block: correlation of view and expectation, texture of the expectation, share of it that is on the screen.

    Texture is counted along the weaker direction (smaller eigenvalue of the structure tensor): a straight edge agrees
    with itself wherever it is slid along, so it says nothing.
    """
    covariance = _block_means(view * expected) - _block_means(view) * _block_means(expected)
    variance_view = _block_means(np.square(view)) - _block_means(view) ** 2
    variance_expected = _block_means(np.square(expected)) - _block_means(expected) ** 2
    zncc = covariance / np.sqrt(np.maximum(variance_view * variance_expected, 1e-6))
    dy, dx = np.asarray(np.gradient(expected))
    xx, yy, xy = _block_means(dx * dx), _block_means(dy * dy), _block_means(dx * dy)
    weaker = (xx + yy) / 2 - np.sqrt(((xx - yy) / 2) ** 2 + xy**2)
    return zncc, np.sqrt(np.maximum(weaker, 0)), _block_means(seen.astype(np.float64))


def _block_means(picture: Reals) -> Reals:
    """(H, W) -> (rows, columns): the mean of each whole block of BLOCK_PX x BLOCK_PX."""
    rows, columns = picture.shape[0] // BLOCK_PX, picture.shape[1] // BLOCK_PX
    whole = picture[: rows * BLOCK_PX, : columns * BLOCK_PX].astype(np.float64)
    return np.asarray(whole.reshape(rows, BLOCK_PX, columns, BLOCK_PX).mean(axis=(1, 3)))


def _most_telling(refusals: Sequence[CopyPasteError]) -> CopyPasteError:
    """Of one refusal per monitor, the one that came furthest and so knows most."""
    furthest = (AimBesideScreen, ScreenDiffers, ScreenTooPlain, ScreenNotInView)
    return min(refusals, key=lambda refusal: furthest.index(type(refusal)), default=ScreenNotInView())
