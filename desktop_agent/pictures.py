"""The bytes of a view or cutout -> its pixels."""

import io

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from desktop_agent.editors import Cutout
from desktop_agent.screenshot import Picture
from protocol.errors import NotAPicture, NothingToCut, PictureBroken, TooManyPixels

FORMATS = ("JPEG", "PNG", "WEBP")  # what phones send; no decoder beyond these is ever started
MOST_PIXELS = 50_000_000


def read_view(body: bytes) -> Picture:
    """Decode a view, turned as its EXIF orientation says.

    Args:
        body: a JPEG, PNG or WebP file.

    Returns:
        (H, W, 3) uint8, RGB.

    Raises:
        NotAPicture, TooManyPixels, PictureBroken: what is wrong with it.
    """
    return np.asarray(_decode(body, "RGB"))


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
    cutout = np.asarray(_decode(body, "RGBA"))
    if not cutout[:, :, 3].any():
        raise NothingToCut
    return cutout


def _decode(body: bytes, mode: str) -> Image.Image:
    try:
        picture = Image.open(io.BytesIO(body), formats=FORMATS)
    except UnidentifiedImageError as error:
        raise NotAPicture from error
    except Image.DecompressionBombError as error:
        raise TooManyPixels from error
    except (OSError, ValueError, SyntaxError) as error:
        raise PictureBroken from error
    if picture.width * picture.height > MOST_PIXELS:  # known before a pixel is decoded
        raise TooManyPixels(
            f"It has {picture.width} x {picture.height}; {MOST_PIXELS // 10**6} megapixels are the most."
        )
    try:
        return ImageOps.exif_transpose(picture).convert(mode)
    except (OSError, ValueError, SyntaxError) as error:
        raise PictureBroken from error
