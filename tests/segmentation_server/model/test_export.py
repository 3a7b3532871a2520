"""An exported network gives the masks of PyTorch's, out of the very same file of weights."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

pytest.importorskip("onnxscript", reason="export needs more packages: pip install -e '.[export]'")

import numpy as np
import onnx
import torch
from torch import Tensor, nn

from protocol.errors import SettingsInvalid
from segmentation_server.model import export, torch_engine
from segmentation_server.model.architectures import ARCHITECTURES, Architecture
from segmentation_server.model.basnet import RefinementModule
from segmentation_server.model.basnet_lite import Layer, LiteRefinement
from segmentation_server.model.checkpoint import save_checkpoint
from segmentation_server.model.engines import load_engine
from segmentation_server.model.export import main
from segmentation_server.model.ncnn_engine import NcnnEngine
from segmentation_server.model.onnx_engine import OnnxEngine
from segmentation_server.model.quantise import main as quantise
from segmentation_server.model.torch_engine import load_torch_engine

pytestmark = pytest.mark.usefixtures("one_thread")


class Tiny(nn.Module):
    """BASNet-lite's refinement upon what one layer finds: all kinds of operations, few of each."""

    def __init__(self) -> None:
        super().__init__()
        self.layer, self.side = Layer(3, 64, stride=2), nn.Conv2d(64, 1, 1)
        self.refinement = LiteRefinement()

    def forward(self, batch: Tensor) -> tuple[Tensor, ...]:
        coarse = self.side(self.layer(batch))
        return self.refinement(coarse, batch), coarse


@pytest.fixture
def halves(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Tiny's weights in half precision."""
    monkeypatch.setitem(ARCHITECTURES, "tiny", Architecture(Tiny, "Tiny", size=64))
    file = tmp_path / "tiny.safetensors"
    save_checkpoint(Tiny().eval(), file, "tiny")
    return file


@pytest.fixture
def bytes_(halves: Path) -> Path:
    """The same in 8 bits."""
    file = halves.with_stem("tiny8")
    assert quantise([str(halves), str(file)]) == 0
    return file


@pytest.mark.parametrize("kind", ["halves", "bytes_"])
def test_an_exported_network_gives_the_probabilities_of_pytorch(
    kind: str, request: pytest.FixtureRequest, capsys: pytest.CaptureFixture[str]
) -> None:
    weights: Path = request.getfixturevalue(kind)

    assert main([str(weights)]) == 0

    batch = np.random.default_rng(0).standard_normal((2, 3, 64, 64), dtype=np.float32)
    engine = OnnxEngine(weights.with_suffix(".onnx"), threads=1)
    assert (engine.name, engine.size) == (weights.stem, 64)
    np.testing.assert_allclose(engine(batch), load_torch_engine(weights, threads=1)(batch), atol=1e-5)
    assert "of PyTorch's" in capsys.readouterr().out


def test_the_graph_holds_no_weight_and_no_trace_of_where_it_was_made(halves: Path) -> None:
    main([str(halves)])

    graph = onnx.load(halves.with_suffix(".onnx"), load_external_data=False).graph
    inside = [array for array in graph.initializer if not array.external_data]
    assert sum(int(np.prod(array.dims)) for array in inside) < 300  # zeros for biases, and the code's constants
    stored = sum(weight.is_floating_point() for weight in Tiny().state_dict().values())
    assert len(graph.initializer) - len(inside) == stored
    assert str(Path.cwd()).encode() not in halves.with_suffix(".onnx").read_bytes()


def test_a_graph_without_its_weights_is_refused(halves: Path) -> None:
    main([str(halves)])
    halves.unlink()

    with pytest.raises(SettingsInvalid, match="lie beside it"):
        OnnxEngine(halves.with_suffix(".onnx"), threads=1)


def test_a_graph_whose_weights_are_cut_short_is_refused(halves: Path) -> None:
    main([str(halves)])
    halves.write_bytes(halves.read_bytes()[:2000])

    with pytest.raises(SettingsInvalid, match="lie beside it"):
        OnnxEngine(halves.with_suffix(".onnx"), threads=1)


def test_missing_weights_are_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(tmp_path / "none.safetensors")]) == 2
    assert "none.safetensors" in capsys.readouterr().err


# --- For ncnn -------------------------------------------------------------------------------------------------------


class Wide(nn.Module):
    """BASNet's refinement of a map that one layer finds: all kinds of operations that BASNet has."""

    def __init__(self) -> None:
        super().__init__()
        self.side, self.norm = nn.Conv2d(3, 1, 3, padding=2, dilation=2), nn.BatchNorm2d(1)
        self.refinement = RefinementModule()

    def forward(self, batch: Tensor) -> tuple[Tensor, ...]:
        coarse = self.norm(self.side(batch))
        return self.refinement(coarse), coarse


@pytest.fixture
def published(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkpoint that says nothing of itself, as basnet.pth; its network is Wide today."""
    for reader in (export, torch_engine):
        monkeypatch.setattr(reader, "PUBLISHED", Architecture(Wide, "Wide", size=64))
    file = tmp_path / "basnet.pth"
    torch.save(Wide().state_dict(), file)
    return file


def test_a_published_checkpoint_gives_the_probabilities_of_pytorch_in_ncnn(
    published: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([str(published), "--ncnn"]) == 0

    assert "basnet.param, to be kept beside basnet.bin: probabilities within" in capsys.readouterr().out
    photos = np.random.default_rng(0).standard_normal((4, 3, 64, 64), dtype=np.float32)
    engine, expected = load_engine(published.with_suffix(".param"), threads=1), load_torch_engine(published, 1)(photos)
    assert isinstance(engine, NcnnEngine)
    assert (engine.name, engine.size) == ("basnet", 64)
    assert expected.std() > 0.01
    np.testing.assert_allclose(engine(photos), expected, atol=1e-4)
    with ThreadPoolExecutor(4) as callers:  # as the evaluation does
        at_once = list(callers.map(engine, np.split(photos, 4) * 4))
    np.testing.assert_allclose(np.concatenate(at_once), np.tile(expected, (4, 1, 1)), atol=1e-4)


def test_onnx_runtime_gets_no_graph_of_a_file_that_it_cannot_refer_to(
    published: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([str(published)]) == 2
    assert "Export it with --ncnn." in capsys.readouterr().err


def test_a_network_that_pnnx_cannot_convert_is_one_sentence(
    halves: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("pnnx.EXEC_PATH", "false")

    assert main([str(halves), "--ncnn"]) == 2

    assert "pnnx could not convert tiny.safetensors" in capsys.readouterr().err


def test_a_graph_that_differs_too_much_is_not_left_behind(
    halves: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(export, "LARGEST_DIFFERENCE", -1)

    assert main([str(halves)]) == 2

    assert "differs from PyTorch by" in capsys.readouterr().err
    assert not halves.with_suffix(".onnx").exists()
