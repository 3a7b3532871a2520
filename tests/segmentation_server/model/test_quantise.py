"""Weights in 8 bits are small, near to what they were, and load as any others."""

from pathlib import Path

import pytest

pytest.importorskip("torch", reason="quantising needs PyTorch: pip install -e '.[torch]'")

import safetensors.torch
import torch

from segmentation_server.model.basnet import BASNet
from segmentation_server.model.basnet_lite import BASNetLite
from segmentation_server.model.checkpoint import SCALE, load_checkpoint, restore, save_checkpoint
from segmentation_server.model.quantise import main, quantise, round_evenly

MOST_BYTES = 95_000_000


def channels(seed: int) -> torch.Tensor:
    """A kernel whose channels differ a thousandfold in size; one is all zeros."""
    sizes = torch.tensor([1e-3, 1.0, 0.0, 10.0]).view(4, 1, 1, 1)
    return torch.randn(4, 3, 5, 5, generator=torch.Generator().manual_seed(seed)) * sizes


@pytest.mark.parametrize("seed", range(5))
def test_a_restored_weight_is_within_a_step_of_its_own_channel(seed: int) -> None:
    kernel = channels(seed)

    restored = restore(quantise({"kernel": kernel}))["kernel"]

    step = kernel.abs().amax((1, 2, 3)) / 127
    error = (restored - kernel).abs().amax((1, 2, 3))
    assert restored.dtype == torch.float32
    assert (error <= step).all()
    assert error[0] < kernel[0].abs().max() / 120  # the small channel is as exact as the large one


@pytest.mark.parametrize("shape", [(8, 6, 3, 3), (8, 1, 5, 5)])
def test_the_errors_of_a_window_cancel(shape: tuple[int, ...]) -> None:
    kernel = torch.randn(shape, generator=torch.Generator().manual_seed(1))

    error = restore(quantise({"kernel": kernel}))["kernel"] - kernel

    step = kernel.abs().amax((1, 2, 3)) / 127
    assert (error.sum((2, 3)).abs() <= step[:, None] * (0.5 + 1e-3)).all()
    assert (error.abs().amax((1, 2, 3)) > step * 0.5).any()  # for that some are rounded the other way


def test_the_errors_of_single_weights_cancel_over_the_input_channels() -> None:
    kernel = torch.randn(8, 40, 1, 1, generator=torch.Generator().manual_seed(2))

    error = restore(quantise({"kernel": kernel}))["kernel"] - kernel

    assert (error.sum(1).abs() <= kernel.abs().amax(1) / 127 * (0.5 + 1e-3)).all()


def test_rounding_evenly_by_hand() -> None:
    """The errors .4 .3 .2 add up to .9: the first, nearest to the middle, is rounded up."""
    kernel = torch.tensor([5.4, -3.7, 2.2]).view(1, 1, 1, 3)

    assert round_evenly(kernel).flatten().tolist() == [6, -4, 2]


def test_a_kernel_is_kept_in_8_bits_and_all_else_as_it_is() -> None:
    weights = {"conv.weight": channels(0), "conv.bias": torch.randn(4).half(), "norm.num_batches": torch.tensor(7)}

    small = quantise(weights)

    assert small["conv.weight"].dtype == torch.int8
    assert small["conv.weight" + SCALE].shape == (4, 1, 1, 1)
    assert small["conv.bias"].dtype == torch.float32
    assert torch.equal(small["conv.bias"], weights["conv.bias"].float())
    assert torch.equal(small["norm.num_batches"], weights["norm.num_batches"])


def test_weights_in_8_bits_stay_as_they_are_when_quantised_again() -> None:
    once = restore(quantise({"kernel": channels(0)}))

    twice = restore(quantise(once))

    torch.testing.assert_close(twice["kernel"], once["kernel"])


def test_the_whole_of_basnet_fits_and_loads(basnet: BASNet, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    large, small = tmp_path / "large.safetensors", tmp_path / "small.safetensors"
    save_checkpoint(basnet, large, "basnet")

    assert main([str(large), str(small)]) == 0

    assert small.stat().st_size < MOST_BYTES
    assert f"{small.stat().st_size / 1e6:.1f} MB" in capsys.readouterr().out
    loaded = BASNet()
    load_checkpoint(loaded, small)
    for name, weight in basnet.state_dict().items():
        within = tuple(range(1, weight.ndim)) if weight.ndim > 1 else ()
        step = weight.abs().amax(within, keepdim=True) / 127 if within else torch.zeros(())
        near = weight.abs() * 2**-10 + step + 1e-7  # half precision's rounding, and that of 8 bits
        assert ((loaded.state_dict()[name] - weight).abs() <= near).all(), name


def test_how_weights_were_made_is_written_beside_the_small_ones_too(tmp_path: Path) -> None:
    save_checkpoint(BASNetLite(), tmp_path / "best.safetensors", "basnet-lite")
    (tmp_path / "best.json").write_text('{"steps": 5}')

    assert main([str(tmp_path / "best.safetensors"), str(tmp_path / "small.safetensors")]) == 0

    assert (tmp_path / "small.json").read_text() == '{"steps": 5}'


def test_weights_that_do_not_say_what_they_are_for_are_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    nameless = tmp_path / "nameless.safetensors"
    safetensors.torch.save_file({"weight": torch.zeros(2, 2)}, nameless)

    assert main([str(nameless), str(tmp_path / "small.safetensors")]) == 2
    assert "which network" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == [nameless]
