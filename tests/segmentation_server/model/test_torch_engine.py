"""The torch engine gives what BASNet gives, as probabilities."""

from pathlib import Path

import pytest

pytest.importorskip("torch", reason="this engine needs PyTorch: pip install -e '.[torch]'")

import numpy as np
import torch

from protocol.errors import SettingsInvalid
from segmentation_server.model import Engine
from segmentation_server.model.basnet import BASNet
from segmentation_server.model.torch_engine import load_torch_engine


@pytest.fixture(scope="module")
def engine(published_file: Path) -> Engine:
    return load_torch_engine(published_file, threads=1)


def test_the_published_checkpoint_goes_with_256_pixels(engine: Engine) -> None:
    assert (engine.name, engine.size) == ("BASNet", 256)


def test_a_batch_becomes_the_probabilities_of_its_refined_maps(engine: Engine, basnet: BASNet) -> None:
    batch = np.random.default_rng(0).standard_normal((2, 3, 64, 64), dtype=np.float32)

    probabilities = engine(batch)

    with torch.inference_mode():
        expected = torch.sigmoid(basnet(torch.from_numpy(batch))[0])[:, 0].numpy()
    assert probabilities.shape == (2, 64, 64)
    assert probabilities.dtype == np.float32
    assert 0 <= probabilities.min() < probabilities.max() <= 1
    np.testing.assert_allclose(probabilities, expected, atol=1 / 255)  # a GPU calculates in half precision


def test_a_picture_does_not_change_its_neighbour_in_the_batch(engine: Engine) -> None:
    batch = np.random.default_rng(1).standard_normal((2, 3, 32, 32), dtype=np.float32)

    together, alone = engine(batch), engine(batch[:1])

    np.testing.assert_allclose(together[:1], alone, atol=1e-3)


def test_a_wrong_checkpoint_makes_no_engine(tmp_path: Path) -> None:
    path = tmp_path / "basnet.pth"
    torch.save({"weight": torch.zeros(1)}, path)

    with pytest.raises(SettingsInvalid, match="is not a checkpoint of BASNet"):
        load_torch_engine(path, threads=1)
