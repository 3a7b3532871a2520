"""views of a phone that aims -> where each points to, every one quicker and surer (steady.py) than the one before."""

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from desktop_agent.locate import FoundPoint, Sighting
from desktop_agent.pictures import Picture
from desktop_agent.ready_screen import ReadyScreen

FORGOTTEN_S = 2.0

See = Callable[[Picture, Sequence[ReadyScreen], FoundPoint | None], Sighting]


@dataclass(frozen=True)
class Aim:
    """What one view of a phone said, be it in doubt."""

    point: FoundPoint
    seen_s: float


class Aims:
    """The last aim of each device, for a moment."""

    def __init__(self, see: See, clock_s: Callable[[], float] = time.monotonic) -> None:
        """Nothing was aimed at yet.

        Args:
            see: what a view of screens says, together with what one of a moment before said.
            clock_s: seconds that never run backwards.
        """
        self._see = see
        self._clock_s = clock_s
        self._turn = threading.Lock()
        self._last: dict[str, Aim] = {}

    def follow(self, device: str, view: Picture, screens: Sequence[ReadyScreen]) -> FoundPoint:
        """Where a view of a device that aims points to; raises what find_screen_point does."""
        last = self._recent().get(device)
        sighting = self._see(view, screens, last.point if last else None)
        if sighting.point:
            with self._turn:
                self._last[device] = Aim(sighting.point, self._clock_s())
        return sighting.found

    def find(self, view: Picture, screens: Sequence[ReadyScreen]) -> FoundPoint:
        """Where the view of a paste points to: probably near the last aim of all."""
        last = max(self._recent().values(), key=lambda aim: aim.seen_s, default=None)
        return self._see(view, screens, last.point if last else None).found

    def _recent(self) -> dict[str, Aim]:
        """The last aims, those of too long ago dropped."""
        since_s = self._clock_s() - FORGOTTEN_S
        with self._turn:
            self._last = {device: aim for device, aim in self._last.items() if aim.seen_s >= since_s}
            return dict(self._last)
