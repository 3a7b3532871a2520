"""`python -m desktop_agent.locate VIEW SCREENSHOT...`: where the centre of a view points to, and why."""

import argparse
import json
import sys
from pathlib import Path

import numpy as np
from PIL import Image

from desktop_agent.locate import FoundPoint, look
from desktop_agent.locate.debug_picture import draw_debug_picture
from desktop_agent.pictures import read_view
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
        screenshots = [Screenshot(read_view(path.read_bytes()), 0, 0) for path in options.screenshots]
    except (OSError, CopyPasteError) as error:
        print(error.sentence if isinstance(error, CopyPasteError) else error, file=sys.stderr)
        return 2
    outcome = look(view, [make_ready(screenshot) for screenshot in screenshots])
    if options.debug and outcome.best:
        Image.fromarray(draw_debug_picture(view, outcome.best)).save(options.debug)
    names = {id(screenshot): str(path) for screenshot, path in zip(screenshots, options.screenshots, strict=True)}
    refusal = outcome.refusal
    if refusal:
        print(json.dumps({"refused": refusal.code, "why": refusal.sentence}) if options.json else refusal.sentence)
        return 1
    name = names[id(outcome.found.monitor)]
    print(json.dumps(_as_json(outcome.found, name), indent=1) if options.json else _as_sentence(outcome.found, name))
    return 0


def _as_json(found: FoundPoint, name: str) -> dict[str, object]:
    return {
        "screenshot": name,
        "x": round(found.screen_point.x, 3),
        "y": round(found.screen_point.y, 3),
        "radius_95": round(found.radius_95, 3),
        "probability": round(found.probability, 4),
        "agreement": round(found.agreement, 3),
        "scale": round(found.scale, 4),
        "turn_deg": round(found.turn_deg, 2),
        "screen_from_view": np.round(found.screen_from_view / found.screen_from_view[2, 2], 8).tolist(),
        "stages_s": {stage: round(seconds, 4) for stage, seconds in found.stages_s.items()},
    }


def _as_sentence(found: FoundPoint, name: str) -> str:
    point = found.screen_point
    stages = ", ".join(f"{stage} {1000 * seconds:.0f} ms" for stage, seconds in found.stages_s.items())
    return (
        f"({point.x:.1f}, {point.y:.1f}) on {name}, within {found.radius_95:.1f} px, right with "
        f"{found.probability:.0%}.\n"
        f"A view pixel covers {found.scale:.2f} screen pixels; the view is turned by {found.turn_deg:.0f} degrees.\n"
        f"{found.agreement:.0%} of what can tell looks alike. It took {stages}."
    )


if __name__ == "__main__":
    sys.exit(main())
