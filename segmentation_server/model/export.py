"""`python -m segmentation_server.model.export WEIGHTS.safetensors MODEL.onnx`: for computers without PyTorch.

Needs the extra `export`. The weights stay in half precision in the file and are widened when it is loaded, so that it
is half as large; all arithmetic is in single precision.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnx
import onnx.numpy_helper
import torch
from torch import Tensor, nn

from protocol.errors import CopyPasteError, SettingsInvalid
from segmentation_server.model.architectures import ARCHITECTURES
from segmentation_server.model.checkpoint import load_checkpoint, read_architecture
from segmentation_server.model.onnx_engine import OnnxEngine

OPSET = 18
LARGEST_DIFFERENCE = 1e-3  # of a probability; a mask has steps of 1/255


class ProbabilityOnly(nn.Module):
    """What an Engine is to give. (1, 3, H, W) normalised -> (1, 1, H, W) in [0, 1]."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, batch: Tensor) -> Tensor:
        """The best map's probability."""
        best: Tensor = self.network(batch)[0]
        return best.sigmoid()


def export(weights: Path, file: Path) -> float:
    """Write a network that ONNX Runtime can run, and compare it with PyTorch.

    Args:
        weights: of one of ARCHITECTURES, as `save_checkpoint` writes them.
        file: where to; ends in .onnx.

    Returns:
        The largest difference of a probability between the two.

    Raises:
        SettingsInvalid: the weights do not say what network they are for, or the two disagree.
    """
    architecture = ARCHITECTURES.get(read_architecture(weights) or "")
    if architecture is None:
        raise SettingsInvalid(f"{weights} does not say which network it is for. Give a file that training wrote.")
    network = architecture.build()
    load_checkpoint(network, weights)
    model = ProbabilityOnly(network).eval()
    example = torch.randn(1, 3, architecture.size, architecture.size, generator=torch.Generator().manual_seed(0))
    program = torch.onnx.export(model, (example,), dynamo=True, opset_version=OPSET, verbose=False)
    assert program is not None
    onnx.save(halve_weights(program.model_proto), file)
    with torch.inference_mode():
        expected = model(example)[:, 0].numpy()
    difference = float(np.abs(OnnxEngine(file, threads=1)(example.numpy()) - expected).max())
    if difference > LARGEST_DIFFERENCE:
        raise SettingsInvalid(f"{file} differs from PyTorch by {difference:.4f}.")
    return difference


def halve_weights(model: onnx.ModelProto) -> onnx.ModelProto:
    """Keep each float32 array as float16, behind a Cast that ONNX Runtime carries out once, at load."""
    casts = []
    for array in model.graph.initializer:
        if array.data_type == onnx.TensorProto.FLOAT:
            name = array.name
            half = onnx.numpy_helper.to_array(array).astype(np.float16)
            array.CopyFrom(onnx.numpy_helper.from_array(half, f"{name}.half"))
            casts.append(onnx.helper.make_node("Cast", [array.name], [name], to=onnx.TensorProto.FLOAT))
    nodes = [*casts, *model.graph.node]
    del model.graph.node[:], model.graph.value_info[:]
    model.graph.node.extend(nodes)
    return model


def main(arguments: Sequence[str] | None = None) -> int:
    """Export and say how near it is; 2 if it cannot."""
    parser = argparse.ArgumentParser(prog="python -m segmentation_server.model.export", description="Writes ONNX.")
    parser.add_argument("weights", type=Path, help="what training wrote")
    parser.add_argument("file", type=Path, help="ends in .onnx")
    options = parser.parse_args(arguments)
    try:
        difference = export(options.weights, options.file)
    except CopyPasteError as error:
        sys.stderr.write(f"{error.sentence}\n")
        return 2
    size_mb = options.file.stat().st_size / 1e6
    sys.stdout.write(f"{options.file}: {size_mb:.1f} MB, probabilities within {difference:.1e} of PyTorch's\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
