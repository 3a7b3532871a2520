"""`python -m benchmarks.live_aim --screen FILE`: what a phone that aims costs the computer, and when it is answered.

The file, a screenshot, fills a virtual screen; a real agent watches it, and a phone in this process aims at its middle.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import psutil
from PIL import Image

from demo.aiming import AimedScreen, aim_at
from mobile_client.clients import AimedView
from mobile_client.live_aim import PAUSE_S
from protocol.errors import CopyPasteError
from protocol.geometry import ScreenPoint

AIMS = 4
REST_S, MEASURED_S = 1.5, 6.0
FORGOTTEN_S = 12.0  # after the last aim: the agent has stopped looking at its screen


def measure(stage: AimedScreen, picture: Any) -> None:
    """Aim, hold still, paste, with and without aims before, and print what each took."""
    agent = psutil.Process(stage.agent.process.pid)
    aim = ScreenPoint(picture.shape[1] / 2, picture.shape[0] / 2)
    views = [stage.view(aim, seed).view for seed in range(AIMS)]

    def took(ask: Callable[[AimedView], object], view: Any) -> tuple[float, float]:
        """Milliseconds, by the clock and of the agent's processor."""
        time.sleep(PAUSE_S)  # as a phone waits between aims
        start_s, cpu_s = time.monotonic(), _cpu_s(agent)
        try:
            ask(AimedView(view, time.monotonic(), 90.0))
        except CopyPasteError as refusal:  # a paste ends so: there is no editor on this screen
            print(f"    {refusal.sentence}")
        return 1000 * (time.monotonic() - start_s), 1000 * (_cpu_s(agent) - cpu_s)

    def paste(view: AimedView) -> object:
        return stage.phone.paste(np.full((60, 90, 4), 255, np.uint8), view)

    print(f"no phone holds: {100 * _share(agent):.1f} % of a core")
    _tell("first aim", [took(stage.phone.aim, views[0])])
    time.sleep(REST_S)
    print(f"a phone holds, the screen is still: {100 * _share(agent):.1f} % of a core")
    _tell("next aims", [took(stage.phone.aim, view) for view in views])
    _tell("paste after aims, up to looking for an editor", [took(paste, views[0])])
    time.sleep(FORGOTTEN_S)
    _tell("paste without aims, up to looking for an editor", [took(paste, views[1])])


def _cpu_s(program: psutil.Process) -> float:
    times = program.cpu_times()
    return float(times.user + times.system)


def _share(program: psutil.Process) -> float:
    """Of a core, over the next MEASURED_S."""
    before_s = _cpu_s(program)
    time.sleep(MEASURED_S)
    return (_cpu_s(program) - before_s) / MEASURED_S


def _tell(what: str, took_ms: Sequence[tuple[float, float]]) -> None:
    wall, cpu = np.median(np.array(took_ms), axis=0)
    print(f"{what}: {wall:.0f} ms, {cpu:.0f} ms of the processor")


def main(arguments: Sequence[str] | None = None) -> int:
    """Print all of it."""
    parser = argparse.ArgumentParser("benchmarks.live_aim", description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--screen", type=Path, required=True, help="a screenshot")
    picture = np.asarray(Image.open(parser.parse_args(arguments).screen).convert("RGB"))
    with tempfile.TemporaryDirectory() as folder, aim_at(picture, Path(folder)) as stage:
        measure(stage, picture)
    return 0


if __name__ == "__main__":
    sys.exit(main())
