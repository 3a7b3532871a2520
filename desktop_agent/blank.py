"""view -> whether a blank part of a screen lies at its aim: an even area, as in rooms there is none but bare walls."""

import cv2
import numpy as np

from desktop_agent.agreement import BLOCK_PX, texture_of_blocks
from desktop_agent.features import Grey

STROKE_PX = 5  # of a view whose long side is search.SMALL_PX: letters and the lines of a table are thinner
SMOOTHING_PX = 2.0  # noise is no texture
EVEN_TEXTURE = 1.0  # grey levels a pixel
AT_AIM_PX = 32  # to each side of the aim: it may lie on a thick letter
LARGE_SHARE = 0.2  # of the view, that a sheet which is plainly seen takes
SMALL_SHARE = 0.05  # that a page or a table may take, and hardly anything even in a room


def is_blank_at_aim(grey_view: Grey) -> bool:
    """Whether a sheet without anything on it is plainly seen at the aim.

    Args:
        grey_view: (H, W) uint8, its long side search.SMALL_PX.
    """
    return _even_share(grey_view) >= LARGE_SHARE


def may_be_screen_at_aim(grey_view: Grey) -> bool:
    """Whether at least a small even area lies at the aim, letters and thin lines on it not counted.

    Args:
        grey_view: (H, W) uint8, its long side search.SMALL_PX.
    """
    dark_on_light, light_on_dark = (_without_strokes(grey_view, way) for way in (cv2.MORPH_CLOSE, cv2.MORPH_OPEN))
    return max(_even_share(dark_on_light), _even_share(light_on_dark)) >= SMALL_SHARE


def _without_strokes(grey: Grey, way: int) -> Grey:
    return np.asarray(cv2.morphologyEx(grey, way, np.ones((STROKE_PX, STROKE_PX), np.uint8)), np.uint8)


def _even_share(grey: Grey) -> float:
    """How much of a view the largest even area takes that reaches to its aim."""
    if min(grey.shape) < BLOCK_PX:
        return 0.0  # there is no block to be even
    smooth = np.asarray(cv2.GaussianBlur(grey, (0, 0), SMOOTHING_PX), np.float32)
    _, across = texture_of_blocks(smooth)
    _, areas, sizes, _ = cv2.connectedComponentsWithStats((across < EVEN_TEXTURE).astype(np.uint8), connectivity=4)
    row, column, around = areas.shape[0] // 2, areas.shape[1] // 2, AT_AIM_PX // BLOCK_PX
    at_aim = np.unique(areas[max(0, row - around) : row + around, max(0, column - around) : column + around])
    return max((float(sizes[area, cv2.CC_STAT_AREA]) for area in at_aim if area), default=0.0) / areas.size
