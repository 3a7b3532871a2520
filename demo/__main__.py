"""`python -m demo`: copy a photographed thing with a tap, paste it into Inkscape with another, and say how it went."""

import argparse
import os
import signal
import sys
import tempfile
import time
from pathlib import Path
from types import FrameType
from typing import NoReturn

import requests

from demo.picture import draw
from demo.programs import ProgramEnded, Programs
from demo.story import copy_and_paste, start_all

FARTHEST_PX = 3.0
PICTURE = Path("demo.png")


def main() -> int:
    """Run it; 0 if the cutout landed where it should."""
    argparse.ArgumentParser(prog="python -m demo", description=__doc__).parse_args()
    for stop in (signal.SIGINT, signal.SIGTERM):
        signal.signal(stop, _stop)
    start_s = time.monotonic()

    def say(what: str) -> None:
        print(f"[{time.monotonic() - start_s:5.1f} s] {what}", flush=True)

    if os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"):
        say("You have a screen. This demo draws on one of its own; `make run` uses yours, see the README.")
    try:
        with tempfile.TemporaryDirectory(prefix="ar-copy-paste-") as folder, Programs(Path(folder)) as programs:
            cast = start_all(programs, Path(folder), say)
            story = copy_and_paste(cast, say)
            say(f"The phone says: {story.message}")
    except KeyboardInterrupt:
        say("Stopped.")
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        signal.raise_signal(signal.SIGINT)  # end by the signal itself, so that make and the shell know, too
        return 130
    except (ProgramEnded, requests.RequestException) as error:
        print(error, file=sys.stderr)
        return 1
    draw(story).save(PICTURE)
    say(f"The agent says: Pasted into {story.agent_message}")
    for step, seconds in story.steps_s.items():
        say(f"From {step}: {seconds:.2f} s")
    landed = f"{story.distance_px:.2f} px from the aim; it may be {FARTHEST_PX:.0f} px off"
    say(f"Looked at by other means than the agent's, the cutout landed {landed}.")
    say(f"See {PICTURE.resolve()}.")
    return 0 if story.distance_px <= FARTHEST_PX else 1


def _stop(signal_number: int, _frame: FrameType | None) -> NoReturn:
    """Say so at once; ending all programs takes seconds."""
    for stop in (signal.SIGINT, signal.SIGTERM):
        signal.signal(stop, signal.SIG_IGN)
    print("Stopping", flush=True)
    raise KeyboardInterrupt(signal_number)


if __name__ == "__main__":
    sys.exit(main())
