"""bytes -> photo: every format that a phone or a computer may send."""

import io
from typing import Any

import numpy as np
import pillow_heif
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageCms

from protocol.errors import CopyPasteError, NotAPicture, PartMissing, PictureBroken, TooManyPixels
from segmentation_server.photo import Photo, read_photo

WIDTH, HEIGHT = 48, 32
LEFT, RIGHT = (200, 60, 30), (20, 90, 160)  # colours of the two halves
GREY_LEFT, GREY_RIGHT = 40, 210


def picture_of(left: Any, right: Any, mode: str) -> Image.Image:
    """A picture of two plain halves."""
    picture = Image.new(mode, (WIDTH, HEIGHT), right)
    picture.paste(left, (0, 0, WIDTH // 2, HEIGHT))
    return picture


def file_of(picture: Image.Image, file_format: str, **options: Any) -> bytes:
    file = io.BytesIO()
    picture.save(file, file_format, **options)
    return file.getvalue()


def read(body: bytes) -> Photo:
    return read_photo(body, max_pixels=10**6)


def halves(photo: Photo) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """The colours in the middle of the left and of the right half."""
    height, width = photo.shape[:2]
    return photo[height // 2, width // 4], photo[height // 2, 3 * width // 4]


def assert_halves(photo: Photo, left: Any, right: Any, tolerance: int = 0) -> None:
    assert photo.dtype == np.uint8
    assert photo.shape == (HEIGHT, WIDTH, 3)
    for seen, wanted in zip(halves(photo), (left, right), strict=True):
        assert np.abs(seen.astype(int) - wanted).max() <= tolerance


@pytest.mark.parametrize(
    ("file_format", "options", "tolerance"),
    [
        ("PNG", {}, 0),
        ("JPEG", {"quality": 95}, 4),
        ("JPEG", {"quality": 95, "progressive": True}, 4),
        ("WEBP", {"lossless": True}, 0),
        ("HEIF", {"quality": 95}, 6),
    ],
)
def test_each_format_keeps_its_colours(file_format: str, options: dict[str, Any], tolerance: int) -> None:
    pillow_heif.register_heif_opener()

    photo = read(file_of(picture_of(LEFT, RIGHT, "RGB"), file_format, **options))

    assert_halves(photo, LEFT, RIGHT, tolerance)


@pytest.mark.parametrize("mode", ["L", "LA"])
def test_grey_becomes_three_equal_channels(mode: str) -> None:
    photo = read(file_of(picture_of(GREY_LEFT, GREY_RIGHT, "L").convert(mode), "PNG"))

    assert_halves(photo, GREY_LEFT, GREY_RIGHT)


def test_16_bits_of_grey_are_scaled_and_not_clipped() -> None:
    grey = np.full((HEIGHT, WIDTH), GREY_RIGHT * 257, np.uint16)
    grey[:, : WIDTH // 2] = GREY_LEFT * 257

    photo = read(file_of(Image.fromarray(grey), "PNG"))

    assert_halves(photo, GREY_LEFT, GREY_RIGHT)


def test_16_bits_of_colour_are_scaled_and_not_clipped() -> None:
    cv2 = pytest.importorskip("cv2")
    colours = np.asarray(picture_of(LEFT, RIGHT, "RGB"), np.uint16) * 257
    _, encoded = cv2.imencode(".png", colours[..., ::-1])

    assert_halves(read(encoded.tobytes()), LEFT, RIGHT)


def test_a_palette_becomes_its_colours() -> None:
    palette = picture_of(LEFT, RIGHT, "RGB").quantize(4)

    assert_halves(read(file_of(palette, "PNG")), LEFT, RIGHT)


def test_one_bit_becomes_black_and_white() -> None:
    assert_halves(read(file_of(picture_of(0, 1, "1"), "PNG")), 0, 255)


def test_a_transparent_palette_entry_is_laid_on_white() -> None:
    palette = picture_of(0, 1, "P")
    palette.putpalette([*LEFT, *RIGHT])

    photo = read(file_of(palette, "PNG", transparency=1))

    assert_halves(photo, LEFT, 255)


def test_transparency_is_laid_on_white() -> None:
    photo = read(file_of(picture_of((*LEFT, 255), (0, 0, 0, 51), "RGBA"), "PNG"))

    assert_halves(photo, LEFT, 204)  # a fifth of black


def test_transparent_grey_is_laid_on_white() -> None:
    photo = read(file_of(picture_of((GREY_LEFT, 255), (0, 0), "LA"), "PNG"))

    assert_halves(photo, GREY_LEFT, 255)


def test_inks_become_light() -> None:
    cyan, yellow = (255, 0, 0, 0), (0, 0, 255, 0)

    photo = read(file_of(picture_of(cyan, yellow, "CMYK"), "JPEG", quality=95))

    assert_halves(photo, (0, 255, 255), (255, 255, 0), 4)


def test_inks_with_a_profile_that_is_not_theirs_become_light() -> None:
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    cyan, yellow = (255, 0, 0, 0), (0, 0, 255, 0)

    photo = read(file_of(picture_of(cyan, yellow, "CMYK"), "JPEG", quality=95, icc_profile=srgb))

    assert_halves(photo, (0, 255, 255), (255, 255, 0), 4)


def swapped_profile() -> bytes:
    """A profile whose red is the blue of sRGB and the other way round, so that nobody can overlook it."""
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    red, blue = profile.index(b"rXYZ"), profile.index(b"bXYZ")
    profile[red : red + 4], profile[blue : blue + 4] = b"bXYZ", b"rXYZ"
    return bytes(profile)


@pytest.mark.parametrize("file_format", ["PNG", "JPEG", "WEBP"])
def test_a_profile_is_converted_to_srgb(file_format: str) -> None:
    options = {"lossless": True} if file_format == "WEBP" else {}

    photo = read(file_of(picture_of(LEFT, RIGHT, "RGB"), file_format, icc_profile=swapped_profile(), **options))

    assert_halves(photo, LEFT[::-1], RIGHT[::-1], 8)


def test_a_palette_with_a_profile_is_converted_to_srgb() -> None:
    palette = picture_of(LEFT, RIGHT, "RGB").quantize(4)

    assert_halves(read(file_of(palette, "PNG", icc_profile=swapped_profile())), LEFT[::-1], RIGHT[::-1], 8)


def test_a_damaged_profile_is_ignored() -> None:
    photo = read(file_of(picture_of(LEFT, RIGHT, "RGB"), "PNG", icc_profile=b"no profile at all"))

    assert_halves(photo, LEFT, RIGHT)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "WEBP"])
def test_a_photo_comes_out_upright(orientation: int, file_format: str) -> None:
    transpose = Image.Transpose
    to_stored = {
        2: transpose.FLIP_LEFT_RIGHT,
        3: transpose.ROTATE_180,
        4: transpose.FLIP_TOP_BOTTOM,
        5: transpose.TRANSPOSE,
        6: transpose.ROTATE_90,
        7: transpose.TRANSVERSE,
        8: transpose.ROTATE_270,
    }
    upright = picture_of(LEFT, RIGHT, "RGB")
    stored = upright.transpose(to_stored[orientation]) if orientation in to_stored else upright
    exif = Image.Exif()
    exif[0x0112] = orientation

    photo = read(file_of(stored, file_format, exif=exif.tobytes()))

    assert_halves(photo, LEFT, RIGHT, 12)


def test_a_rotated_heic_comes_out_upright() -> None:
    pillow_heif.register_heif_opener()
    exif = Image.Exif()
    exif[0x0112] = 6
    stored = picture_of(LEFT, RIGHT, "RGB").transpose(Image.Transpose.ROTATE_90)

    assert_halves(read(file_of(stored, "HEIF", quality=95, exif=exif.tobytes())), LEFT, RIGHT, 8)


@pytest.mark.filterwarnings("ignore:Corrupt EXIF")  # Pillow's own
def test_damaged_exif_does_not_matter() -> None:
    photo = read(
        file_of(picture_of(LEFT, RIGHT, "RGB"), "JPEG", quality=95, exif=b"Exif\x00\x00II*\x00\xff\xff\xff\xff")
    )

    assert_halves(photo, LEFT, RIGHT, 4)


@pytest.mark.parametrize("file_format", ["WEBP", "PNG"])
def test_the_first_frame_of_an_animation_is_the_photo(file_format: str) -> None:
    frames = [picture_of(LEFT, RIGHT, "RGB"), picture_of(RIGHT, LEFT, "RGB")]

    photo = read(file_of(frames[0], file_format, save_all=True, append_images=frames[1:], duration=100))

    assert_halves(photo, LEFT, RIGHT, 12)


def noise() -> Image.Image:
    return Image.fromarray(np.random.default_rng(0).integers(0, 256, (120, 160, 3), np.uint8))


@pytest.mark.parametrize("file_format", ["PNG", "JPEG", "WEBP", "HEIF"])
@pytest.mark.parametrize("share", [0.02, 0.2, 0.5, 0.9])
def test_a_photo_cut_short_is_broken(file_format: str, share: float) -> None:
    pillow_heif.register_heif_opener()
    body = file_of(noise(), file_format)

    with pytest.raises(PictureBroken):
        read(body[: int(len(body) * share)])


@pytest.mark.parametrize(
    ("body", "error"),
    [
        (b"", PartMissing),
        (b"hello", NotAPicture),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", NotAPicture),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n", NotAPicture),
        (bytes(1000), NotAPicture),
        (b"\xff\xd8\xff", PictureBroken),
        (b"\x89PNG\r\n\x1a\n", PictureBroken),
        (b"RIFF\x2c\0\0\0WEBPVP8L", PictureBroken),
        (b"RIFF\x2c\0\0\0WAVEfmt ", NotAPicture),
        (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", PictureBroken),
        (b"\0\0\0\x18ftypavif\0\0\0\0mif1avif", NotAPicture),
        (b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom", NotAPicture),
    ],
)
def test_what_is_no_photo_says_why(body: bytes, error: type[CopyPasteError]) -> None:
    with pytest.raises(error):
        read(body)


@pytest.mark.parametrize("file_format", ["GIF", "BMP", "TIFF", "EPS", "PPM", "ICO"])
def test_other_formats_are_not_even_tried(file_format: str) -> None:
    with pytest.raises(NotAPicture):
        read(file_of(picture_of(LEFT, RIGHT, "RGB"), file_format))


@pytest.mark.parametrize("file_format", ["PNG", "JPEG", "WEBP", "HEIF"])
def test_too_many_pixels_are_refused(file_format: str) -> None:
    pillow_heif.register_heif_opener()

    with pytest.raises(TooManyPixels):
        read_photo(file_of(noise(), file_format), max_pixels=160 * 120 - 1)


def test_a_bomb_is_refused_before_it_is_decoded() -> None:
    bomb = file_of(Image.new("1", (30_000, 30_000)), "PNG")
    assert len(bomb) < 200_000

    with pytest.raises(TooManyPixels):
        read(bomb)
