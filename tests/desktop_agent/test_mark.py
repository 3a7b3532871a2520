"""What the mark looks like where a paste would land."""

import numpy as np
import pytest

from desktop_agent.mark import RADIUS_PX, draw_mark
from desktop_agent.screenshot import Screenshot
from protocol.geometry import ScreenPoint
from tests.desktop_agent.test_markers import lay, plain


@pytest.mark.parametrize("level", [255, 128, 0])
def test_the_mark_is_a_ring_that_shows_on_any_ground(level: int) -> None:
    screenshot = Screenshot(plain(level), 0, 0)
    patch = draw_mark(ScreenPoint(600, 300), screenshot)[0]
    seen = patch.pixels[:, :, 3] > 0
    assert np.abs(patch.pixels[seen][:, :3].astype(int) - level).max() > 80
    assert not seen[300 - round(patch.y), 600 - round(patch.x)]  # what is aimed at stays in sight


def test_the_mark_is_centred_on_the_point() -> None:
    shown = lay(Screenshot(plain(0), 0, 0), draw_mark(ScreenPoint(600, 300), Screenshot(plain(0), 0, 0)))
    rows, columns = np.nonzero(shown[:, :, 1] > 150)
    assert (columns.mean(), rows.mean()) == pytest.approx((600, 300))
    assert columns.max() - columns.min() == pytest.approx(2 * RADIUS_PX, abs=4)


def test_the_mark_is_centred_where_a_point_of_the_desktop_has_two_pixels() -> None:
    screenshot = Screenshot(plain(0), -640, 40, 2.0)
    shown = lay(screenshot, draw_mark(ScreenPoint(-340.25, 190.25), screenshot))
    rows, columns = np.nonzero(shown[:, :, 1] > 150)
    assert (columns.mean(), rows.mean()) == pytest.approx((600, 301))


def test_the_mark_is_as_wide_and_as_high_as_the_cutout_is_wide() -> None:
    shown = lay(Screenshot(plain(0), 0, 0), draw_mark(ScreenPoint(600, 300), Screenshot(plain(0), 0, 0), 240.0))
    rows, columns = np.nonzero(shown[:, :, 1] > 150)
    assert (columns.mean(), rows.mean()) == pytest.approx((600, 300))
    assert columns.max() - columns.min() == pytest.approx(240, abs=4)
    assert rows.max() - rows.min() == pytest.approx(240, abs=4)


def test_a_cutout_that_is_hardly_wider_than_the_ring_adds_nothing_to_it() -> None:
    screenshot = Screenshot(plain(), 0, 0)
    assert len(draw_mark(ScreenPoint(600, 300), screenshot, 60.0)) == 1


def test_a_mark_at_the_edge_stays_on_its_monitor() -> None:
    screenshot = Screenshot(plain(), 1280, 40)
    ring, right, below = draw_mark(ScreenPoint(1282, 41), screenshot, 300.0)
    assert (ring.x, ring.y) == (1280, 40)
    assert (right.y, below.x) == (40, 1280)


def test_a_point_far_beside_the_monitor_has_no_mark() -> None:
    assert draw_mark(ScreenPoint(-500, 300), Screenshot(plain(), 0, 0)) == []
