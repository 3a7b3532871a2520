"""photo + mask -> cutout."""

import time
from collections.abc import Callable

import cv2
import numpy as np
import pytest

from protocol.errors import NothingToCut
from protocol.geometry import Box
from segmentation_server.cutout import RIM, cut_out, find_object
from segmentation_server.photo import Photo
from segmentation_server.segmenter import Mask

OBJECT, GROUND = np.array((200, 60, 30)), np.array((20, 40, 200))


def soft_disc(width: int = 320, height: int = 240, softness: float = 4) -> tuple[Photo, Mask]:
    """A plain disc on a plain ground with an edge that blends the two, and the mask that says how much of each."""
    hard = cv2.circle(np.zeros((height, width), np.float32), (width // 2, height // 2), height // 3, 1.0, -1)
    mask = np.asarray(cv2.GaussianBlur(hard, (0, 0), softness), np.float32)
    share = np.clip((mask - 0.25) / 0.5, 0, 1)[..., np.newaxis]  # what the cutout makes of the mask
    return np.rint(share * OBJECT + (1 - share) * GROUND).astype(np.uint8), mask


def test_soft_edges_keep_the_colour_of_the_object() -> None:
    photo, mask = soft_disc()

    cutout = cut_out(photo, mask)

    soft = (cutout[..., 3] >= 60) & (cutout[..., 3] <= 200)
    assert soft.sum() > 500
    error = np.abs(cutout[soft][:, :3].astype(int) - OBJECT)
    assert error.mean() < 6
    assert np.percentile(error, 99) < 25


def test_no_colour_is_multiplied_by_alpha() -> None:
    photo, mask = soft_disc()
    plain = np.full_like(photo, OBJECT)  # object and ground of one colour: only a multiplication could change it

    cutout = cut_out(plain, mask)

    assert np.abs(cutout[cutout[..., 3] > 0][:, :3].astype(int) - OBJECT).max() <= 1


def test_the_inside_is_the_photo_itself(coffee: Photo) -> None:
    mask = np.zeros(coffee.shape[:2], np.float32)
    mask[100:300, 100:500] = 1

    cutout = cut_out(coffee, mask)

    assert (cutout[100:300, 100:500, 3] == 255).all()
    assert (cutout[100:300, 100:500, :3] == coffee[100:300, 100:500]).all()


def test_colours_reach_a_little_beyond_the_object_and_no_further() -> None:
    photo, mask = soft_disc()

    cutout = cut_out(photo, mask)

    outside = cutout[..., 3] == 0
    reach = cv2.dilate((~outside).astype(np.uint8), np.ones((2 * RIM + 1, 2 * RIM + 1), np.uint8)) > 0
    assert np.abs(cutout[outside & reach][:, :3].astype(int) - OBJECT).mean() < 12
    assert (cutout[~reach] == 0).all()


def test_a_cutout_is_as_large_as_its_photo() -> None:
    photo, mask = soft_disc(333, 201)

    cutout = cut_out(photo, mask)

    assert cutout.shape == (201, 333, 4)
    assert cutout.dtype == np.uint8


def test_the_box_holds_all_that_is_visible() -> None:
    photo, mask = soft_disc()

    box = find_object(mask).box

    rows, columns = np.nonzero(cut_out(photo, mask)[..., 3])
    left, top = int(columns.min()), int(rows.min())
    assert box == Box(left, top, int(columns.max()) - left + 1, int(rows.max()) - top + 1)


def test_an_object_at_the_border_is_cut_to_the_border() -> None:
    mask = np.zeros((50, 60), np.float32)
    mask[:, 40:] = 1

    assert find_object(mask).box == Box(40, 0, 20, 50)
    assert cut_out(np.full((50, 60, 3), 90, np.uint8), mask)[:, 40:, 3].all()


def test_confidence_is_the_mean_probability_of_the_object() -> None:
    mask = np.full((10, 10), 0.4, np.float32)
    mask[:5, :5] = 1.0
    mask[5:, 5:] = 0.6

    assert find_object(mask).confidence == pytest.approx(0.8)


def a_speck() -> Mask:
    mask = np.zeros((400, 400), np.float32)
    mask[200:205, 200:205] = 1
    return mask


@pytest.mark.parametrize(
    "mask",
    [
        np.zeros((40, 50), np.float32),
        np.full((40, 50), 0.49, np.float32),
        np.full((40, 50), 0.55, np.float32),
        a_speck(),
    ],
    ids=["nothing", "a haze", "a guess", "a speck"],
)
def test_a_photo_without_an_object_cannot_be_cut(mask: Mask) -> None:
    with pytest.raises(NothingToCut):
        find_object(mask)
    with pytest.raises(NothingToCut):
        cut_out(np.zeros((*mask.shape, 3), np.uint8), mask)


def least_time_s(work: Callable[[], object]) -> float:
    """Of CPU, the least of three runs, so that a busy computer hardly matters."""

    def time_once_s() -> float:
        start = time.process_time()
        work()
        return time.process_time() - start

    return min(time_once_s() for _ in range(3))


def test_two_megapixels_are_cut_in_the_time_of_a_few_blurs() -> None:
    photo, mask = soft_disc(1600, 1200, 8)
    colours = photo.astype(np.float32)

    blur_s = least_time_s(lambda: cv2.GaussianBlur(colours, (0, 0), 8))

    assert least_time_s(lambda: cut_out(photo, mask)) < 6 * blur_s  # one is what it takes
