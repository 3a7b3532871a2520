"""Whether a contact sheet shows what it is given."""

import numpy as np

from benchmarks.contact_sheet import COLUMNS, HEIGHT_PX, SCREEN_PX, VIEW_PX, Tile, draw_contact_sheet
from desktop_agent.pictures import Picture
from protocol.geometry import ScreenPoint

VIEW, SCREENSHOT = np.full((300, 400, 3), 90, np.uint8), np.full((1080, 1920, 3), 200, np.uint8)


def test_the_true_point_is_marked_on_the_screen() -> None:
    assert_marked_in_the_middle(SCREENSHOT, ScreenPoint(959.5, 539.5))


def test_a_point_lies_in_the_middle_of_its_pixel_also_on_a_screen_that_is_enlarged() -> None:
    assert_marked_in_the_middle(np.full((9, 16, 3), 200, np.uint8), ScreenPoint(7.5, 4))


def assert_marked_in_the_middle(screenshot: Picture, point: ScreenPoint) -> None:
    sheet = draw_contact_sheet([Tile("plain_0", VIEW, screenshot, point)])
    is_red = (sheet[:, :, 0] > 200) & (sheet[:, :, 1] < 60)
    y, x = np.nonzero(is_red)
    assert abs(x.mean() - (4 + VIEW_PX + SCREEN_PX / 2)) < 2
    assert abs(y.mean() - (2 + 18 + HEIGHT_PX / 2)) < 2


def test_a_row_has_three_views_and_the_last_one_may_have_fewer() -> None:
    one, four = (draw_contact_sheet([Tile("none", VIEW, SCREENSHOT, None)] * count) for count in (1, COLUMNS + 1))
    assert four.shape == (2 * one.shape[0], one.shape[1], 3)
    assert (four[one.shape[0] :, one.shape[1] // COLUMNS :] == 255).all()
