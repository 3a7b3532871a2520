"""How a cutout floats, and how far two fingers may change that."""

import numpy as np
import pytest

from mobile_client.clients import CopiedThing
from mobile_client.held_cutout import Grip, HeldCutout, float_size, hold, zoom_limits

WINDOW = (400.0, 800.0)
ANY = (0.1, 10.0)


def held(width: int, height: int, photo_width: int) -> HeldCutout:
    return hold(CopiedThing(np.full((height, width, 4), 255, np.uint8), is_whole=True), photo_width)


def test_a_pinch_scales_and_the_next_one_goes_on_from_there() -> None:
    assert Grip().pinched(1.5, 0, ANY).pinched(2, 0, ANY).zoom == 3


@pytest.mark.parametrize(("factor", "zoom"), [(0.001, 0.1), (1000, 10.0)])
def test_a_pinch_ends_at_the_limits(factor: float, zoom: float) -> None:
    assert Grip().pinched(factor, 0, ANY).zoom == zoom


@pytest.mark.parametrize(
    ("twist_deg", "turn_deg"),
    [(3.9, 0), (-3.9, 0), (5, 5), (-30, -30), (87, 90), (-93.5, -90), (200, -160), (178, 180), (361, 0)],
)
def test_a_twist_turns_but_what_is_nearly_straight_is_straight(twist_deg: float, turn_deg: float) -> None:
    assert Grip().pinched(1, twist_deg, ANY).turn_deg == pytest.approx(turn_deg)


def test_a_slow_twist_gets_away_from_upright() -> None:
    grip = Grip()
    for _degree in range(10):
        grip = grip.pinched(1, 1.0, ANY)
    assert grip.turn_deg == pytest.approx(10)


def test_at_its_smallest_a_cutout_is_still_seen() -> None:
    cutout = held(300, 150, 400)
    least, _most = zoom_limits(cutout, WINDOW)
    assert least * float_size(cutout, WINDOW)[0] == pytest.approx(40)


@pytest.mark.parametrize(
    ("width", "height", "side", "most_px"),
    [(900, 300, 0, 400), (300, 900, 1, 800), (100, 100, 0, 300)],
    ids=["as wide as the window", "as high as the window", "three times its pixels"],
)
def test_at_its_largest_a_cutout_is_within_the_window_and_sharp(
    width: int, height: int, side: int, most_px: float
) -> None:
    cutout = held(width, height, 1000)
    _least, most = zoom_limits(cutout, WINDOW)
    assert most * float_size(cutout, WINDOW)[side] == pytest.approx(most_px)


def test_a_tiny_thing_may_stay_as_it_is() -> None:
    least, most = zoom_limits(held(5, 5, 1000), WINDOW)
    assert least == 1
    assert most > 1
