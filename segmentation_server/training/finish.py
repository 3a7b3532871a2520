"""`python -m segmentation_server.training.finish WEIGHTS... --dataset DIR_OR_ZIP... --out FILE`: what is handed out.

Runs that started from the same weights lie in one valley, so that the mean of their weights is a network too, and one
that does not count what was learnt last alone (Wortsman et al. 2022, "Model soups"). And what was trained for a short
time hesitates: its maps are right and grey, so they are sharpened.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from protocol.errors import CopyPasteError, SettingsInvalid
from segmentation_server.model.architectures import ARCHITECTURES
from segmentation_server.model.basnet_lite import BASNetLite
from segmentation_server.model.checkpoint import load_checkpoint, save_checkpoint
from segmentation_server.training.dataset import Pairs, is_held_back, read_pairs
from segmentation_server.training.judge import judge

SHARPNESS = 2.0  # gives most of what held-back photos gain; with more, edges have steps
SIDE = ARCHITECTURES["basnet-lite"].size  # pixels; of the squares that the held-back photos are judged at
BATCH = 8


def finish(weights: Sequence[Path], held_back: Pairs, out: Path) -> None:
    """Write the mean of the weights, sharpened, and a JSON beside it that says how they were made.

    Args:
        weights: files of BASNet-lite.
        held_back: what the JSON says of the network before it was sharpened and after; nothing is chosen by them.
        out: ends in .safetensors.

    Raises:
        SettingsInvalid: a file has not BASNet-lite's weights, or nothing beside it says how they were made.
    """
    histories = [read_history(file) for file in weights]
    model = mean_model(weights).eval()
    verdicts = {}
    for sharpness in (1.0, SHARPNESS):
        model.sharpen(sharpness)
        verdict = judge(model, held_back, BATCH, torch.float32)
        verdicts[f"sharpness {sharpness:g}"] = {"mae": verdict.mae, "max_f": verdict.max_f}
    save_checkpoint(model, out, "basnet-lite")
    made = {
        "mean_of": histories,
        "sharpness": SHARPNESS,
        "held_back": verdicts,
        "pairs": {"held_back": len(held_back), "hash": held_back.hash},
    }
    out.with_suffix(".json").write_text(json.dumps(made, indent=2) + "\n", encoding="utf-8")


def mean_model(weights: Sequence[Path]) -> BASNetLite:
    """The network whose weights are the mean of those in files."""
    models = [BASNetLite() for _ in weights]
    for model, file in zip(models, weights, strict=True):
        load_checkpoint(model, file)
    states = [model.state_dict() for model in models]
    models[0].load_state_dict({name: _mean([state[name] for state in states]) for name in states[0]})
    return models[0]


def read_history(file: Path) -> dict[str, Any]:
    """The JSON beside a file of weights, and the file's name."""
    beside = file.with_suffix(".json")
    try:
        return {"file": file.name, **json.loads(beside.read_text(encoding="utf-8"))}
    except (OSError, ValueError) as error:
        raise SettingsInvalid(f"{beside} does not say how {file.name} was made. Give what training wrote.") from error


def check_place(out: Path, weights: Sequence[Path]) -> None:
    """Refuse before all the work what could not be written, or would take the place of what is read."""
    if out.suffix != ".safetensors" or not out.parent.is_dir():
        raise SettingsInvalid(f"Nothing can be written to {out}. Name a .safetensors file in a folder that there is.")
    if out.resolve() in [file.resolve() for file in weights]:
        raise SettingsInvalid(f"{out} is read too. Name another file with --out.")


def _mean(tensors: Sequence[Tensor]) -> Tensor:
    """Of counters, the first."""
    return torch.stack(list(tensors)).mean(0) if tensors[0].is_floating_point() else tensors[0]


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the file and say what held-back photos say of it; 2 if it cannot."""
    parser = argparse.ArgumentParser(
        prog="python -m segmentation_server.training.finish", description="The mean of weights, sharpened."
    )
    parser.add_argument("weights", type=Path, nargs="+", help="what runs that started alike have left")
    parser.add_argument("--dataset", type=Path, nargs="+", required=True, help="what they were trained with")
    parser.add_argument("--out", type=Path, required=True, help="ends in .safetensors")
    options = parser.parse_args(arguments)
    try:
        check_place(options.out, options.weights)
        finish(options.weights, read_pairs(options.dataset, SIDE, is_held_back), options.out)
        verdicts = read_history(options.out)["held_back"]
    except CopyPasteError as error:
        sys.stderr.write(f"{error.sentence}\n")
        return 2
    for name, verdict in verdicts.items():
        sys.stdout.write(f"{name}: held back MAE {verdict['mae']:.4f}, max F {verdict['max_f']:.4f}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
