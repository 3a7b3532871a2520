"""Editors that a picture's file may be dropped on: LibreOffice Draw and Impress put it at the very spot."""

import time
from pathlib import Path

from PIL import Image

from desktop_agent.pictures import Cutout
from desktop_agent.platforms import Drop, Input
from protocol.errors import EditorRefused
from protocol.geometry import ScreenPoint

MOST_FILES = 8  # kept at a time: an editor may read a file some time after it was dropped


class ByDrop:
    """Drops a file of the cutout. Only for editors that are known to insert it: others would open it instead."""

    can_insert_again = True
    puts_at_caret = False

    def __init__(self, name: str, hands: Input, drop: Drop, folder: Path) -> None:
        """Args: name: of the program. hands, drop: the desktop's. folder: for the files, which are left there."""
        self.name = name
        self.strategy = "drop at the spot"
        self._hands = hands
        self._drop = drop
        self._folder = folder

    def approach(self, point: ScreenPoint) -> None:
        """Nothing: the pointer is not needed."""

    def lands_at(self, point: ScreenPoint) -> ScreenPoint:
        """At the point itself."""
        return point

    def insert(self, cutout: Cutout, point: ScreenPoint) -> None:
        """Write the file and drop it."""
        if not self._drop.drop(self._write(cutout), point):
            raise EditorRefused

    def insert_otherwise(self, cutout: Cutout, point: ScreenPoint) -> bool:  # noqa: ARG002
        """There is no second way."""
        return False

    def check(self) -> None:
        """Editors of this kind open nothing: they are known to insert it."""

    def move(self, start: ScreenPoint, end: ScreenPoint, zoom: float) -> bool:  # noqa: ARG002
        """It lands where it is dropped."""
        return False

    def learn(self, landed: ScreenPoint, zoom: float) -> bool:  # noqa: ARG002
        """There is nothing to learn: it lands where it is dropped."""
        return False

    def forget(self) -> None:
        """Nothing: the spot is enough."""

    def undo(self) -> None:
        """Press undo."""
        self._hands.press(self._hands.command_key, "z")

    def _write(self, cutout: Cutout) -> Path:
        return write_dropped(cutout, self._folder)


def write_dropped(cutout: Cutout, folder: Path) -> Path:
    """A file to drop, whose name may be seen in the document, as that of a layer.

    Args:
        cutout: (h, w, 4) uint8, RGBA, straight alpha.
        folder: of such files alone; the oldest are deleted.
    """
    files = sorted(folder.glob("*.png"), key=lambda file: file.stat().st_mtime)
    for file in files[: -MOST_FILES + 1]:
        file.unlink(missing_ok=True)
    file = folder / f"Cutout {time.strftime('%H.%M.%S')}.{time.monotonic_ns() // 10**6 % 1000:03}.png"
    Image.fromarray(cutout).save(file, compress_level=1)
    return file
