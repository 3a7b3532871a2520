"""The ruler of the other tests here: what is measured with it must be worth something."""

import numpy as np
import pytest

from real_editors.card import WIDTH, draw_card, find_card
from real_editors.documents import Picture, draw_blank, draw_texture
from tests.desktop_agent.test_look import draw_handles, lay

SHEETS = [pytest.param(draw()[:800, :1280], id=draw.__name__) for draw in (draw_blank, draw_texture)]


@pytest.mark.parametrize("sheet", SHEETS)
@pytest.mark.parametrize("scale", [0.4, 1.0, 1.7])
def test_a_card_is_found_with_its_size_and_its_alpha(sheet: Picture, scale: float) -> None:
    sight = find_card(sheet, lay(sheet, draw_card(), (640.0, 400.0), scale))
    assert sight is not None
    assert (sight.centre.x, sight.centre.y) == pytest.approx((640, 400), abs=0.5)
    assert sight.scale == pytest.approx(scale, rel=0.01)
    assert sight.turn_deg == pytest.approx(0, abs=0.2)
    assert sight.keeps_alpha


@pytest.mark.parametrize("sheet", SHEETS)
def test_handles_around_a_card_change_nothing(sheet: Picture) -> None:
    after = lay(sheet, draw_card(), (640.0, 400.0))
    draw_handles(after, (490, 300, 790, 500))
    sight = find_card(sheet, after)
    assert sight is not None
    assert (sight.centre.x, sight.centre.y) == pytest.approx((640, 400), abs=0.5)
    assert sight.keeps_alpha


@pytest.mark.parametrize("sheet", SHEETS)
@pytest.mark.parametrize("least", [0, 1])
def test_a_card_that_lost_its_alpha_is_told(sheet: Picture, least: int) -> None:
    card = draw_card()
    card[:, :, 3] = np.where(card[:, :, 3] >= least, 255, 0)
    sight = find_card(sheet, lay(sheet, card, (640.0, 400.0)))
    assert sight is not None
    assert not sight.keeps_alpha


def test_a_turned_card_is_told() -> None:
    sheet = draw_blank()[:800, :1280]
    sight = find_card(sheet, lay(sheet, np.ascontiguousarray(np.rot90(draw_card(), -1)), (640.0, 400.0)))
    assert sight is not None
    assert sight.turn_deg == pytest.approx(90, abs=0.2)
    assert sight.scale * WIDTH == pytest.approx(WIDTH, rel=0.01)


def test_where_nothing_appeared_there_is_no_card() -> None:
    with_card = lay(draw_texture(), draw_card(), (640.0, 400.0))
    assert find_card(with_card, with_card) is None
