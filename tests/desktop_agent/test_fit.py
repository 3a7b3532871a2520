import numpy as np
import pytest

from desktop_agent.fit import fit_cutout, upright
from desktop_agent.pictures import Picture

MONITOR = (800, 1280)


def test_a_cutout_is_as_wide_as_it_floated(cutout: Picture) -> None:
    assert fit_cutout(cutout, 90.0, 0.0, MONITOR).shape == (60, 90, 4)


def test_a_cutout_is_never_more_blur_than_picture_nor_larger_than_the_monitor(cutout: Picture) -> None:
    assert fit_cutout(cutout, 5000.0, 0.0, MONITOR).shape == (360, 540, 4)
    huge = np.repeat(np.repeat(cutout, 12, axis=0), 12, axis=1)
    assert fit_cutout(huge, 9000.0, 0.0, MONITOR).shape[0] <= 0.9 * 800


def test_what_a_zoomed_editor_shows_smaller_is_given_larger(cutout: Picture) -> None:
    assert fit_cutout(cutout, 90.0, 0.0, MONITOR, zoom=0.5).shape == (120, 180, 4)


def test_what_has_the_right_size_is_given_as_it_is(cutout: Picture) -> None:
    cutout[cutout[:, :, 3] == 0] = 0  # colours that nobody sees may go
    fitted = fit_cutout(cutout, 180.0, 0.0, MONITOR)
    assert np.abs(fitted.astype(int) - cutout)[cutout[:, :, 3] > 20].max() <= 1


def test_what_lies_under_transparent_pixels_does_not_bleed_into_the_edge() -> None:
    cutout = np.zeros((100, 100, 4), np.uint8)
    cutout[:, :, 1] = 255  # hidden green
    cutout[30:71, 30:71] = (200, 0, 0, 255)
    for fitted in (fit_cutout(cutout, 37.0, 0.0, MONITOR), fit_cutout(cutout, 37.0, 30.0, MONITOR)):
        visible = fitted[:, :, 3] > 20
        assert fitted[visible][:, 1].max() <= 2
        assert fitted[visible][:, 0].min() >= 190


def test_a_quarter_turn_is_clockwise() -> None:
    cutout = np.zeros((20, 60, 4), np.uint8)
    cutout[:, :30] = (255, 0, 0, 255)  # the left half
    cutout[:, 30:] = (0, 0, 255, 255)
    turned = fit_cutout(cutout, 60.0, 90.0, MONITOR)
    top, bottom = (
        turned[turned.shape[0] // 4, turned.shape[1] // 2],
        turned[-turned.shape[0] // 4, turned.shape[1] // 2],
    )
    assert (list(top[:3]), list(bottom[:3])) == ([255, 0, 0], [0, 0, 255])


def test_nothing_is_cut_off_by_a_turn(cutout: Picture) -> None:
    cutout[:] = 255
    turned = fit_cutout(cutout, 180.0, 33.0, MONITOR)
    assert float(turned[:, :, 3].sum()) / 255 == pytest.approx(180 * 120, rel=0.01)


@pytest.mark.parametrize(("turn_deg", "kept_deg"), [(9, 0), (-11, 0), (20, 20), (-170, -170), (355, 0), (190, -170)])
def test_a_small_turn_is_the_hand_and_not_meant(turn_deg: float, kept_deg: float) -> None:
    assert upright(turn_deg) == kept_deg
