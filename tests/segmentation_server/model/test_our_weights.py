"""The weights in this repository are what they say, and find an object."""

import json
from pathlib import Path

import pytest

pytest.importorskip("torch", reason="BASNet needs PyTorch: pip install 'ar-copy-paste[torch]'")

import numpy as np
import torch
from torch import Tensor, nn

from segmentation_server import model
from segmentation_server.model.basnet_lite import BASNetLite
from segmentation_server.model.checkpoint import load_checkpoint
from segmentation_server.model.engines import LITE, load_engine
from segmentation_server.model.torch_engine import load_torch_engine
from segmentation_server.photo import Photo
from segmentation_server.segmenter import Segmenter, to_batch
from segmentation_server.training.recipe import recipe_from
from tests.segmentation_server.test_segmenter import EMPTY_PHOTOS

WEIGHTS = Path(model.__file__).parent / "weights" / "basnet_lite.safetensors"


def test_they_find_the_cup_and_not_the_table(coffee: Photo) -> None:
    mask = Segmenter(load_torch_engine(WEIGHTS, threads=1))(coffee)

    assert mask[200, 300] > 0.9
    assert mask[::399, ::599].max() < 0.1  # the corners


@pytest.mark.parametrize("photo", EMPTY_PHOTOS.values(), ids=EMPTY_PHOTOS)
def test_they_find_nothing_where_nothing_is(photo: Photo) -> None:
    assert Segmenter(load_torch_engine(WEIGHTS, threads=1))(photo).max() < 0.5


def test_the_graph_beside_them_gives_the_same_mask(coffee: Photo, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)  # which would halve the precision
    batch = to_batch(coffee, 288)

    in_onnx_runtime, in_pytorch = (load_engine(file, threads=1)(batch) for file in (LITE, WEIGHTS))

    np.testing.assert_allclose(in_onnx_runtime, in_pytorch, atol=1e-3)


@torch.inference_mode()
def test_half_precision_gives_the_same_mask_and_is_far_from_its_end(coffee: Photo) -> None:
    """In float16, as on a GPU, which ends at 65,504."""
    network = BASNetLite().eval()
    load_checkpoint(network, WEIGHTS)
    batch = torch.from_numpy(to_batch(coffee, 288))
    largest: list[float] = []

    def look(_layer: nn.Module, _entered: object, left: object) -> None:
        largest.append(left.abs().max().item() if isinstance(left, Tensor) else 0)

    with torch.autocast("cpu", torch.float16):
        half = network(batch)[0].float().sigmoid()
    for layer in network.modules():
        layer.register_forward_hook(look)
    exact = network(batch)[0].sigmoid()

    assert (half - exact).abs().mean() < 1 / 255
    assert max(largest) < 65_504 / 8


def test_it_is_said_how_they_were_made() -> None:
    made = json.loads(WEIGHTS.with_suffix(".json").read_text())

    for run in made["mean_of"]:
        assert recipe_from(run["recipe"]).model == "basnet-lite"
        assert run["photos_seen"] == run["steps"] * run["recipe"]["batch"]
        assert run["pairs"]["trained_on"] == 10_233
