import numpy as np

from desktop_agent import ready_screen
from desktop_agent.features import Features
from desktop_agent.pictures import Picture
from desktop_agent.ready_screen import ReadyScreen, make_ready, tiles_of, update_ready
from desktop_agent.screenshot import Screenshot
from tests.conftest import draw_screen


def change_a_window(screen: Picture) -> Picture:
    """The screen with other content in a stretch of it."""
    changed = screen.copy()
    changed[300:420, 500:760] = draw_screen(seed=4)[300:420, 500:760]
    return changed


def assert_same(one: ReadyScreen, other: ReadyScreen) -> None:
    np.testing.assert_array_equal(one.grey, other.grey)
    np.testing.assert_array_equal(one.features.points, other.features.points)
    np.testing.assert_array_equal(one.features.descriptors, other.features.descriptors)


def test_an_updated_screen_is_the_same_as_one_made_ready_anew(screen: Picture) -> None:
    changed = Screenshot(change_a_window(screen), 0, 0)
    assert_same(update_ready(make_ready(Screenshot(screen, 0, 0)), changed), make_ready(changed))


def test_only_changed_tiles_are_looked_at_anew(screen: Picture) -> None:
    ready = make_ready(Screenshot(screen, 0, 0))
    updated = update_ready(ready, Screenshot(change_a_window(screen), 0, 0))
    pairs = zip(ready.features_of_tiles, updated.features_of_tiles, strict=True)
    kept = sum(before is after for before, after in pairs)
    assert 0 < kept < len(ready.features_of_tiles)


def test_a_still_screen_keeps_all_its_tiles(screen: Picture) -> None:
    ready = make_ready(Screenshot(screen, 0, 0))
    updated = update_ready(ready, Screenshot(screen.copy(), 0, 0))
    assert all(a is b for a, b in zip(ready.features_of_tiles, updated.features_of_tiles, strict=True))


def test_a_monitor_of_another_size_is_made_ready_anew(screen: Picture) -> None:
    smaller = Screenshot(draw_screen(seed=1, width=1024, height=640), 0, 0)
    assert_same(update_ready(make_ready(Screenshot(screen, 0, 0)), smaller), make_ready(smaller))


def test_the_tiles_cover_the_screen_once(screen: Picture) -> None:
    grey = make_ready(Screenshot(screen, 0, 0)).grey
    covered = np.zeros(grey.shape, int)
    for tile in tiles_of(grey):
        covered[tile.rows, tile.columns] += 1
    assert (covered == 1).all()


def test_a_blank_screen_has_no_features(screen: Picture) -> None:
    features: Features = make_ready(Screenshot(np.full_like(screen, 255), 0, 0)).features
    assert len(features.points) == 0
    assert ready_screen.MARGIN_PX < ready_screen.TILE_PX
