"""screen point then + screenshots then and now -> the same spot of the content now.

What is scrolled is followed. What plays in its place, such as a video, is refused, though the point may well be right:
nobody can tell it from a page that was scrolled farther than is looked, or left; and whether a paste landed, and at
which size, is seen by what changes there, which would be the video.
"""

import cv2
import numpy as np
import numpy.typing as npt

from desktop_agent.features import Grey
from desktop_agent.screenshot import Screenshot
from protocol.errors import ScreenMoving
from protocol.geometry import ScreenPoint

AROUND_PX = 96  # to each side of the point: what must stay together
FARTHEST_PX = 640  # that content is looked for
LEVELS = 12  # of grey, that a pixel must differ by to have changed
MOST_CHANGED = 0.03  # of the pixels around the point: a caret, a spinner
LEAST_ALIKE = 0.95  # correlation with what has moved
MOST_ALIKE_ELSEWHERE = 0.85
SAME_PEAK_PX = 6


def carry(point: ScreenPoint, then: Screenshot, now: Screenshot) -> ScreenPoint:
    """Follow what a point lies on, when it is scrolled or its window is moved.

    Args:
        point: on the desktop, as it was then.
        then: what its monitor showed.
        now: what the same monitor shows.

    Raises:
        ScreenMoving: what was there has changed, or cannot be found again for sure.
    """
    x, y = (round(length) for length in then.from_desktop(point))
    patch, corner = _cut(then, x, y, AROUND_PX)
    same_place, _ = _cut(now, x, y, AROUND_PX)
    if (cv2.absdiff(patch, same_place) > LEVELS).mean() <= MOST_CHANGED:
        return point
    place, place_corner = _cut(now, x, y, AROUND_PX + FARTHEST_PX)
    dx, dy = _find(patch, place)
    left, top = place_corner[0] + dx - corner[0], place_corner[1] + dy - corner[1]
    return now.to_desktop(*np.add(then.from_desktop(point), (left, top)))


def _cut(screenshot: Screenshot, x: int, y: int, around: int) -> tuple[Grey, tuple[int, int]]:
    """What lies around a pixel, as far as the monitor reaches, and where its top-left pixel is."""
    left, top = max(0, x - around), max(0, y - around)
    part = screenshot.pixels[top : y + around + 1, left : x + around + 1]
    return np.asarray(cv2.cvtColor(part, cv2.COLOR_RGB2GRAY), np.uint8), (left, top)


def _find(patch: Grey, place: Grey) -> tuple[int, int]:
    """Where, within a place, a patch is: (x, y) of its top-left pixel.

    Raises:
        ScreenMoving: nowhere, or in more than one spot.
    """
    alike: npt.NDArray[np.float32] = np.nan_to_num(np.asarray(cv2.matchTemplate(place, patch, cv2.TM_CCOEFF_NORMED)))
    y, x = np.unravel_index(int(alike.argmax()), alike.shape)
    best = float(alike[y, x])
    alike[max(0, y - SAME_PEAK_PX) : y + SAME_PEAK_PX + 1, max(0, x - SAME_PEAK_PX) : x + SAME_PEAK_PX + 1] = -1
    if not LEAST_ALIKE <= best <= 1.001 or alike.max() > MOST_ALIKE_ELSEWHERE:
        raise ScreenMoving
    return int(x), int(y)
