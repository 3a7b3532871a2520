"""One BASNet and one file of its weights for all tests here: both are large."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from segmentation_server.model.basnet import BASNet


@pytest.fixture(scope="session")
def basnet() -> BASNet:
    """In eval mode, with weights drawn by a fixed seed, batch normalisation's among them. Not to be changed."""
    torch = pytest.importorskip("torch")
    from segmentation_server.model.basnet import BASNet

    torch.manual_seed(0)
    model = BASNet().eval()
    for layer in model.modules():
        if isinstance(layer, torch.nn.BatchNorm2d):
            for vector, middle in ((layer.weight, 1), (layer.bias, 0), (layer.running_var, 1), (layer.running_mean, 0)):
                torch.nn.init.uniform_(vector, middle - 0.4, middle + 0.4)
    return model


@pytest.fixture(scope="session")
def published_file(basnet: BASNet, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """As PyTorch 0.4.0 would have saved it from two GPUs: 439 names behind `module.`, and no zip archive yet."""
    import torch

    path = tmp_path_factory.mktemp("weights") / "basnet.pth"
    weights = {f"module.{name}": weight for name, weight in basnet.state_dict().items() if "num_batches" not in name}
    torch.save(weights, path, _use_new_zipfile_serialization=False)
    return path
