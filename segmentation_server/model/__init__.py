"""The network behind an engine: normalised tensors in, probabilities out. Nothing here knows of photos."""

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Float32Array = NDArray[np.float32]


class Engine(Protocol):
    """Something that runs the network."""

    @property
    def name(self) -> str:
        """What /readyz calls the model."""
        ...

    @property
    def size(self) -> int:
        """Side of the square input in pixels."""
        ...

    def __call__(self, batch: Float32Array) -> Float32Array:
        """Find the object in each picture.

        Args:
            batch: (B, 3, size, size) float32, RGB, scaled and normalised as `segmenter.to_batch` does.

        Returns:
            (B, size, size) float32, the probability in [0, 1] that a pixel belongs to the object.
        """
        ...
