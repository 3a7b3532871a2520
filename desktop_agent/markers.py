"""view + the markers that the screen shows for a moment -> the screen point, where the screen itself is too plain.

The markers are ArUco's (Garrido-Jurado et al. 2014), so faint that they are just found: laid over what the screen
shows, darker where a marker is black and lighter where it is white.
"""

from collections import abc
from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
import numpy.typing as npt

from desktop_agent.features import Grey, Points
from desktop_agent.homography import apply, fit_robustly
from desktop_agent.locate import FoundPoint, check_point, find_near, point_through
from desktop_agent.mapping import Fit, Mapping, Size, fit, scaling
from desktop_agent.overlay_message import Patch
from desktop_agent.pictures import Picture
from desktop_agent.ready_screen import make_ready
from desktop_agent.screenshot import Screenshot
from desktop_agent.search import is_possible
from protocol.errors import ScreenNotInView

COLUMNS, ROWS = 5, 3  # of large markers, for views from afar and blurred ones
AROUND = 3  # places along a side of their cells: in the middle the large one, in the others small ones for near views
IN_CELL = AROUND**2
DICTIONARY = cv2.aruco.DICT_4X4_1000  # enough for seven monitors
LARGE, SMALL = 1.5, 0.5  # of the smaller side of such a place, that a marker and its white rim take
CELLS = 8  # of a marker along each side: four of its own, its black border, its white rim
FAINTNESS = 0.16  # of the way from what the screen shows to black or white
LONGEST_VIEWS_PX = (1600, 800, 500)  # the smaller copies have less noise, moire and blur
ENOUGH_MARKERS, ENOUGH_PX = 8, 1.5  # that agree, and the radius of 95 % on the screen, to look at no smaller copy
FEWEST_MARKERS = 2
DOUBT = 0.1  # that a marker which agrees is none
ROUGH_PX, CLOSE_PX = 4.0, 1.0  # residuals in the view beyond which a corner loses its say, from step to step, or
USUAL_OFF = 2.0  # times the usual one, if that is more: blur moves all corners
FARTHEST_CORNER = 0.1  # of a marker's side in the view: how far off the corners of one that agrees may be
RADIUS_STRETCH = 1.2  # corners of one marker err together
SHAKEN_STRETCH = 2.0  # in a shaken view, all patches do: how much wider the radius is than in others
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
    """Markers for each monitor, by its index; no number is used twice, so that monitors are told apart."""
    size = len(cv2.aruco.getPredefinedDictionary(DICTIONARY).bytesList)
    on_each = COLUMNS * ROWS * IN_CELL
    return {
        index: _place(screenshot, index * on_each) for index, screenshot in enumerate(screenshots[: size // on_each])
    }


def _place(screenshot: Screenshot, first_number: int) -> list[Marker]:
    height, width = screenshot.pixels.shape[:2]
    across, down = (COLUMNS, ROWS) if width >= height else (ROWS, COLUMNS)
    columns, rows = AROUND * across, AROUND * down
    step_x, step_y = width / columns, height / rows
    markers = []
    for index, (row, column) in enumerate(np.ndindex(rows, columns)):
        is_large = row % AROUND == column % AROUND == AROUND // 2
        side = (CELLS - 2) * int((LARGE if is_large else SMALL) * min(step_x, step_y) / CELLS)
        left, top = (column + 0.5) * step_x - side / 2, (row + 0.5) * step_y - side / 2
        markers.append(Marker(first_number + index, round(left), round(top), side))
    return markers


def draw_markers(screenshot: Screenshot, markers: Sequence[Marker]) -> list[Patch]:
    """The markers as what is to be laid over that monitor."""
    return [_draw(screenshot, marker) for marker in markers]


def _draw(screenshot: Screenshot, marker: Marker) -> Patch:
    rim = _rim(marker)
    dictionary = cv2.aruco.getPredefinedDictionary(DICTIONARY)
    black_and_white = cv2.aruco.generateImageMarker(dictionary, marker.number, marker.side)
    ink = cv2.copyMakeBorder(black_and_white, rim, rim, rim, rim, cv2.BORDER_CONSTANT, value=255)[:, :, None]
    left, top = marker.left - rim, marker.top - rim
    below = screenshot.pixels[top : top + len(ink), left : left + len(ink)].mean(axis=(0, 1))  # lines would cut it up
    colours = np.rint(below + FAINTNESS * (ink - below)).astype(np.uint8)
    opaque = np.full_like(ink, 255)
    pixels, scale = np.concatenate([colours, opaque], axis=2), screenshot.scale
    return Patch(left / scale + screenshot.left, top / scale + screenshot.top, pixels, scale)


def _rim(marker: Marker) -> int:
    """How wide the white around it is."""
    return marker.side // (CELLS - 2)


def find_point_by_markers(
    view: Picture, screenshots: Sequence[Screenshot], markers: abc.Mapping[int, Sequence[Marker]]
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
    size = _size(_shrink(view, LONGEST_VIEWS_PX[0]))
    seen: dict[int, Points] = {}
    agreed: list[Agreed] = []
    for longest in LONGEST_VIEWS_PX:
        grey = _shrink(view, longest)
        seen |= {number: apply(scaling(_size(grey), size), corners) for number, corners in _detect(grey).items()}
        fits = [_fit(seen, placed, size, screenshots[index]) for index, placed in markers.items()]
        agreed += [fit for fit in fits if fit]
        if any(fit.is_enough for fit in agreed):
            break
    if not agreed:
        raise ScreenNotInView
    best = choose(agreed)
    found = point_through(best.fit, (view.shape[1], view.shape[0]), best.screenshot, RADIUS_STRETCH)
    found = replace(found, probability=1 - DOUBT**best.count)
    if not best.is_enough:
        found = _made_exact(view, found, _shown(best.screenshot, best.markers))
    check_point(found)
    return found


def _made_exact(view: Picture, found: FoundPoint, shown: Screenshot) -> FoundPoint:
    """The same point by all that the screen shows beside its markers, if that looks as expected near it."""
    exact = find_near(view, make_ready(shown), found)
    if not exact or exact.screen_point.distance_to(found.screen_point) > found.radius_95:
        return found
    radius_95 = min(found.radius_95, SHAKEN_STRETCH * exact.radius_95)
    return replace(exact, radius_95=radius_95, probability=found.probability, monitor=found.monitor)


def _shown(screenshot: Screenshot, markers: Sequence[Marker]) -> Screenshot:
    """What the monitor shows with markers over it."""
    pixels = screenshot.pixels.copy()
    for marker in markers:
        drawn, rim = _draw(screenshot, marker).pixels, _rim(marker)
        top, left = marker.top - rim, marker.left - rim
        pixels[top : top + drawn.shape[0], left : left + drawn.shape[1]] = drawn[:, :, :3]
    return replace(screenshot, pixels=pixels)


def _size(grey: Grey) -> Size:
    return grey.shape[1], grey.shape[0]


def _shrink(view: Picture, longest: int) -> Grey:
    """In grey, its long side at most `longest`."""
    grey = cv2.cvtColor(view, cv2.COLOR_RGB2GRAY)
    shrink = longest / max(grey.shape)
    if shrink < 1:
        size = (round(grey.shape[1] * shrink), round(grey.shape[0] * shrink))
        grey = cv2.resize(grey, size, interpolation=cv2.INTER_AREA)
    return np.asarray(grey, np.uint8)


def _detect(grey: Grey) -> dict[int, Points]:
    """The corners, (4, 2), of each marker in a view, by its number."""
    parameters = cv2.aruco.DetectorParameters()
    parameters.adaptiveThreshWinSizeMin, parameters.adaptiveThreshWinSizeMax = 5, 65
    parameters.adaptiveThreshWinSizeStep = 12
    parameters.adaptiveThreshConstant = 2  # of grey levels: the markers are faint
    parameters.minMarkerPerimeterRate = 0.03
    parameters.polygonalApproxAccuracyRate = 0.06  # blur makes corners round
    parameters.perspectiveRemovePixelPerCell = 8
    parameters.perspectiveRemoveIgnoredMarginPerCell = 0.3  # and cells run into one another
    parameters.cornerRefinementMethod = cv2.aruco.CORNER_REFINE_SUBPIX
    parameters.cornerRefinementWinSize = REFINED_PX
    parameters.minOtsuStdDev = 1.5
    detector = cv2.aruco.ArucoDetector(cv2.aruco.getPredefinedDictionary(DICTIONARY), parameters)
    corners, numbers, _rejected = detector.detectMarkers(grey)
    if numbers is None:
        return {}
    return {int(number): np.asarray(four[0], np.float64) for number, four in zip(numbers.ravel(), corners, strict=True)}


@dataclass(frozen=True)
class Agreed:
    """The mapping that most markers of a monitor agree with."""

    fit: Fit
    count: int  # of those that agree
    markers: Sequence[Marker]  # of that monitor
    screenshot: Screenshot  # of it

    @property
    def is_enough(self) -> bool:
        """Whether there is no need for a smaller copy of the view."""
        return self.count >= ENOUGH_MARKERS and self.fit.radius_95 <= ENOUGH_PX


def choose(agreed: Sequence[Agreed]) -> Agreed:
    """The surest mapping of the monitor whose markers agree most: corners are smeared in one copy or another."""
    screenshot = max(agreed, key=lambda each: each.count).screenshot
    return min((each for each in agreed if each.screenshot is screenshot), key=lambda each: each.fit.radius_95)


def _fit(seen: dict[int, Points], placed: Sequence[Marker], size: Size, screenshot: Screenshot) -> Agreed | None:
    known = [marker for marker in placed if marker.number in seen]
    if len(known) < FEWEST_MARKERS:
        return None
    corners_view = np.concatenate([seen[marker.number] for marker in known])
    corners_screen = np.concatenate([marker.corners for marker in known])
    view_from_screen = fit_robustly(corners_view, corners_screen)
    if view_from_screen is None:
        return None
    sides = np.linalg.norm(corners_view[1::4] - corners_view[::4], axis=1)
    mapping, agrees = Mapping(view_from_screen, 0.0, size), np.full(len(known), fill_value=True)
    for closest_px in (ROUGH_PX, CLOSE_PX):
        if agrees.sum() < FEWEST_MARKERS or not is_possible(mapping, screenshot.size):
            return None
        chosen = np.repeat(agrees, 4)
        outlier_px = max(closest_px, USUAL_OFF * float(np.median(_off(mapping, corners_view, corners_screen)[chosen])))
        both_ways = np.tile(np.eye(2), (int(chosen.sum()), 1, 1))
        fitted = fit(mapping, corners_view[chosen], corners_screen[chosen], both_ways, outlier_px)
        mapping = fitted.mapping
        off = _off(mapping, corners_view, corners_screen).reshape(-1, 4)
        agrees = off.max(axis=1) <= np.maximum(FARTHEST_CORNER * sides, CLOSE_PX)
    if agrees.sum() < FEWEST_MARKERS or not is_possible(mapping, screenshot.size):
        return None
    return Agreed(fitted, int(agrees.sum()), placed, screenshot)


def _off(mapping: Mapping, points_view: Points, points_screen: Points) -> npt.NDArray[np.float64]:
    """How far from where the mapping says each point is, in view pixels: (N,)."""
    return np.asarray(np.linalg.norm(mapping.to_view(points_screen) - points_view, axis=1))
