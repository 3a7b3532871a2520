"""folders or zips -> photos and truths in memory, decoded once."""

import hashlib
import zipfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePath
from typing import TypeAlias

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from protocol.errors import SettingsInvalid

HELD_BACK_OF = 32  # one in as many is never trained on
Square: TypeAlias = NDArray[np.uint8]
Pair: TypeAlias = tuple[str, Square, Square, bytes]  # name, photo, truth and a hash of their files


@dataclass(frozen=True)
class Pairs:
    """Photos and their truths, in the order of their names."""

    names: tuple[str, ...]
    photos: Tensor  # (N, 3, side, side) uint8, RGB
    truths: Tensor  # (N, 1, side, side) uint8, 255 where the object is
    hash: str  # SHA-256 over all names and files

    def __len__(self) -> int:
        return len(self.names)

    def first(self, count: int) -> "Pairs":
        """No more than the first few."""
        return Pairs(self.names[:count], self.photos[:count], self.truths[:count], self.hash)

    def to(self, device: torch.device) -> "Pairs":
        """The same on a device."""
        return Pairs(self.names, self.photos.to(device), self.truths.to(device), self.hash)


def is_held_back(name: str) -> bool:
    """Whether a pair is for judging only: by a hash of its name, so that it is always the same ones."""
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:4]) % HELD_BACK_OF == 0


def read_pairs(sources: Sequence[Path], side: int, is_wanted: Callable[[str], bool]) -> Pairs:
    """Read `image/NAME.*` and `mask/NAME.png` of all sources.

    Args:
        sources: folders or zips.
        side: what each photo is resized to, whatever its shape, as the paper does (section 4.1).
        is_wanted: which names to read.

    Raises:
        SettingsInvalid: a source cannot be read, or there is nothing in them.
    """
    read = [pair for source in sources for pair in _read_source(source, side, is_wanted)]
    if not read:
        raise SettingsInvalid(f"No pairs of image/NAME.* and mask/NAME.png in {', '.join(map(str, sources))}.")
    read.sort(key=lambda pair: pair[0])
    names, photos, truths, hashes = zip(*read, strict=True)
    whole = hashlib.sha256(b"".join(name.encode() + digest for name, digest in zip(names, hashes, strict=True)))
    return Pairs(names, _stack(photos), _stack(truths), whole.hexdigest())


def soften(pairs: Pairs, folder: Path, share: float) -> Pairs:
    """Mix truths with what another network finds, which knows how sure one can be (Hinton et al. 2015).

    BCE is linear in the truth, so BCE with the mixture is the mixture of BCE with each.

    Args:
        pairs: the pairs to learn from.
        folder: NAME.png for each of them, grey, such as `python -m segmentation_server.evaluation --keep` writes.
        share: of the other network's masks, in [0, 1].

    Raises:
        SettingsInvalid: a mask is missing or damaged.
    """
    side = pairs.truths.shape[-1]
    mixed, hashes = [], [pairs.hash.encode(), str(share).encode()]
    for name, truth in zip(pairs.names, pairs.truths[:, 0].numpy(), strict=True):
        file = folder / f"{name}.png"
        if not file.is_file():
            raise SettingsInvalid(f"{folder} lacks {file.name}.")
        content = file.read_bytes()
        mask = _square(content, cv2.IMREAD_GRAYSCALE, side, name)
        mixed.append(np.asarray(cv2.addWeighted(mask, share, truth, 1 - share, 0), np.uint8)[..., np.newaxis])
        hashes.append(hashlib.sha256(content).digest())
    return Pairs(pairs.names, pairs.photos, _stack(mixed), hashlib.sha256(b"".join(hashes)).hexdigest())


def _stack(squares: Sequence[Square]) -> Tensor:
    """N of (side, side, C) -> (N, C, side, side); in memory channels stay last, as decoded."""
    return torch.from_numpy(np.stack(squares)).permute(0, 3, 1, 2)


def _read_source(source: Path, side: int, is_wanted: Callable[[str], bool]) -> Iterator[Pair]:
    files = _zipped(source) if source.is_file() else _folder(source)
    photos = {PurePath(name).stem: read for name, read in files.items() if PurePath(name).parent.name == "image"}
    truths = {PurePath(name).stem: read for name, read in files.items() if PurePath(name).parent.name == "mask"}

    def read_pair(name: str) -> Pair:
        photo, truth = photos[name](), truths[name]()
        digest = hashlib.sha256(photo + truth).digest()
        rgb = cv2.cvtColor(_square(photo, cv2.IMREAD_COLOR, side, name), cv2.COLOR_BGR2RGB)
        grey = _square(truth, cv2.IMREAD_GRAYSCALE, side, name)
        return name, np.asarray(rgb, np.uint8), grey[..., np.newaxis], digest

    with ThreadPoolExecutor() as threads:
        yield from threads.map(read_pair, sorted(filter(is_wanted, photos.keys() & truths.keys())))


def _zipped(source: Path) -> dict[str, Callable[[], bytes]]:
    try:
        archive = zipfile.ZipFile(source)  # stays open for as long as something may be read
    except (OSError, zipfile.BadZipFile) as error:
        raise SettingsInvalid(f"{source} cannot be read as a zip.") from error
    return {name: partial(archive.read, name) for name in archive.namelist()}


def _folder(source: Path) -> dict[str, Callable[[], bytes]]:
    if not source.is_dir():
        raise SettingsInvalid(f"There is no data set at {source}.")
    return {str(file): file.read_bytes for file in source.glob("*/*")}


def _square(content: bytes, mode: int, side: int, name: str) -> Square:
    decoded = cv2.imdecode(np.frombuffer(content, np.uint8), mode)
    if decoded is None:
        raise SettingsInvalid(f"The photo or truth of {name} is damaged.")
    return np.asarray(cv2.resize(decoded, (side, side), interpolation=cv2.INTER_AREA), np.uint8)
