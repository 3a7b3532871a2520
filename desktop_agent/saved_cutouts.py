"""cutout -> a file of its own, where no editor took it."""

import time
from pathlib import Path

from PIL import Image

from desktop_agent.pictures import Cutout


def save_cutout(cutout: Cutout, folder: Path) -> Path:
    """Save a cutout as PNG, under a name that tells when.

    Args:
        cutout: (h, w, 4) uint8, RGBA, straight alpha.
        folder: made if it is not there.

    Raises:
        OSError: it cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    stem = time.strftime("Cutout %Y-%m-%d %H.%M.%S")
    names = (folder / f"{stem}{'' if number == 1 else f' ({number})'}.png" for number in range(1, 1000))
    file = next(name for name in names if not name.exists())
    Image.fromarray(cutout).save(file)
    return file
