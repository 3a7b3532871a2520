"""An exported network gives the masks of PyTorch's, and its file is small."""

from pathlib import Path

import pytest

pytest.importorskip("onnxscript", reason="export needs more packages: pip install 'ar-copy-paste[export]'")

import numpy as np
import onnx
from torch import Tensor, nn

from segmentation_server.model.architectures import ARCHITECTURES, Architecture
from segmentation_server.model.basnet_lite import Layer, LiteRefinement
from segmentation_server.model.blocks import upsample
from segmentation_server.model.checkpoint import save_checkpoint
from segmentation_server.model.export import main
from segmentation_server.model.onnx_engine import OnnxEngine
from segmentation_server.model.torch_engine import load_torch_engine

pytestmark = pytest.mark.usefixtures("one_thread")


class Tiny(nn.Module):
    """BASNet-lite's refinement upon what one layer finds: all kinds of operations, few of each."""

    def __init__(self) -> None:
        super().__init__()
        self.layer, self.side = Layer(3, 64, stride=2), nn.Conv2d(64, 1, 1)
        self.refinement = LiteRefinement()

    def forward(self, batch: Tensor) -> tuple[Tensor, ...]:
        coarse = upsample(self.side(self.layer(batch)), 2)
        return self.refinement(coarse, batch), coarse


def test_an_exported_network_gives_the_probabilities_of_pytorch(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(ARCHITECTURES, "tiny", Architecture(Tiny, "Tiny", size=64))
    weights, file = tmp_path / "tiny.safetensors", tmp_path / "tiny.onnx"
    model = Tiny()
    save_checkpoint(model, weights, "tiny")

    assert main([str(weights), str(file)]) == 0

    batch = np.random.default_rng(0).standard_normal((2, 3, 64, 64), dtype=np.float32)
    engine = OnnxEngine(file, threads=1)
    assert engine.size == 64
    np.testing.assert_allclose(engine(batch), load_torch_engine(weights)(batch), atol=1e-3)
    arrays = onnx.load(file).graph.initializer
    assert {array.data_type for array in arrays if array.dims} <= {onnx.TensorProto.FLOAT16, onnx.TensorProto.INT64}
    assert "of PyTorch's" in capsys.readouterr().out


def test_weights_that_do_not_say_what_they_are_for_are_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([str(tmp_path / "none.safetensors"), str(tmp_path / "lite.onnx")]) == 2
    assert "which network" in capsys.readouterr().err
