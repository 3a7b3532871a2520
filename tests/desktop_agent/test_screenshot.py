"""Where a pixel of a screenshot lies on the desktop."""

import numpy as np
import pytest

from desktop_agent.screenshot import Screenshot
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
