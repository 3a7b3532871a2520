"""`python -m demo`: copy a photographed thing with a tap, paste it into Inkscape with another, and say how it went."""

import os
import signal
import sys
import tempfile
import time
from pathlib import Path

import requests

from demo.picture import draw
from demo.programs import ProgramEnded, Programs
from demo.story import copy_and_paste, start_all

FARTHEST_PX = 3.0
PICTURE = Path("demo.png")


def main() -> int:
    """Run it; 0 if the cutout landed where it should."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # as Ctrl+C does
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
        return 130
    except (ProgramEnded, requests.RequestException) as error:
        print(error, file=sys.stderr)
        return 1
    draw(story).save(PICTURE)
    say(f"The agent says: Pasted into {story.agent_message}")
    for step, seconds in story.steps_s.items():
        say(f"From {step}: {seconds:.2f} s")
    say(f"The cutout landed {story.distance_px:.2f} px from the aim (at most {FARTHEST_PX:.0f}).")
    say(f"See {PICTURE.resolve()}.")
    return 0 if story.distance_px <= FARTHEST_PX else 1


if __name__ == "__main__":
    sys.exit(main())
