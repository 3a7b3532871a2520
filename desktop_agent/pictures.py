"""What pictures are, and bytes -> pictures."""

import io
import struct
import zlib
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import pillow_heif
from PIL import Image, ImageOps, UnidentifiedImageError

from protocol.errors import NotAPicture, NothingToCut, PictureBroken, TooManyPixels

Picture: TypeAlias = npt.NDArray[np.uint8]  # (H, W, 3), RGB
Cutout: TypeAlias = npt.NDArray[np.uint8]  # (h, w, 4), RGBA, straight alpha

FORMATS = ("JPEG", "PNG", "WEBP", "HEIF")  # what phones send; no decoder beyond these is ever started
MOST_PIXELS_VIEW = 50_000_000
MOST_PIXELS_CUTOUT = 8_000_000  # a screen has no more, and floating-point copies of it are made
# What Pillow raises for damaged pictures.
DAMAGED = (
    *(OSError, SyntaxError, ValueError, RuntimeError, EOFError, TypeError, IndexError, KeyError),
    *(struct.error, zlib.error),
)


def read_view(body: bytes) -> Picture:
    """Decode a view, turned as its EXIF orientation says.

    Args:
        body: a JPEG, PNG, WebP or HEIC file.

    Returns:
        (H, W, 3) uint8, RGB.

    Raises:
        NotAPicture, TooManyPixels, PictureBroken: what is wrong with it.
    """
    return np.asarray(_decode(body, "RGB", MOST_PIXELS_VIEW))


def read_cutout(body: bytes) -> Cutout:
    """Decode a cutout.

    Args:
        body: a PNG or WebP file with alpha.

    Returns:
        (h, w, 4) uint8, RGBA, straight alpha.

    Raises:
        NotAPicture, TooManyPixels, PictureBroken: what is wrong with it.
        NothingToCut: all of it is transparent.
    """
    cutout = np.asarray(_decode(body, "RGBA", MOST_PIXELS_CUTOUT))
    if not cutout[:, :, 3].any():
        raise NothingToCut
    return cutout


def _decode(body: bytes, mode: str, most_pixels: int) -> Image.Image:
    picture = _open(body)
    if picture.width * picture.height > most_pixels:  # known before a pixel is decoded
        raise TooManyPixels(
            f"It has {picture.width} x {picture.height}; {most_pixels // 10**6} megapixels are the most."
        )
    try:
        return ImageOps.exif_transpose(picture).convert(mode)
    except DAMAGED as error:
        raise PictureBroken from error


def _open(body: bytes) -> Image.Image:
    """Read a picture's header only."""
    pillow_heif.register_heif_opener()  # once is enough and more does no harm
    try:
        return Image.open(io.BytesIO(body), formats=FORMATS)
    except UnidentifiedImageError as error:
        raise NotAPicture from error
    except Image.DecompressionBombError as error:
        raise TooManyPixels from error
    except DAMAGED as error:
        raise PictureBroken from error
