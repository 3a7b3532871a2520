"""What two views of a phone that is held up say together."""

import numpy as np
import pytest

from desktop_agent.agreement import Agreement
from desktop_agent.steady import is_steady, is_undisputed, together

CORNERS = np.array([[0, 0], [640, 0], [640, 480], [0, 480]], np.float64)


@pytest.mark.parametrize(("moved_px", "expected"), [(0, True), (30, True), (-150, True), (170, False)])
def test_a_hand_that_trembles_aims_at_one_place(moved_px: float, expected: bool) -> None:
    assert is_steady(CORNERS, CORNERS + np.array([moved_px, 0])) is expected


def test_a_phone_that_is_turned_aims_anew() -> None:
    assert not is_steady(CORNERS, np.roll(CORNERS, 1, axis=0))


@pytest.mark.parametrize(
    ("agreement", "expected"),
    [
        (Agreement(40, 0.97, 1.0, 20, 0.9), True),
        (Agreement(40, 0.9, 1.0, 20, 0.9), False),
        (Agreement(40, 0.97, 0.5, 20, 0.9), False),
        (Agreement(40, 0.97, 1.0, 20, 0.2), False),
        (Agreement(40, 0.97, 1.0, 3, 0.0), True),
    ],
)
def test_an_answer_is_undisputed_if_nearly_all_agrees_also_near_the_aim_and_on_edges(
    agreement: Agreement, expected: bool
) -> None:
    assert is_undisputed(agreement) is expected


def test_views_that_agree_raise_the_probability_and_settle_at_most_half_of_the_doubt() -> None:
    probability = 0.9
    for _ in range(6):
        raised = together(0.9, probability)
        assert 0.9 < raised <= 0.95
        assert raised >= probability
        probability = raised
