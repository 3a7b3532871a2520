"""`python -m segmentation_server.training RECIPE --dataset DIR_OR_ZIP... --out DIR` trains a network."""

import argparse
import signal
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

from protocol.errors import CopyPasteError, SettingsInvalid
from segmentation_server.model.architectures import ARCHITECTURES
from segmentation_server.training.dataset import is_held_back, read_pairs, soften
from segmentation_server.training.hybrid_loss import COMBINATIONS
from segmentation_server.training.recipe import read_recipe
from segmentation_server.training.train import Start, train
from segmentation_server.weights import LITE2, fetch_weights

RECIPES = Path(__file__).parent / "recipes"


def main(arguments: Sequence[str] | None = None) -> int:
    """Train; Ctrl+C and SIGTERM save and end, and the same command goes on. 2 if it cannot."""
    try:
        _train(_read_options(arguments))
    except CopyPasteError as error:
        print(error.sentence, file=sys.stderr)
        return 2
    return 0


def _read_options(arguments: Sequence[str] | None) -> argparse.Namespace:
    known = ", ".join(sorted(recipe.stem for recipe in RECIPES.glob("*.toml")))
    parser = argparse.ArgumentParser(prog="python -m segmentation_server.training", description="Trains a network.")
    parser.add_argument("recipe", help=f"a TOML file, or one of {known}")
    parser.add_argument("--dataset", type=Path, nargs="+", required=True, help="folders or zips with image/ and mask/")
    parser.add_argument("--out", type=Path, required=True, help="folder; goes on from the checkpoint in it")
    parser.add_argument("--steps", type=int, help="instead of the recipe's, likewise the next two")
    parser.add_argument("--model", choices=ARCHITECTURES, help="such as those of the paper's Table 1")
    parser.add_argument("--loss", choices=COMBINATIONS, help="initials of BCE, SSIM and IoU")
    parser.add_argument("--start", type=Path, help="weights of the whole network to start from")
    parser.add_argument("--encoder", type=Path, help="weights of its encoder: torchvision's ResNet-34 for BASNet")
    parser.add_argument("--teacher", type=Path, help="folder of another network's masks, where the recipe has a share")
    return parser.parse_args(arguments)


def _train(options: argparse.Namespace) -> None:
    named = RECIPES / f"{options.recipe}.toml"
    changes = {name: getattr(options, name) for name in ("steps", "model", "loss") if getattr(options, name)}
    recipe = read_recipe(named if named.exists() else Path(options.recipe), **changes)
    encoder = options.encoder or (fetch_weights(LITE2) if recipe.encoder else None)
    held_back = read_pairs(options.dataset, recipe.stored_side, is_held_back)
    pairs = read_pairs(options.dataset, recipe.stored_side, lambda name: not is_held_back(name))
    if recipe.teacher_share and options.teacher is None:
        raise SettingsInvalid("The recipe has a teacher_share: name the teacher's masks with --teacher.")
    if recipe.teacher_share:
        pairs = soften(pairs, options.teacher, recipe.teacher_share)
    print(f"{len(pairs)} pairs to learn from, {len(held_back)} held back.", flush=True)
    start = Start(options.start, encoder)
    stopped = threading.Event()
    for stop in (signal.SIGINT, signal.SIGTERM):
        signal.signal(stop, lambda *_: stopped.set())
    train(
        recipe,
        pairs,
        held_back,
        options.out,
        start=start,
        is_stopped=stopped.is_set,
        report=lambda line: print(line, flush=True),
    )


if __name__ == "__main__":
    sys.exit(main())
