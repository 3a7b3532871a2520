"""view + the markers that the screen shows for a moment -> the screen point, where the screen itself is too plain.

The markers are ArUco's (Garrido-Jurado et al. 2014), so faint that they are just found: laid over what the screen
shows, darker where a marker is black and lighter where it is white.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
import numpy.typing as npt

from desktop_agent.features import Grey
from desktop_agent.homography import Homography, apply, fit_robustly, refine
from desktop_agent.locate import FoundPoint, check_point, point_through
from desktop_agent.overlay_message import Patch
from desktop_agent.pictures import Picture
from desktop_agent.screenshot import Screenshot
from protocol.errors import ScreenNotInView

COLUMNS, ROWS = 8, 5
DICTIONARY = cv2.aruco.DICT_4X4_250  # enough for six monitors
SHARE_OF_CELL = 0.6  # of the smaller side of a cell of the grid, that a marker and its white rim take
CELLS = 8  # of a marker along each side: four of its own, its black border, its white rim
FAINTNESS = 0.16  # of the way from what the screen shows to black or white
LONGEST_VIEWS_PX = (1600, 800, 500)  # the smaller copies have less noise, moire and blur
ENOUGH_MARKERS = 4  # that agree: no need for a smaller copy
FEWEST_MARKERS = 2
DOUBT = 0.1  # that a marker which agrees is none
FARTHEST_CORNER_PX = 2.0  # in view pixels, of a marker that agrees with the others
REFINED_PX = 4  # around a corner, that its precise place is looked for


@dataclass(frozen=True)
class Marker:
    """One marker on a monitor."""

    number: int  # in the dictionary
    left: int  # of its black border, in pixels of the monitor
    top: int
    side: int

    @property
    def corners(self) -> npt.NDArray[np.float64]:
        """(4, 2), in pixels of the monitor, clockwise from its own top left."""
        left, top, right, bottom = (self.left, self.top, self.left + self.side, self.top + self.side)
        return np.array([[left, top], [right, top], [right, bottom], [left, bottom]]) - 0.5


def place_markers(screenshots: Sequence[Screenshot]) -> dict[int, list[Marker]]:
    """A grid of markers for each monitor, by its index; no number is used twice, so that monitors are told apart."""
    size = len(cv2.aruco.getPredefinedDictionary(DICTIONARY).bytesList)
    return {
        index: _place(screenshot, index * COLUMNS * ROWS)
        for index, screenshot in enumerate(screenshots[: size // (COLUMNS * ROWS)])
    }


def _place(screenshot: Screenshot, first_number: int) -> list[Marker]:
    height, width = screenshot.pixels.shape[:2]
    columns, rows = (COLUMNS, ROWS) if width >= height else (ROWS, COLUMNS)
    cell = round(SHARE_OF_CELL * min(width / columns, height / rows)) // CELLS
    side = cell * (CELLS - 2)
    return [
        Marker(
            first_number + row * columns + column,
            round((column + 0.5) * width / columns - side / 2),
            round((row + 0.5) * height / rows - side / 2),
            side,
        )
        for row in range(rows)
        for column in range(columns)
    ]


def draw_markers(screenshot: Screenshot, markers: Sequence[Marker]) -> list[Patch]:
    """The markers as what is to be laid over that monitor."""
    return [_draw(screenshot, marker) for marker in markers]


def _draw(screenshot: Screenshot, marker: Marker) -> Patch:
    rim = marker.side // (CELLS - 2)
    dictionary = cv2.aruco.getPredefinedDictionary(DICTIONARY)
    black_and_white = cv2.aruco.generateImageMarker(dictionary, marker.number, marker.side)
    ink = cv2.copyMakeBorder(black_and_white, rim, rim, rim, rim, cv2.BORDER_CONSTANT, value=255)[:, :, None]
    left, top = marker.left - rim, marker.top - rim
    below = screenshot.pixels[top : top + len(ink), left : left + len(ink)].mean(axis=(0, 1))  # lines would cut it up
    colours = np.rint(below + FAINTNESS * (ink - below)).astype(np.uint8)
    opaque = np.full_like(ink, 255)
    return Patch(left + screenshot.left, top + screenshot.top, np.concatenate([colours, opaque], axis=2))


def find_point_by_markers(
    view: Picture, screenshots: Sequence[Screenshot], markers: Mapping[int, Sequence[Marker]]
) -> FoundPoint:
    """The point of the desktop under the centre of a view that shows markers.

    Args:
        view: (H, W, 3) uint8, RGB.
        screenshots: of the monitors when the markers were placed.
        markers: as place_markers gave them.

    Raises:
        ScreenNotInView: fewer than two markers agree.
        AimBesideScreen, ScreenTooPlain: there is no such point.
    """
    best: tuple[Fit, Screenshot, Grey] | None = None
    for longest in LONGEST_VIEWS_PX:
        grey = _shrink(view, longest)
        seen = _detect(grey)
        for index, placed in markers.items():
            fit = _fit(seen, placed)
            if fit and (best is None or fit.count > best[0].count):
                best = fit, screenshots[index], grey
        if best and best[0].count >= ENOUGH_MARKERS:
            break
    if best is None:
        raise ScreenNotInView
    fit, screenshot, grey = best
    found = point_through(fit.homography, (grey.shape[1], grey.shape[0]), view, screenshot)
    check_point(found)
    return replace(found, probability=1 - DOUBT**fit.count)


def _shrink(view: Picture, longest: int) -> Grey:
    """In grey, its long side at most `longest`."""
    grey = cv2.cvtColor(view, cv2.COLOR_RGB2GRAY)
    shrink = longest / max(grey.shape)
    if shrink < 1:
        size = (round(grey.shape[1] * shrink), round(grey.shape[0] * shrink))
        grey = cv2.resize(grey, size, interpolation=cv2.INTER_AREA)
    return np.asarray(grey, np.uint8)


def _detect(grey: Grey) -> dict[int, npt.NDArray[np.float64]]:
    """The corners, (4, 2), of each marker in a view, by its number."""
    parameters = cv2.aruco.DetectorParameters()
    parameters.adaptiveThreshWinSizeMin, parameters.adaptiveThreshWinSizeMax = 5, 65
    parameters.adaptiveThreshWinSizeStep = 12
    parameters.adaptiveThreshConstant = 2  # of grey levels: the markers are faint
    parameters.minMarkerPerimeterRate = 0.03
    parameters.cornerRefinementMethod = cv2.aruco.CORNER_REFINE_SUBPIX
    parameters.cornerRefinementWinSize = REFINED_PX
    parameters.minOtsuStdDev = 1.5
    detector = cv2.aruco.ArucoDetector(cv2.aruco.getPredefinedDictionary(DICTIONARY), parameters)
    corners, numbers, _rejected = detector.detectMarkers(grey)
    if numbers is None:
        return {}
    return {int(number): np.asarray(four[0], np.float64) for number, four in zip(numbers.ravel(), corners, strict=True)}


@dataclass(frozen=True)
class Fit:
    """The mapping that most markers of a monitor agree with."""

    homography: Homography
    count: int  # of these markers


def _fit(seen: dict[int, npt.NDArray[np.float64]], placed: Sequence[Marker]) -> Fit | None:
    known = [marker for marker in placed if marker.number in seen]
    if len(known) < FEWEST_MARKERS:
        return None
    corners_view = np.concatenate([seen[marker.number] for marker in known])
    corners_screen = np.concatenate([marker.corners for marker in known])
    view_from_screen = fit_robustly(corners_view, corners_screen)
    if view_from_screen is None:
        return None
    off = np.linalg.norm(apply(view_from_screen, corners_screen) - corners_view, axis=1).reshape(-1, 4)
    agrees = off.max(axis=1) <= FARTHEST_CORNER_PX
    if agrees.sum() < FEWEST_MARKERS:
        return None
    chosen = np.repeat(agrees, 4)
    homography = refine(view_from_screen, corners_view[chosen], corners_screen[chosen])
    return Fit(homography, int(agrees.sum()))
