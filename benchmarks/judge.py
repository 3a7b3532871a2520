"""`python -m benchmarks.judge --cases DIR --screens DIR`: fit the constants of `desktop_agent/judge.py` again.

The cases are those of `benchmarks/locate.py`; `--cases` may be repeated. A candidate is right if it lies within 20 px
of the truth, of a screen that shows what the view shows: the same program with other content is wrong wherever it lies.
A view aimed beside the screen is right too, for the judge is asked about the mapping alone.
"""

import argparse
import json
import sys
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks.locate import RIGHT_PX, SCALED_WIDTH, read_picture
from desktop_agent.judge import evidence
from desktop_agent.locate import look
from desktop_agent.ready_screen import ReadyScreen, make_ready
from desktop_agent.screenshot import Screenshot
from protocol.geometry import ScreenPoint

OTHER_CONTENT = ("neg_sameapp", "neg_other", "neg_none")
DAMPING = 0.1  # of the weights: there are few wrong candidates
STEPS = 100

Reals = npt.NDArray[np.float64]


def collect(folder: Path, screens: Path) -> Iterator[tuple[tuple[float, ...], bool]]:
    """Of each case with a candidate: what speaks for the best one, and whether it is right."""

    @lru_cache(maxsize=50)
    def screen(name: str) -> ReadyScreen:
        return make_ready(Screenshot(read_picture(screens / name), 0, 0))

    for case in json.loads((folder / "cases.json").read_text()):
        best = look(read_picture(folder / case["photo"]), [screen(case["screenshot"])]).best
        if best:
            what = evidence(best.candidate.agreement, best.refined.radius_95)
            yield what, _is_right(case, best.found.screen_point)


def _is_right(case: dict[str, Any], point: ScreenPoint) -> bool:
    if case["group"] in OTHER_CONTENT:
        return False
    truth = ScreenPoint(case["gt"]["x"], case["gt"]["y"])
    return point.distance_to(truth) * SCALED_WIDTH / float(case["screen_wh"][0]) < RIGHT_PX


def fit_logistic(evidences: Reals, is_right: npt.NDArray[np.bool_]) -> tuple[float, Reals]:
    """Bias and weights of a damped logistic regression, by Newton's method.

    Args:
        evidences: (N, K), 0 to 1.
        is_right: (N,).
    """
    rows = np.column_stack([evidences - 0.5, np.ones(len(evidences))])
    damping = np.diag([*[DAMPING] * evidences.shape[1], 1e-6])
    weights = np.zeros(rows.shape[1])
    for _ in range(STEPS):
        said = 1 / (1 + np.exp(-rows @ weights))
        curvature = rows.T @ ((said * (1 - said) + 1e-9)[:, None] * rows) + damping
        weights = weights + np.linalg.solve(curvature, rows.T @ (is_right - said) - damping @ weights)
    return float(weights[-1] - 0.5 * weights[:-1].sum()), weights[:-1]


def main() -> int:
    """Collect, fit, print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.judge", description=__doc__)
    parser.add_argument("--cases", type=Path, required=True, action="append", help="folder with cases.json")
    parser.add_argument("--screens", type=Path, required=True, help="folder with the screenshots")
    options = parser.parse_args()
    collected = [pair for folder in options.cases for pair in collect(folder, options.screens)]
    evidences, is_right = np.array([what for what, _ in collected]), np.array([right for _, right in collected])
    bias, weights = fit_logistic(evidences, is_right)
    print(f"BIAS = {bias:.2f}\nWEIGHTS = ({', '.join(f'{weight:.2f}' for weight in weights)})")
    print(f"{len(collected)} candidates, {(~is_right).sum()} of them wrong")
    return 0


if __name__ == "__main__":
    sys.exit(main())
