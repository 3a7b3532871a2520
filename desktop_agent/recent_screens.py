"""The desktop -> what every monitor showed in the last moments, with features ready, while a phone aims."""

import contextlib
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from desktop_agent.ready_screen import ReadyScreen, make_ready, update_ready
from desktop_agent.screenshot import Screenshot, TakeScreenshots
from protocol.errors import DesktopUnavailable

WANTED_S = 10.0  # after the last aim
PERIOD_S = 0.22
KEPT_S = 3.0
FARTHEST_S = 0.4  # between a shutter and the moment that is taken for it, if the screen changed around then


@dataclass(frozen=True)
class Moment:
    """What every monitor showed at one time."""

    taken_s: float
    screens: Sequence[ReadyScreen]

    def is_still_at(self, other: "Moment") -> bool:
        """Whether nothing has changed between the two."""
        return [id(screen) for screen in self.screens] == [id(screen) for screen in other.screens]

    def screenshot_of(self, other: Screenshot) -> Screenshot:
        """This moment's screenshot of the monitor that another one shows.

        Raises:
            DesktopUnavailable: that monitor is not there any more.
        """
        for screen in self.screens:
            if screen.screenshot.is_of_same_monitor(other):
                return screen.screenshot
        raise DesktopUnavailable("A monitor was changed or taken away meanwhile.")


class RecentScreens:
    """Takes screenshots several times a second for as long as somebody aims; otherwise only when asked."""

    def __init__(self, take_screenshots: TakeScreenshots, clock_s: Callable[[], float] = time.monotonic) -> None:
        """Nothing is taken yet.

        Args:
            take_screenshots: of every monitor, now.
            clock_s: the clock by which phones tell the times of their shutters.
        """
        self._take_screenshots = take_screenshots
        self._clock_s = clock_s
        self._turn = threading.Lock()  # of whoever takes screenshots
        self._moments: deque[Moment] = deque()
        self._state = threading.Lock()  # of what is remembered
        self._wanted_until_s = -float("inf")
        self._thread: threading.Thread | None = None

    def want(self) -> None:
        """Keep taking them for the next WANTED_S."""
        with self._state:
            self._wanted_until_s = self._clock_s() + WANTED_S
            if self._thread is None:
                self._thread = threading.Thread(target=self._keep_taking, name="recent screens", daemon=True)
                self._thread.start()

    def rest(self) -> None:
        """Forget what was taken, unless somebody aims."""
        with self._state:
            if self._thread is None:
                self._moments.clear()

    def take(self) -> Moment:
        """This moment."""
        with self._turn:
            taken_s = self._clock_s()
            screenshots = self._take_screenshots()
            with self._state:
                last = self._moments[-1].screens if self._moments else ()
            moment = Moment(taken_s, [_make_ready(screenshot, last) for screenshot in screenshots])
        with self._state:
            self._moments.append(moment)
            while self._moments[0].taken_s < taken_s - KEPT_S:
                self._moments.popleft()
        return moment

    def latest(self) -> Moment:
        """The last moment that was taken; this one if there is none."""
        with self._state:
            if self._moments:
                return self._moments[-1]
        return self.take()

    def at(self, shutter_s: float | None) -> Moment | None:
        """The moment of a shutter; None if that is unknown, ahead, or longer ago than anything remembered."""
        with self._state:
            moments = list(self._moments)
        if shutter_s is None or shutter_s > self._clock_s() or not moments or shutter_s < moments[0].taken_s:
            return None
        before = [moment for moment in moments if moment.taken_s <= shutter_s][-1]
        after = next((moment for moment in moments if moment.taken_s > shutter_s), None)
        if after is None:
            return before if shutter_s - before.taken_s <= FARTHEST_S else None
        if before.is_still_at(after):
            return after
        nearest = min(before, after, key=lambda moment: abs(moment.taken_s - shutter_s))
        return nearest if abs(nearest.taken_s - shutter_s) <= FARTHEST_S else None

    def _keep_taking(self) -> None:
        try:
            while not self._is_over():
                start_s = time.monotonic()
                with contextlib.suppress(DesktopUnavailable):  # whoever aims meanwhile is told
                    self.take()
                took_s = time.monotonic() - start_s
                time.sleep(max(PERIOD_S - took_s, took_s))  # so that a playing video takes half a core at most
        finally:
            with self._state:
                self._moments.clear()
                self._thread = None

    def _is_over(self) -> bool:
        return self._clock_s() >= self._wanted_until_s


def _make_ready(screenshot: Screenshot, last: Sequence[ReadyScreen]) -> ReadyScreen:
    """With what is known of the last moment; the very same object if nothing has changed since."""
    for ready in last:
        if ready.screenshot.is_of_same_monitor(screenshot):
            pixels = ready.screenshot.pixels
            is_still = pixels is screenshot.pixels or np.array_equal(pixels, screenshot.pixels)
            return ready if is_still else update_ready(ready, screenshot)
    return make_ready(screenshot)
