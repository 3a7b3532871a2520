import numpy as np
import pytest

from desktop_agent.features import Features, Points, match
from desktop_agent.homography import apply, fit_robustly

VIEW_FROM_SCREEN = np.array([[0.8, -0.1, 40.0], [0.05, 0.9, -20.0], [1e-4, -5e-5, 1.0]])
NOISE_PX = 0.5


def draw_pairs(seed: int, count: int, wrong: int) -> tuple[Points, Points]:
    """Points of a view, with noise, and of a screen; the last ones are no pairs."""
    random = np.random.default_rng(seed)
    screen = random.uniform(0, 1000, (count, 2))
    view = apply(VIEW_FROM_SCREEN, screen) + random.normal(0, NOISE_PX, (count, 2))
    view[count - wrong :] = random.uniform(0, 1000, (wrong, 2))
    return view, screen


def test_a_mapping_and_its_inverse_cancel() -> None:
    points = np.array([[0.0, 0.0], [640.0, 400.0]])
    there_and_back = apply(np.linalg.inv(VIEW_FROM_SCREEN), apply(VIEW_FROM_SCREEN, points))
    assert there_and_back == pytest.approx(points)


def test_a_homography_is_found_though_most_pairs_are_wrong() -> None:
    found = fit_robustly(*draw_pairs(1, count=300, wrong=180))
    assert found is not None
    corners = np.array([[0.0, 0.0], [1000.0, 0.0], [1000.0, 1000.0], [0.0, 1000.0]])
    assert np.abs(apply(found, corners) - apply(VIEW_FROM_SCREEN, corners)).max() < 2.0


@pytest.mark.parametrize("count", [0, 3])
def test_too_few_pairs_have_no_homography(count: int) -> None:
    assert fit_robustly(np.zeros((count, 2)), np.zeros((count, 2))) is None


def test_points_in_one_spot_have_no_homography() -> None:
    assert fit_robustly(np.ones((20, 2)), np.ones((20, 2))) is None


def draw_features(seed: int, count: int) -> Features:
    random = np.random.default_rng(seed)
    descriptors = random.random((count, 128), np.float32)
    return Features(
        random.uniform(0, 1000, (count, 2)), descriptors / np.linalg.norm(descriptors, axis=1, keepdims=True)
    )


def test_features_match_their_own_in_another_order() -> None:
    one = draw_features(1, 700)  # more than are compared at once
    order = np.random.default_rng(2).permutation(700)
    pairs = match(one, Features(one.points[order], one.descriptors[order]))
    assert len(pairs) == 700
    assert (order[pairs[:, 1]] == pairs[:, 0]).all()


def test_a_feature_that_looks_like_two_others_has_no_match() -> None:
    one = draw_features(1, 5)
    twice = Features(np.vstack([one.points, one.points]), np.vstack([one.descriptors, one.descriptors]))
    assert len(match(one, twice)) == 0


def test_nothing_matches_nothing() -> None:
    nothing = Features(np.empty((0, 2)), np.empty((0, 128), np.float32))
    assert len(match(nothing, draw_features(1, 5))) == 0
