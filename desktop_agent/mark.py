"""screen point + width of the cutout -> a soft ring and arcs of one as wide, to be laid over the screen."""

import numpy as np

from desktop_agent.overlay_message import Patch
from desktop_agent.screenshot import Screenshot
from protocol.geometry import ScreenPoint

RADIUS_PX = 16.0
LINE_PX, SHADE_PX = 1.6, 4.0  # to each side of a ring: its line, and the shade that shows it on a bright ground
REACH_PX = 28.0  # from the middle of what is drawn in one patch: the whole of the small ring, an arc of the large one
SHADE = 0.75
MINT = np.array([122, 230, 194])  # as on the phone
SIDES = ((-1, 0), (1, 0), (0, -1), (0, 1))


def draw_mark(point: ScreenPoint, screenshot: Screenshot, width_px: float = 0.0) -> list[Patch]:
    """A ring around a point, and four arcs of one as wide as the cutout; nothing where the monitor does not show it.

    Args:
        point: on the desktop.
        screenshot: of its monitor, without a mark.
        width_px: of the cutout, in pixels of the screenshot; one hardly wider than the ring has no arcs.
    """
    x, y = screenshot.from_desktop(point)
    patches = _draw_ring((x, y), RADIUS_PX, (x, y), screenshot)
    radius = width_px / 2
    if radius < RADIUS_PX + REACH_PX:
        return patches
    arcs = [_draw_ring((x, y), radius, (x + right * radius, y + down * radius), screenshot) for right, down in SIDES]
    return patches + [patch for arc in arcs for patch in arc]


def _draw_ring(
    centre: tuple[float, float], radius: float, middle: tuple[float, float], screenshot: Screenshot
) -> list[Patch]:
    """As much of a ring as lies around a middle, fading away from it; none where that is not on the monitor."""
    reach = int(REACH_PX)
    height, width = screenshot.pixels.shape[:2]
    left, right = max(0, round(middle[0]) - reach), min(width, round(middle[0]) + reach + 1)
    top, bottom = max(0, round(middle[1]) - reach), min(height, round(middle[1]) + reach + 1)
    if left >= right or top >= bottom:
        return []
    rows, columns = np.mgrid[top:bottom, left:right]
    off = np.abs(np.hypot(columns - centre[0], rows - centre[1]) - radius)
    beyond = np.hypot(columns - middle[0], rows - middle[1]) - RADIUS_PX - SHADE_PX
    fade = np.clip(1 - beyond / (REACH_PX - RADIUS_PX - SHADE_PX), 0, 1)
    line = (fade * np.clip(LINE_PX + 0.5 - off, 0, 1))[:, :, None]
    shade = (fade * SHADE * np.clip(1 - off / SHADE_PX, 0, 1))[:, :, None]
    below = screenshot.pixels[top:bottom, left:right]
    colours = below * (1 - shade) * (1 - line) + MINT * line
    seen = np.where(shade > 0, 255, 0)
    pixels = np.rint(np.concatenate([colours, seen], axis=2)).astype(np.uint8)
    scale = screenshot.scale
    return [Patch(left / scale + screenshot.left, top / scale + screenshot.top, pixels, scale)]
