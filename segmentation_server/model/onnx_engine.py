"""U2-Net in ONNX Runtime: normalised tensors in, probabilities out."""

import os
from pathlib import Path
from typing import Any

import numpy as np

from segmentation_server.model import Float32Array


class OnnxEngine:
    """A network whose first output is a probability map, run on the CPU."""

    def __init__(self, weights: Path, threads: int) -> None:
        """Args: weights: an ONNX file with one square input; threads: cores it may use."""
        onnxruntime = _import_without_telemetry()
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.enable_cpu_mem_arena = False  # memory is given back after each photo
        self._session = onnxruntime.InferenceSession(str(weights), options, providers=["CPUExecutionProvider"])
        self.name = weights.stem
        self.size = int(self._session.get_inputs()[0].shape[-1])

    def __call__(self, batch: Float32Array) -> Float32Array:
        """(B, 3, size, size) float32 normalised -> (B, size, size) float32 in [0, 1]; one by one, as its B is fixed."""
        entry, final = self._session.get_inputs()[0].name, self._session.get_outputs()[0].name
        maps = [self._session.run([final], {entry: picture[np.newaxis]})[0] for picture in batch]  # each (1, 1, h, w)
        return np.concatenate(maps)[:, 0]


def _import_without_telemetry() -> Any:  # it ships no types
    """Official builds of ONNX Runtime tell their maker about this computer unless this is said before the import."""
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"
    import onnxruntime

    onnxruntime.disable_telemetry_events()
    return onnxruntime
