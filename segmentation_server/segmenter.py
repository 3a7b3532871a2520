"""photo -> mask."""

from dataclasses import dataclass
from typing import Protocol, TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from segmentation_server.model import Engine, Float32Array
from segmentation_server.photo import Photo

Mask: TypeAlias = NDArray[np.float32]

IMAGENET_MEAN = np.array([0.485, 0.456, 0.406], np.float32)
IMAGENET_STD = np.array([0.229, 0.224, 0.225], np.float32)


class Segment(Protocol):
    """Something that finds the object in a photo."""

    @property
    def name(self) -> str:
        """What /readyz calls the model."""
        ...

    def __call__(self, photo: Photo) -> Mask:
        """(H, W, 3) uint8 RGB -> (H, W) float32 in [0, 1], the probability that a pixel belongs to the object."""
        ...


@dataclass(frozen=True)
class Segmenter:
    """An engine between pictures and tensors."""

    engine: Engine

    @property
    def name(self) -> str:
        """The engine's name."""
        return self.engine.name

    def __call__(self, photo: Photo) -> Mask:
        """(H, W, 3) uint8 RGB -> (H, W) float32 in [0, 1].

        The network's own probability, not stretched to fill the range as U2-Net and BASNet do afterwards: a stretched
        map of a photo with nothing in it shows a ghost.
        """
        probability = self.engine(to_batch(photo, self.engine.size))[0]
        height, width = photo.shape[:2]
        return enlarge(probability, width, height)


def to_batch(photo: Photo, size: int) -> Float32Array:
    """(H, W, 3) uint8 RGB -> (1, 3, size, size) float32, normalised as U2-Net and BASNet do (ToTensorLab)."""
    small = cv2.resize(photo, (size, size), interpolation=cv2.INTER_AREA).astype(np.float32)
    scaled = small / max(small.max(), 1.0)  # a black photo stays black
    normal = (scaled - IMAGENET_MEAN) / IMAGENET_STD
    return np.ascontiguousarray(normal.transpose(2, 0, 1)[np.newaxis])


def enlarge(probability: Float32Array, width: int, height: int) -> Mask:
    """(h, w) float32 -> (height, width) float32, without steps and inside [0, 1]."""
    smooth = cv2.resize(probability, (width, height), interpolation=cv2.INTER_CUBIC)
    return np.asarray(smooth.clip(0, 1), np.float32)
