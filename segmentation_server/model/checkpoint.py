"""A file <-> the weights of a model. Weights are read, code in the file is never run."""

import pickle
import struct
from collections.abc import Mapping
from pathlib import Path

import safetensors
import safetensors.torch
import torch
from torch import Tensor, nn

from protocol.errors import SettingsInvalid

PREFIX = "module."  # nn.DataParallel puts it before every name
COUNTER = ".num_batches_tracked"  # older than PyTorch 0.4.1, as BASNet's, a checkpoint has none: 439 names, not 517
UNREADABLE = (  # torch.load says nowhere what it raises; these are what damaged files brought forth
    ArithmeticError,
    AssertionError,
    AttributeError,
    EOFError,
    LookupError,
    OSError,
    RuntimeError,
    TypeError,
    ValueError,
    pickle.UnpicklingError,
    safetensors.SafetensorError,
    struct.error,
)
ARCHITECTURE = "architecture"  # the metadata's key
SCALE = ".scale"  # ends the name of what a kernel in 8 bits is multiplied by; see quantise.py
REMEDY = "Give a file of weights alone: .safetensors, or what `torch.save(model.state_dict(), file)` writes."
SHOWN = 3  # names of weights in a sentence


def load_checkpoint(model: nn.Module, path: Path) -> None:
    """Put the weights of a file into a model, all of them or none.

    Args:
        model: its `state_dict` says which names and shapes are asked for; batch normalisation's counters may lack.
        path: safetensors where the name ends so, otherwise a state dict that torch saved.

    Raises:
        SettingsInvalid: the file is not a checkpoint, or one of another model, or some of its weights are no numbers.
    """
    weights = {name.removeprefix(PREFIX): weight for name, weight in read_weights(path).items()}
    _reject_other_model(model, weights, path)
    _reject_non_finite(weights, path)
    model.load_state_dict(weights, strict=False)  # what strict would refuse now is only the counters


def save_checkpoint(model: nn.Module, path: Path, architecture: str) -> None:
    """Write a model's weights in half precision, and those that are too large for it in single.

    Args:
        model: on any device.
        path: ends in .safetensors; whoever reads it meanwhile sees the old file.
        architecture: which of ARCHITECTURES it is; the file says so.
    """
    weights = {name: weight.detach().cpu().contiguous() for name, weight in model.state_dict().items()}
    write_weights({name: _halve(weight) for name, weight in weights.items()}, path, architecture)


def write_weights(weights: Mapping[str, Tensor], path: Path, architecture: str) -> None:
    """As `save_checkpoint`, of weights by name and of the types that they have."""
    unfinished = path.with_suffix(".unfinished")
    safetensors.torch.save_file(dict(weights), unfinished, {ARCHITECTURE: architecture})
    unfinished.chmod(0o644)  # no secret; safetensors keeps its files from other users
    unfinished.replace(path)


def read_architecture(path: Path) -> str | None:
    """Which of ARCHITECTURES a file of weights says it is for; None if it says nothing."""
    if path.suffix != ".safetensors" or not path.is_file():
        return None
    try:
        with safetensors.safe_open(path, framework="pt") as file:
            metadata: dict[str, str] | None = file.metadata()
    except safetensors.SafetensorError:
        return None  # whoever loads it says what is wrong
    return (metadata or {}).get(ARCHITECTURE)


def read_weights(path: Path) -> Mapping[str, Tensor]:
    """Read the weights of a file, by name; of those in 8 bits what they were made from, nearly.

    Raises:
        SettingsInvalid: it is not a checkpoint.
    """
    if not path.is_file():
        raise SettingsInvalid(f"There is no checkpoint at {path}. Check its path.")
    try:
        weights = _load(path)
    except UNREADABLE as error:
        raise SettingsInvalid(f"{path} cannot be read as a checkpoint. {REMEDY}") from error
    if not _are_weights(weights):
        raise SettingsInvalid(f"{path} holds something else than weights by name. {REMEDY}")
    return weights


def restore(weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Widen the kernels that have a scale, and leave the scales out."""
    scales = {name: scale for name, scale in weights.items() if name.endswith(SCALE)}
    kept = {name: weight for name, weight in weights.items() if name not in scales}
    return {name: w * scales[name + SCALE] if name + SCALE in scales else w for name, w in kept.items()}


def _halve(weight: Tensor) -> Tensor:
    """Half precision ends at 65,504; a variance that batch normalisation has seen may be larger."""
    half = weight.half() if weight.is_floating_point() else weight
    return half if half.isfinite().all() else weight


def _load(path: Path) -> Mapping[str, Tensor]:
    if path.suffix == ".safetensors":
        return restore(safetensors.torch.load_file(path, device="cpu"))
    weights: Mapping[str, Tensor] = torch.load(path, map_location="cpu", weights_only=True)
    return weights


def _are_weights(candidate: object) -> bool:
    """Whether it is what `_load` promises; torch may have saved anything."""
    if not isinstance(candidate, Mapping) or not candidate:
        return False
    return all(isinstance(name, str) and isinstance(weight, Tensor) for name, weight in candidate.items())


def _reject_other_model(model: nn.Module, weights: Mapping[str, Tensor], path: Path) -> None:
    asked = model.state_dict()
    missing = [name for name in asked if name not in weights and not name.endswith(COUNTER)]
    unknown = [name for name in weights if name not in asked]
    differing = [name for name in asked if name in weights and weights[name].shape != asked[name].shape]
    for names, what in ((missing, "lacks"), (unknown, "has, unknown to it,"), (differing, "has, of another shape,")):
        if names:
            kind = type(model).__name__
            fact = f"{path} is not a checkpoint of {kind}: it {what} {_enumerate(names)}. Give one of {kind}."
            raise SettingsInvalid(fact)


def _reject_non_finite(weights: Mapping[str, Tensor], path: Path) -> None:
    names = [name for name, weight in weights.items() if not weight.isfinite().all()]
    if names:
        fact = f"{path} is damaged: infinite or no numbers are in {_enumerate(names)}."
        raise SettingsInvalid(f"{fact} Give another checkpoint.")


def _enumerate(names: list[str]) -> str:
    """The first names and how many more there are."""
    more = len(names) - SHOWN
    return ", ".join(names[:SHOWN]) + (f" and {more} more" if more > 0 else "")
