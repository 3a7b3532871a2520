import numpy as np

from desktop_agent.features import Features
from desktop_agent.pictures import Picture
from desktop_agent.ready_screen import ReadyScreen, make_ready, update_ready
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


def share_in(one: Features, other: Features) -> float:
    """Of the one's features, those that are in the other, too."""
    distance = np.linalg.norm(one.points[:, None] - other.points[None], axis=2)
    is_same = (distance < 0.5) & (one.descriptors @ other.descriptors.T > 0.98)
    return float(is_same.any(axis=1).mean())


def test_an_updated_screen_has_the_features_of_one_made_ready_anew(screen: Picture) -> None:
    changed = Screenshot(change_a_window(screen), 0, 0)
    updated, anew = update_ready(make_ready(Screenshot(screen, 0, 0)), changed), make_ready(changed)
    np.testing.assert_array_equal(updated.coarse, anew.coarse)
    assert share_in(updated.features, anew.features) > 0.95
    assert share_in(anew.features, updated.features) > 0.95


def test_what_was_there_before_a_change_is_forgotten(screen: Picture) -> None:
    before = make_ready(Screenshot(screen, 0, 0))
    updated = update_ready(before, Screenshot(change_a_window(screen), 0, 0))
    x, y = before.features.points.T
    gone = before.features.chosen((x > 510) & (x < 750) & (y > 310) & (y < 410))
    assert share_in(gone, updated.features) < 0.1


def test_only_what_changed_is_looked_at_anew(screen: Picture) -> None:
    before = make_ready(Screenshot(screen, 0, 0))
    updated = update_ready(before, Screenshot(change_a_window(screen), 0, 0))
    is_far = before.features.points[:, 0] < 300
    kept = before.features.points[is_far]
    assert len(kept) > 10
    np.testing.assert_array_equal(updated.features.points[: len(kept)], kept)


def test_no_feature_is_found_twice_where_changes_meet(screen: Picture) -> None:
    changed = screen.copy()
    changed[100:130, 200:900] = 255 - changed[100:130, 200:900]
    changed[300:420, 500:530] = 255 - changed[300:420, 500:530]
    updated = update_ready(make_ready(Screenshot(screen, 0, 0)), Screenshot(changed, 0, 0))
    anew = make_ready(Screenshot(changed, 0, 0))
    assert len(updated.features.points) <= 1.03 * len(anew.features.points)


def test_a_still_screen_keeps_its_features(screen: Picture) -> None:
    ready = make_ready(Screenshot(screen, 0, 0))
    assert update_ready(ready, Screenshot(screen.copy(), 0, 0)).coarse_features is ready.coarse_features


def test_a_monitor_of_another_size_is_made_ready_anew(screen: Picture) -> None:
    smaller = Screenshot(draw_screen(seed=1, width=1024, height=640), 0, 0)
    assert_same(update_ready(make_ready(Screenshot(screen, 0, 0)), smaller), make_ready(smaller))


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
