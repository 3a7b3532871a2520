"""BASNet is the published network: names, shapes, sizes and every number it gives."""

from pathlib import Path

import pytest

pytest.importorskip("torch", reason="BASNet needs PyTorch: pip install -e '.[torch]'")

import torch
import torch.nn.functional as F
from torch import nn

from segmentation_server.model.basnet import BASNet, RefinementModule
from segmentation_server.model.blocks import residual_stage
from tests.segmentation_server.model.published_forward import published_forward

KEYS = Path(__file__).with_name("basnet_state_dict_keys.txt")


def published_shapes() -> list[tuple[str, tuple[int, ...]]]:
    """The lines of the file are `layer: name shape, name shape`; a counter has no shape."""
    shapes = []
    for line in KEYS.read_text().splitlines():
        layer, entries = line.split(": ")
        for entry in entries.split(", "):
            name, _, shape = entry.partition(" ")
            shapes.append((f"{layer}.{name}", tuple(int(side) for side in shape.split("x") if side)))
    return shapes


def test_every_name_and_shape_is_the_published_one_and_in_its_order(basnet: BASNet) -> None:
    shapes = [(name, tuple(weight.shape)) for name, weight in basnet.state_dict().items()]

    assert len(shapes) == 517
    assert shapes == published_shapes()


def test_it_has_as_many_parameters_as_published(basnet: BASNet) -> None:
    assert sum(parameter.numel() for parameter in basnet.parameters()) == 87_060_360


@torch.inference_mode()
def test_every_map_equals_the_published_forward_pass(basnet: BASNet) -> None:
    photo = torch.randn(1, 3, 96, 128)  # the bridge sees 3 x 4 pixels, so that its dilation matters

    maps = basnet(photo)

    published = published_forward(basnet.state_dict(), photo)
    assert len(maps) == len(published) == 8
    for ours, theirs in zip(maps, published, strict=True):
        assert theirs.std() > 1e-3
        torch.testing.assert_close(ours, theirs, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize(("height", "width"), [(224, 224), (256, 320), (300, 260), (1, 1)])
def test_all_eight_maps_have_the_size_of_the_photo(height: int, width: int) -> None:
    with torch.device("meta"):  # shapes without numbers
        maps = BASNet()(torch.empty(2, 3, height, width))

    assert [tuple(logits.shape) for logits in maps] == [(2, 1, height, width)] * 8


@torch.inference_mode()
def test_a_photo_of_any_size_is_continued_by_its_edge_and_cut_back(basnet: BASNet) -> None:
    photo = torch.randn(1, 3, 20, 33)

    maps = basnet(photo)

    continued = F.pad(photo, (0, 31, 0, 12), mode="replicate")
    for ours, expected in zip(maps, basnet(continued), strict=True):
        torch.testing.assert_close(ours, expected[..., :20, :33])


@torch.inference_mode()
def test_the_same_photo_gives_the_same_maps(basnet: BASNet) -> None:
    photo = torch.randn(1, 3, 32, 32)

    first, second = basnet(photo), basnet(photo)

    assert all(torch.equal(one, other) for one, other in zip(first, second, strict=True))


@torch.inference_mode()
def test_refinement_adds_its_residual_to_the_coarse_logits() -> None:
    refinement = RefinementModule().eval()
    coarse = torch.randn(1, 1, 32, 48)
    residual = refinement(coarse) - coarse
    nn.init.zeros_(refinement.conv_d0.weight)
    refinement.conv_d0.bias = nn.Parameter(torch.tensor([2.0]))

    refined = refinement(coarse)

    assert residual.abs().max() > 0
    assert torch.equal(refined, coarse + 2.0)


@pytest.mark.parametrize(
    ("part", "channels"),
    [(RefinementModule(), 1), (residual_stage(8, 16, blocks=2, stride=2), 8)],
    ids=["layers", "blocks"],
)
def test_every_weight_of_a_part_can_be_trained(part: nn.Module, channels: int) -> None:
    torch.autograd.backward(part(torch.randn(2, channels, 32, 32)).sum())

    assert all(parameter.grad is not None for parameter in part.parameters())


def test_another_refinement_can_be_plugged_in() -> None:
    with torch.device("meta"):
        model = BASNet(refinement=nn.Conv2d(1, 1, kernel_size=3, padding=1))

    assert [name for name in model.state_dict() if name.startswith("refunet")] == ["refunet.weight", "refunet.bias"]
    assert len(model(torch.empty(1, 3, 64, 64, device="meta"))) == 8
