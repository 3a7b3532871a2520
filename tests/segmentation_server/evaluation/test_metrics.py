"""Every measure equals what was worked out by hand, and what an independent implementation finds."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from segmentation_server.evaluation import metrics
from segmentation_server.evaluation.metrics import Prediction, Truth, score
from tests.segmentation_server.evaluation.drawn_pairs import draw_pairs

ORACLE = json.loads(Path(__file__).with_name("pysodmetrics_scores.json").read_text())
PAIRS = draw_pairs()


def square(x: int, y: int, side: int = 20, size: int = 60) -> Truth:
    """A square whose top left pixel is (x, y) in a picture of `size` x `size`."""
    mask = np.zeros((size, size), bool)
    mask[y : y + side, x : x + side] = True
    return mask


def as_prediction(mask: Truth) -> Prediction:
    return mask.astype(np.float64)


# --- An independent implementation ----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", PAIRS)
@pytest.mark.parametrize("measure", ["weighted_f", "mae", "s_measure", "e_measure", "iou"])
def test_a_measure_is_what_pysodmetrics_finds(name: str, measure: str) -> None:
    assert getattr(score(*PAIRS[name]), measure) == pytest.approx(ORACLE["scores"][name][measure], abs=1e-6)


@pytest.mark.parametrize("name", PAIRS)
def test_a_curve_is_what_pysodmetrics_finds(name: str) -> None:
    precision, recall = metrics.precision_recall(*PAIRS[name])
    alignment = metrics.e_measure_curve(*PAIRS[name])

    theirs: dict[str, Any] = ORACLE["scores"][name]
    every = ORACLE["every"]
    assert precision[::every] == pytest.approx(theirs["precision"], abs=1e-6)
    assert recall[::every] == pytest.approx(theirs["recall"], abs=1e-6)
    assert alignment[::every] == pytest.approx(theirs["alignment"], abs=1e-6)


# --- By hand --------------------------------------------------------------------------------------------------------


def test_four_pixels_are_counted_by_hand() -> None:
    prediction, truth = np.array([[0.9, 0.6], [0.2, 0.8]]), np.array([[True, False], [True, True]])

    assert metrics.mae(prediction, truth) == pytest.approx((0.1 + 0.6 + 0.8 + 0.2) / 4)
    assert metrics.iou(prediction, truth) == 2 / 4
    precision, recall = metrics.precision_recall(prediction, truth)
    assert (precision[255 - 229], recall[255 - 229]) == (1, 1 / 3)  # .9 reaches 229/255
    assert (precision[255 - 153], recall[255 - 153]) == (2 / 3, 2 / 3)  # .6 reaches 153/255
    assert (precision[255], recall[255]) == (3 / 4, 1)
    assert (precision[0], recall[0]) == (0, 0)


def test_f_weighs_precision_more_than_recall() -> None:
    f = metrics.f_measure(np.array([1.0, 0.5, 0.0]), np.array([0.5, 1.0, 0.0]))

    assert f == pytest.approx([1.3 * 0.5 / 0.8, 1.3 * 0.5 / 1.15, 0])


def test_s_of_a_flat_map_is_worked_out_by_hand() -> None:
    """All .5: both object scores are 2 * .5 / (.25 + 1) = .8. The object's centre is 9.5, rounded to 10, so the parts
    meet after pixel 10: the first one, 11 x 11, is all object and as flat as the prediction, which counts as alike;
    the others show an edge, which the prediction does not.
    """
    truth = square(0, 0, side=20, size=40)

    assert metrics.s_measure(np.full((40, 40), 0.5), truth) == pytest.approx((0.8 + 121 / 1600) / 2)


def test_weighted_f_of_one_false_pixel_is_worked_out_by_hand() -> None:
    """Five pixels away it weighs 2 - .5 = 1.5: precision is 400 / 401.5, recall 1."""
    truth = square(20, 20)
    prediction = as_prediction(truth)
    prediction[30, 44] = 1

    assert metrics.weighted_f(prediction, truth) == pytest.approx(2 * 400 / (400 + 401.5))


def test_weighted_f_of_a_hole_is_worked_out_by_hand() -> None:
    """Of one missing pixel amid right ones no more is held against it than its share of the Gaussian's window."""
    truth = square(20, 20)
    prediction = as_prediction(truth)
    prediction[30, 30] = 0
    line = np.exp(-(np.arange(-3, 4) ** 2) / (2 * 5**2))
    missed = (line[3] / line.sum()) ** 2

    recall = 1 - missed / 400
    assert metrics.weighted_f(prediction, truth) == pytest.approx(2 * recall / (1 + recall))


# --- Boundary -------------------------------------------------------------------------------------------------------


def test_the_boundary_is_one_pixel_wide_and_inside() -> None:
    ring = metrics.boundary(square(20, 20))

    assert ring.sum() == 4 * 20 - 4
    assert not ring[square(21, 21, side=18)].any()


def test_the_pixel_in_an_inner_corner_belongs_to_the_boundary() -> None:
    angle = square(10, 10, side=40) & ~square(30, 30)

    assert metrics.boundary(angle)[29, 29]  # only (30, 30), diagonally beside it, is outside


def test_the_edge_of_the_picture_is_no_boundary() -> None:
    assert metrics.boundary(square(0, 0)).sum() == 20 + 19


@pytest.mark.parametrize(("shift", "expected"), [(0, 1.0), (2, 1.0), (3, 1.0), (5, 42 / 76)])
def test_a_boundary_may_be_three_pixels_off(shift: int, expected: float) -> None:
    """Shifted sideways by 5: of the 76 pixels, 18 above and 18 below lie near (all but the two farthest from the other
    square), and 3 + 3 at the ends of the one side that the other square spans.
    """
    assert metrics.boundary_f(as_prediction(square(20 + shift, 20)), square(20, 20)) == pytest.approx(expected)


def test_a_second_object_costs_precision_of_the_boundary_only() -> None:
    """A boundary of 76 pixels is right and one of 36 wrong."""
    found = square(5, 5) | square(45, 45, side=10)

    precision = 76 / 112
    assert metrics.boundary_f(as_prediction(found), square(5, 5)) == pytest.approx(
        1.3 * precision / (0.3 * precision + 1)
    )
    assert metrics.boundary_f(as_prediction(square(5, 5)), found) == pytest.approx(1.3 * precision / (0.3 + precision))


def test_a_boundary_lies_where_the_prediction_crosses_a_half() -> None:
    faint = np.where(square(20, 20), 0.5, 0.49)

    assert metrics.boundary_f(faint, square(20, 20)) == 1


# --- Empty and full -------------------------------------------------------------------------------------------------

EMPTY, FULL = np.zeros((60, 60), bool), np.ones((60, 60), bool)


@pytest.mark.parametrize(
    ("found", "truth", "expected"),
    [
        (EMPTY, EMPTY, 1),
        (FULL, FULL, 1),
        (square(20, 20), EMPTY, 0),
        (square(20, 20), FULL, 0),
        (EMPTY, square(20, 20), 0),
        (FULL, square(20, 20), 0),
    ],
)
def test_a_boundary_that_is_not_there_is_found_by_showing_none(found: Truth, truth: Truth, expected: int) -> None:
    assert metrics.boundary_f(as_prediction(found), truth) == expected


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("truth", [EMPTY, FULL, square(40, 40), square(0, 0, side=1), square(59, 59, side=1)])
@pytest.mark.parametrize("level", [0.0, 0.5, 1.0])
def test_no_truth_breaks_a_measure(truth: Truth, level: float) -> None:
    scores = score(np.full(truth.shape, level), truth)

    for measure in ("weighted_f", "boundary_f", "mae", "s_measure", "iou"):
        assert 0 <= getattr(scores, measure) <= 1
    assert 0 <= scores.e_measure <= 60 * 60 / (60 * 60 - 1)  # it divides by one pixel less than there are
    assert np.isfinite([scores.precision, scores.recall]).all()


def test_an_object_at_the_far_edge_is_like_itself() -> None:
    truth = square(40, 40)  # its part of the picture beyond the centre ends at the edge

    assert metrics.s_measure(as_prediction(truth), truth) == pytest.approx(1)
    column = np.zeros((60, 60), bool)
    column[:, 59] = True  # two of the four parts have no pixel
    assert metrics.s_measure(as_prediction(column), column) == pytest.approx(1)
