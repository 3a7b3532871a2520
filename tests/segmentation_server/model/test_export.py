"""An exported network gives the masks of PyTorch's, and its file is small."""

from pathlib import Path

import pytest

pytest.importorskip("onnxscript", reason="export needs more packages: pip install 'ar-copy-paste[export]'")

import numpy as np

from segmentation_server.model.basnet_lite import BASNetLite
from segmentation_server.model.checkpoint import save_checkpoint
from segmentation_server.model.export import main
from segmentation_server.model.onnx_engine import OnnxEngine
from segmentation_server.model.torch_engine import load_torch_engine


def test_an_exported_network_gives_the_probabilities_of_pytorch(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    weights, file = tmp_path / "lite.safetensors", tmp_path / "lite.onnx"
    save_checkpoint(BASNetLite(), weights, "basnet-lite")

    assert main([str(weights), str(file)]) == 0

    batch = np.random.default_rng(0).standard_normal((2, 3, 320, 320), dtype=np.float32)
    engine = OnnxEngine(file, threads=1)
    assert engine.size == 320
    np.testing.assert_allclose(engine(batch), load_torch_engine(weights)(batch), atol=1e-3)
    assert file.stat().st_size < 8_000_000
    assert "of PyTorch's" in capsys.readouterr().out


def test_weights_that_do_not_say_what_they_are_for_are_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([str(tmp_path / "none.safetensors"), str(tmp_path / "lite.onnx")]) == 2
    assert "which network" in capsys.readouterr().err
