import numpy as np

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
    np.testing.assert_array_equal(one.coarse, other.coarse)
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
    coarse = make_ready(Screenshot(screen, 0, 0)).coarse
    covered = np.zeros(coarse.shape, int)
    for tile in tiles_of(coarse):
        covered[tile.rows, tile.columns] += 1
    assert (covered == 1).all()


def test_features_lie_where_the_screen_shows_them() -> None:
    screen = np.full((800, 1280, 3), 230, np.uint8)
    screen[300:330, 500:530] = 20
    features = make_ready(Screenshot(screen, 0, 0)).features
    is_inside = ((features.points > 100) & (features.points < (1180, 700))).all(axis=1)
    assert is_inside.any()
    assert np.abs(features.points[is_inside] - (514.5, 314.5)).max() < 40


def test_a_blank_screen_has_no_features_but_those_of_its_frame(screen: Picture) -> None:
    points = make_ready(Screenshot(np.full_like(screen, 255), 0, 0)).features.points
    from_edge = np.minimum(points, (screen.shape[1] - 1, screen.shape[0] - 1) - points).min(axis=1)
    assert (from_edge < 40).all()
