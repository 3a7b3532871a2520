"""screenshot -> the same with its features ready, so that a view needs only be matched; kept up to date by tiles."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import cv2
import numpy as np

from desktop_agent.features import Features, Grey, find_features, join
from desktop_agent.pictures import Picture
from desktop_agent.screenshot import Screenshot

TILE_PX = 480  # along each side, or a little less
MARGIN_PX = 64  # around a tile: what the descriptors of its features reach over
MOST_FEATURES_IN_TILE = 2000
THREADS = 2


@dataclass(frozen=True)
class Tile:
    """A part of the screen whose features depend on the pixels in and around it alone."""

    rows: slice
    columns: slice

    def with_margin(self) -> tuple[slice, slice]:
        """What its features depend on, as an index into the screen's pixels."""
        top, left = max(0, self.rows.start - MARGIN_PX), max(0, self.columns.start - MARGIN_PX)
        return slice(top, self.rows.stop + MARGIN_PX), slice(left, self.columns.stop + MARGIN_PX)


@dataclass(frozen=True)
class ReadyScreen:
    """What one monitor shows, and where it is distinctive."""

    screenshot: Screenshot
    grey: Grey  # (H, W), the screenshot's
    features_of_tiles: Sequence[Features]  # one per tile, in the order of tiles_of

    @cached_property
    def features(self) -> Features:
        """Those of the whole screen, in its pixels."""
        return join(self.features_of_tiles)


def make_ready(screenshot: Screenshot) -> ReadyScreen:
    """Find all features of a screen."""
    grey = _to_grey(screenshot.pixels)
    return ReadyScreen(screenshot, grey, _find_in_tiles(grey, tiles_of(grey)))


def update_ready(ready: ReadyScreen, screenshot: Screenshot) -> ReadyScreen:
    """The same as make_ready(screenshot), but only tiles that differ from those of `ready` are looked at anew."""
    if not ready.screenshot.is_of_same_monitor(screenshot):
        return make_ready(screenshot)
    grey = _to_grey(screenshot.pixels)
    tiles = tiles_of(grey)
    changed = [
        index
        for index, tile in enumerate(tiles)
        if not np.array_equal(grey[tile.with_margin()], ready.grey[tile.with_margin()])
    ]
    features_of_tiles = list(ready.features_of_tiles)
    for index, features in zip(changed, _find_in_tiles(grey, [tiles[index] for index in changed]), strict=True):
        features_of_tiles[index] = features
    return ReadyScreen(screenshot, grey, features_of_tiles)


def tiles_of(grey: Grey) -> list[Tile]:
    """Cut a screen into tiles of about the same size, row by row."""
    return [Tile(rows, columns) for rows in _cut(grey.shape[0]) for columns in _cut(grey.shape[1])]


def _cut(length: int) -> list[slice]:
    count = -(-length // TILE_PX)
    ends = [round(length * index / count) for index in range(count + 1)]
    return [slice(begin, end) for begin, end in pairwise(ends)]


def _to_grey(pixels: Picture) -> Grey:
    return np.asarray(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY), np.uint8)


def _find_in_tiles(grey: Grey, tiles: Sequence[Tile]) -> list[Features]:
    with ThreadPoolExecutor(THREADS) as pool:  # OpenCV lets go of the interpreter while it works
        return list(pool.map(lambda tile: _find_in_tile(grey, tile), tiles))


def _find_in_tile(grey: Grey, tile: Tile) -> Features:
    """The features whose centre lies in the tile, in the screen's pixels."""
    rows, columns = tile.with_margin()
    found = find_features(grey[rows, columns], MOST_FEATURES_IN_TILE)
    x, y = (found.points + np.array([columns.start, rows.start])).T
    is_inside = (
        (x >= tile.columns.start - 0.5)
        & (x < tile.columns.stop - 0.5)
        & (y >= tile.rows.start - 0.5)
        & (y < tile.rows.stop - 0.5)
    )
    return Features(np.column_stack([x, y])[is_inside], found.descriptors[is_inside])
