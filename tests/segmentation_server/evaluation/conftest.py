"""A data set of four drawn pictures, as a folder and as a zip."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from segmentation_server.evaluation.metrics import Truth

NAMES = ("cup", "disc", "frame", "post")
TRUTHS: dict[str, Truth] = {name: np.zeros((40, 60), bool) for name in NAMES}
TRUTHS["cup"][10:30, 10:30] = True
TRUTHS["disc"][5:35, 20:50] = True
TRUTHS["frame"][8:24, 8:40] = True
TRUTHS["post"][4:36, 40:48] = True


def save(picture: np.ndarray[tuple[int, ...], np.dtype[np.uint8]], file: Path) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(picture).save(file)


def as_levels(mask: Truth) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    return mask.astype(np.uint8) * 255


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Red things on grey; two of them are thin, one of these and another one are large."""
    folder = tmp_path / "things"
    for name, truth in TRUTHS.items():
        save(
            np.where(truth[..., np.newaxis], (200, 30, 40), (120, 120, 120)).astype(np.uint8),
            folder / f"image/{name}.jpg",
        )
        save(as_levels(truth), folder / f"mask/{name}.png")
    rows = "name,attribute\npost,thin\nframe,thin\nframe,large\ndisc,large\n"
    (folder / "attributes.csv").write_text(rows)
    return folder


@pytest.fixture
def packed(folder: Path) -> Path:
    return Path(shutil.make_archive(str(folder), "zip", folder))


@pytest.fixture
def predictions(tmp_path: Path) -> Path:
    """Every truth itself, but of the post nothing."""
    for name, truth in TRUTHS.items():
        save(as_levels(truth & (name != "post")), tmp_path / f"predictions/{name}.png")
    return tmp_path / "predictions"
