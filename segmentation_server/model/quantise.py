"""`python -m segmentation_server.model.quantise BEST.safetensors SMALL.safetensors`: weights in 8 bits, to be shipped.

Each output channel of a kernel has a scale of its own, so that a channel of small weights is as exact as one of large
ones. What is no kernel is less than a hundredth of a network and stays in single precision. Arithmetic is not in 8
bits: `restore` widens the weights when they are loaded.
"""

import argparse
import shutil
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from torch import Tensor

from protocol.errors import CopyPasteError, SettingsInvalid
from segmentation_server.model.checkpoint import SCALE, read_architecture, read_weights, write_weights

LARGEST = 127  # of 8 bits with a sign, the same on both sides of 0


def quantise(weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Kernels as int8, each with a scale; `checkpoint.restore` is the way back.

    Args:
        weights: of any floating type; what has two dimensions or more is a kernel, its first that of output channels.

    Returns:
        For each kernel int8 of its shape, and under its name and SCALE (c_out, 1, ...) float32. A restored weight is
        within a scale of what it was, mostly within half of it; a scale is 1/127 of the largest weight in its channel.
    """
    small = {}
    for name, weight in weights.items():
        if weight.ndim < 2:
            small[name] = weight.float() if weight.is_floating_point() else weight
            continue
        within = tuple(range(1, weight.ndim))
        scale = weight.float().abs().amax(within, keepdim=True) / LARGEST
        scale[scale == 0] = 1  # a channel of nothing but zeros
        small[name] = round_evenly(weight.float() / scale).to(torch.int8)
        small[name + SCALE] = scale
    return small


def round_evenly(kernel: Tensor) -> Tensor:
    """Round so that the errors of a window cancel: half the difference in masks that nearest rounding makes.

    Neighbouring pixels are alike, so what a window's errors add up to counts for more than each of them (Guo et al.
    2022, SQuant). As many weights as it takes are rounded the other way, those first that lie the most in between.

    Args:
        kernel: (c_out, c_in, ...) float32. A window is what one input channel sends to one output channel; where that
            is a single weight, all input channels are taken together.
    """
    windows = kernel.flatten(2) if kernel[0, 0].numel() > 1 else kernel.flatten(1)[:, None]
    nearest = windows.round()
    error = windows - nearest
    lacking = error.sum(-1, keepdim=True).round()
    place = (error * lacking.sign()).argsort(-1, descending=True).argsort(-1)
    return (nearest + lacking.sign() * (place < lacking.abs())).reshape(kernel.shape)


def copy_history(weights: Path, file: Path) -> None:
    """What training wrote beside its weights is true of these as well."""
    history, beside = weights.with_suffix(".json"), file.with_suffix(".json")
    if history.is_file() and history != beside:
        shutil.copyfile(history, beside)


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the small file and say how small it is; 2 if it cannot."""
    parser = argparse.ArgumentParser(
        prog="python -m segmentation_server.model.quantise", description="Weights in int8."
    )
    parser.add_argument("weights", type=Path, help="what training wrote")
    parser.add_argument("file", type=Path, help="ends in .safetensors")
    options = parser.parse_args(arguments)
    try:
        architecture = read_architecture(options.weights)
        if architecture is None:
            raise SettingsInvalid(f"{options.weights} does not say which network it is for. Give what training wrote.")
        write_weights(quantise(read_weights(options.weights)), options.file, architecture)
        copy_history(options.weights, options.file)
    except CopyPasteError as error:
        sys.stderr.write(f"{error.sentence}\n")
        return 2
    sys.stdout.write(f"{options.file}: {options.file.stat().st_size / 1e6:.1f} MB\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
