"""`python -m benchmarks.editors [--editors NAME ...] [--points N]`: paste into real editors and look what came of it.

Each editor is opened on a virtual screen with a textured and with a blank document and shown in four views: as opened,
scrolled, zoomed, zoomed and scrolled. In each view a test card is pasted at N points and taken back. Where it landed is
measured by the colours of its four marks, which the agent knows nothing of.
"""

import argparse
import json
import sys
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np

from demo.programs import ProgramEnded, Programs
from real_editors.agent import AimedAgent
from real_editors.desk import Desk
from real_editors.editors import EDITORS, EDITORS_BY_NAME, Places, RealEditor
from real_editors.opened import VIEWS, open_editor
from real_editors.trial import Trial, aims, try_paste

POINTS = 20
HEAD = (
    f"{'editor':18s} {'pasted':>9s} {'refused':>8s} {'wrong':>6s} {'median':>7s} {'worst':>7s} {'seconds':>8s} "
    f"{'alpha':>6s} {'undo':>6s} {'clipb.':>6s} {'pointer':>7s} {'focus':>6s}"
)


def try_editor(editor: RealEditor, desk: Desk, folder: Path, points: int, pictures: Path | None) -> Iterator[Trial]:
    """Every paste into one editor.

    Raises:
        ProgramEnded: it cannot be opened.
    """
    for is_blank in (False, True):
        home = folder / f"{editor.name} {'blank' if is_blank else 'textured'}"
        home.mkdir()
        with open_editor(editor, desk, home, is_blank=is_blank) as opened, desk.as_own():
            agent = AimedAgent(home / "agent")
            for seed, (view, turn) in enumerate(VIEWS.items()):
                turn(opened)
                for aim in aims(opened, points, seed):
                    yield try_paste(opened, agent, view, aim, pictures)


def row(name: str, trials: Sequence[Trial]) -> str:
    """One line of the table; errors only of editors that place freely."""
    pasted = [trial for trial in trials if trial.refusal is None]
    places_freely = EDITORS_BY_NAME[name].places is Places.FREELY
    errors_px = [trial.error_px for trial in pasted if trial.error_px is not None and places_freely]
    distances = f"{np.median(errors_px):7.2f} {max(errors_px):7.2f}" if errors_px else f"{'-':>7s} {'-':>7s}"
    seconds = f"{np.median([trial.seconds for trial in pasted or trials]):8.2f}"
    return (
        f"{name:18s} {len(pasted):3d} / {len(trials):3d} {len(trials) - len(pasted):8d} "
        f"{sum(not trial.is_honest for trial in trials):6d} {distances} {seconds} "
        f"{_share(trial.keeps_alpha for trial in pasted):>6s} {_share(trial.undone for trial in pasted):>6s} "
        f"{_share(trial.clipboard_kept for trial in trials):>6s} {_share(trial.pointer_kept for trial in trials):>7s} "
        f"{_share(trial.focus_kept for trial in trials):>6s}"
    )


def _share(truths: Iterable[bool | None]) -> str:
    known = [truth for truth in truths if truth is not None]
    return f"{np.mean(known):.0%}" if known else "-"


def main() -> int:
    """Open, paste, print; 0 if nothing that was said was wrong."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.editors", description=__doc__)
    names = [editor.name for editor in EDITORS]
    parser.add_argument("--editors", nargs="+", choices=names, default=names, metavar="NAME", help=", ".join(names))
    parser.add_argument("--points", type=int, default=POINTS, help="in each of the eight views")
    parser.add_argument("--out", type=Path, help="JSON of every paste")
    parser.add_argument("--pictures", type=Path, help="folder for a screenshot of each view after its last paste")
    options = parser.parse_args()
    if options.pictures:
        options.pictures.mkdir(parents=True, exist_ok=True)
    all_trials: list[Trial] = []
    with tempfile.TemporaryDirectory(prefix="ar-copy-paste-") as folder, Programs(Path(folder)) as programs:
        desk = Desk(programs, Path(folder) / "desk")
        print(HEAD, flush=True)
        for name in options.editors:
            try:
                for trial in try_editor(EDITORS_BY_NAME[name], desk, Path(folder), options.points, options.pictures):
                    all_trials.append(trial)
                    if options.out:
                        options.out.write_text(json.dumps([trial.to_json() for trial in all_trials], indent=1))
            except ProgramEnded as error:
                print(f"{name}: {error}", file=sys.stderr)
            trials = [trial for trial in all_trials if trial.editor == name]
            if trials:
                print(row(name, trials), flush=True)
    for trial in all_trials:
        if not trial.is_honest:
            print(f"wrong: {trial}", file=sys.stderr)
    return int(any(not trial.is_honest for trial in all_trials))


if __name__ == "__main__":
    sys.exit(main())
