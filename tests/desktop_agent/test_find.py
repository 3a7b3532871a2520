"""How a view, the time of its shutter, the screen's past and its markers make a screen point."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pytest

from demo.monitor_camera import Pose, photograph
from desktop_agent.aim import Aims
from desktop_agent.find import PointFinder
from desktop_agent.locate import FoundPoint, Sighting, see
from desktop_agent.markers import COLUMNS, IN_CELL, ROWS
from desktop_agent.overlay import Overlay
from desktop_agent.overlay_message import Patch
from desktop_agent.pictures import Picture
from desktop_agent.ready_screen import ReadyScreen
from desktop_agent.recent_screens import WANTED_S, RecentScreens
from desktop_agent.screenshot import Screenshot, TakeScreenshots
from protocol.errors import (
    AimBesideScreen,
    CopyPasteError,
    ScreenMoving,
    ScreenNotInView,
    ScreenTooPlain,
    SecondViewWanted,
    ViewTooBlurred,
    ViewTooDark,
)
from protocol.geometry import ScreenPoint
from protocol.messages import PasteRequest
from tests.conftest import draw_screen
from tests.desktop_agent.rooms import draw_room, view_in_a_room
from tests.desktop_agent.test_aim import FOUND
from tests.desktop_agent.test_markers import lay, plain

AIM = ScreenPoint(300, 220)
VIEW = np.zeros((480, 640, 3), np.uint8)
PAGE = np.full((480, 640, 3), 240, np.uint8)


@dataclass
class DrawnOverlay(Overlay):
    """Remembers what it was to show; it shows it if it can."""

    can_show: bool = True
    patches: Sequence[Patch] = ()

    take: TakeScreenshots = list

    def show(self, patches: Sequence[Patch], shows_s: float) -> bool:
        self.patches = patches if self.can_show else ()
        return self.can_show

    def take_clean_screenshots(self) -> Sequence[Screenshot]:
        return self.take()


@dataclass
class Desk:
    """A screen that scrolls at given times, and a search of it that always finds one point, or none."""

    pixels: Picture
    refusal: CopyPasteError | None = None
    radius_95: float = 0.5
    overlay: DrawnOverlay = field(default_factory=DrawnOverlay)
    now_s: float = 100.0
    scrolls: list[int] = field(default_factory=list)  # rows, before each of the next screenshots
    searched: list[ReadyScreen] = field(default_factory=list)
    near: list[FoundPoint | None] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.overlay.take = self._take
        self.recent = RecentScreens(self._take, lambda: self.now_s)
        self.finder = PointFinder(self.recent, Aims(self._see, lambda: self.now_s), self.overlay)

    def _take(self) -> list[Screenshot]:
        if self.scrolls:
            self.pixels = np.roll(self.pixels, -self.scrolls.pop(0), axis=0)
        return [Screenshot(self.pixels.copy(), 0, 0)]

    def _see(self, view: Picture, screens: Sequence[ReadyScreen], near: FoundPoint | None) -> Sighting:
        self.searched.append(screens[0])
        self.near.append(near)
        if self.refusal:
            return Sighting(None, self.refusal)
        found = replace(FOUND, screen_point=AIM, radius_95=self.radius_95, monitor=screens[0].screenshot)
        return Sighting(found, None)

    def view(self) -> Picture:
        """What a camera sees of it and of what lies over it."""
        return photograph(lay(Screenshot(self.pixels, 0, 0), self.overlay.patches), AIM, (960, 720), Pose(), seed=1)

    def error_of(self, view: Picture, request: PasteRequest) -> type[CopyPasteError]:
        with pytest.raises(CopyPasteError) as raised:
            self.finder.find(view, request)
        return raised.type


@pytest.fixture
def desk() -> Desk:
    return Desk(draw_screen(seed=1, width=640, height=480))


@pytest.fixture
def blank() -> Desk:
    return Desk(plain(width=640, height=480), ScreenTooPlain())


def test_without_the_time_of_the_shutter_the_screen_is_taken_as_it_is(desk: Desk) -> None:
    desk.recent.take()
    desk.scrolls = [60]
    assert desk.finder.find(VIEW, PasteRequest(90.0)).screen_point == AIM
    assert np.array_equal(desk.searched[0].screenshot.pixels, desk.pixels)


def test_what_scrolled_between_the_shutter_and_the_paste_is_pasted_where_it_went(desk: Desk) -> None:
    before = desk.recent.take()
    desk.now_s += 0.3
    desk.scrolls = [60]
    found = desk.finder.find(VIEW, PasteRequest(90.0, shutter_s=100.0))
    assert desk.searched == [before.screens[0]]
    assert found.screen_point == ScreenPoint(AIM.x, AIM.y - 60)


def test_what_goes_on_scrolling_is_refused(desk: Desk) -> None:
    desk.recent.take()
    desk.now_s += 0.3
    desk.scrolls = [20] * 20
    assert desk.error_of(VIEW, PasteRequest(90.0, shutter_s=100.0)) is ScreenMoving


def test_what_changed_at_the_aim_is_refused(desk: Desk) -> None:
    desk.recent.take()
    desk.now_s += 0.3
    desk.pixels = 255 - desk.pixels
    assert desk.error_of(VIEW, PasteRequest(90.0, shutter_s=100.0)) is ScreenMoving


@dataclass
class Playing:
    """Takes screenshots of a screen that plays a video, and leaves all around it as it is."""

    pixels: Picture
    taken: int = 0

    def __call__(self) -> list[Screenshot]:
        self.taken += 1
        frame = self.pixels.copy()
        frame[120:320, 200:400] = draw_screen(seed=self.taken, width=200, height=200)
        return [Screenshot(frame, 0, 0)]


def find_on(take: TakeScreenshots, view: Picture, request: PasteRequest) -> FoundPoint:
    """By a program that has just started: no phone has aimed yet."""
    overlay = DrawnOverlay(can_show=False, take=take)
    return PointFinder(RecentScreens(take), Aims(see), overlay).find(view, request)


@pytest.mark.parametrize("shutter_s", [None, 0.0])
def test_a_first_tap_on_a_playing_video_is_refused(shutter_s: float | None) -> None:
    video = Playing(draw_screen(seed=1, width=640, height=480))
    view = photograph(Playing(video.pixels)()[0].pixels, AIM, (960, 720), Pose(), seed=1)  # its first frame
    with pytest.raises(ScreenMoving):
        find_on(video, view, PasteRequest(90.0, shutter_s=shutter_s))


def test_a_first_tap_beside_a_playing_video_is_right() -> None:
    video, beside = Playing(draw_screen(seed=1, width=640, height=480)), ScreenPoint(520, 220)
    view = photograph(Playing(video.pixels)()[0].pixels, beside, (960, 720), Pose(), seed=1)
    assert find_on(video, view, PasteRequest(90.0)).screen_point.distance_to(beside) < 1.0


def test_a_first_tap_on_what_scrolls_meanwhile_is_carried_on(desk: Desk) -> None:
    desk.scrolls = [0, 60]
    assert desk.finder.find(VIEW, PasteRequest(90.0)).screen_point == ScreenPoint(AIM.x, AIM.y - 60)


def test_a_first_tap_on_what_goes_on_scrolling_is_refused(desk: Desk) -> None:
    desk.scrolls = [20] * 20
    assert desk.error_of(VIEW, PasteRequest(90.0)) is ScreenMoving


@pytest.mark.parametrize("shutter_s", [50.0, 150.0])
def test_a_shutter_at_an_impossible_time_is_as_good_as_an_unknown_one(desk: Desk, shutter_s: float) -> None:
    desk.recent.take()
    desk.scrolls = [60]
    assert desk.finder.find(VIEW, PasteRequest(90.0, shutter_s=shutter_s)).screen_point == AIM


def test_after_a_paste_without_aims_nothing_of_the_screen_is_kept(desk: Desk) -> None:
    desk.finder.find(VIEW, PasteRequest(90.0))
    assert desk.recent.at(desk.now_s) is None


def test_an_aim_keeps_the_screen_ready_for_the_next(desk: Desk) -> None:
    found = desk.finder.follow("ada", VIEW, None)
    desk.finder.follow("ada", VIEW, desk.now_s)
    assert desk.near == [None, found]
    assert desk.searched[0] is desk.searched[1]
    desk.now_s += WANTED_S + 1


def test_the_aim_of_what_scrolled_since_is_where_it_went(desk: Desk) -> None:
    desk.recent.take()
    desk.now_s += 0.1
    desk.scrolls = [60]
    desk.recent.take()
    desk.now_s += 0.1
    found = desk.finder.follow("ada", VIEW, 100.0)
    assert found.screen_point == ScreenPoint(AIM.x, AIM.y - 60)
    desk.now_s += WANTED_S + 1


def test_a_plain_screen_asks_for_a_second_view_and_is_found_in_it(blank: Desk) -> None:
    assert blank.error_of(VIEW, PasteRequest(90.0)) is SecondViewWanted
    assert len(blank.overlay.patches) == COLUMNS * ROWS * IN_CELL
    found = blank.finder.find(blank.view(), PasteRequest(90.0, is_second_view=True))
    assert found.screen_point.distance_to(AIM) < 1.0


def test_what_appeared_under_the_aim_while_markers_were_shown_is_refused(blank: Desk) -> None:
    assert blank.error_of(VIEW, PasteRequest(90.0)) is SecondViewWanted
    view = blank.view()
    blank.pixels = draw_screen(seed=1, width=640, height=480)
    assert blank.error_of(view, PasteRequest(90.0, is_second_view=True)) is ScreenMoving


def test_a_second_view_without_markers_in_it_is_told_the_plain_reason(blank: Desk) -> None:
    assert blank.error_of(VIEW, PasteRequest(90.0)) is SecondViewWanted
    assert blank.error_of(VIEW, PasteRequest(90.0, is_second_view=True)) is ScreenTooPlain


def test_a_second_view_that_nobody_asked_for_is_a_view(desk: Desk) -> None:
    assert desk.finder.find(VIEW, PasteRequest(90.0, is_second_view=True)).screen_point == AIM


def test_a_point_that_is_not_sure_is_looked_for_again_with_markers(desk: Desk) -> None:
    desk.radius_95 = 4.0
    assert desk.error_of(VIEW, PasteRequest(90.0)) is SecondViewWanted
    assert desk.error_of(VIEW, PasteRequest(90.0, is_second_view=True)) is ScreenTooPlain
    assert desk.finder.find(desk.view(), PasteRequest(90.0, is_second_view=True)).screen_point.distance_to(AIM) < 1.0


def test_where_nothing_can_be_shown_a_point_that_is_not_sure_has_to_do(desk: Desk) -> None:
    desk.radius_95 = 4.0
    desk.overlay.can_show = False
    assert desk.finder.find(VIEW, PasteRequest(90.0)).screen_point == AIM


def test_where_nothing_can_be_shown_the_first_refusal_is_the_last(blank: Desk) -> None:
    blank.overlay.can_show = False
    assert blank.error_of(VIEW, PasteRequest(90.0)) is ScreenTooPlain


@pytest.mark.parametrize("refusal", [ScreenNotInView, ViewTooBlurred])
def test_where_the_screen_is_not_found_or_smeared_markers_are_shown_unless_it_is_a_room(
    desk: Desk, refusal: type[CopyPasteError]
) -> None:
    desk.refusal = refusal()
    assert desk.error_of(draw_room(), PasteRequest(90.0)) is refusal
    assert not desk.overlay.patches
    assert desk.error_of(view_in_a_room(PAGE), PasteRequest(90.0)) is SecondViewWanted
    assert desk.overlay.patches


@pytest.mark.parametrize("refusal", [AimBesideScreen, ViewTooDark])
def test_markers_are_no_help_against_an_aim_beside_the_screen_or_a_dark_view(
    desk: Desk, refusal: type[CopyPasteError]
) -> None:
    desk.refusal = refusal()
    assert desk.error_of(VIEW, PasteRequest(90.0)) is refusal
    assert not desk.overlay.patches
