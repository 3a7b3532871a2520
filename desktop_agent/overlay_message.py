"""What the agent tells the program of its overlay's windows, over a pipe: a line of JSON, then the pixels."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import BinaryIO

import numpy as np
import numpy.typing as npt

SHOWN = b"shown\n"  # what the program answers once a message is on the screen


@dataclass(frozen=True)
class Patch:
    """A picture laid over a part of the desktop."""

    x: float  # where its top-left pixel lies on the desktop, in points
    y: float
    pixels: npt.NDArray[np.uint8]  # (h, w, 4), RGBA; opaque wherever alpha is not 0
    scale: float = 1.0  # pixels in a point of the desktop


@dataclass(frozen=True)
class OverlayMessage:
    """All that is to be laid over the desktop, instead of what was before."""

    patches: Sequence[Patch]
    shows_s: float  # at most

    def write(self, stream: BinaryIO) -> None:
        """Send it."""
        boxes = [
            {"x": each.x, "y": each.y, "scale": each.scale, "shape": each.pixels.shape[:2]} for each in self.patches
        ]
        stream.write(json.dumps({"shows_s": self.shows_s, "patches": boxes}).encode() + b"\n")
        for patch in self.patches:
            stream.write(np.ascontiguousarray(patch.pixels).tobytes())
        stream.flush()

    @classmethod
    def read(cls, stream: BinaryIO) -> "OverlayMessage | None":
        """The next message; None at the end of the stream, also in the middle of a message."""
        line = stream.readline()
        if not line.endswith(b"\n"):
            return None
        header = json.loads(line)
        patches = []
        for box in header["patches"]:
            height, width = box["shape"]
            pixels = np.frombuffer(stream.read(height * width * 4), np.uint8)
            if pixels.size < height * width * 4:
                return None
            patches.append(Patch(box["x"], box["y"], pixels.reshape(height, width, 4), box["scale"]))
        return cls(patches, header["shows_s"])
