"""The screen, looked at again and again -> when it stands still, and when the cutout is there."""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass

from desktop_agent.look import (
    Landing,
    find_at_scale,
    find_changed,
    find_changes,
    find_expected,
    find_landing,
    find_near,
)
from desktop_agent.pictures import Cutout
from desktop_agent.screenshot import Screenshot, TakeScreenshots
from protocol.errors import DesktopUnavailable
from protocol.geometry import ScreenPoint

LONGEST_WAIT_S = 8.0  # for an editor to show what was pasted
CALM_S = 0.12  # without a change, before a paste: what hovering and raising a window do is done
SETTLED_S = 0.3  # without a change, after a paste: the editor has finished drawing
UNDONE_S = 2.0  # without a change, after something changed: the undo was not one of the cutout
IGNORED_S = 3.0  # without any change since the paste keys: the program does nothing with them, and is not merely slow
SEARCHED_S = 0.8  # without a change: it is worth the time to search the whole monitor
MOST_LEFT_OVER = 0.2  # of the pixels around an undone cutout that may still differ: handles, a tooltip
POLL_S = 0.04
SAME_PLACE_PX = 0.7  # between two looks at a cutout that stays where it is


@dataclass(frozen=True)
class Expected:
    """What should appear, and where."""

    cutout: Cutout
    point: ScreenPoint
    zoom: float  # screen pixels in a pixel of the cutout
    is_in_text: bool = False  # which makes room for it, so that far more changes than what it covers


class Watch:
    """Eyes on the desktop."""

    def __init__(self, take_screenshots: TakeScreenshots, longest_wait_s: float = LONGEST_WAIT_S) -> None:
        """Args: longest_wait_s: for an editor to show what was pasted."""
        self._take_screenshots = take_screenshots
        self._longest_wait_s = longest_wait_s

    def monitor_with(self, point: ScreenPoint) -> Screenshot:
        """What the monitor shows, now, that has a point of the desktop.

        Raises:
            DesktopUnavailable: none has it any more.
        """
        return self._take(lambda screenshot: screenshot.contains(point))

    def again(self, monitor: Screenshot) -> Screenshot:
        """What the same monitor shows now.

        Raises:
            DesktopUnavailable: it was changed or taken away.
        """
        return self._take(monitor.is_of_same_monitor)

    def calm(self, monitor: Screenshot) -> Screenshot:
        """What a monitor shows once it has stood still for a moment, or at the end of our patience."""
        deadline_s = time.monotonic() + self._longest_wait_s
        last, still_since_s = self.again(monitor), time.monotonic()
        while time.monotonic() < deadline_s and time.monotonic() - still_since_s < CALM_S:
            time.sleep(POLL_S)
            current = self.again(last)
            if differ(last, current):
                still_since_s = time.monotonic()
            last = current
        return last

    def wait_until_gone(self, before: Screenshot, place: tuple[slice, slice]) -> bool:
        """Wait until a place looks as before, again; False if it stands still otherwise, or our patience ends.

        Only that place is looked at: tooltips and what is selected may differ from before.
        """
        deadline_s = time.monotonic() + self._longest_wait_s
        last = since = self.again(before)
        still_since_s, was_gone = time.monotonic(), False
        while time.monotonic() < deadline_s:
            current = self.again(before)
            is_gone = find_changed(before.pixels[place], current.pixels[place]).mean() < MOST_LEFT_OVER
            if is_gone and was_gone:
                return True
            was_gone = bool(is_gone)
            if differ(last, current):
                still_since_s = time.monotonic()
            elif differ(since, current) and time.monotonic() - still_since_s >= UNDONE_S:
                return False
            last = current
            time.sleep(POLL_S)
        return False

    def wait_for_change(self, since: Screenshot) -> None:
        """Wait until a monitor shows something else, or until the end of our patience."""
        deadline_s = time.monotonic() + self._longest_wait_s
        while time.monotonic() < deadline_s and not differ(since, self.again(since)):
            time.sleep(POLL_S)

    def wait_for(
        self,
        before: Screenshot,
        expected: Expected,
        check: Callable[[], None],
        on_nothing: Callable[[], bool] = lambda: False,
    ) -> tuple[Screenshot, Landing | None]:
        """Wait until a cutout is seen to stay at one place.

        Editors show a paste in several steps (a status line, a dialog for a moment), so each is looked at.

        Args:
            before: what the monitor showed before.
            expected: what to look for, and where first.
            check: called when the screen stands still without the cutout; may raise.
            on_nothing: called once if nothing at all has changed for a while; whether to begin to wait anew; may raise.

        Returns:
            What the monitor shows then, and where the cutout is on it; None if it did not come.
        """
        deadline_s = time.monotonic() + self._longest_wait_s
        latest_s = deadline_s + self._longest_wait_s
        last, still_since_s, seen = before, time.monotonic(), None
        search = _Search(before, expected)
        ignored_s = time.monotonic() + IGNORED_S
        while time.monotonic() < deadline_s:
            current = self.again(before)
            last_seen, seen = seen, _see(before, current, expected)
            if seen and last_seen and _is_same_place(seen, last_seen):
                return current, seen
            still_s = time.monotonic() - still_since_s
            if time.monotonic() >= ignored_s:
                ignored_s = math.inf
                if not differ(before, current) and on_nothing():
                    deadline_s = time.monotonic() + self._longest_wait_s
                    latest_s = deadline_s + self._longest_wait_s
            if differ(last, current):
                still_since_s = time.monotonic()
            elif seen is None:
                search_since_s = time.monotonic()
                if still_s >= SEARCHED_S:
                    check()
                landing = search.find(current, still_s)
                if landing:
                    return current, landing
                ours_s = time.monotonic() - search_since_s  # not the editor's, unless its screen never rests
                deadline_s = min(deadline_s + ours_s, latest_s)
            last = current
            time.sleep(POLL_S)
        return last, None

    def _take(self, is_wanted: Callable[[Screenshot], bool]) -> Screenshot:
        for screenshot in self._take_screenshots():
            if is_wanted(screenshot):
                return screenshot
        raise DesktopUnavailable("A monitor was changed or taken away meanwhile.")


Find = Callable[[Screenshot, Screenshot, Expected], Landing | None]


class _Search:
    """Ways to look for a cutout, each tried once on each thing that the screen shows; the dearer, the later."""

    def __init__(self, before: Screenshot, expected: Expected) -> None:
        self._before = before
        self._expected = expected
        quick: tuple[float, Find] = (0.0, _find_at_scale) if expected.is_in_text else (SETTLED_S, _find_near)
        self._ways = (quick, (SEARCHED_S, _find_anywhere))
        self._searched = {find: before for _, find in self._ways}

    def find(self, current: Screenshot, still_s: float) -> Landing | None:
        """Look in every way that is due after so long without a change."""
        for due_s, find in self._ways:
            if still_s >= due_s and differ(self._searched[find], current):
                self._searched[find] = current
                if landing := find(self._before, current, self._expected):
                    return landing
        return None


def differ(one: Screenshot, other: Screenshot) -> bool:
    """Whether more has changed between two screenshots than a blinking cursor."""
    return bool(find_changes(find_changed(one.pixels, other.pixels)))


def _see(before: Screenshot, current: Screenshot, expected: Expected) -> Landing | None:
    x, y = before.from_desktop(expected.point)
    return find_expected(before.pixels, current.pixels, expected.cutout, x, y, expected.zoom)


def _find_at_scale(before: Screenshot, current: Screenshot, expected: Expected) -> Landing | None:
    return find_at_scale(before.pixels, current.pixels, expected.cutout, expected.zoom)


def _find_near(before: Screenshot, current: Screenshot, expected: Expected) -> Landing | None:
    x, y = before.from_desktop(expected.point)
    return find_near(before.pixels, current.pixels, expected.cutout, x, y)


def _find_anywhere(before: Screenshot, current: Screenshot, expected: Expected) -> Landing | None:
    return find_landing(before.pixels, current.pixels, expected.cutout, expected.zoom)


def _is_same_place(one: Landing, other: Landing) -> bool:
    return max(abs(one.x - other.x), abs(one.y - other.y)) <= SAME_PLACE_PX
