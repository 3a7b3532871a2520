"""`python -m benchmarks.locate --cases DIR --screens DIR`: how often and how exactly the screen point is found.

DIR/cases.json lists the cases: each has an `id`, a `group`, a `photo` in the same folder (the view), the `screenshot`
that the agent would have taken, as the name of a file among the screens, its size `screen_wh`, and `gt`, the true point
`x`, `y`. Groups that begin with `neg` must be refused. Errors are scaled to a screen 1920 pixels wide. The original's
way runs on the same cases, one after the other, so that both are timed alike. With `--simulator`, cases of
`benchmarks.second_view` follow, which tell what markers on the screen add.
"""

import argparse
import json
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar

import cv2
import numpy as np
from PIL import Image

from benchmarks.contact_sheet import Tile, draw_contact_sheet
from benchmarks.original_way import find_as_the_original
from benchmarks.second_view import COUNT, SEED, try_all
from benchmarks.second_view import table as table_of_second_views
from desktop_agent.locate import FoundPoint, Outcome, find_screen_point, look
from desktop_agent.one_thread import keep_to_one_thread
from desktop_agent.pictures import Picture
from desktop_agent.ready_screen import ReadyScreen, make_ready, update_ready
from desktop_agent.screenshot import Screenshot
from protocol.errors import AimBesideScreen, CopyPasteError
from protocol.geometry import ScreenPoint

Result = TypeVar("Result")

SCALED_WIDTH = 1920
RIGHT_PX = 20.0
SKIPPED_GROUP = "scrolled"  # needs the screenshot of the moment of the shutter
AIMING_PX = 640  # long side of the views that a phone sends while it aims
MOVED_PX = 12  # of such a view, from one to the next
SHEET_QUALITY = 70
BINS = 10  # of the calibration error


@dataclass(frozen=True)
class Cost:
    """What something took, in milliseconds."""

    ms: float  # by the clock
    cpu_ms: float  # of all threads


@dataclass(frozen=True)
class Prediction:
    """What one way says of one case."""

    is_accepted: bool
    point: ScreenPoint | None  # a guess, if it was not accepted
    probability: float | None = None
    radius_95: float | None = None
    why: str | None = None
    cost: Cost = Cost(0.0, 0.0)
    ready_cost: Cost | None = None  # of the whole screenshot
    changed_cost: Cost | None = None  # of one in which a tenth has changed
    tracking_cost: Cost | None = None

    def to_json(self) -> dict[str, Any]:
        """In the form that the simulator's score reads."""
        x, y = (self.point.x, self.point.y) if self.point else (None, None)
        known = {"accepted": self.is_accepted, "x": x, "y": y, "confidence": self.probability}
        return {**known, "ms": self.cost.ms, "cpu_ms": self.cost.cpu_ms, "radius95": self.radius_95, "why": self.why}


@dataclass(frozen=True)
class Answer:
    """A prediction, and what it is measured by."""

    case: dict[str, Any]
    prediction: Prediction

    @property
    def group(self) -> str:
        """The kind of case."""
        return str(self.case["group"])

    @property
    def is_to_be_refused(self) -> bool:
        """Whether there is no point to be found."""
        return self.group.startswith("neg")

    @property
    def scale(self) -> float:
        """From this screen's pixels to those of one SCALED_WIDTH wide."""
        return SCALED_WIDTH / float(self.case["screen_wh"][0])

    @property
    def error_px(self) -> float:
        """From the true point, scaled, accepted or not; infinite without a point."""
        if self.prediction.point is None or self.case["gt"]["x"] is None:
            return float("inf")
        truth = ScreenPoint(self.case["gt"]["x"], self.case["gt"]["y"])
        return self.prediction.point.distance_to(truth) * self.scale

    @property
    def is_right(self) -> bool:
        """Whether there is a point, and this is it."""
        return not self.is_to_be_refused and self.error_px < RIGHT_PX


def predict(view: Picture, ready: ReadyScreen, ready_cost: Cost, changed_cost: Cost) -> Prediction:
    """Ours, with the screenshot ready."""
    outcome, cost = _timed(lambda: look(view, [ready]))
    best = outcome.best
    return Prediction(
        is_accepted=outcome.refusal is None,
        point=best.found.screen_point if best else None,
        probability=_probability(outcome),
        radius_95=best.found.radius_95 if best else None,
        why=outcome.refusal.code if outcome.refusal else None,
        cost=cost,
        ready_cost=ready_cost,
        changed_cost=changed_cost,
        tracking_cost=None if outcome.refusal else _track(view, ready, outcome.found),
    )


def _probability(outcome: Outcome) -> float:
    if outcome.best is None or isinstance(outcome.refusal, AimBesideScreen):
        return 0.0  # of a point that one could paste at
    return outcome.best.found.probability


def _track(view: Picture, ready: ReadyScreen, found: FoundPoint) -> Cost | None:
    """Of the next, small view of a phone that has moved a little; None if it is refused."""
    ratio = AIMING_PX / max(view.shape)
    small = cv2.resize(view, None, fx=ratio, fy=ratio, interpolation=cv2.INTER_AREA)
    moving = np.array([[1.0, 0, MOVED_PX], [0, 1.0, -MOVED_PX]])
    size = (small.shape[1], small.shape[0])
    moved = np.asarray(cv2.warpAffine(small, moving, size, borderMode=cv2.BORDER_REFLECT), np.uint8)
    try:
        return _timed(lambda: find_screen_point(moved, [ready], near=found))[1]
    except CopyPasteError:
        return None


def predict_as_the_original(view: Picture, screenshot: Picture) -> Prediction:
    """The original's way; its screenshot is not ready, which costs little at 400 pixels."""
    point, cost = _timed(lambda: find_as_the_original(view, screenshot))
    return Prediction(is_accepted=point is not None, point=point, cost=cost)


def _timed(work: Callable[[], Result]) -> tuple[Result, Cost]:
    """What it returned, and what it took."""
    start_s, start_cpu_s = time.perf_counter(), time.process_time()
    result = work()
    return result, Cost(1000 * (time.perf_counter() - start_s), 1000 * (time.process_time() - start_cpu_s))


def run(cases: Sequence[dict[str, Any]], folder: Path, screens: Path) -> Iterator[tuple[Answer, Answer]]:
    """Our answer and the original's to each case."""

    @lru_cache(maxsize=50)
    def screen(name: str) -> tuple[Picture, ReadyScreen, Cost, Cost]:
        pixels = read_picture(screens / name)
        ready, ready_cost = _timed(lambda: make_ready(Screenshot(pixels, 0, 0)))
        changed = Screenshot(change_a_tenth(pixels), 0, 0)
        return pixels, ready, ready_cost, _timed(lambda: update_ready(ready, changed))[1]

    for case in cases:
        view = read_picture(folder / case["photo"])
        pixels, ready, ready_cost, changed_cost = screen(case["screenshot"])
        yield (
            Answer(case, predict(view, ready, ready_cost, changed_cost)),
            Answer(case, predict_as_the_original(view, pixels)),
        )


def change_a_tenth(screenshot: Picture) -> Picture:
    """A copy whose middle shows what lay a little higher and further left: scrolled, a tenth of all pixels."""
    height, width = screenshot.shape[:2]
    rows, columns = height // 4, 2 * width // 5
    top, left = (height - rows) // 2, (width - columns) // 2
    changed = screenshot.copy()
    moved = screenshot[top - rows // 4 : top - rows // 4 + rows, left - columns // 4 : left - columns // 4 + columns]
    changed[top : top + rows, left : left + columns] = moved
    return changed


def read_picture(path: Path) -> Picture:
    """An RGB picture from a file."""
    return np.asarray(Image.open(path).convert("RGB"))


def table(answers: Sequence[Answer]) -> Iterator[str]:
    """The lines to print of one way."""
    heads = ("group", "n", "<2px", "<5px", "<20px", "median", "right", "wrong", "refused", "CPU ms")
    yield "".join(f"{head:>{14 if head == 'group' else 9}}" for head in heads)
    seen = [answer for answer in answers if not answer.is_to_be_refused]
    for group in dict.fromkeys(answer.group for answer in seen):
        yield _row(group, [answer for answer in seen if answer.group == group])
    if seen:
        yield _row(f"not {SKIPPED_GROUP}", [answer for answer in seen if answer.group != SKIPPED_GROUP])
    unseen = [answer for answer in answers if answer.is_to_be_refused]
    for group in dict.fromkeys(answer.group for answer in unseen):
        of_group = [answer for answer in unseen if answer.group == group]
        yield f"{group:>14}{len(of_group):9d}  falsely accepted {sum(a.prediction.is_accepted for a in of_group)}"
    yield f"falsely accepted: {sum(answer.prediction.is_accepted for answer in unseen)} of {len(unseen)}"
    if any(answer.prediction.probability is not None for answer in answers):
        yield from _more(answers)


def _row(name: str, answers: Sequence[Answer]) -> str:
    error_px = np.array([answer.error_px for answer in answers])
    accepted = np.array([answer.prediction.is_accepted for answer in answers])
    shares = [np.mean(error_px < limit) for limit in (2, 5, RIGHT_PX)]
    right, wrong = np.mean(accepted & (error_px < RIGHT_PX)), np.mean(accepted & (error_px >= RIGHT_PX))
    columns = "".join(f"{share:9.0%}" for share in shares)
    cpu_ms = np.median([answer.prediction.cost.cpu_ms for answer in answers])
    return (
        f"{name:>14}{len(answers):9d}{columns}{np.median(error_px):9.2f}{right:9.0%}{wrong:9.1%}"
        f"{np.mean(~accepted):9.0%}{cpu_ms:9.0f}"
    )


def _more(answers: Sequence[Answer]) -> Iterator[str]:
    """What only our way tells."""
    accepted = [answer for answer in answers if answer.prediction.is_accepted and not answer.is_to_be_refused]
    inside = [a.error_px <= (a.prediction.radius_95 or 0) * a.scale for a in accepted]
    if inside:
        yield f"inside the reported 95 % radius: {np.mean(inside):.0%} of {len(inside)}"
    yield f"calibration error: {calibration_error(answers):.3f}"
    yield _costs("a view", [answer.prediction.cost for answer in answers])
    yield _costs("a view while aiming", [answer.prediction.tracking_cost for answer in answers])
    of_screens = {answer.case["screenshot"]: answer.prediction for answer in answers}.values()
    yield _costs("to make a screenshot ready", [prediction.ready_cost for prediction in of_screens])
    yield _costs("to make a changed tenth of it ready", [prediction.changed_cost for prediction in of_screens])
    failed = [f"{answer.case['id']} ({remark(answer)})" for answer in answers if has_failed(answer)]
    yield f"not found, refused or wrong: {', '.join(failed)}"


def _costs(what: str, costs: Sequence[Cost | None]) -> str:
    """The median, of as many as there are."""
    ms, cpu_ms = np.median([(cost.ms, cost.cpu_ms) for cost in costs if cost] or [(np.nan, np.nan)], axis=0)
    return f"ms {what}: {ms:.0f} by the clock, {cpu_ms:.0f} of the processor"


def has_failed(answer: Answer) -> bool:
    """Whether there is a point that was not found, or one that should not have been."""
    is_found = answer.prediction.is_accepted and answer.is_right
    return answer.prediction.is_accepted if answer.is_to_be_refused else not is_found


def remark(answer: Answer) -> str:
    """What came of a case, in a few words."""
    if not answer.prediction.is_accepted:
        return str(answer.prediction.why)
    return "falsely accepted" if answer.is_to_be_refused else f"{answer.error_px:.0f} px off"


def tile_of(answer: Answer, folder: Path, screens: Path) -> Tile:
    """A case for a contact sheet."""
    case, truth = answer.case, answer.case["gt"]
    aim = None if truth["x"] is None else ScreenPoint(truth["x"], truth["y"])
    view, screenshot = read_picture(folder / case["photo"]), read_picture(screens / case["screenshot"])
    return Tile(f"{case['id']}: {remark(answer)}", view, screenshot, aim)


def calibration_error(answers: Sequence[Answer]) -> float:
    """By how much what was said to be right was right, in bins of equal width, weighed by their answers."""
    said = np.array([answer.prediction.probability or 0.0 for answer in answers])
    was = np.array([answer.is_right for answer in answers])
    of_bin = np.minimum((said * BINS).astype(int), BINS - 1)
    bins = [of_bin == index for index in range(BINS)]
    return float(sum(abs(said[b].mean() - was[b].mean()) * b.mean() for b in bins if b.any()))


def main() -> int:
    """Run all cases and print both tables."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.locate", description=__doc__)
    parser.add_argument("--cases", type=Path, required=True, help="folder with cases.json and the views")
    parser.add_argument("--screens", type=Path, required=True, help="folder with the screenshots")
    parser.add_argument("--out", type=Path, help="JSON of every prediction of ours")
    parser.add_argument("--sheet", type=Path, metavar="FILE.jpg", help="a picture of the cases in which ours fails")
    parser.add_argument("--simulator", type=Path, help="folder of the simulator, for views of screens with markers")
    options = parser.parse_args()
    keep_to_one_thread()  # as the agent does
    cases = json.loads((options.cases / "cases.json").read_text())
    ours, originals = zip(*run(cases, options.cases, options.screens), strict=True)
    if options.out:
        predictions = {answer.case["id"]: answer.prediction.to_json() for answer in ours}
        options.out.write_text(json.dumps(predictions, indent=1))
    tiles = [tile_of(answer, options.cases, options.screens) for answer in ours if has_failed(answer)]
    for name, answers in (("ours", ours), ("the original's way", originals)):
        print(f"\n{name}")
        print("\n".join(table(answers)))
    if options.simulator:
        tried = try_all(options.simulator, SEED, COUNT)
        print("\nours, with markers on the screen")
        print("\n".join(table_of_second_views(tried)))
        tiles += [each.failure for each in tried if each.failure]
    if options.sheet and tiles:
        Image.fromarray(draw_contact_sheet(tiles)).save(options.sheet, quality=SHEET_QUALITY)
    return 0


if __name__ == "__main__":
    sys.exit(main())
