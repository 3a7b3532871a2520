import numpy as np
import pytest

from benchmarks.judge import fit_logistic


def test_the_weights_that_made_the_answers_are_found_again() -> None:
    random = np.random.default_rng(4)
    evidences = random.random((20_000, 2))
    is_right = random.random(20_000) < 1 / (1 + np.exp(-(-2.0 + evidences @ (3.0, 1.0))))
    bias, weights = fit_logistic(evidences, is_right)
    assert bias == pytest.approx(-2.0, abs=0.15)
    assert weights == pytest.approx([3.0, 1.0], abs=0.2)


def test_weights_stay_finite_where_everything_is_told_apart() -> None:
    bias, weights = fit_logistic(np.array([[0.1], [0.2], [0.8], [0.9]]), np.array([False, False, True, True]))
    assert np.isfinite([bias, *weights]).all()
    assert weights[0] > 0
