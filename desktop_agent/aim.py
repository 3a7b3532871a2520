"""views of a phone that aims -> where each points to, every one quicker and surer than the one before."""

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from desktop_agent.homography import apply
from desktop_agent.locate import FoundPoint
from desktop_agent.pictures import Picture
from desktop_agent.ready_screen import ReadyScreen

FORGOTTEN_S = 2.0
STEADY_SHARE = 0.25  # of the view's width: what a hand moves from one view to the next
OWN_SHARE = 0.5  # of what an earlier view says that this one does not say already

FindPoint = Callable[[Picture, Sequence[ReadyScreen], FoundPoint | None], FoundPoint]


@dataclass(frozen=True)
class Aim:
    """What was found in one view of a phone."""

    found: FoundPoint
    seen_s: float


class Aims:
    """The last aim of each device, for a moment."""

    def __init__(self, find_point: FindPoint, clock_s: Callable[[], float] = time.monotonic) -> None:
        """Nothing was aimed at yet.

        Args:
            find_point: finds the point of a view on screens, looking first near one that was found a moment before.
            clock_s: seconds that never run backwards.
        """
        self._find_point = find_point
        self._clock_s = clock_s
        self._turn = threading.Lock()
        self._last: dict[str, Aim] = {}

    def follow(self, device: str, view: Picture, screens: Sequence[ReadyScreen]) -> FoundPoint:
        """Where a view of a device that aims points to; raises what find_screen_point does."""
        last = self._recent().get(device)
        found = self._find_point(view, screens, last.found if last else None)
        if last and is_steady(last.found, found):
            found = replace(found, probability=agreed(found.probability, last.found.probability))
        with self._turn:
            self._last[device] = Aim(found, self._clock_s())
        return found

    def find(self, view: Picture, screens: Sequence[ReadyScreen]) -> FoundPoint:
        """Where the view of a paste points to: probably near the last aim of all."""
        last = max(self._recent().values(), key=lambda aim: aim.seen_s, default=None)
        return self._find_point(view, screens, last.found if last else None)

    def _recent(self) -> dict[str, Aim]:
        """The last aims, those of too long ago dropped."""
        since_s = self._clock_s() - FORGOTTEN_S
        with self._turn:
            self._last = {device: aim for device, aim in self._last.items() if aim.seen_s >= since_s}
            return dict(self._last)


def is_steady(last: FoundPoint, found: FoundPoint) -> bool:
    """Whether two views, one after the other, can be of one phone that is held up: they show about the same."""
    if not last.monitor.is_of_same_monitor(found.monitor):
        return False
    corners = [_corners_screen(point) for point in (last, found)]
    moved = np.linalg.norm(corners[1] - corners[0], axis=1).max()
    return bool(moved <= STEADY_SHARE * np.linalg.norm(corners[0][1] - corners[0][0]))


def _corners_screen(found: FoundPoint) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    """The corners of a view on the screen, in its pixels: (4, 2)."""
    right, bottom = found.view_size[0] - 1.0, found.view_size[1] - 1.0
    return apply(found.screen_from_view, np.array([[0, 0], [right, 0], [right, bottom], [0, bottom]]))


def agreed(probability: float, before: float) -> float:
    """The probability of being right once a view before says the same; views of one moment err together, partly."""
    return 1 - (1 - probability) * (1 - OWN_SHARE * before)
