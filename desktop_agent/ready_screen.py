"""screenshot -> the same with its features ready, so that a view needs only be matched; kept up to date by tiles."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import cv2
import numpy as np

from desktop_agent.features import Features, Grey, Points, find_features, join, shrink
from desktop_agent.homography import apply
from desktop_agent.mapping import scaling
from desktop_agent.screenshot import Screenshot

FRAME_PX = 32  # laid around the screenshot, because the camera sees a monitor's dark frame beside it
FRAME_GREY = 25
COARSE_PX = 960  # long side of the picture whose features are always ready
FINE_PX = 1920  # long side of the one whose features are found when those do not suffice
TILE_PX = 250  # of the coarse picture, along each side, or a little less
MARGIN_PX = 40  # around a tile: what the descriptors of its features reach over
MOST_FEATURES_IN_TILE = 600
THREADS = 2


@dataclass(frozen=True)
class Tile:
    """A part of a picture whose features depend on the pixels in and around it alone."""

    rows: slice
    columns: slice

    @property
    def with_margin(self) -> tuple[slice, slice]:
        """What its features depend on, as an index into the picture."""
        top, left = max(0, self.rows.start - MARGIN_PX), max(0, self.columns.start - MARGIN_PX)
        return slice(top, self.rows.stop + MARGIN_PX), slice(left, self.columns.stop + MARGIN_PX)


@dataclass(frozen=True)
class ReadyScreen:
    """What one monitor shows, and where it is distinctive."""

    screenshot: Screenshot
    framed: Grey  # (H + 2 FRAME_PX, W + 2 FRAME_PX), the screenshot in a monitor's frame
    coarse: Grey  # (h, w), the same, its long side at most COARSE_PX
    features_of_tiles: Sequence[
        Features
    ]  # of the coarse picture, in its pixels; one per tile, in the order of tiles_of

    @cached_property
    def features(self) -> Features:
        """Those of the coarse picture, in the screenshot's pixels."""
        return join(self.features_of_tiles).moved(lambda points: self._to_screen(points, self.coarse))

    @cached_property
    def fine_features(self) -> Features:
        """More of them, found when they are first asked for."""
        fine = shrink(self.framed, FINE_PX)
        found = join(_find_in_tiles(fine, tiles_of(fine)))
        return found.moved(lambda points: self._to_screen(points, fine))

    def _to_screen(self, points: Points, picture: Grey) -> Points:
        size, framed = (picture.shape[1], picture.shape[0]), (self.framed.shape[1], self.framed.shape[0])
        return apply(scaling(size, framed), points) - FRAME_PX


def make_ready(screenshot: Screenshot) -> ReadyScreen:
    """Find the features of a screen."""
    framed = _frame(screenshot)
    coarse = shrink(framed, COARSE_PX)
    return ReadyScreen(screenshot, framed, coarse, _find_in_tiles(coarse, tiles_of(coarse)))


def update_ready(ready: ReadyScreen, screenshot: Screenshot) -> ReadyScreen:
    """The same as make_ready(screenshot), but only tiles that differ from those of `ready` are looked at anew."""
    if not ready.screenshot.is_of_same_monitor(screenshot):
        return make_ready(screenshot)
    framed = _frame(screenshot)
    coarse = shrink(framed, COARSE_PX)
    tiles = tiles_of(coarse)
    changed = [
        index
        for index, tile in enumerate(tiles)
        if not np.array_equal(coarse[tile.with_margin], ready.coarse[tile.with_margin])
    ]
    features_of_tiles = list(ready.features_of_tiles)
    for index, features in zip(changed, _find_in_tiles(coarse, [tiles[index] for index in changed]), strict=True):
        features_of_tiles[index] = features
    return ReadyScreen(screenshot, framed, coarse, features_of_tiles)


def tiles_of(picture: Grey) -> list[Tile]:
    """Cut a picture into tiles of about the same size, row by row."""
    return [Tile(rows, columns) for rows in _cut(picture.shape[0]) for columns in _cut(picture.shape[1])]


def _cut(length: int) -> list[slice]:
    count = -(-length // TILE_PX)
    ends = [round(length * index / count) for index in range(count + 1)]
    return [slice(begin, end) for begin, end in pairwise(ends)]


def _frame(screenshot: Screenshot) -> Grey:
    grey = cv2.cvtColor(screenshot.pixels, cv2.COLOR_RGB2GRAY)
    around = (FRAME_PX, FRAME_PX, FRAME_PX, FRAME_PX)
    return np.asarray(cv2.copyMakeBorder(grey, *around, cv2.BORDER_CONSTANT, value=FRAME_GREY), np.uint8)


def _find_in_tiles(picture: Grey, tiles: Sequence[Tile]) -> list[Features]:
    with ThreadPoolExecutor(THREADS) as pool:  # OpenCV lets go of the interpreter while it works
        return list(pool.map(lambda tile: _find_in_tile(picture, tile), tiles))


def _find_in_tile(picture: Grey, tile: Tile) -> Features:
    """The features whose centre lies in the tile, in the picture's pixels."""
    rows, columns = tile.with_margin
    found = find_features(picture[rows, columns], MOST_FEATURES_IN_TILE)
    points = found.points + np.array([columns.start, rows.start])
    x, y = points.T
    is_in_columns = (x >= tile.columns.start - 0.5) & (x < tile.columns.stop - 0.5)
    is_inside = is_in_columns & (y >= tile.rows.start - 0.5) & (y < tile.rows.stop - 0.5)
    return Features(points[is_inside], found.descriptors[is_inside])
