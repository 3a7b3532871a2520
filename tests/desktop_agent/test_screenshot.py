"""Where a pixel of a screenshot lies on the desktop."""

import gc
import weakref
from dataclasses import dataclass

import numpy as np
import pytest
from mss import MSS
from mss.screenshot import ScreenShot

from desktop_agent.screenshot import MonitorScreenshots, Screenshot
from protocol.geometry import ScreenPoint

PLAIN = Screenshot(np.zeros((1080, 1920, 3), np.uint8), left=-1920, top=-200)
RETINA = Screenshot(np.zeros((1600, 2560, 3), np.uint8), left=1440, top=0, scale=2.0)


def test_a_pixel_of_a_monitor_to_the_left_has_negative_coordinates() -> None:
    assert PLAIN.to_desktop(10, 20) == ScreenPoint(-1910, -180)


def test_a_fine_pixel_is_a_fraction_of_a_point() -> None:
    assert RETINA.to_desktop(0, 0) == ScreenPoint(1439.75, -0.25)  # the pixel's centre, in a point twice as wide
    assert RETINA.to_desktop(2559, 1599) == ScreenPoint(1440 + 1279.25, 799.25)


@pytest.mark.parametrize("shot", [PLAIN, RETINA])
def test_there_and_back_is_the_same_pixel(shot: Screenshot) -> None:
    assert shot.from_desktop(shot.to_desktop(123.25, 456.5)) == pytest.approx((123.25, 456.5))


def test_a_fine_monitor_reaches_as_far_as_its_points() -> None:
    assert RETINA.contains(ScreenPoint(1440 + 1279, 799))
    assert not RETINA.contains(ScreenPoint(1440 + 1280, 799))
    assert not RETINA.contains(ScreenPoint(1439, 0))


def test_the_same_monitor_at_another_scale_is_another() -> None:
    assert not RETINA.is_of_same_monitor(Screenshot(RETINA.pixels, 1440, 0))


@dataclass
class DrawnMonitor(MSS):
    """A monitor of 4 x 3 pixels, all of one grey level."""

    level: int = 0

    @property
    def monitors(self) -> list[dict[str, int]]:
        one = {"left": 0, "top": 0, "width": 4, "height": 3}
        return [one, one]

    def grab(self, monitor: dict[str, int]) -> ScreenShot:  # type: ignore[override]  # of whole monitors
        return ScreenShot(bytearray([self.level] * 48), monitor)

    def close(self) -> None:
        """Nothing is open."""


@pytest.fixture
def monitor(monkeypatch: pytest.MonkeyPatch) -> DrawnMonitor:
    drawn = DrawnMonitor()
    monkeypatch.setattr("desktop_agent.screenshot.MSS", lambda: drawn)
    return drawn


def test_a_still_monitor_is_the_same_screenshot_and_a_changed_one_another(monitor: DrawnMonitor) -> None:
    take = MonitorScreenshots()
    first, again = take()[0], take()[0]
    assert again is first
    monitor.level = 7
    changed = take()[0]
    assert (first.pixels.max(), changed.pixels.max()) == (0, 7)


def test_nobody_can_draw_on_a_screenshot_that_others_hold(monitor: DrawnMonitor) -> None:
    with pytest.raises(ValueError, match="read-only"):
        MonitorScreenshots()()[0].pixels[:] = 7


def test_a_screenshot_that_nobody_holds_is_forgotten(monitor: DrawnMonitor) -> None:
    take = MonitorScreenshots()
    seen = weakref.ref(take()[0])
    gc.collect()
    assert seen() is None
    assert not take._last
