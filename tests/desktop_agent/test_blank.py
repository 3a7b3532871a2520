"""What is taken for a blank part of a screen."""

import numpy as np
import pytest

from desktop_agent.blank import is_blank_at_aim, may_be_screen_at_aim
from desktop_agent.features import Grey
from desktop_agent.pictures import Picture
from desktop_agent.search import View
from tests.conftest import draw_screen
from tests.desktop_agent.rooms import draw_room, view_in_a_room

SHEET = np.full((800, 1280, 3), 235, np.uint8)


def small(view: Picture) -> Grey:
    return View(view).small


def test_a_sheet_in_a_room_is_blank() -> None:
    view = small(view_in_a_room(SHEET))
    assert is_blank_at_aim(view)
    assert may_be_screen_at_aim(view)


def test_a_room_is_no_screen() -> None:
    view = small(draw_room())
    assert not is_blank_at_aim(view)
    assert not may_be_screen_at_aim(view)


@pytest.mark.parametrize("size", [(1, 1), (10, 640), (640, 15)])
def test_a_sliver_of_a_view_shows_no_sheet(size: tuple[int, int]) -> None:
    view = np.full(size, 235, np.uint8)
    assert not is_blank_at_aim(view)
    assert not may_be_screen_at_aim(view)


def test_a_sheet_beside_the_aim_is_not_aimed_at() -> None:
    view = small(np.roll(view_in_a_room(SHEET), 360, axis=1))
    assert not may_be_screen_at_aim(view)


def test_an_empty_table_is_no_blank_sheet_and_may_be_a_screen() -> None:
    table = SHEET.copy()
    table[::36], table[:, ::120] = 150, 150
    view = small(view_in_a_room(table)[180:540, 240:720])
    assert not is_blank_at_aim(view)
    assert may_be_screen_at_aim(view)


def test_light_letters_on_a_dark_page_may_be_on_a_screen() -> None:
    page = np.full_like(SHEET, 30)
    page[::20, ::6] = 220
    assert may_be_screen_at_aim(small(view_in_a_room(page)))


def test_a_screen_full_of_things_is_not_blank() -> None:
    assert not is_blank_at_aim(small(view_in_a_room(draw_screen(seed=3))))
