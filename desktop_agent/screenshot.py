"""The desktop -> one screenshot per monitor."""

import contextlib
import threading
import time
import weakref
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from mss import MSS, ScreenShotError
from mss.screenshot import ScreenShot

from desktop_agent.pictures import Picture
from protocol.errors import DesktopUnavailable
from protocol.geometry import ScreenPoint

RENEW_S = 2.0


@dataclass(frozen=True)
class Screenshot:
    """What one monitor shows, in real pixels."""

    pixels: Picture  # (H, W, 3) uint8, RGB
    left: int  # where its top-left pixel lies on the desktop, in points; may be negative
    top: int
    scale: float = 1.0  # pixels in a point of the desktop, along each side: 2 on a Retina display

    @property
    def size(self) -> tuple[int, int]:
        """(width, height), in pixels."""
        return int(self.pixels.shape[1]), int(self.pixels.shape[0])

    def contains(self, point: ScreenPoint) -> bool:
        """Whether this monitor shows that point of the desktop."""
        width, height = self.size
        x, y = self.from_desktop(point)
        return -0.5 <= x <= width - 0.5 and -0.5 <= y <= height - 0.5

    def is_of_same_monitor(self, other: "Screenshot") -> bool:
        """Whether the two show the same monitor, at the same resolution."""
        return self._frame() == other._frame()

    def to_desktop(self, x: float, y: float) -> ScreenPoint:
        """A pixel of this screenshot as a point of the desktop."""
        return ScreenPoint((x + 0.5) / self.scale - 0.5 + self.left, (y + 0.5) / self.scale - 0.5 + self.top)

    def from_desktop(self, point: ScreenPoint) -> tuple[float, float]:
        """A point of the desktop as the (x, y) of a pixel of this screenshot."""
        return (point.x - self.left + 0.5) * self.scale - 0.5, (point.y - self.top + 0.5) * self.scale - 0.5

    def _frame(self) -> tuple[object, ...]:
        return self.left, self.top, self.scale, self.pixels.shape


TakeScreenshots = Callable[[], Sequence[Screenshot]]


class MonitorScreenshots:
    """Takes every monitor's screenshot over one connection, opened anew now and then: monitors come and go."""

    def __init__(self) -> None:
        """Nothing is connected yet."""
        self._turn = threading.Lock()
        self._screen: MSS | None = None
        self._opened_s = 0.0
        self._last: dict[tuple[int, int], tuple[bytearray, weakref.ref[Screenshot]]] = {}  # while anybody holds it

    def __call__(self) -> list[Screenshot]:
        """Every monitor's screenshot, taken now; the very same object if nothing has changed on it.

        Raises:
            DesktopUnavailable: there is no desktop, or it may not be seen.
        """
        with self._turn:
            try:
                screen = self._connect()
                return [self._take_one(screen, monitor) for monitor in screen.monitors[1:]]
            except ScreenShotError as error:
                self.close()
                raise DesktopUnavailable(f"({error})") from error

    def _connect(self) -> MSS:
        if self._screen and time.monotonic() - self._opened_s < RENEW_S:
            return self._screen
        self.close()
        self._screen, self._opened_s = MSS(), time.monotonic()
        return self._screen

    def _take_one(self, screen: MSS, monitor: dict[str, int]) -> Screenshot:
        grabbed, place = screen.grab(monitor), (monitor["left"], monitor["top"])
        raw, last = self._last.get(place, (None, None))
        still = last() if last and grabbed.raw == raw else None
        if still and still.pixels.shape[:2] == (grabbed.height, grabbed.width):
            return still
        screenshot = _convert(grabbed, monitor)

        def forget(reference: weakref.ref[Screenshot]) -> None:
            if self._last.get(place, (None, None))[1] is reference:
                self._last.pop(place, None)

        self._last[place] = grabbed.raw, weakref.ref(screenshot, forget)
        return screenshot

    def close(self) -> None:
        """End the connection; the next screenshot opens another."""
        if self._screen:
            self._screen.close()
            self._screen = None


def take_screenshots() -> list[Screenshot]:
    """Every monitor's screenshot, taken once. Raises what MonitorScreenshots does."""
    with contextlib.closing(MonitorScreenshots()) as take:
        return take()


def _convert(grabbed: ScreenShot, monitor: dict[str, int]) -> Screenshot:
    bgra = np.frombuffer(grabbed.raw, np.uint8).reshape(grabbed.height, grabbed.width, 4)
    scale = grabbed.width / monitor["width"]
    pixels = np.asarray(cv2.cvtColor(bgra, cv2.COLOR_BGRA2RGB), np.uint8)
    pixels.flags.writeable = False  # whoever takes the next screenshot of a still screen gets the same
    return Screenshot(pixels, grabbed.left, grabbed.top, scale)
