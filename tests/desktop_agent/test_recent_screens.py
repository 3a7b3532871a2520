"""What is remembered of the screen, and what that costs."""

import threading
import time
from dataclasses import dataclass, field

import numpy as np
import pytest

from desktop_agent.pictures import Picture
from desktop_agent.recent_screens import FARTHEST_S, KEPT_S, WANTED_S, RecentScreens
from desktop_agent.screenshot import Screenshot
from protocol.errors import DesktopUnavailable

SMALL = (240, 320, 3)


@dataclass
class Screen:
    """A screen that can be drawn on, and a clock that only runs when told to."""

    pixels: Picture = field(default_factory=lambda: np.full(SMALL, 120, np.uint8))
    now_s: float = 100.0
    taken: int = 0
    is_gone: bool = False

    def take(self) -> list[Screenshot]:
        self.taken += 1
        if self.is_gone:
            raise DesktopUnavailable
        return [Screenshot(self.pixels.copy(), 0, 0)]

    def clock_s(self) -> float:
        return self.now_s

    def draw(self, level: int) -> None:
        self.pixels[:] = level


def levels(screen: Screen, recent: RecentScreens, *times_s: float) -> list[int | None]:
    """The grey level that the screen is remembered to have shown at each time."""
    moments = [recent.at(time_s) for time_s in times_s]
    return [int(moment.screens[0].screenshot.pixels[0, 0, 0]) if moment else None for moment in moments]


@pytest.fixture
def screen() -> Screen:
    return Screen()


@pytest.fixture
def recent(screen: Screen) -> RecentScreens:
    return RecentScreens(screen.take, screen.clock_s)


def take_at(screen: Screen, recent: RecentScreens, now_s: float, level: int) -> None:
    screen.now_s = now_s
    screen.draw(level)
    recent.take()


def test_a_shutter_is_matched_with_what_the_screen_showed_then(screen: Screen, recent: RecentScreens) -> None:
    for now_s, level in ((100.0, 10), (100.2, 20), (100.4, 30)):
        take_at(screen, recent, now_s, level)
    assert levels(screen, recent, 100.05, 100.15, 100.32) == [10, 20, 30]


def test_a_time_before_all_that_is_remembered_ahead_or_unknown_has_no_moment(
    screen: Screen, recent: RecentScreens
) -> None:
    take_at(screen, recent, 100.0, 10)
    assert recent.at(None) is None
    assert levels(screen, recent, 99.9, 100.1) == [None, None]


def test_a_screen_that_was_still_meanwhile_needs_no_screenshot_near_the_shutter(
    screen: Screen, recent: RecentScreens
) -> None:
    take_at(screen, recent, 100.0, 10)
    take_at(screen, recent, 101.6, 10)
    assert levels(screen, recent, 100.8) == [10]


def test_a_screen_that_changed_far_from_the_shutter_tells_nothing(screen: Screen, recent: RecentScreens) -> None:
    take_at(screen, recent, 100.0, 10)
    take_at(screen, recent, 101.6, 30)
    assert levels(screen, recent, 100.8, 101.5) == [None, 30]


def test_what_was_long_ago_is_forgotten(screen: Screen, recent: RecentScreens) -> None:
    take_at(screen, recent, 100.0, 10)
    take_at(screen, recent, 100.0 + KEPT_S + 0.1, 20)
    assert levels(screen, recent, 100.0) == [None]


def test_a_shutter_after_the_last_moment_is_near_enough_or_not(screen: Screen, recent: RecentScreens) -> None:
    take_at(screen, recent, 100.0, 10)
    screen.now_s = 101.0
    assert levels(screen, recent, 100.0 + FARTHEST_S - 0.05, 100.0 + FARTHEST_S + 0.05) == [10, None]


def test_an_unchanged_screen_is_not_looked_at_anew(screen: Screen, recent: RecentScreens) -> None:
    assert recent.take().screens[0] is recent.take().screens[0]


def test_a_changed_screen_is(screen: Screen, recent: RecentScreens) -> None:
    before = recent.take().screens[0]
    screen.draw(30)
    assert recent.take().screens[0] is not before


def test_screenshots_are_taken_while_somebody_aims_and_no_longer(screen: Screen, recent: RecentScreens) -> None:
    assert screen.taken == 0
    recent.want()
    wait_until(lambda: screen.taken >= 3)
    screen.now_s += WANTED_S + 1
    wait_until(lambda: not threads_of_ours())
    taken = screen.taken
    time.sleep(0.5)
    assert screen.taken == taken
    assert recent.at(screen.now_s) is None
    recent.want()
    wait_until(lambda: screen.taken > taken)
    screen.now_s += WANTED_S + 1


def test_a_desktop_that_is_away_for_a_moment_ends_nothing(screen: Screen, recent: RecentScreens) -> None:
    screen.is_gone = True
    recent.want()
    wait_until(lambda: screen.taken >= 1)
    screen.is_gone = False
    wait_until(lambda: recent.at(screen.now_s) is not None)
    screen.now_s += WANTED_S + 1


def threads_of_ours() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "recent screens"]


def wait_until(is_so: object, timeout_s: float = 20.0) -> None:
    assert callable(is_so)
    deadline_s = time.monotonic() + timeout_s
    while not is_so():
        assert time.monotonic() < deadline_s
        time.sleep(0.02)
