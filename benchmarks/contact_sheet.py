"""views and the screens that they were taken of -> one picture of all, side by side."""

from collections.abc import Iterable
from dataclasses import dataclass

import cv2
import numpy as np

from desktop_agent.homography import apply
from desktop_agent.mapping import Size, scaling
from desktop_agent.pictures import Picture
from protocol.geometry import ScreenPoint

COLUMNS = 3
HEIGHT_PX, VIEW_PX, SCREEN_PX, TITLE_PX = 150, 200, 267, 18
RED, BLACK, WHITE = (230, 30, 30), (0, 0, 0), (255, 255, 255)


@dataclass(frozen=True)
class Tile:
    """One view, (H, W, 3) uint8, RGB, and its screenshot, likewise."""

    title: str
    view: Picture
    screenshot: Picture
    aim: ScreenPoint | None  # the true one, in the screenshot's pixels


def draw_contact_sheet(tiles: Iterable[Tile]) -> Picture:
    """All of at least one tile, with a cross at each true point: (H, W, 3) uint8, RGB."""
    drawn = [_draw(tile) for tile in tiles]
    drawn += [np.full_like(drawn[0], 255)] * (-len(drawn) % COLUMNS)
    rows = [np.hstack(drawn[start : start + COLUMNS]) for start in range(0, len(drawn), COLUMNS)]
    return np.asarray(np.vstack(rows), np.uint8)


def _draw(tile: Tile) -> Picture:
    view, screen = _fit(tile.view, VIEW_PX), _fit(tile.screenshot, SCREEN_PX)
    if tile.aim:
        tile_from_screen = scaling(_size(tile.screenshot), _fitting_size(tile.screenshot, SCREEN_PX))
        ((x, y),) = apply(tile_from_screen, np.array([[tile.aim.x, tile.aim.y]]))
        cv2.drawMarker(screen, (round(x), round(y)), RED, cv2.MARKER_CROSS, 12, 2)
    title = np.full((TITLE_PX, VIEW_PX + SCREEN_PX, 3), WHITE, np.uint8)
    cv2.putText(title, tile.title, (2, 13), cv2.FONT_HERSHEY_SIMPLEX, 0.42, BLACK, 1, cv2.LINE_AA)
    whole = np.vstack([title, np.hstack([view, screen])])
    return np.asarray(cv2.copyMakeBorder(whole, 2, 2, 4, 4, cv2.BORDER_CONSTANT, value=WHITE), np.uint8)


def _fit(picture: Picture, width: int) -> Picture:
    """The whole picture, as large as fits into so many by HEIGHT_PX, on black."""
    size = _fitting_size(picture, width)
    small = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
    right, bottom = width - size[0], HEIGHT_PX - size[1]
    return np.asarray(cv2.copyMakeBorder(small, 0, bottom, 0, right, cv2.BORDER_CONSTANT, value=BLACK), np.uint8)


def _fitting_size(picture: Picture, width: int) -> Size:
    scale = min(width / picture.shape[1], HEIGHT_PX / picture.shape[0])
    return round(picture.shape[1] * scale), round(picture.shape[0] * scale)


def _size(picture: Picture) -> Size:
    return int(picture.shape[1]), int(picture.shape[0])
