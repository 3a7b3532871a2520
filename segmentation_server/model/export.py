"""`python -m segmentation_server.model.export WEIGHTS.safetensors`: a network for computers without PyTorch.

Needs the extra `export`. It writes WEIGHTS.onnx beside the weights: the graph alone, a quarter of a megabyte, which
says at which bytes of that very file each weight lies. So weights are kept once, in the format that PyTorch reads too,
and the two cannot differ. ONNX Runtime widens them once, at load; all arithmetic is in single precision.

`--ncnn` writes WEIGHTS.param and WEIGHTS.bin instead, graph and weights for ncnn, which is faster with BASNet.
"""

import argparse
import json
import re
import shutil
import struct
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnx
import onnxscript.optimizer
import pnnx
import torch
from onnx import TensorProto
from torch import Tensor, nn

from protocol.errors import CopyPasteError, SettingsInvalid
from segmentation_server.model.architectures import ARCHITECTURES
from segmentation_server.model.checkpoint import SCALE, load_checkpoint, read_architecture
from segmentation_server.model.engines import load_engine
from segmentation_server.model.torch_engine import PUBLISHED

OPSET = 18
LARGEST_DIFFERENCE = 1e-3  # of a probability; a mask has steps of 1/255
PREFIX = "network."  # of the names of weights in a graph of ProbabilityOnly
ONNX_TYPES = {"F32": TensorProto.FLOAT, "F16": TensorProto.FLOAT16, "I8": TensorProto.INT8}  # by safetensors' names


class ProbabilityOnly(nn.Module):
    """What an Engine is to give. (1, 3, H, W) normalised -> (1, 1, H, W) in [0, 1]."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, batch: Tensor) -> Tensor:
        """The best map's probability."""
        best: Tensor = self.network(batch)[0]
        return best.sigmoid()


def export(weights: Path, *, to_ncnn: bool = False) -> tuple[Path, float]:
    """Write a network that runs without PyTorch, and compare it with PyTorch.

    Args:
        weights: see `load_torch_engine`. A graph for ONNX Runtime refers to them by the file's name, so they must be
            .safetensors.
        to_ncnn: write it for ncnn, rather than for ONNX Runtime.

    Returns:
        The graph's file, and the largest difference of a probability between the two.

    Raises:
        SettingsInvalid: the weights are not those of their network, or no .safetensors, or the two disagree.
    """
    architecture = ARCHITECTURES.get(read_architecture(weights) or "", PUBLISHED)
    network = architecture.build()
    load_checkpoint(network, weights)
    model = ProbabilityOnly(network).eval()
    example = torch.randn(1, 3, architecture.size, architecture.size, generator=torch.Generator().manual_seed(0))
    file = _write_ncnn(model, example, weights) if to_ncnn else _write_onnx(model, example, weights)
    with torch.inference_mode():
        expected = model(example)[:, 0].numpy()
    difference = float(np.abs(load_engine(file, threads=1)(example.numpy()) - expected).max())
    if difference > LARGEST_DIFFERENCE:
        file.unlink()
        raise SettingsInvalid(f"{file} differs from PyTorch by {difference:.4f}.")
    return file, difference


def _write_ncnn(model: nn.Module, example: Tensor, weights: Path) -> Path:
    """Graph and weights beside the given ones; pnnx folds normalisation into convolutions."""
    file = weights.with_suffix(".param")
    size = example.shape[-1]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "network.onnx").write_bytes(_trace(model, example).SerializeToString())
        command = [pnnx.EXEC_PATH, "network.onnx", "fp16=0"]
        finished = subprocess.run(command, cwd=folder, check=False, capture_output=True)
        if finished.returncode or not (folder / "network.ncnn.bin").is_file():
            raise SettingsInvalid(f"pnnx could not convert {weights.name} for ncnn. Export it without --ncnn.")
        graph = (folder / "network.ncnn.param").read_text(encoding="ascii")
        file.write_text(re.sub("(?m)^(Input .*)$", rf"\1 0={size} 1={size} 2=3", graph), encoding="ascii")
        shutil.move(folder / "network.ncnn.bin", file.with_suffix(".bin"))
    return file


def _write_onnx(model: nn.Module, example: Tensor, weights: Path) -> Path:
    """A graph beside the weights."""
    if weights.suffix != ".safetensors":
        raise SettingsInvalid(f"A graph cannot refer to {weights.name}, only to .safetensors. Export it with --ncnn.")
    graph = _trace(model, example)
    _refer(graph, weights)
    file = weights.with_suffix(".onnx")
    file.write_bytes(graph.SerializeToString())
    return file


def _trace(model: nn.Module, example: Tensor) -> onnx.ModelProto:
    """A graph with every weight by its own name, so none folded into another, and nothing of where it was made."""
    program = torch.onnx.export(model, (example,), dynamo=True, opset_version=OPSET, optimize=False, verbose=False)
    assert program is not None
    onnxscript.optimizer.fold_constants(program.model)
    onnxscript.optimizer.remove_unused_nodes(program.model)
    whole: onnx.ModelProto = program.model_proto
    for part in (whole, whole.graph, *whole.graph.node, *whole.graph.input, *whole.graph.output):
        part.ClearField("metadata_props")
    del whole.graph.value_info[:]
    return whole


def _refer(model: onnx.ModelProto, weights: Path) -> None:
    """Take the weights out of a model and say where in the file they are, and how they are widened."""
    stored = _locate(weights)
    kept, widened = [], []
    for array in model.graph.initializer:
        name = array.name.removeprefix(PREFIX)
        if name not in stored:
            kept.append(array)  # a constant of the code
            continue
        kept.append(stored[name])
        wide = f"{name}.wide" if name + SCALE in stored else array.name
        widened.append(onnx.helper.make_node("Cast", [name], [wide], to=TensorProto.FLOAT))
        if name + SCALE in stored:
            kept.append(stored[name + SCALE])
            widened.append(onnx.helper.make_node("Mul", [wide, name + SCALE], [array.name]))
    nodes = [*widened, *model.graph.node]
    del model.graph.initializer[:], model.graph.node[:]
    model.graph.initializer.extend(kept)
    model.graph.node.extend(nodes)


def _locate(weights: Path) -> dict[str, TensorProto]:
    """Each array of a safetensors file by its name, as ONNX refers to one in another file.

    Its format: 8 bytes with the length of the header, the header in JSON, then the arrays' bytes one after the other.
    """
    with weights.open("rb") as file:
        (length,) = struct.unpack("<Q", file.read(8))
        header = json.loads(file.read(length))
    arrays = {}
    for name, entry in header.items():
        if entry.get("dtype") in ONNX_TYPES:  # the others are the metadata, and counters that only training needs
            first, last = entry["data_offsets"]
            array = TensorProto(name=name, data_type=ONNX_TYPES[entry["dtype"]], dims=entry["shape"])
            array.data_location = TensorProto.EXTERNAL
            place = {"location": weights.name, "offset": 8 + length + first, "length": last - first}
            for key, value in place.items():
                array.external_data.add(key=key, value=str(value))
            arrays[name] = array
    return arrays


def main(arguments: Sequence[str] | None = None) -> int:
    """Export and say how near it is; 2 if it cannot."""
    parser = argparse.ArgumentParser(
        prog="python -m segmentation_server.model.export", description="Writes ONNX or ncnn."
    )
    parser.add_argument("weights", type=Path, help=".safetensors or .pth; BASNet's unless it says otherwise")
    parser.add_argument("--ncnn", action="store_true", help="write .param and .bin for ncnn rather than .onnx")
    options = parser.parse_args(arguments)
    try:
        file, difference = export(options.weights, to_ncnn=options.ncnn)
    except CopyPasteError as error:
        sys.stderr.write(f"{error.sentence}\n")
        return 2
    weights = file.with_suffix(".bin") if options.ncnn else options.weights
    sys.stdout.write(f"{file}, to be kept beside {weights.name}: probabilities within {difference:.1e} of PyTorch's\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
