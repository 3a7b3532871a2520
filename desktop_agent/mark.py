"""screen point -> a soft ring around it, to be laid over the screen."""

import numpy as np

from desktop_agent.overlay_message import Patch
from desktop_agent.screenshot import Screenshot
from protocol.geometry import ScreenPoint

RADIUS_PX = 16.0
LINE_PX, SHADE_PX = 1.6, 4.0  # to each side of the ring: its line, and the shade that shows it on a bright ground
SHADE = 0.75
MINT = np.array([122, 230, 194])  # as on the phone


def draw_mark(point: ScreenPoint, screenshot: Screenshot) -> list[Patch]:
    """A ring around a point; none where the monitor does not show it.

    Args:
        point: on the desktop.
        screenshot: of its monitor, without a mark.
    """
    x, y = screenshot.from_desktop(point)
    reach = int(RADIUS_PX + SHADE_PX) + 2
    height, width = screenshot.pixels.shape[:2]
    left, right = max(0, round(x) - reach), min(width, round(x) + reach + 1)
    top, bottom = max(0, round(y) - reach), min(height, round(y) + reach + 1)
    if left >= right or top >= bottom:
        return []
    rows, columns = np.mgrid[top:bottom, left:right]
    off = np.abs(np.hypot(columns - x, rows - y) - RADIUS_PX)
    line = np.clip(LINE_PX + 0.5 - off, 0, 1)[:, :, None]
    shade = SHADE * np.clip(1 - off / SHADE_PX, 0, 1)[:, :, None]
    below = screenshot.pixels[top:bottom, left:right]
    colours = below * (1 - shade) * (1 - line) + MINT * line
    seen = np.where(shade > 0, 255, 0)
    pixels = np.rint(np.concatenate([colours, seen], axis=2)).astype(np.uint8)
    scale = screenshot.scale
    return [Patch(left / scale + screenshot.left, top / scale + screenshot.top, pixels, scale)]
