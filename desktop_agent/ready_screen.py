"""screenshot -> the same with its features ready, so that a view needs only be matched; changes are followed."""

from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np

from desktop_agent.features import Features, Grey, Part, Points, find_in_halves, find_in_part, join, shrink
from desktop_agent.homography import apply
from desktop_agent.mapping import scaling
from desktop_agent.screenshot import Screenshot

FRAME_PX = 32  # laid around the screenshot, because the camera sees a monitor's dark frame beside it
FRAME_GREY = 25
COARSE_PX = 960  # long side of the picture whose features are always ready
FINE_PX = 1280  # long side of the one whose features are found when those do not suffice
STRUCTURE_PX = 480  # long side of the one in which places are compared with each other
EVENED_PX = 9  # side of the squares of that one over which brightness and contrast are evened out
CHANGED_PX = 16  # what a change reaches: the descriptors of most features, and of large ones no more than a corner
CONTRAST_FLOOR = 6.0  # grey levels: noise that is not to be brought up


@dataclass(frozen=True)
class ReadyScreen:
    """What one monitor shows, and where it is distinctive."""

    screenshot: Screenshot
    framed: Grey  # (H + 2 FRAME_PX, W + 2 FRAME_PX), the screenshot in a monitor's frame
    coarse: Grey  # (h, w), the same, its long side at most COARSE_PX
    coarse_features: Features  # of the coarse picture, in its pixels

    @cached_property
    def features(self) -> Features:
        """Those of the coarse picture, in the screenshot's pixels."""
        return self.coarse_features.moved(lambda points: self._to_screen(points, self.coarse))

    @cached_property
    def fine_features(self) -> Features:
        """More of them, found when they are first asked for."""
        fine = shrink(self.framed, FINE_PX)
        return find_in_halves(fine).moved(lambda points: self._to_screen(points, fine))

    @cached_property
    def structure(self) -> Grey:
        """What is fine in it, with the same contrast everywhere: its long side STRUCTURE_PX, 128 where nothing is."""
        levels = shrink(self.coarse, STRUCTURE_PX).astype(np.float32)
        mean = cv2.blur(levels, (EVENED_PX, EVENED_PX))
        variance = cv2.blur(levels * levels, (EVENED_PX, EVENED_PX)) - mean * mean
        deviation = np.sqrt(np.maximum(variance, 0)) + CONTRAST_FLOOR
        return np.asarray(np.clip((levels - mean) / deviation * 48 + 128, 0, 255), np.uint8)

    def _to_screen(self, points: Points, picture: Grey) -> Points:
        size, framed = (picture.shape[1], picture.shape[0]), (self.framed.shape[1], self.framed.shape[0])
        return apply(scaling(size, framed), points) - FRAME_PX


def make_ready(screenshot: Screenshot) -> ReadyScreen:
    """Find the features of a screen."""
    framed = _frame(screenshot)
    coarse = shrink(framed, COARSE_PX)
    return ReadyScreen(screenshot, framed, coarse, find_in_halves(coarse))


def update_ready(ready: ReadyScreen, screenshot: Screenshot) -> ReadyScreen:
    """As make_ready(screenshot), but only what differs from `ready`, and what is around it, is looked at anew."""
    if not ready.screenshot.is_of_same_monitor(screenshot):
        return make_ready(screenshot)
    framed = _frame(screenshot)
    coarse = shrink(framed, COARSE_PX)
    features = ready.coarse_features
    for part in _changed_parts(ready.coarse, coarse):
        features = join([features.chosen(~part.contains(features.points)), find_in_part(coarse, part)])
    return ReadyScreen(screenshot, framed, coarse, features)


def _changed_parts(before: Grey, now: Grey) -> list[Part]:
    """The parts whose features may have changed."""
    changed = (before != now).astype(np.uint8)
    reached = cv2.dilate(changed, np.ones((2 * CHANGED_PX + 1, 2 * CHANGED_PX + 1), np.uint8))
    outlines, _ = cv2.findContours(reached, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    boxes = [cv2.boundingRect(outline) for outline in outlines]
    return [Part(slice(top, top + height), slice(left, left + width)) for left, top, width, height in boxes]


def _frame(screenshot: Screenshot) -> Grey:
    grey = cv2.cvtColor(screenshot.pixels, cv2.COLOR_RGB2GRAY)
    around = (FRAME_PX, FRAME_PX, FRAME_PX, FRAME_PX)
    return np.asarray(cv2.copyMakeBorder(grey, *around, cv2.BORDER_CONSTANT, value=FRAME_GREY), np.uint8)
