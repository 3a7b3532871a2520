"""What a phone knows of the agent's clock, worked out by hand."""

import pytest

from mobile_client.agent_clock import MOST_READINGS, AgentClock, Reading

AHEAD_S = 100.0  # the agent's clock, of the phone's


def reading(at_s: float, there_s: float, back_s: float, ahead_s: float = AHEAD_S) -> Reading:
    """The agent is asked at `at_s`; the question travels `there_s`, the answer `back_s`."""
    return Reading(at_s, at_s + there_s + back_s, at_s + there_s + ahead_s)


def learnt(*readings: Reading) -> AgentClock:
    clock = AgentClock()
    for each in readings:
        clock.learn(each)
    return clock


def test_before_the_first_answer_the_clock_is_not_known() -> None:
    assert AgentClock().agent_time_s(5.0) is None


def test_ways_of_the_same_length_give_the_clock_exactly() -> None:
    assert learnt(reading(10, 0.02, 0.02)).agent_time_s(12.0) == pytest.approx(112)


def test_one_long_way_is_wrong_by_no_more_than_half_the_round_trip() -> None:
    assert learnt(reading(10, 0.0, 0.3)).agent_time_s(12.0) == pytest.approx(112, abs=0.1501)


@pytest.mark.parametrize("best_at", [0, 1, 2])
def test_the_shortest_round_trip_is_believed(best_at: int) -> None:
    readings = [reading(10 * number, 0.0, 0.3) for number in range(2)]
    readings.insert(best_at, reading(7, 0.004, 0.004))
    assert learnt(*readings).agent_time_s(50.0) == pytest.approx(150)


def test_old_readings_are_forgotten() -> None:
    late = [reading(10 * number, 0.0, 0.2) for number in range(MOST_READINGS)]
    assert learnt(reading(0, 0.01, 0.01), *late).agent_time_s(50.0) == pytest.approx(149.9)


def test_a_clock_that_stood_still_while_its_computer_slept_is_learnt_anew() -> None:
    after_sleep = reading(500, 0.0, 0.3, ahead_s=40)
    assert learnt(reading(10, 0.001, 0.001), after_sleep).agent_time_s(500.0) == pytest.approx(540, abs=0.1501)
