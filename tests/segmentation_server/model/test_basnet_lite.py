"""BASNet-lite is small, is called as BASNet is, and survives being saved in half precision."""

import math
from pathlib import Path

import pytest

pytest.importorskip("torch", reason="BASNet needs PyTorch: pip install -e '.[torch]'")

import torch
from torch.utils.flop_counter import FlopCounterMode

from segmentation_server.model.basnet_lite import Attention, BASNetLite, ResidualLayer
from segmentation_server.model.blocks import upsample
from segmentation_server.model.checkpoint import load_checkpoint, read_architecture, save_checkpoint
from segmentation_server.model.torch_engine import load_torch_engine

pytestmark = pytest.mark.usefixtures("one_thread")
MOST_PARAMETERS = 6_000_000
MOST_MACS = 4_000_000_000


def test_it_has_few_parameters() -> None:
    assert sum(parameter.numel() for parameter in BASNetLite().parameters()) <= MOST_PARAMETERS


def test_a_photo_costs_few_multiplications() -> None:
    with torch.device("meta"), FlopCounterMode(display=False) as counter:
        BASNetLite()(torch.empty(1, 3, 320, 320))

    assert 0 < counter.get_total_flops() / 2 <= MOST_MACS


@pytest.mark.parametrize(("height", "width"), [(224, 224), (256, 320), (300, 260), (1, 1)])
def test_the_mask_has_the_size_of_the_photo_and_what_trains_beside_it_is_smaller(height: int, width: int) -> None:
    with torch.device("meta"):  # shapes without numbers
        refined, *coarse = BASNetLite()(torch.empty(2, 3, height, width))

    assert refined.shape == (2, 1, height, width)
    assert [tuple(logits.shape) for logits in coarse] == [
        (2, 1, math.ceil(height / cell), math.ceil(width / cell)) for cell in (2, 4, 8, 16, 32)
    ]


@torch.inference_mode()
def test_the_first_map_is_the_coarse_one_and_what_the_refinement_adds() -> None:
    model = BASNetLite().eval()
    kernel, shift = model.refinement.residual.parameters()
    torch.nn.init.zeros_(kernel)
    shift.copy_(torch.tensor([3, 4, 5, 6]))  # of the four pixels of a cell, in reading order

    refined, coarse, *_ = model(torch.randn(1, 3, 64, 64))

    added = torch.tensor([[3.0, 4], [5, 6]]).repeat(32, 32)
    torch.testing.assert_close(refined, upsample(coarse, 2) + added)


@pytest.mark.parametrize("kind", [ResidualLayer, Attention])
@torch.inference_mode()
def test_what_a_trained_network_is_given_adds_nothing_at_first(kind: type[ResidualLayer]) -> None:
    features = 6 * torch.rand(2, 8, 5, 7)

    assert kind(8).eval()(features).equal(features)


@pytest.mark.parametrize(("kind", "seen"), [(ResidualLayer, 4), (Attention, 5 * 7)])
def test_attention_sees_all_places_and_a_residual_layer_those_around(kind: type[ResidualLayer], seen: int) -> None:
    torch.manual_seed(0)
    part = kind(8).eval()
    torch.nn.init.ones_(part.layer.norm.weight)
    features = (2 + torch.rand(1, 8, 5, 7)).requires_grad_()

    part(features)[..., 0, 0].sum().backward()  # of a corner

    assert features.grad is not None
    assert int(features.grad.abs().sum(1).count_nonzero()) == seen


def test_attention_weighs_values_by_how_keys_answer_queries() -> None:
    torch.manual_seed(0)
    part = Attention(8).eval()
    torch.nn.init.ones_(part.layer.norm.weight)
    features = 6 * torch.rand(1, 8, 2, 3)
    with torch.inference_mode():
        query, key, value = (layer.normalised(features).view(4, 2, 6) for layer in (part.query, part.key, part.value))
        weights = torch.softmax(torch.einsum("hcq,hck->hqk", query, key) / 2**0.5, dim=-1)
        gathered = torch.einsum("hqk,hck->hcq", weights, value).reshape(1, 8, 2, 3)

        found = part(features)

        torch.testing.assert_close(found, (features + part.layer.normalised(gathered)).clamp(0, 6))


@torch.inference_mode()
def test_sharpened_it_finds_the_same_and_is_surer() -> None:
    model = BASNetLite().eval()
    photo = torch.randn(1, 3, 64, 64)
    refined, coarse, *deeper = model(photo)

    model.sharpen(2)
    surer, surer_coarse, *as_before = model(photo)

    torch.testing.assert_close(surer, 2 * refined)
    torch.testing.assert_close(surer_coarse, 2 * coarse)
    torch.testing.assert_close(as_before, deeper)


def test_a_saved_one_says_what_it_is_and_runs_in_the_server(tmp_path: Path) -> None:
    model = BASNetLite().eval()
    file = tmp_path / "lite.safetensors"
    save_checkpoint(model, file, "basnet-lite")
    loaded = BASNetLite().eval()
    load_checkpoint(loaded, file)
    photo = torch.randn(1, 3, 320, 320)

    engine = load_torch_engine(file, threads=1)
    probability = engine(photo.numpy())

    with torch.inference_mode():
        expected = loaded(photo)[0].sigmoid()[:, 0]
    assert read_architecture(file) == "basnet-lite"
    assert (engine.name, engine.size) == ("BASNet-lite", 288)
    assert list(tmp_path.iterdir()) == [file]
    torch.testing.assert_close(torch.from_numpy(probability), expected, rtol=1e-3, atol=1e-4)
