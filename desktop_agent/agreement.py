"""view + screenshot + mapping -> how far the two agree, which is the evidence that the mapping is right.

The number of inliers is no evidence: repeated widgets give hundreds of them for the wrong screen.
"""

import cv2
import numpy as np
import numpy.typing as npt

from desktop_agent.features import Grey
from desktop_agent.homography import Matrix
from protocol.errors import ScreenTooPlain

Reals = npt.NDArray[np.float64]

BLOCK_PX = 24  # side of the blocks that are compared one by one
BLOCK_TEXTURE = 4.0  # standard deviation of grey levels, along the weaker direction, of a block that can tell
FEWEST_BLOCKS = 12
BLOCK_ZNCC = 0.5  # correlation of a block that agrees


def measure_agreement(grey_view: Grey, grey_screen: Grey, screen_from_view: Matrix, scale: float) -> float:
    """The share of textured blocks of the view that look like the screenshot laid into it.

    Args:
        grey_view: (H, W) uint8.
        grey_screen: (H, W) uint8, the screenshot.
        screen_from_view: (3, 3).
        scale: screen pixels in a view pixel.

    Returns:
        0 to 1.

    Raises:
        ScreenTooPlain: too few blocks have texture enough to tell.
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
    return float((zncc[is_telling] > BLOCK_ZNCC).mean())


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
