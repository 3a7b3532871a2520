"""`python -m benchmarks.second_view --simulator DIR`: what markers on the screen add to finding the screen point.

DIR holds a simulator of photographs of monitors: `sim.py` with `make_cases(seed, count, counts_of_refusals)` and
`render(case, photo_screen=...)`, and the folder `screens` that it photographs. Each case is first answered as any view
is. Where the agent would then show markers, they are laid over the screen, it is photographed again, and that view is
answered. Errors are scaled to a screen 1920 pixels wide. `python -m benchmarks.locate --simulator DIR` prints the
same below its own tables.
"""

import argparse
import importlib.util
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from PIL import Image

from benchmarks.contact_sheet import Tile
from desktop_agent.aim import Aims
from desktop_agent.find import PointFinder
from desktop_agent.locate import see
from desktop_agent.one_thread import keep_to_one_thread
from desktop_agent.overlay import Overlay
from desktop_agent.overlay_message import Patch
from desktop_agent.pictures import Picture
from desktop_agent.recent_screens import RecentScreens
from desktop_agent.screenshot import Screenshot
from protocol.errors import CopyPasteError, SecondViewWanted
from protocol.geometry import ScreenPoint
from protocol.messages import PasteRequest

SCALED_WIDTH = 1920
CLOSE_PX, RIGHT_PX = 5.0, 20.0
REFUSALS = ("neg_other", "neg_none", "neg_sameapp", "neg_offscreen")  # groups of views that must be refused
SHOWS_NO_MARKERS = ("neg_other", "neg_none", "neg_sameapp")  # it is not this computer's screen
MOST_WIDTH = 2016  # of a view: larger ones are made smaller before anything is looked for in them
JPEG_QUALITY = 85  # of the phone
SEED, COUNT = "markers", 15


@dataclass
class KeptOverlay(Overlay):
    """What a screen would show."""

    screenshot: Screenshot
    patches: Sequence[Patch] = ()

    def take_clean_screenshots(self) -> Sequence[Screenshot]:
        """The one there is."""
        return [self.screenshot]

    def show(self, patches: Sequence[Patch], shows_s: float) -> bool:
        """Keep it."""
        del shows_s
        self.patches = patches
        return True


@dataclass(frozen=True)
class Answer:
    """What came of one view."""

    error_px: float  # infinite if it was refused, or if there was nothing to find
    is_accepted: bool
    tile: Tile


@dataclass(frozen=True)
class Tried:
    """What came of one case."""

    group: str
    first_px: float  # error of the first view; infinite if it was refused
    last_px: float  # of the second view where one was wanted, else of the first
    is_accepted: bool  # the last one
    failure: Tile | None  # the last view, if there is a point that was not found, or one that should not have been


def try_case(case: dict[str, Any], simulator: Path) -> Tried:
    """Answer one case, with a second view if it is wanted."""
    keep_to_one_thread()
    case["out"] = [min(side, limit) for side, limit in zip(case["out"], (MOST_WIDTH, MOST_WIDTH * 3 // 4), strict=True)]
    screenshot = Screenshot(_read(simulator / "screens" / case["screenshot"]), 0, 0)
    overlay = KeptOverlay(screenshot)
    finder = PointFinder(RecentScreens(lambda: [screenshot]), Aims(see), overlay)
    try:
        last = _answer(finder, case, _photograph(case, simulator, ()), screenshot, is_second_view=False)
        first_px = last.error_px
    except SecondViewWanted:
        shown = () if case["group"] in SHOWS_NO_MARKERS else overlay.patches
        last = _answer(finder, case, _photograph(case, simulator, shown), screenshot, is_second_view=True)
        first_px = np.inf
    has_failed = last.is_accepted if case["group"] in REFUSALS else last.error_px >= CLOSE_PX
    return Tried(case["group"], first_px, last.error_px, last.is_accepted, last.tile if has_failed else None)


def _answer(
    finder: PointFinder,
    case: dict[str, Any],
    view_and_truth: tuple[Picture, ScreenPoint],
    screenshot: Screenshot,
    *,
    is_second_view: bool,
) -> Answer:
    """What a view is answered, and the view to show; raises SecondViewWanted."""
    view, truth = view_and_truth
    aim = truth if np.isfinite(truth.x) else None
    error_px, is_accepted = np.inf, True
    try:
        found = finder.find(view, PasteRequest(1.0, is_second_view=is_second_view))
        error_px = found.screen_point.distance_to(truth) * SCALED_WIDTH / screenshot.size[0]
        what = "falsely accepted" if case["group"] in REFUSALS else f"{error_px:.0f} px off"
    except SecondViewWanted:
        raise
    except CopyPasteError as error:
        is_accepted, what = False, error.code
    title = f"{case['id']}, {'second' if is_second_view else 'first'} view: {what}"
    return Answer(error_px, is_accepted, Tile(title, view, screenshot.pixels, aim))


def _photograph(case: dict[str, Any], simulator: Path, patches: Sequence[Patch]) -> tuple[Picture, ScreenPoint]:
    """A view of the screen with patches over it, and where its centre points to (nowhere: far away)."""
    shown = None
    if case["photo_of"]:
        shown = _read(simulator / "screens" / case["photo_of"])
        for patch in patches:
            (height, width), left, top = patch.pixels.shape[:2], round(patch.x), round(patch.y)
            shown[top : top + height, left : left + width] = patch.pixels[:, :, :3]
        shown = np.ascontiguousarray(shown[:, :, ::-1])
    photo, truth = _load(simulator).render(case, photo_screen=shown)
    _, jpeg = cv2.imencode(".jpg", photo, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
    view = np.asarray(cv2.cvtColor(np.asarray(cv2.imdecode(jpeg, cv2.IMREAD_COLOR)), cv2.COLOR_BGR2RGB), np.uint8)
    return view, ScreenPoint(truth["x"] or np.inf, truth["y"] or np.inf)


def _read(path: Path) -> Any:
    return np.asarray(Image.open(path).convert("RGB")).copy()


@cache
def _load(simulator: Path) -> Any:
    spec = importlib.util.spec_from_file_location("simulator", simulator / "sim.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def try_all(simulator: Path, seed: str, count: int, groups: Sequence[str] = (), jobs: int = 2) -> list[Tried]:
    """Answer so many cases of each group, or of those named only."""
    cases = _load(simulator).make_cases(seed, count, dict.fromkeys(REFUSALS, count))
    wanted = [case for case in cases if not groups or case["group"] in groups]
    with ProcessPoolExecutor(jobs) as pool:
        return list(pool.map(partial(try_case, simulator=simulator), wanted))


def table(tried: Sequence[Tried]) -> Iterator[str]:
    """One line per group, then all of them."""
    yield f"{'group':14} {'n':>4} | {'<5 px at first':>14} | {'<5 px after a retry':>19} {'<20 px':>7} {'median':>7}"
    for group in dict.fromkeys(each.group for each in tried):
        yield _row(group, [each for each in tried if each.group == group])
    found = [each for each in tried if each.group not in REFUSALS]
    yield _row("all", found)
    yield _row("all unscrolled", [each for each in found if each.group != "scrolled"])
    wrong = sum(RIGHT_PX < each.last_px < np.inf for each in found)
    yield f"accepted and wrong: {wrong} of {len(found)}"
    refused = [each for each in tried if each.group in REFUSALS]
    yield f"falsely accepted: {sum(each.is_accepted for each in refused)} of {len(refused)}"
    yield f"failed: {'; '.join(each.failure.title for each in tried if each.failure) or 'none'}"


def _row(name: str, tried: Sequence[Tried]) -> str:
    first, last = (np.array([getattr(each, field) for each in tried]) for field in ("first_px", "last_px"))
    close, close_after = (f"{100 * np.mean(px < CLOSE_PX):.0f} %" for px in (first, last))
    right_after = f"{100 * np.mean(last < RIGHT_PX):.0f} %"
    return f"{name:14} {len(tried):4} | {close:>14} | {close_after:>19} {right_after:>7} {np.median(last):7.2f}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table."""
    parser = argparse.ArgumentParser("benchmarks.second_view", description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--simulator", type=Path, required=True)
    parser.add_argument("--seed", default=SEED)
    parser.add_argument("--cases", type=int, default=COUNT, help="in each group")
    parser.add_argument("--groups", nargs="*", help="only these")
    parser.add_argument("--jobs", type=int, default=2)
    given = parser.parse_args(arguments)
    print("\n".join(table(try_all(given.simulator, given.seed, given.cases, given.groups, given.jobs))))
    return 0


if __name__ == "__main__":
    sys.exit(main())
