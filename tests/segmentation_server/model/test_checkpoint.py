"""A right checkpoint loads whole; a wrong one is refused in words, and nothing in it is run."""

import pickle
from collections.abc import Callable
from pathlib import Path

import pytest

pytest.importorskip("torch", reason="checkpoints need PyTorch: pip install -e '.[torch]'")

import safetensors.torch
import torch
from torch import Tensor, nn

from protocol.errors import SettingsInvalid
from segmentation_server.model.basnet import BASNet
from segmentation_server.model.checkpoint import load_checkpoint, save_checkpoint

Weights = dict[str, Tensor]


def small_model() -> nn.Module:
    return nn.Sequential(nn.Conv2d(3, 4, kernel_size=3), nn.BatchNorm2d(4))


def save(weights: object, folder: Path) -> Path:
    path = folder / "weights.pth"
    torch.save(weights, path)
    return path


def have_equal_weights(one: nn.Module, other: nn.Module) -> bool:
    return all(torch.equal(weight, other.state_dict()[name]) for name, weight in one.state_dict().items())


def test_a_file_as_old_as_the_published_one_loads(basnet: BASNet, published_file: Path) -> None:
    model = BASNet()

    load_checkpoint(model, published_file)

    assert have_equal_weights(model, basnet)


@pytest.mark.parametrize("prefix", ["", "module."])
@pytest.mark.parametrize("has_counters", [True, False])
@pytest.mark.parametrize("suffix", [".pth", ".safetensors"])
def test_weights_load_from_either_format_with_or_without_prefix_and_counters(
    prefix: str, has_counters: bool, suffix: str, tmp_path: Path
) -> None:
    saved, model = small_model(), small_model()
    weights = {prefix + name: w for name, w in saved.state_dict().items() if has_counters or "num_batches" not in name}
    path = tmp_path / f"weights{suffix}"
    write = safetensors.torch.save_file if suffix == ".safetensors" else torch.save
    write(weights, path)

    load_checkpoint(model, path)

    assert have_equal_weights(model, saved)


def test_half_precision_weights_load_into_a_single_precision_model(tmp_path: Path) -> None:
    model = small_model()

    load_checkpoint(model, save(small_model().half().state_dict(), tmp_path))

    assert {weight.dtype for weight in model.parameters()} == {torch.float32}


def test_what_is_too_large_for_half_precision_is_kept_in_single(tmp_path: Path) -> None:
    model, loaded, path = small_model(), small_model(), tmp_path / "weights.safetensors"
    model.state_dict()["1.running_var"].fill_(70_000)

    save_checkpoint(model, path, "small")
    load_checkpoint(loaded, path)

    assert loaded.state_dict()["1.running_var"].tolist() == [70_000] * 4
    assert safetensors.torch.load_file(path)["1.weight"].dtype == torch.float16


@pytest.mark.parametrize("number", [float("inf"), float("nan")])
def test_weights_that_are_no_numbers_are_refused(number: float, tmp_path: Path) -> None:
    path = save(small_model().state_dict() | {"1.running_var": torch.full((4,), number)}, tmp_path)

    with pytest.raises(SettingsInvalid, match=r"infinite or no numbers are in 1.running_var\. Give another checkpoint"):
        load_checkpoint(small_model(), path)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"not weights",
        b"\x89PNG\r\n\x1a\n" + bytes(64),
        b"PK\x03\x04" + bytes(64),
        pickle.dumps("text", protocol=2),
        b"\x80\x02J",
    ],
    ids=["empty", "text", "picture", "broken zip", "foreign pickle", "cut short"],
)
@pytest.mark.parametrize("suffix", [".pth", ".safetensors"])
def test_another_kind_of_file_is_refused(content: bytes, suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"weights{suffix}"
    path.write_bytes(content)

    with pytest.raises(SettingsInvalid, match=r"cannot be read as a checkpoint\. Give a file of weights"):
        load_checkpoint(small_model(), path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsInvalid, match=r"There is no checkpoint at .*gone.pth"):
        load_checkpoint(small_model(), tmp_path / "gone.pth")


@pytest.mark.parametrize("content", [[1, 2], {}, {"model": {"0.weight": torch.zeros(1)}}, {1: torch.zeros(1)}])
def test_a_file_that_torch_saved_but_without_weights_by_name_is_refused(content: object, tmp_path: Path) -> None:
    with pytest.raises(SettingsInvalid, match="something else than weights by name"):
        load_checkpoint(small_model(), save(content, tmp_path))


def without_bias(weights: Weights) -> Weights:
    return {name: weight for name, weight in weights.items() if name != "0.bias"}


def with_another_head(weights: Weights) -> Weights:
    return weights | {"head.weight": torch.zeros(1)}


def with_wider_bias(weights: Weights) -> Weights:
    return weights | {"0.bias": torch.zeros(5)}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (without_bias, "it lacks 0.bias"),
        (with_another_head, "it has, unknown to it, head.weight"),
        (with_wider_bias, "it has, of another shape, 0.bias"),
    ],
)
def test_weights_of_another_model_are_refused_and_change_nothing(
    change: Callable[[Weights], Weights], words: str, tmp_path: Path
) -> None:
    model, before = small_model(), small_model()
    before.load_state_dict(model.state_dict())
    path = save(change(small_model().state_dict()), tmp_path)

    with pytest.raises(SettingsInvalid, match=f"is not a checkpoint of Sequential: {words}"):
        load_checkpoint(model, path)

    assert have_equal_weights(model, before)


def test_only_the_first_names_are_listed(tmp_path: Path) -> None:
    path = save({"0.weight": torch.zeros(4, 3, 3, 3)}, tmp_path)

    with pytest.raises(SettingsInvalid, match=r"it lacks 0.bias, 1.weight, 1.bias and 2 more\. Give one"):
        load_checkpoint(small_model(), path)


class Malicious:
    """What an attacker would put into a pickle: unpickling it makes a file."""

    def __init__(self, made: Path) -> None:
        self.made = made

    def __reduce__(self) -> tuple[object, tuple[Path]]:
        return Path.touch, (self.made,)


@pytest.mark.parametrize("as_zip", [True, False])
def test_code_in_a_checkpoint_is_never_run(as_zip: bool, tmp_path: Path) -> None:
    made, path = tmp_path / "made", tmp_path / "weights.pth"
    torch.save({"0.weight": Malicious(made)}, path, _use_new_zipfile_serialization=as_zip)

    with pytest.raises(SettingsInvalid, match="cannot be read as a checkpoint"):
        load_checkpoint(small_model(), path)

    assert not made.exists()


def test_the_malicious_checkpoint_would_run_where_code_is_allowed(tmp_path: Path) -> None:
    made, path = tmp_path / "made", tmp_path / "weights.pth"
    torch.save({"0.weight": Malicious(made)}, path)

    torch.load(path, weights_only=False)

    assert made.exists()
