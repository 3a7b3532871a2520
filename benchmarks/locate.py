"""`python -m benchmarks.locate --cases DIR --screens DIR`: how often and how exactly the screen point is found.

DIR/cases.json lists the cases: each has an `id`, a `group`, a `photo` in the same folder (the view), the `screenshot`
that the agent would have taken, as the name of a file among the screens, and `gt`, the true point. Groups that begin
with `neg` must be refused. Errors are scaled to a screen 1920 pixels wide.
"""

import argparse
import json
import sys
import time
from collections.abc import Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from PIL import Image

from desktop_agent.locate import find_screen_point
from desktop_agent.ready_screen import make_ready
from desktop_agent.screenshot import Screenshot
from protocol.errors import CopyPasteError
from protocol.geometry import ScreenPoint

SCALED_WIDTH = 1920
RIGHT_PX = 20.0
SKIPPED_GROUP = "scrolled"  # needs the screenshot of the moment of the shutter


@dataclass(frozen=True)
class Answer:
    """What was found in one case."""

    case: dict[str, Any]
    prediction: dict[str, Any]

    @property
    def group(self) -> str:
        """The kind of case."""
        return str(self.case["group"])

    @property
    def is_accepted(self) -> bool:
        """Whether a point was given."""
        return bool(self.prediction["accepted"])

    @property
    def error_px(self) -> float:
        """From the true point, on a screen of SCALED_WIDTH; infinite if refused."""
        if not self.is_accepted:
            return float("inf")
        truth = ScreenPoint(self.case["gt"]["x"], self.case["gt"]["y"])
        found = ScreenPoint(self.prediction["x"], self.prediction["y"])
        return found.distance_to(truth) * SCALED_WIDTH / float(self.case["screen_wh"][0])


def answer_case(case: dict[str, Any], cases: Path, screens: Path) -> Answer:
    """Find the screen point of one case; on one core, because the cases run side by side."""
    cv2.setNumThreads(1)
    view, screen = _read(cases / case["photo"]), _read(screens / case["screenshot"])
    start_s = time.monotonic()
    prediction: dict[str, Any]
    try:
        found = find_screen_point(view, [make_ready(Screenshot(screen, 0, 0))])
        point = found.screen_point
        prediction = {"accepted": True, "x": point.x, "y": point.y, "radius95": found.radius_95}
        prediction["confidence"] = found.probability
    except CopyPasteError as refusal:
        prediction = {"accepted": False, "why": refusal.code}
    prediction["ms"] = 1000 * (time.monotonic() - start_s)
    return Answer(case, prediction)


def _read(path: Path) -> Any:
    return np.asarray(Image.open(path).convert("RGB"))


def table(answers: Sequence[Answer]) -> Iterable[str]:
    """The lines to print."""
    yield f"{'group':12s} {'n':>4s} {'<2px':>5s} {'<5px':>5s} {'<20px':>5s} {'median':>7s} {'right':>6s} {'wrong':>6s}"
    seen = [answer for answer in answers if not answer.group.startswith("neg")]
    for group in dict.fromkeys(answer.group for answer in seen):
        yield _row(group, [answer for answer in seen if answer.group == group])
    yield _row(f"not {SKIPPED_GROUP}", [answer for answer in seen if answer.group != SKIPPED_GROUP])
    unseen = [answer for answer in answers if answer.group.startswith("neg")]
    yield f"falsely accepted: {sum(answer.is_accepted for answer in unseen)} of {len(unseen)}"
    accepted = [answer for answer in seen if answer.is_accepted]
    scales = [SCALED_WIDTH / float(answer.case["screen_wh"][0]) for answer in accepted]
    inside = [a.error_px <= a.prediction["radius95"] * scale for a, scale in zip(accepted, scales, strict=True)]
    yield f"inside the reported 95 % radius: {np.mean(inside):.0%} of {len(inside)}"
    yield f"seconds a view, one core: {np.median([answer.prediction['ms'] for answer in answers]) / 1000:.2f}"


def _row(name: str, answers: Sequence[Answer]) -> str:
    error_px = np.array([answer.error_px for answer in answers])
    accepted = np.array([answer.is_accepted for answer in answers])
    shares = [np.mean(error_px < limit) for limit in (2, 5, RIGHT_PX)]
    wrong = np.mean(accepted & (error_px >= RIGHT_PX))
    columns = " ".join(f"{share:5.0%}" for share in shares)
    return f"{name:12s} {len(answers):4d} {columns} {np.median(error_px):7.2f} {shares[2]:6.0%} {wrong:6.1%}"


def main() -> int:
    """Run all cases and print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.locate", description=__doc__)
    parser.add_argument("--cases", type=Path, required=True, help="folder with cases.json and the views")
    parser.add_argument("--screens", type=Path, required=True, help="folder with the screenshots")
    parser.add_argument("--out", type=Path, help="JSON of every prediction")
    options = parser.parse_args()
    cases = json.loads((options.cases / "cases.json").read_text())
    with ProcessPoolExecutor() as pool:
        answers = list(pool.map(partial(answer_case, cases=options.cases, screens=options.screens), cases))
    if options.out:
        options.out.write_text(json.dumps({answer.case["id"]: answer.prediction for answer in answers}, indent=1))
    print("\n".join(table(answers)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
