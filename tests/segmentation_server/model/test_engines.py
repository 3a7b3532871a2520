"""A file of weights finds its engine."""

import subprocess
import sys
from pathlib import Path

import pytest

from protocol.errors import SettingsInvalid
from segmentation_server.model import engines
from segmentation_server.model.engines import LITE, choose_weights, has_gpu, load_engine
from segmentation_server.model.onnx_engine import OnnxEngine


def test_an_onnx_file_runs_in_onnx_runtime(u2netp: Path) -> None:
    engine = load_engine(u2netp, threads=1)

    assert isinstance(engine, OnnxEngine)
    assert (engine.name, engine.size) == ("u2netp", 320)


def test_other_weights_run_in_pytorch() -> None:
    pytest.importorskip("torch")

    engine = load_engine(engines.OURS / "basnet_lite.safetensors", threads=1)

    assert (engine.name, engine.size) == ("BASNet-lite", 288)


def test_without_pytorch_its_weights_say_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "segmentation_server.model.torch_engine", None)  # importing it fails

    with pytest.raises(SettingsInvalid, match=r"pip install -e '\.\[torch\]'"):
        load_engine(Path("basnet.pth"), threads=1)


def test_without_ncnn_its_graphs_say_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "segmentation_server.model.ncnn_engine", None)

    with pytest.raises(SettingsInvalid, match=r"basnet.param needs ncnn: pip install -e '\.\[ncnn\]'"):
        load_engine(Path("basnet.param"), threads=1)


def a_driver(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a GPU, on the PATH."""
    program = folder / "nvidia-smi"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(folder))


def test_without_a_driver_pytorch_is_not_even_loaded(tmp_path: Path) -> None:
    asking = (
        "import sys; from segmentation_server.model.engines import has_gpu; print(has_gpu(), 'torch' in sys.modules)"
    )

    finished = subprocess.run(
        [sys.executable, "-c", asking], env={"PATH": str(tmp_path)}, capture_output=True, text=True, check=True
    )

    assert finished.stdout == "False False\n"


@pytest.mark.parametrize("is_found", [True, False])
def test_with_a_driver_pytorch_is_asked(is_found: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    torch = pytest.importorskip("torch")
    a_driver(tmp_path, monkeypatch)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: is_found)

    assert has_gpu() == is_found


def test_a_cpu_runs_the_small_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    full = tmp_path / "basnet.safetensors"
    full.touch()
    monkeypatch.setattr(engines, "FULL", full)
    monkeypatch.setattr(engines, "has_gpu", lambda: False)

    assert choose_weights() == LITE


@pytest.mark.parametrize(("file", "runs_full"), [("basnet.safetensors", True), ("something else", False)])
def test_a_gpu_runs_the_whole_of_basnet_once_there_are_weights_of_it(
    file: str, runs_full: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / file).touch()
    monkeypatch.setattr(engines, "FULL", tmp_path / "basnet.safetensors")
    monkeypatch.setattr(engines, "has_gpu", lambda: True)

    assert (choose_weights() == engines.FULL) == runs_full
