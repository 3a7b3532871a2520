"""What happens to a screen point when the screen changes after the view was taken."""

import numpy as np
import pytest

from desktop_agent.carry import carry
from desktop_agent.pictures import Picture
from desktop_agent.screenshot import Screenshot
from protocol.errors import ScreenMoving
from protocol.geometry import ScreenPoint
from tests.conftest import draw_screen

POINT = ScreenPoint(640.25, 380.5)
CONTENT = slice(100, 700)  # rows that scroll


def shot(pixels: Picture) -> Screenshot:
    return Screenshot(pixels, 0, 0)


def scrolled(screen: Picture, rows: int) -> Picture:
    moved = screen.copy()
    moved[CONTENT] = np.roll(screen[CONTENT], -rows, axis=0)
    return moved


def test_a_point_on_a_still_screen_stays(screen: Picture) -> None:
    assert carry(POINT, shot(screen), shot(screen.copy())) == POINT


@pytest.mark.parametrize("rows", [7, 60, -130])
def test_a_point_follows_what_is_scrolled(screen: Picture, rows: int) -> None:
    assert carry(POINT, shot(screen), shot(scrolled(screen, rows))) == ScreenPoint(POINT.x, POINT.y - rows)


def test_a_blinking_caret_at_the_point_moves_nothing(screen: Picture) -> None:
    blinked = screen.copy()
    blinked[370:390, 641:643] = 255 - blinked[370:390, 641:643]
    assert carry(POINT, shot(screen), shot(blinked)) == POINT


def test_a_change_elsewhere_moves_nothing(screen: Picture) -> None:
    changed = screen.copy()
    changed[:200, :300] = 0
    assert carry(POINT, shot(screen), shot(changed)) == POINT


def test_other_content_at_the_point_is_refused(screen: Picture) -> None:
    with pytest.raises(ScreenMoving):
        carry(POINT, shot(screen), shot(draw_screen(seed=9)))


def test_what_appears_on_a_plain_page_is_refused_since_nothing_says_where_the_page_went() -> None:
    page = np.full((800, 1280, 3), 255, np.uint8)
    drawn = page.copy()
    drawn[300:460, 560:720] = 90
    with pytest.raises(ScreenMoving):
        carry(POINT, shot(page), shot(drawn))


def test_content_that_repeats_itself_is_refused() -> None:
    rows = np.where(np.arange(800) // 10 % 2, 220, 40).astype(np.uint8)
    stripes = np.repeat(np.repeat(rows[:, None], 1280, axis=1)[:, :, None], 3, axis=2)
    with pytest.raises(ScreenMoving):
        carry(POINT, shot(stripes), shot(scrolled(stripes, 10)))


def test_a_point_at_the_edge_of_a_monitor_elsewhere_on_the_desktop_is_carried_too(screen: Picture) -> None:
    then, now = Screenshot(screen, -1280, 50), Screenshot(scrolled(screen, 24), -1280, 50)
    assert carry(ScreenPoint(-1270, 430), then, now) == ScreenPoint(-1270, 406)
