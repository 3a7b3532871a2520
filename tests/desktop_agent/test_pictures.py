import io
import struct
import zlib

import numpy as np
import pillow_heif
import pytest
from PIL import Image

from desktop_agent import pictures
from desktop_agent.pictures import Picture, read_cutout, read_view
from protocol.errors import NotAPicture, NothingToCut, PictureBroken, TooManyPixels


def encode(picture: Image.Image, kind: str, **options: object) -> bytes:
    stream = io.BytesIO()
    picture.save(stream, kind, **options)
    return stream.getvalue()


def png_that_claims(width: int, height: int) -> bytes:
    """A PNG whose header claims a size that its few bytes do not hold."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")


def test_a_cutout_keeps_its_alpha_and_the_colours_under_it(cutout: Picture) -> None:
    assert np.array_equal(read_cutout(encode(Image.fromarray(cutout), "PNG")), cutout)


def test_a_view_is_turned_as_its_exif_says() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was turned clockwise
    view = read_view(encode(Image.new("RGB", (40, 20)), "JPEG", exif=exif))
    assert view.shape == (40, 20, 3)


@pytest.mark.parametrize("body", [b"not a picture", b"GIF89a" + bytes(100), b"<svg/>"])
def test_what_no_phone_sends_is_refused(body: bytes) -> None:
    with pytest.raises(NotAPicture):
        read_view(body)


def test_a_view_may_be_an_iphone_s_heic(screen: Picture) -> None:
    pillow_heif.register_heif_opener()
    part = screen[:240, :320]
    view = read_view(encode(Image.fromarray(part), "HEIF", quality=90))
    assert view.shape == part.shape
    assert np.abs(view.astype(int) - part).mean() < 6


def test_a_heic_that_is_cut_short_is_refused(screen: Picture) -> None:
    pillow_heif.register_heif_opener()
    with pytest.raises((PictureBroken, NotAPicture)):
        read_view(encode(Image.fromarray(screen[:240, :320]), "HEIF")[:3000])


def test_a_heic_of_too_many_pixels_is_refused_before_it_is_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    pillow_heif.register_heif_opener()
    body = encode(Image.new("RGB", (640, 480)), "HEIF", quality=1)
    monkeypatch.setattr(pictures, "MOST_PIXELS_VIEW", 1000)
    monkeypatch.setattr(pillow_heif.HeifImageFile, "load", lambda self: pytest.fail("decoded"))
    with pytest.raises(TooManyPixels):
        read_view(body)


def test_a_picture_cut_short_is_refused(screen: Picture) -> None:
    with pytest.raises(PictureBroken):
        read_view(encode(Image.fromarray(screen), "JPEG")[:5000])


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
@pytest.mark.parametrize("side", [10_000, 60_000])
def test_too_many_pixels_are_refused_before_they_are_decoded(side: int) -> None:
    with pytest.raises(TooManyPixels):
        read_view(png_that_claims(side, side))


def test_a_cutout_of_nothing_is_refused() -> None:
    with pytest.raises(NothingToCut):
        read_cutout(encode(Image.new("RGBA", (20, 20)), "PNG"))
