"""A network in ONNX Runtime: normalised tensors in, probabilities out."""

import os
from pathlib import Path
from typing import Any

import numpy as np

from protocol.errors import SettingsInvalid
from segmentation_server.model import Float32Array


class OnnxEngine:
    """A network whose first output is a probability map, run on the CPU."""

    def __init__(self, weights: Path, threads: int) -> None:
        """Load it.

        Args:
            weights: an ONNX file with one square input; the files that it refers to lie beside it.
            threads: cores that it may use.

        Raises:
            SettingsInvalid: it is no such file.
        """
        self._session = _open(weights, threads)
        entries = self._session.get_inputs()
        shape = entries[0].shape if len(entries) == 1 else []
        if len(shape) != 4 or not isinstance(shape[3], int) or shape[2] != shape[3]:
            raise SettingsInvalid(f"{weights} does not take square photos of one size. Export it with such an input.")
        self.name = weights.stem
        self.size = shape[3]

    def __call__(self, batch: Float32Array) -> Float32Array:
        """(B, 3, size, size) float32 normalised -> (B, size, size) float32 in [0, 1]; one by one, as its B is fixed."""
        entry, final = self._session.get_inputs()[0].name, self._session.get_outputs()[0].name
        maps = [self._session.run([final], {entry: picture[np.newaxis]})[0] for picture in batch]  # each (1, 1, h, w)
        return np.concatenate(maps)[:, 0]


def _open(weights: Path, threads: int) -> Any:  # it ships no types
    onnxruntime = _import_without_telemetry()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.enable_cpu_mem_arena = False  # memory is given back after each photo
    state = onnxruntime.capi.onnxruntime_pybind11_state  # where what it raises is defined
    broken = (
        *(state.Fail, state.InvalidArgument, state.InvalidGraph, state.InvalidProtobuf),
        *(state.NotFound, state.NotImplemented, state.RuntimeException),
    )
    try:
        return onnxruntime.InferenceSession(str(weights), options, providers=["CPUExecutionProvider"])
    except state.NoSuchFile as error:
        raise SettingsInvalid(f"There is no model at {weights}. Check its path.") from error
    except broken as error:
        raise SettingsInvalid(f"{weights} is no ONNX model, or its weights do not lie beside it.") from error


def _import_without_telemetry() -> Any:  # it ships no types
    """Official builds of ONNX Runtime tell their maker about this computer unless this is said before the import."""
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"
    import onnxruntime

    onnxruntime.disable_telemetry_events()
    return onnxruntime
