"""`python -m desktop_agent.locate VIEW SCREENSHOT...`: where the centre of a view points to, and why."""

import argparse
import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
from PIL import Image

from desktop_agent.locate import FoundPoint, Outcome, look
from desktop_agent.locate.debug_picture import draw_debug_picture
from desktop_agent.pictures import Picture, read_view
from desktop_agent.ready_screen import make_ready
from desktop_agent.screenshot import Screenshot
from protocol.errors import CopyPasteError


def main() -> int:
    """Find the point, and tell it to a person or to a program."""
    parser = argparse.ArgumentParser(prog="python -m desktop_agent.locate", description=__doc__)
    parser.add_argument("view", type=Path, metavar="VIEW", help="the phone's picture of the screen")
    parser.add_argument("screenshots", type=Path, nargs="+", metavar="SCREENSHOT", help="what each monitor shows")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--debug", type=Path, metavar="OUT.png", help="draw what was found, right or wrong")
    options = parser.parse_args()
    try:
        view = read_view(options.view.read_bytes())
        screenshots = list(_lay_side_by_side(read_view(path.read_bytes()) for path in options.screenshots))
        outcome = look(view, [make_ready(screenshot) for screenshot in screenshots])
        if options.debug:
            told = outcome.refusal.sentence if outcome.refusal else "Found."
            Image.fromarray(draw_debug_picture(view, outcome.best, told)).save(options.debug)
    except (OSError, ValueError, CopyPasteError) as error:  # a picture that cannot be read or written
        why = error.sentence if isinstance(error, CopyPasteError) else str(error)
        print(json.dumps({"error": why}) if options.json else why, file=sys.stdout if options.json else sys.stderr)
        return 2
    names = {shot.left: str(path) for shot, path in zip(screenshots, options.screenshots, strict=True)}
    print(json.dumps(_as_json(outcome, names), indent=1) if options.json else _as_sentence(outcome, names))
    return 1 if outcome.refusal else 0


def _lay_side_by_side(pictures: Iterator[Picture]) -> Iterator[Screenshot]:
    left = 0
    for picture in pictures:
        yield Screenshot(picture, left, 0)
        left += picture.shape[1]


def _as_json(outcome: Outcome, names: Mapping[int, str]) -> dict[str, object]:
    stages_s = {stage: round(seconds, 4) for stage, seconds in outcome.stages_s.items()}
    if not outcome.refusal:
        return {**_point_as_json(outcome.found, names), "stages_s": stages_s}
    guess = _point_as_json(outcome.best.found, names) if outcome.best else None
    return {"refused": outcome.refusal.code, "why": outcome.refusal.sentence, "guess": guess, "stages_s": stages_s}


def _point_as_json(found: FoundPoint, names: Mapping[int, str]) -> dict[str, object]:
    x, y = found.monitor.from_desktop(found.screen_point)
    return {
        "screenshot": names[found.monitor.left],
        "x": round(x, 3),
        "y": round(y, 3),
        "radius_95": round(found.radius_95, 3),
        "probability": round(found.probability, 4),
        "agreement": round(found.agreement, 3),
        "scale": round(found.scale, 4),
        "turn_deg": round(found.turn_deg, 2),
        "screen_from_view": np.round(found.screen_from_view / found.screen_from_view[2, 2], 8).tolist(),
    }


def _as_sentence(outcome: Outcome, names: Mapping[int, str]) -> str:
    if outcome.refusal:
        return outcome.refusal.sentence
    found = outcome.found
    x, y = found.monitor.from_desktop(found.screen_point)
    stages = ", ".join(f"{stage} {1000 * seconds:.0f} ms" for stage, seconds in found.stages_s.items())
    return (
        f"({x:.1f}, {y:.1f}) on {names[found.monitor.left]}, within {found.radius_95:.1f} px, right with "
        f"{found.probability:.0%}.\n"
        f"A view pixel covers {found.scale:.2f} screen pixels; the view is turned by {found.turn_deg:.0f} degrees.\n"
        f"{found.agreement:.0%} of what can tell looks alike. It took {stages}."
    )


if __name__ == "__main__":
    sys.exit(main())
