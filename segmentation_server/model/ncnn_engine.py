"""A network in ncnn: normalised tensors in, probabilities out.

ncnn convolves 3 x 3 windows by Winograd's way (Lavin and Gray 2016), with a fraction of the multiplications of ONNX
Runtime and PyTorch. That makes BASNet more than twice as fast, and takes more memory: see docs/benchmarks.md.
"""

import re
from pathlib import Path

import ncnn
import numpy as np

from protocol.errors import SettingsInvalid
from segmentation_server.model import Float32Array

SQUARE = re.compile(r"^Input .* 0=(\d+) 1=\1 2=3$", re.MULTILINE)  # a graph's line with width, height and channels


class NcnnEngine:
    """A network whose first output is a probability map, run on the CPU in single precision."""

    def __init__(self, graph: Path, threads: int) -> None:
        """Load it.

        Args:
            graph: a .param file as export.py writes it; the .bin of the same name lies beside it.
            threads: cores that it may use.

        Raises:
            SettingsInvalid: it is no such file.
        """
        self.name = graph.stem
        self.size = _read_size(graph)
        self._network = ncnn.Net()
        self._network.opt.num_threads = threads
        for rounding in ("fp16_storage", "fp16_packed", "fp16_arithmetic"):  # some processors would
            setattr(self._network.opt, f"use_{rounding}", False)
        weights = graph.with_suffix(".bin")
        if self._network.load_param(str(graph)) or self._network.load_model(str(weights)):
            raise SettingsInvalid(f"{graph} is no ncnn model, or {weights.name} does not lie beside it.")

    def __call__(self, batch: Float32Array) -> Float32Array:
        """(B, 3, size, size) float32 normalised -> (B, size, size) float32 in [0, 1]; one by one, as its B is 1."""
        return np.stack([self._run(picture) for picture in batch])

    def _run(self, picture: Float32Array) -> Float32Array:
        given = np.ascontiguousarray(picture)  # kept until the end: ncnn's matrix does not hold it
        extractor = self._network.create_extractor()
        extractor.input(self._network.input_names()[0], ncnn.Mat(given))
        failure, found = extractor.extract(self._network.output_names()[0])
        if failure:
            raise MemoryError(f"ncnn could not run {self.name}; it says {failure}.")
        probabilities: Float32Array = np.array(found, np.float32)[0]  # of (1, size, size)
        return probabilities


def _read_size(graph: Path) -> int:
    """The side in pixels of the square that a network takes."""
    if not graph.is_file():
        raise SettingsInvalid(f"There is no model at {graph}. Check its path.")
    square = SQUARE.search(graph.read_text(encoding="ascii", errors="replace"))
    if square is None:
        raise SettingsInvalid(f"{graph} does not say that it takes square photos of one size. Export it anew.")
    return int(square[1])
