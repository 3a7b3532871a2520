"""A file of weights -> the engine that runs it."""

import importlib.util
import shutil
from pathlib import Path

from protocol.errors import SettingsInvalid
from segmentation_server.model import Engine
from segmentation_server.model.onnx_engine import OnnxEngine

OURS = Path(__file__).parent / "weights"
LITE = OURS / "basnet_lite.onnx"  # the weights lie beside it
FULL = OURS / "basnet.safetensors"


def load_engine(weights: Path | None, threads: int) -> Engine:
    """The network of a file, ready to run.

    Args:
        weights: an .onnx file runs in ONNX Runtime and a .param file in ncnn, both on the CPU, any other in PyTorch, on
            a GPU where there is one. None takes BASNet where PyTorch finds a GPU, and otherwise BASNet-lite.
        threads: cores that it may use.

    Raises:
        SettingsInvalid: the file is none that an engine can run, or its engine is not installed.
    """
    chosen = weights or choose_weights()
    if chosen.suffix == ".onnx":
        return OnnxEngine(chosen, threads)
    is_for_ncnn = chosen.suffix == ".param"
    try:
        return _load_ncnn(chosen, threads) if is_for_ncnn else _load_torch(chosen, threads)
    except ImportError as error:
        engine, extra = ("ncnn", "ncnn") if is_for_ncnn else ("PyTorch", "torch")
        raise SettingsInvalid(
            f"{chosen.name} needs {engine}: pip install -e '.[{extra}]' in the project's folder."
        ) from error


def _load_ncnn(graph: Path, threads: int) -> Engine:
    from segmentation_server.model.ncnn_engine import NcnnEngine

    return NcnnEngine(graph, threads)


def _load_torch(weights: Path, threads: int) -> Engine:
    from segmentation_server.model.torch_engine import load_torch_engine

    return load_torch_engine(weights, threads)


def choose_weights() -> Path:
    """What the server runs unless it is told otherwise."""
    return FULL if FULL.is_file() and has_gpu() else LITE


def has_gpu() -> bool:
    """Whether PyTorch is installed and finds a GPU; it takes seconds to ask, so a GPU's driver is looked for first."""
    if shutil.which("nvidia-smi") is None or importlib.util.find_spec("torch") is None:
        return False
    import torch

    return torch.cuda.is_available()
