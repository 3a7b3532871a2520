"""bytes -> photo."""

import io
import struct
import zlib
from typing import TypeAlias

import numpy as np
import pillow_heif
from numpy.typing import NDArray
from PIL import Image, ImageCms, ImageOps, UnidentifiedImageError

from protocol.errors import NotAPicture, PartMissing, PictureBroken, TooManyPixels

Photo: TypeAlias = NDArray[np.uint8]

# Pillow opens many formats, some by way of other programs; nothing but these is ever tried.
FORMATS = ("JPEG", "PNG", "WEBP", "HEIF")
HEIF_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs", b"mif1", b"msf1")
DECODER_ERRORS = (OSError, SyntaxError, ValueError, RuntimeError, EOFError, TypeError, IndexError, KeyError,
                  struct.error, zlib.error)  # fmt: skip  # what Pillow and libheif raise for damaged pictures
COLOUR_SPACES = {"GRAY": "L", "CMYK": "CMYK", "RGB ": "RGB"}  # of ICC profiles, as Pillow's modes
SRGB = ImageCms.createProfile("sRGB")


def read_photo(body: bytes, max_pixels: int) -> Photo:
    """Decode a picture as a viewer would show it: upright, in sRGB, transparency on white, the first frame.

    Args:
        body: a JPEG, PNG, WebP or HEIC file.
        max_pixels: more than these are refused before they are decoded.

    Returns:
        (H, W, 3) uint8, RGB.

    Raises:
        PartMissing: the body is empty.
        NotAPicture: it is none of the formats.
        TooManyPixels: it has more than `max_pixels`.
        PictureBroken: it is damaged or cut short.
    """
    if not body:
        raise PartMissing
    picture = _open(body)
    _check_size(picture, max_pixels)
    try:
        picture.load()
        return np.asarray(_on_white(ImageOps.exif_transpose(picture)))
    except DECODER_ERRORS as error:
        raise PictureBroken from error


def _open(body: bytes) -> Image.Image:
    """Read a picture's header only."""
    pillow_heif.register_heif_opener()  # once is enough and more does no harm
    try:
        return Image.open(io.BytesIO(body), formats=FORMATS)
    except Image.DecompressionBombError as error:
        raise TooManyPixels from error
    except UnidentifiedImageError as error:
        raise (PictureBroken if _begins_as_a_picture(body) else NotAPicture) from error
    except DECODER_ERRORS as error:
        raise PictureBroken from error


def _begins_as_a_picture(body: bytes) -> bool:
    """Whether the first bytes are those of a JPEG, PNG, WebP or HEIC file; others have RIFF or ftyp too."""
    is_webp = body.startswith(b"RIFF") and body[8:12] == b"WEBP"
    is_heic = body[4:8] == b"ftyp" and body[8:12] in HEIF_BRANDS
    return body.startswith((b"\xff\xd8\xff", b"\x89PNG")) or is_webp or is_heic


def _check_size(picture: Image.Image, max_pixels: int) -> None:
    pixels = picture.width * picture.height
    if pixels > max_pixels:
        raise TooManyPixels(f"It has {pixels / 1e6:.0f} megapixels; {max_pixels / 1e6:.0f} are the most.")


def _on_white(picture: Image.Image) -> Image.Image:
    """The picture in sRGB without transparency."""
    if not picture.has_transparency_data:
        return _to_srgb(picture)
    alpha = picture.convert("RGBA").getchannel("A")
    white = Image.new("RGB", picture.size, "white")
    white.paste(_to_srgb(picture), mask=alpha)
    return white


def _to_srgb(picture: Image.Image) -> Image.Image:
    """The picture's colours as RGB, through its ICC profile if it has a usable one."""
    try:
        profile = ImageCms.ImageCmsProfile(io.BytesIO(picture.info["icc_profile"]))
        colours = _plain(picture, COLOUR_SPACES[profile.profile.xcolor_space])
        converted = ImageCms.profileToProfile(colours, profile, SRGB, outputMode="RGB")
    except (KeyError, TypeError, OSError, ImageCms.PyCMSError):  # no profile, or one that is for something else
        return _plain(picture, "RGB")
    assert converted is not None  # only a conversion in place returns None
    return converted


def _plain(picture: Image.Image, mode: str) -> Image.Image:
    """Convert to 8 bits per channel and a mode without alpha.

    Raises:
        KeyError: `mode` is not one that the picture's colours can be had in without loss.
    """
    if picture.mode.startswith("I"):  # 16 bits of grey, which Pillow would clip instead of scaling
        picture = Image.fromarray((np.asarray(picture, np.uint32) >> 8).astype(np.uint8))
    fitting = {"L": ("L", "LA", "La", "1"), "CMYK": ("CMYK",)}.get(mode)
    if fitting and picture.mode not in fitting:
        raise KeyError(mode)
    return picture.convert(mode)
