import pytest

from desktop_agent.agreement import Agreement
from desktop_agent.judge import at_least, evidence, probability

GOOD = Agreement(blocks=200, share=0.98, share_near_aim=0.99, edges=40, share_of_edges=0.97)


def test_a_share_of_few_may_be_smaller_than_it_looks() -> None:
    assert at_least(1.0, 5) < at_least(1.0, 50) < at_least(1.0, 500) < 1.0
    assert at_least(0.5, 10_000) == pytest.approx(0.5, abs=0.02)
    assert at_least(0.0, 0) == 0.0


def test_the_lower_end_is_that_of_wilson() -> None:
    assert at_least(0.8, 100) == pytest.approx(0.7092, abs=1e-3)  # worked out by hand: (0.82 - 0.0825) / 1.04


@pytest.mark.parametrize(
    "worse",
    [
        Agreement(200, 0.4, 0.99, 40, 0.97),
        Agreement(200, 0.98, 0.3, 40, 0.97),
        Agreement(200, 0.98, 0.99, 40, 0.2),
        Agreement(6, 0.98, 0.99, 0, 0.0),
    ],
)
def test_whatever_speaks_against_it_makes_an_answer_less_likely(worse: Agreement) -> None:
    assert sum(evidence(worse, 0.1)) < sum(evidence(GOOD, 0.1))


def test_a_wide_radius_speaks_against_an_answer() -> None:
    assert evidence(GOOD, 5.0)[-1] < evidence(GOOD, 0.1)[-1]
    assert evidence(GOOD, 1000.0)[-1] == 0.0


def test_what_agrees_is_likely() -> None:
    assert probability(GOOD, 0.1) > 0.95


@pytest.mark.parametrize("other", [Agreement(80, 0.44, 0.77, 60, 1.0), Agreement(60, 0.68, 0.41, 30, 0.93)])
def test_another_page_in_the_same_window_is_unlikely_though_every_edge_agrees(other: Agreement) -> None:
    assert probability(other, 0.2) < 0.5


def test_a_few_blocks_alone_do_not_make_it_another_page() -> None:
    assert probability(Agreement(5, 0.4, 0.4, 60, 1.0), 0.2) > 0.5
