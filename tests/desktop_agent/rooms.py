"""Views of rooms, drawn, and of screens that stand in them."""

import cv2
import numpy as np

from desktop_agent.pictures import Picture

SIZE = (960, 720)
OCTAVES = 7
FALL = 1.5  # how much weaker the finer ones are
THINGS = 60
SCREEN_CORNERS = np.array([[160, 100], [820, 140], [800, 620], [180, 580]], np.float32)
BEZEL_PX = (20, 20, 20, 20)


def draw_room() -> Picture:
    """A view of anything but a screen: coarse and fine, as things in nature are (Field 1987), some with sharp edges."""
    random = np.random.default_rng(5)
    grown = np.zeros(SIZE[::-1])
    for level in range(OCTAVES):
        octave = random.normal(0, FALL**-level, (3 * 2**level, 4 * 2**level))
        grown += cv2.resize(octave, SIZE, interpolation=cv2.INTER_CUBIC)
    for left, top, grey in random.uniform((0, 0, -2), (*SIZE, 2), (THINGS, 3)):
        grown[int(top) : int(top) + 40, int(left) : int(left) + 30] += grey
    return np.repeat(np.clip(110 + 35 * grown, 0, 255).astype(np.uint8)[:, :, None], 3, axis=2)


def view_in_a_room(screen: Picture) -> Picture:
    """A view of a whole screen, and of the room around it."""
    framed = np.asarray(cv2.copyMakeBorder(screen, *BEZEL_PX, cv2.BORDER_CONSTANT, value=(20, 20, 20)))
    height, width = framed.shape[:2]
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    view, view_from_screen = draw_room(), cv2.getPerspectiveTransform(corners, SCREEN_CORNERS)
    cv2.warpPerspective(framed, view_from_screen, SIZE, dst=view, borderMode=cv2.BORDER_TRANSPARENT)
    return view
