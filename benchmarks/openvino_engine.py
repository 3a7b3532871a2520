"""A network in OpenVINO, which the server does without."""

from pathlib import Path

import numpy as np
import openvino

from segmentation_server.model import Float32Array


class OpenVinoEngine:
    """An Engine of an ONNX file."""

    def __init__(self, graph: Path, threads: int) -> None:
        """Args: graph: an ONNX file with one square input; threads: cores it may use."""
        settings = {"INFERENCE_NUM_THREADS": threads, "PERFORMANCE_HINT": "LATENCY"}
        self._run = openvino.compile_model(graph, "CPU", settings)
        self.name = graph.stem
        self.size = int(self._run.input(0).shape[3])

    def __call__(self, batch: Float32Array) -> Float32Array:
        """(B, 3, size, size) float32 normalised -> (B, size, size) float32 in [0, 1]."""
        return np.concatenate([self._run([picture[np.newaxis]])[0] for picture in batch])[:, 0].copy()
