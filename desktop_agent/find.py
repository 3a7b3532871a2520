"""view + time of its shutter -> the screen point now: by what the screen showed then, or by markers on it."""

import contextlib
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from desktop_agent.aim import Aims
from desktop_agent.blank import may_be_screen_at_aim
from desktop_agent.carry import carry
from desktop_agent.locate import FoundPoint
from desktop_agent.markers import Marker, draw_markers, find_point_by_markers, place_markers
from desktop_agent.overlay import Overlay
from desktop_agent.pictures import Picture
from desktop_agent.recent_screens import Moment, RecentScreens
from desktop_agent.screenshot import Screenshot
from desktop_agent.search import View
from protocol.errors import (
    CameraTooClose,
    CopyPasteError,
    ScreenAmbiguous,
    ScreenDiffers,
    ScreenMoving,
    ScreenNotInView,
    ScreenTooPlain,
    SecondViewWanted,
    ViewTooBlurred,
)
from protocol.messages import PasteRequest

MARKERS_S = 3.0
MOST_LOOKS = 5  # at content that moves, before a paste
STILL_S = 0.12
LONGEST_VIEW_PX = 1280
SURE_PX = 1.5  # in pixels of a view that long: the 95 % radius
MARKERS_HELP = (ScreenTooPlain, ScreenDiffers, ScreenAmbiguous, CameraTooClose)
MARKERS_MAY_HELP = (ScreenNotInView, ViewTooBlurred)  # unless the view is of a room


@dataclass(frozen=True)
class ShownMarkers:
    """The markers that the screen shows, or showed last."""

    screenshots: Sequence[Screenshot]
    markers: Mapping[int, Sequence[Marker]]
    until_s: float  # by time.monotonic()


class PointFinder:
    """Finds where views point to, on screens that it knows before the view comes."""

    def __init__(self, recent: RecentScreens, aims: Aims, overlay: Overlay) -> None:
        """Args: recent: what the screen showed. aims: of the phones. overlay: to show markers by, if it can."""
        self._recent = recent
        self._aims = aims
        self._overlay = overlay
        self._shown: ShownMarkers | None = None

    @property
    def shows_markers(self) -> bool:
        """Whether the screen shows markers, which a mark would replace."""
        return self._shown is not None and time.monotonic() < self._shown.until_s

    def follow(self, device: str, view: Picture, shutter_s: float | None) -> FoundPoint:
        """The point that a device aims at; from now on and for some seconds the screen is watched.

        Raises:
            ScreenMoving: what it aims at moves.
            ScreenNotInView and the others of find_screen_point: there is no such point.
        """
        self._recent.want()
        then = self._recent.at(shutter_s) or self._recent.take()
        found = self._aims.follow(device, view, then.screens)
        return _carried(found, then, self._recent.latest())

    def find(self, view: Picture, request: PasteRequest) -> FoundPoint:
        """The point to paste at, what lies there standing still.

        Raises:
            SecondViewWanted: the screen shows markers now; another view of it may be found.
            ScreenMoving: what was aimed at moves.
            ScreenNotInView and the others of find_screen_point: there is no such point.
        """
        try:
            return self._find_again(view, request) if request.is_second_view else self._find_first(view, request)
        finally:
            self._recent.rest()

    def _find_first(self, view: Picture, request: PasteRequest) -> FoundPoint:
        try:
            found = self._find_on_screen(view, request.shutter_s)
        except CopyPasteError as refusal:
            if _markers_help(refusal, view) and self._show_markers():
                raise SecondViewWanted from refusal
            raise
        if not is_sure(found) and self._show_markers():
            raise SecondViewWanted
        return found

    def _find_again(self, view: Picture, request: PasteRequest) -> FoundPoint:
        """By the markers; or else by the screen, but then surely, because the markers should have been seen."""
        if self._shown:
            with contextlib.suppress(ScreenNotInView):
                found = find_point_by_markers(view, self._shown.screenshots, self._shown.markers)
                _check_still(found, self._overlay.take_clean_screenshots())
                return found
        found = self._find_on_screen(view, request.shutter_s)
        if self._shown and not is_sure(found):
            raise ScreenTooPlain
        return found

    def _find_on_screen(self, view: Picture, shutter_s: float | None) -> FoundPoint:
        then = self._recent.at(shutter_s) or self._recent.take()
        found = self._aims.find(view, then.screens)
        for _ in range(MOST_LOOKS):
            now = self._recent.take()
            carried = _carried(found, then, now)
            if carried.screen_point == found.screen_point:
                return carried
            found, then = carried, now
            time.sleep(STILL_S)
        raise ScreenMoving

    def _show_markers(self) -> bool:
        screenshots = self._overlay.take_clean_screenshots()
        markers = place_markers(screenshots)
        patches = [patch for index, placed in markers.items() for patch in draw_markers(screenshots[index], placed)]
        until_s = time.monotonic() + MARKERS_S
        self._shown = ShownMarkers(screenshots, markers, until_s) if self._overlay.show(patches, MARKERS_S) else None
        return self._shown is not None


def is_sure(found: FoundPoint) -> bool:
    """Whether a point is as exact as those on screens with enough to see; most that are wrong are not."""
    view_px = found.scale * max(found.view_size) / LONGEST_VIEW_PX
    return found.radius_95 <= SURE_PX * view_px


def _markers_help(refusal: CopyPasteError, view: Picture) -> bool:
    """Whether markers on the screen may be seen in a second view; none in a view of a room."""
    if type(refusal) in MARKERS_MAY_HELP:  # and no kind of them: one too close sees nothing of a room
        return may_be_screen_at_aim(View(view).small)
    return isinstance(refusal, MARKERS_HELP)


def _check_still(found: FoundPoint, now: Sequence[Screenshot]) -> None:
    """Refuse a point under which something moved since its monitor's screenshot: where it was in the view is unknown.

    Raises:
        ScreenMoving: it moved.
    """
    same = [monitor for monitor in now if monitor.is_of_same_monitor(found.monitor)]
    if not same or carry(found.screen_point, found.monitor, same[0]) != found.screen_point:
        raise ScreenMoving


def _carried(found: FoundPoint, then: Moment, now: Moment) -> FoundPoint:
    """The same, where what it lies on is now."""
    point = carry(found.screen_point, then.screenshot_of(found.monitor), now.screenshot_of(found.monitor))
    if not found.monitor.contains(point):
        raise ScreenMoving
    return replace(found, screen_point=point)
