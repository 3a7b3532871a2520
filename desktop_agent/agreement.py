"""view + screen + mapping -> how far the two agree, which is the evidence that the mapping is right.

The number of inliers is no evidence: repeated widgets give hundreds of them for the wrong screen.
"""

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from desktop_agent.align import Mask, lay_into_view
from desktop_agent.features import Grey
from desktop_agent.mapping import Mapping
from desktop_agent.ready_screen import ReadyScreen

Reals = npt.NDArray[np.float64]

BLOCK_PX = 16  # side of the blocks that are compared one by one
BLOCK_TEXTURE = 4.0  # standard deviation of grey levels, along the weaker direction, of a block that can tell
BLOCK_ZNCC = 0.5  # correlation of a block that agrees
EDGE_TEXTURE = 8.0  # the same along the stronger direction, of a block with an edge
NEAR_AIM = 0.2  # of the view's long side: the deviation of a block's weight around the aim


@dataclass(frozen=True)
class Agreement:
    """How far a view looks like the screen laid into it."""

    blocks: int  # that have texture enough to tell
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
    zncc, along, across, seen = _compare_blocks(grey_view.astype(np.float32), laid.astype(np.float32), is_seen)
    agrees = zncc > BLOCK_ZNCC
    is_telling = (seen == 255) & (along > BLOCK_TEXTURE)
    is_edge = (seen == 255) & ~is_telling & (across > EDGE_TEXTURE)
    near_aim = _share(agrees, is_telling * _weight_near_aim(zncc.shape, mapping))
    return Agreement(
        int(is_telling.sum()), _share(agrees, is_telling), near_aim, int(is_edge.sum()), _share(agrees, is_edge)
    )


def _share(agrees: npt.NDArray[np.bool_], weight: Reals | npt.NDArray[np.bool_]) -> float:
    return float((agrees * weight).sum() / max(float(weight.sum()), 1e-9))


def _weight_near_aim(shape: tuple[int, ...], mapping: Mapping) -> Reals:
    rows, columns = np.indices(shape) * BLOCK_PX + (BLOCK_PX - 1) / 2
    squared = (columns - (mapping.size[0] - 1) / 2) ** 2 + (rows - (mapping.size[1] - 1) / 2) ** 2
    return np.asarray(np.exp(-squared / (2 * (NEAR_AIM * max(mapping.size)) ** 2)) + 1e-6)


def _compare_blocks(view: Reals, expected: Reals, seen: Mask) -> tuple[Reals, Reals, Reals, Reals]:
    """Per block: correlation of view and expectation, texture of the expectation both ways, how much of it is seen.

    Texture is counted along the weaker direction (smaller eigenvalue of the structure tensor): a straight edge agrees
    with itself wherever it is slid along, so it says nothing.
    """
    covariance = _block_means(view * expected) - _block_means(view) * _block_means(expected)
    variance_view = _block_means(np.square(view)) - _block_means(view) ** 2
    variance_expected = _block_means(np.square(expected)) - _block_means(expected) ** 2
    zncc = covariance / np.sqrt(np.maximum(variance_view * variance_expected, 1e-6))
    dx, dy = _slope(expected, 1, 0), _slope(expected, 0, 1)
    xx, yy, xy = _block_means(dx * dx), _block_means(dy * dy), _block_means(dx * dy)
    mean, spread = (xx + yy) / 2, np.sqrt(((xx - yy) / 2) ** 2 + xy**2)
    return zncc, np.sqrt(np.maximum(mean - spread, 0)), np.sqrt(mean + spread), _block_means(seen.astype(np.float64))


def _slope(picture: Reals, x: int, y: int) -> Reals:
    return np.asarray(cv2.Sobel(picture, cv2.CV_32F, x, y, ksize=1, scale=0.5))


def _block_means(picture: Reals) -> Reals:
    """(H, W) -> (rows, columns): the mean of each whole block of BLOCK_PX x BLOCK_PX."""
    rows, columns = picture.shape[0] // BLOCK_PX, picture.shape[1] // BLOCK_PX
    whole = np.ascontiguousarray(picture[: rows * BLOCK_PX, : columns * BLOCK_PX])
    return np.asarray(cv2.resize(whole, (columns, rows), interpolation=cv2.INTER_AREA))
