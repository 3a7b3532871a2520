import numpy as np
import pytest

from desktop_agent.features import Points
from desktop_agent.mapping import Fit, Mapping, fit

VIEW_FROM_SCREEN = np.array([[0.8, -0.1, 40.0], [0.05, 0.9, -20.0], [1e-4, -5e-5, 1.0]])
SIZE = (640, 480)
NOISE_PX = 0.3


def draw_pairs(seed: int, mapping: Mapping, count: int = 150, wrong: int = 0) -> tuple[Points, Points]:
    """Points of the view, with noise, and of the screen; the last ones are no pairs."""
    random = np.random.default_rng(seed)
    view = random.uniform((0, 0), SIZE, (count, 2))
    screen = mapping.to_screen(view)
    view += random.normal(0, NOISE_PX, view.shape)
    view[count - wrong :] = random.uniform((0, 0), SIZE, (wrong, 2))
    return view, screen


def fit_drawn(seed: int, truth: Mapping, count: int = 150, wrong: int = 0) -> Fit:
    both_ways = np.tile(np.eye(2), (count, 1, 1))
    return fit(Mapping(VIEW_FROM_SCREEN, 0.0, SIZE), *draw_pairs(seed, truth, count, wrong), both_ways, outlier_px=1.0)


@pytest.mark.parametrize("bend", [0.0, -0.04, 0.03])
def test_to_the_screen_and_back_is_where_one_was(bend: float) -> None:
    mapping = Mapping(VIEW_FROM_SCREEN, bend, SIZE)
    points = np.array([[0.0, 0.0], [320.0, 240.0], [639.0, 100.0]])
    assert mapping.to_view(mapping.to_screen(points)) == pytest.approx(points, abs=0.01)


def test_a_mapping_to_a_larger_view_says_the_same_of_the_screen() -> None:
    mapping = Mapping(VIEW_FROM_SCREEN, 0.03, SIZE)
    larger = mapping.resized((1280, 960))
    assert larger.at_centre() == pytest.approx(mapping.at_centre())
    corner = larger.to_screen(np.array([[1279.5, 959.5]]))
    assert corner == pytest.approx(mapping.to_screen(np.array([[639.5, 479.5]])))


@pytest.mark.parametrize("bend", [0.0, -0.04, 0.03])
def test_the_bend_of_the_lens_is_found_with_the_homography(bend: float) -> None:
    truth = Mapping(VIEW_FROM_SCREEN, bend, SIZE)
    found = fit_drawn(1, truth).mapping
    assert found.bend == pytest.approx(bend, abs=0.005)
    assert found.at_centre() == pytest.approx(truth.at_centre(), abs=0.3)


def test_what_lies_beyond_the_horizon_or_behind_the_camera_is_told() -> None:
    tilted = Mapping(np.array([[1.0, 0, 0], [0, 1.0, 0], [0, -0.01, 3.0]]), 0.0, SIZE)  # level with the camera: y = 300
    horizon = float(tilted.to_view(np.array([[320.0, -1e7]]))[0, 1])
    assert list(tilted.is_below_horizon(np.array([[320, horizon + 1], [320, horizon - 1]]))) == [True, False]
    assert list(tilted.is_in_front(np.array([[320.0, 290.0], [320.0, 310.0]]))) == [True, False]


def test_wrong_pairs_do_not_move_the_mapping() -> None:
    truth = Mapping(VIEW_FROM_SCREEN, 0.02, SIZE)
    assert fit_drawn(2, truth, wrong=30).mapping.at_centre() == pytest.approx(truth.at_centre(), abs=0.4)


def test_the_radius_holds_the_truth_as_often_as_it_says() -> None:
    truth = Mapping(VIEW_FROM_SCREEN, 0.02, SIZE)
    fits = [fit_drawn(seed, truth, count=60) for seed in range(200)]
    missed_by = [np.hypot(*np.subtract(found.mapping.at_centre(), truth.at_centre())) for found in fits]
    is_inside = [missed <= found.radius_95 for missed, found in zip(missed_by, fits, strict=True)]
    assert 0.90 <= np.mean(is_inside) <= 0.995


def test_far_from_its_pairs_a_mapping_is_less_sure() -> None:
    truth = Mapping(VIEW_FROM_SCREEN, 0.0, SIZE)
    view, screen = draw_pairs(3, truth)
    near, far = (np.abs(view - at).max(axis=1) < 110 for at in [(320.0, 240.0), (110.0, 110.0)])
    radius_near, radius_far = (
        fit(truth, view[chosen], screen[chosen], np.tile(np.eye(2), (chosen.sum(), 1, 1)), 1.0).radius_95
        for chosen in (near, far)
    )
    assert radius_far > 3 * radius_near


def test_how_screen_pixels_follow_view_pixels_is_the_slope_of_the_mapping() -> None:
    mapping = Mapping(VIEW_FROM_SCREEN, 0.0, SIZE)
    centre = np.array([319.5, 239.5])
    moved = mapping.to_screen(centre + np.array([[0.01, 0], [0, 0.01]])) - mapping.at_centre()
    assert mapping.jacobian_at_centre() == pytest.approx(moved.T / 0.01, rel=1e-3)
