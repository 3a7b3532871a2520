"""Each architecture of Table 1 can be built by name and trained."""

import pytest

pytest.importorskip("torch", reason="BASNet needs PyTorch: pip install 'ar-copy-paste[torch]'")

import torch

from segmentation_server.model.ablation import LocalContext, MultiScale
from segmentation_server.model.architectures import ARCHITECTURES

OUTPUTS = {"u-net": 1, "ed": 1, "eds": 7, "eds-rrm-lc": 8, "eds-rrm-ms": 8, "basnet": 8}


@pytest.mark.parametrize("name", OUTPUTS)
@pytest.mark.parametrize(("height", "width"), [(64, 96), (50, 70)])
def test_each_gives_as_many_maps_as_it_has_outputs_of_the_size_of_the_photo(name: str, height: int, width: int) -> None:
    with torch.device("meta"):  # shapes without numbers
        maps = ARCHITECTURES[name].build()(torch.empty(2, 3, height, width))

    assert [tuple(logits.shape) for logits in maps] == [(2, 1, height, width)] * OUTPUTS[name]


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_each_weight_is_taught(name: str) -> None:
    with torch.device("meta"):
        model = ARCHITECTURES[name].build()
        squares = [logits.square().sum() for logits in model(torch.empty(2, 3, 64, 64))]
        torch.stack(squares).sum().backward()  # type: ignore[no-untyped-call]  # its stub has no types

    assert [name for name, weight in model.named_parameters() if weight.grad is None] == []


@pytest.mark.parametrize("refinement", [LocalContext(), MultiScale()])
def test_a_refinement_adds_to_the_coarse_map(refinement: torch.nn.Module) -> None:
    narrow = refinement.get_submodule("narrow")
    for weight, value in zip(narrow.parameters(), (0, 2), strict=True):
        torch.nn.init.constant_(weight, value)
    coarse = torch.randn(1, 1, 40, 40)

    torch.testing.assert_close(refinement(coarse), coarse + 2)
