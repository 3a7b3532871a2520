"""folder or zip -> pairs of a photo and its truth.

A data set is a folder, or a zip of its content, with

    image/NAME.jpg (or .jpeg, .png, .webp)
    mask/NAME.png         lighter than mid-grey where the object is
    attributes.csv        optional: columns `name` and `attribute`, a row for each attribute of a picture
"""

import csv
import io
import zipfile
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from protocol.errors import CopyPasteError, SettingsInvalid
from segmentation_server.photo import Photo, read_photo
from segmentation_server.settings import Settings

File: TypeAlias = Path | zipfile.Path

PHOTO_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".webp"})
MASK_SUFFIXES = frozenset({".png"})
MID_GREY = 128  # as CODToolbox and PySODMetrics cut the truth


@dataclass(frozen=True)
class Pair:
    """One picture of a data set, read anew whenever it is asked for."""

    name: str
    photo_file: File
    truth_file: File
    attributes: tuple[str, ...] = ()

    def photo(self) -> Photo:
        """(H, W, 3) uint8, RGB."""
        return _read_picture(self.photo_file)

    def truth(self) -> NDArray[np.bool_]:
        """(H, W) bool."""
        return read_grey(self.truth_file) > MID_GREY


@dataclass(frozen=True)
class Dataset:
    """Pairs in the order of their names."""

    name: str
    pairs: tuple[Pair, ...]

    @property
    def attributes(self) -> tuple[str, ...]:
        """Those that any picture has, in alphabetical order."""
        return tuple(sorted({attribute for pair in self.pairs for attribute in pair.attributes}))


def open_dataset(path: Path, *, limit: int | None = None) -> Dataset:
    """Find the pairs of a data set.

    Args:
        path: a folder or a zip.
        limit: no more than the first so many pairs.

    Raises:
        SettingsInvalid: it is neither, or its pictures and masks do not pair up.
    """
    root = _open_root(path)
    photos, truths = _files(root / "image", PHOTO_SUFFIXES), _files(root / "mask", MASK_SUFFIXES)
    if not photos:
        raise SettingsInvalid(f"{path} is no data set: it has no pictures in a folder called image.")
    if alone := sorted(photos.keys() ^ truths.keys()):
        raise SettingsInvalid(
            f"{path} has {len(alone)} pictures without a mask or masks without a picture; the first is {alone[0]}."
        )
    attributes = _read_attributes(root / "attributes.csv")
    names = sorted(photos)[:limit]
    pairs = tuple(Pair(name, photos[name], truths[name], tuple(attributes[name])) for name in names)
    return Dataset(path.resolve().stem, pairs)


def read_grey(file: File) -> NDArray[np.uint8]:
    """A picture's brightness, (H, W) uint8."""
    return _read_picture(file)[..., 1]  # the three are equal


def _open_root(path: Path) -> File:
    if path.is_dir():
        return path
    try:
        return zipfile.Path(path)
    except (OSError, zipfile.BadZipFile) as error:
        raise SettingsInvalid(f"{path} is neither a folder nor a zip that can be read.") from error


def _files(folder: File, suffixes: frozenset[str]) -> dict[str, File]:
    """The files of a folder by their names without suffix; none if there is no such folder."""
    files: list[File] = [*folder.iterdir()] if folder.is_dir() else []
    return {PurePath(file.name).stem: file for file in files if PurePath(file.name).suffix.lower() in suffixes}


def _read_attributes(file: File) -> defaultdict[str, list[str]]:
    """The attributes of each name."""
    attributes: defaultdict[str, list[str]] = defaultdict(list)
    if file.is_file():
        try:
            for row in csv.DictReader(io.StringIO(file.read_text(encoding="utf-8-sig"))):
                attributes[row["name"]].append(row["attribute"])
        except (KeyError, UnicodeDecodeError) as error:
            raise SettingsInvalid(f"{file} is not a table with the columns name and attribute.") from error
    return attributes


def _read_picture(file: File) -> Photo:
    try:
        return read_photo(file.read_bytes(), Settings.max_pixels)
    except CopyPasteError as error:
        raise type(error)(f"It is {file}. {error.fact}".strip()) from error
