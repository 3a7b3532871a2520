"""view + screen + mapping -> how far the two agree, which is the evidence that the mapping is right.

The number of inliers is no evidence: repeated widgets give hundreds of them for the wrong screen.
"""

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from desktop_agent.align import lay_into_view
from desktop_agent.features import Grey
from desktop_agent.mapping import Mapping
from desktop_agent.ready_screen import ReadyScreen

Reals = npt.NDArray[np.floating]

BLOCK_PX = 16  # side of the blocks that are compared one by one
BLOCK_TEXTURE = 4.0  # standard deviation of grey levels, along the weaker direction, of a block that can tell
BLOCK_ZNCC = 0.5  # correlation of a block that agrees
EDGE_TEXTURE = 8.0  # the same along the stronger direction, of a block with an edge
SMOOTHING_PX = 1.0
LEAST_CONTRAST = 0.3  # of the view beside the screen: less is haze, and noise would count as texture
FLAT = 2.0  # texture along the stronger direction of a block that shows nothing
NEAR_AIM = 0.2  # of the view's long side: the deviation of a block's weight around the aim


@dataclass(frozen=True)
class Agreement:
    """How far a view looks like the screen laid into it."""

    blocks: int  # that have texture enough to tell, on the screen or in the view
    share: float  # of them that agree
    share_near_aim: float  # the same, where those near the aim weigh more
    edges: int  # blocks with a straight edge: less telling, but a screen in the wrong place rarely agrees with them
    share_of_edges: float  # of them that agree


def measure_agreement(grey_view: Grey, screen: ReadyScreen, mapping: Mapping) -> Agreement:
    """Compare block by block.

    Args:
        grey_view: (H, W) uint8, of the mapping's size.
        screen: the screen.
        mapping: of its pixels into that view.
    """
    laid, is_seen = lay_into_view(screen, mapping, (0, 0, *mapping.size))
    view, expected = grey_view.astype(np.float32), laid.astype(np.float32)
    agrees = _correlate(view, expected) > BLOCK_ZNCC
    along, across = texture_of_blocks(expected)
    seen = _block_means(is_seen.astype(np.float32))
    is_telling = (seen == 255) & (along > BLOCK_TEXTURE)
    is_surplus = (seen == 255) & _find_surplus(view, along, across, agrees & is_telling)
    agrees, is_telling = agrees & ~is_surplus, is_telling | is_surplus
    is_edge = (seen == 255) & ~is_telling & (across > EDGE_TEXTURE)
    near_aim = _share(agrees, is_telling * _weight_near_aim(agrees.shape, mapping))
    return Agreement(
        int(is_telling.sum()), _share(agrees, is_telling), near_aim, int(is_edge.sum()), _share(agrees, is_edge)
    )


def _share(agrees: npt.NDArray[np.bool_], weight: Reals | npt.NDArray[np.bool_]) -> float:
    return float((agrees * weight).sum() / max(float(weight.sum()), 1e-9))


def _weight_near_aim(shape: tuple[int, ...], mapping: Mapping) -> Reals:
    rows, columns = np.indices(shape) * BLOCK_PX + (BLOCK_PX - 1) / 2
    squared = (columns - (mapping.size[0] - 1) / 2) ** 2 + (rows - (mapping.size[1] - 1) / 2) ** 2
    return np.asarray(np.exp(-squared / (2 * (NEAR_AIM * max(mapping.size)) ** 2)) + 1e-6)


def _correlate(view: Reals, expected: Reals) -> Reals:
    """Of each block."""
    covariance = _block_means(view * expected) - _block_means(view) * _block_means(expected)
    variance_view = _block_means(np.square(view)) - _block_means(view) ** 2
    variance_expected = _block_means(np.square(expected)) - _block_means(expected) ** 2
    return np.asarray(covariance / np.sqrt(np.maximum(variance_view * variance_expected, 1e-6)))


def texture_of_blocks(picture: Reals) -> tuple[Reals, Reals]:
    """Of each block along its weaker and its stronger direction (eigenvalues of the structure tensor).

    A straight edge has next to none along the weaker one: it agrees with itself wherever it is slid along.
    """
    dx, dy = _slope(picture, 1, 0), _slope(picture, 0, 1)
    xx, yy, xy = _block_means(dx * dx), _block_means(dy * dy), _block_means(dx * dy)
    mean, spread = (xx + yy) / 2, np.sqrt(((xx - yy) / 2) ** 2 + xy**2)
    return np.sqrt(np.maximum(mean - spread, 0)), np.sqrt(mean + spread)


def _find_surplus(view: Reals, along: Reals, across: Reals, is_sound: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """Blocks where the view has texture and the screen has none, nor beside it: something else is shown there."""
    smooth = np.asarray(cv2.GaussianBlur(view, (0, 0), SMOOTHING_PX), np.float32)  # so that noise is no texture
    seen_along, _ = texture_of_blocks(smooth)
    contrast = float(np.median(seen_along[is_sound] / along[is_sound])) if is_sound.any() else 1.0
    around = cv2.dilate(across.astype(np.float32), np.ones((3, 3), np.uint8))
    return np.asarray((seen_along > max(contrast, LEAST_CONTRAST) * BLOCK_TEXTURE) & (around < FLAT))


def _slope(picture: Reals, x: int, y: int) -> Reals:
    return np.asarray(cv2.Sobel(picture, cv2.CV_32F, x, y, ksize=1, scale=0.5))


def _block_means(picture: Reals) -> Reals:
    """(H, W) -> (rows, columns): the mean of each whole block of BLOCK_PX x BLOCK_PX."""
    rows, columns = picture.shape[0] // BLOCK_PX, picture.shape[1] // BLOCK_PX
    whole = np.ascontiguousarray(picture[: rows * BLOCK_PX, : columns * BLOCK_PX])
    return np.asarray(cv2.resize(whole, (columns, rows), interpolation=cv2.INTER_AREA))
