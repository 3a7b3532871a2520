import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from benchmarks.locate import (
    Answer,
    Cost,
    Prediction,
    calibration_error,
    change_a_tenth,
    has_failed,
    remark,
    run,
    table,
)
from benchmarks.original_way import find_as_the_original
from demo.monitor_camera import Pose, photograph
from protocol.geometry import ScreenPoint
from tests.conftest import Picture

SCREEN_WIDTH = 960  # half of what errors are scaled to


def answer(group: str, x: float | None, *, is_accepted: bool = True, probability: float = 0.9) -> Answer:
    """To a case whose true point is (100, 100)."""
    screen = {"screenshot": "screen.png", "screen_wh": [SCREEN_WIDTH, 540]}
    case = {"id": f"{group}_0", "group": group, "gt": {"x": 100.0, "y": 100.0}, **screen}
    point = None if x is None else ScreenPoint(x, 100.0)
    costs = {"ready_cost": Cost(110.0, 200.0), "changed_cost": Cost(60.0, 50.0), "tracking_cost": Cost(40.0, 30.0)}
    return Answer(case, Prediction(is_accepted, point, probability, 1.0, None, Cost(300.0, 250.0), **costs))


def test_errors_are_scaled_to_a_screen_of_1920() -> None:
    assert answer("plain", 103.0).error_px == pytest.approx(6.0)


def test_without_a_point_the_error_is_infinite() -> None:
    assert answer("plain", None).error_px == np.inf


def test_what_must_be_refused_is_never_right() -> None:
    assert answer("plain", 100.0).is_right
    assert not answer("neg_other", 100.0).is_right


def test_the_calibration_error_of_what_is_right_as_often_as_it_says_is_nothing() -> None:
    answers = [answer("plain", 100.0, probability=0.75) for _ in range(3)] + [answer("plain", 200.0, probability=0.75)]
    assert calibration_error(answers) == pytest.approx(0.0)


def test_the_calibration_error_weighs_bins_by_their_answers() -> None:
    answers = [answer("plain", 100.0, probability=1.0)] * 3 + [answer("plain", 200.0, probability=0.4)]
    assert calibration_error(answers) == pytest.approx(0.25 * 0.4)


def test_the_table_counts_what_was_falsely_accepted_and_what_was_wrong() -> None:
    answers = [
        answer("plain", 100.0),
        answer("plain", 300.0),
        answer("neg_other", 100.0),
        answer("neg_other", None, is_accepted=False),
    ]
    lines = "\n".join(table(answers))
    assert "falsely accepted: 1 of 2" in lines
    assert "50.0%" in lines


def test_the_table_tells_what_views_and_screenshots_cost() -> None:
    lines = list(table([answer("plain", 100.0)]))
    assert "ms a view: 300 by the clock, 250 of the processor" in lines
    assert "ms a view while aiming: 40 by the clock, 30 of the processor" in lines
    assert "ms to make a screenshot ready: 110 by the clock, 200 of the processor" in lines
    assert "ms to make a changed tenth of it ready: 60 by the clock, 50 of the processor" in lines


def test_a_screenshot_counts_once_however_many_views_there_are_of_it() -> None:
    seldom, often = answer("plain", 100.0), answer("plain", 100.0)
    other = replace(often, case={**often.case, "screenshot": "other.png"})
    dear = replace(other, prediction=replace(other.prediction, ready_cost=Cost(310.0, 400.0)))
    lines = list(table([seldom, dear, dear, dear]))
    assert "ms to make a screenshot ready: 210 by the clock, 300 of the processor" in lines


def test_what_is_changed_is_a_tenth_of_the_pixels() -> None:
    noise = np.random.default_rng(0).integers(0, 256, (540, 960, 3), np.uint8)
    assert (change_a_tenth(noise) != noise).any(axis=2).mean() == pytest.approx(0.1, abs=0.001)


def test_a_table_may_be_of_refusals_alone() -> None:
    assert "falsely accepted: 0 of 1" in list(table([answer("neg_other", None, is_accepted=False)]))


def test_failed_is_what_was_not_found_or_should_not_have_been() -> None:
    assert has_failed(answer("plain", None, is_accepted=False))
    assert has_failed(answer("plain", 100.0, is_accepted=False))
    assert has_failed(answer("plain", 300.0))
    assert has_failed(answer("neg_other", 100.0))
    assert not has_failed(answer("plain", 101.0))
    assert not has_failed(answer("neg_other", 100.0, is_accepted=False))


def test_a_failed_case_says_by_how_much() -> None:
    assert remark(answer("plain", 130.0)) == "60 px off"
    assert remark(answer("neg_other", 130.0)) == "falsely accepted"


@pytest.fixture
def view(screen: Picture) -> Picture:
    return photograph(screen, ScreenPoint(600, 380), (960, 720), Pose(), seed=3)


def test_the_original_finds_a_plain_view_to_a_few_pixels(screen: Picture, view: Picture) -> None:
    found = find_as_the_original(view, screen)
    assert found is not None
    assert found.distance_to(ScreenPoint(600, 380)) < 12


def test_the_original_finds_nothing_on_a_blank_screen(screen: Picture, view: Picture) -> None:
    assert find_as_the_original(view, np.full_like(screen, 255)) is None


def test_both_ways_are_run_on_the_same_case(screen: Picture, view: Picture, tmp_path: Path) -> None:
    Image.fromarray(screen).save(tmp_path / "screen.png")
    Image.fromarray(view).save(tmp_path / "view.png")
    truth = {"x": 600.0, "y": 380.0}
    case = {"id": "plain_0", "group": "plain", "photo": "view.png", "screenshot": "screen.png", "gt": truth}
    [(ours, original)] = run([{**case, "screen_wh": [1280, 800]}], tmp_path, tmp_path)
    assert ours.error_px < original.error_px < 20
    assert json.loads(json.dumps(ours.prediction.to_json()))["accepted"] is True
    assert ours.prediction.tracking_cost is not None
