"""photo -> mask."""

from dataclasses import dataclass

import cv2
import numpy as np
import pytest

from protocol.errors import NothingToCut
from segmentation_server.cutout import find_object
from segmentation_server.model import Float32Array
from segmentation_server.photo import Photo
from segmentation_server.segmenter import IMAGENET_MEAN, IMAGENET_STD, Segmenter, enlarge, to_batch


@dataclass(frozen=True)
class LeftHalf:
    """An engine that finds the left half of whatever it is shown."""

    name: str = "left half"
    size: int = 8

    def __call__(self, batch: Float32Array) -> Float32Array:
        probability = np.zeros((len(batch), self.size, self.size), np.float32)
        probability[:, :, : self.size // 2] = 1
        return probability


def test_a_mask_is_as_large_as_its_photo() -> None:
    mask = Segmenter(LeftHalf())(np.zeros((30, 50, 3), np.uint8))

    assert mask.shape == (30, 50)
    assert mask.dtype == np.float32
    assert mask[:, :20].min() > 0.9
    assert mask[:, 30:].max() < 0.1


def test_a_batch_is_normalised_as_the_network_learnt_it() -> None:
    batch = to_batch(np.full((20, 40, 3), (100, 200, 50), np.uint8), 8)

    wanted = (np.array((0.5, 1.0, 0.25)) - IMAGENET_MEAN) / IMAGENET_STD
    assert batch.shape == (1, 3, 8, 8)
    assert batch.dtype == np.float32
    assert batch[0, :, 3, 3] == pytest.approx(wanted, abs=1e-5)


def test_a_black_photo_is_a_number() -> None:
    assert np.isfinite(to_batch(np.zeros((20, 40, 3), np.uint8), 8)).all()


def test_enlarging_stays_between_0_and_1() -> None:
    mask = enlarge(np.eye(8, dtype=np.float32), 100, 80)

    assert mask.shape == (80, 100)
    assert mask.min() >= 0
    assert mask.max() <= 1


def test_enlarging_keeps_the_centres_of_pixels() -> None:
    spot = np.zeros((9, 9), np.float32)
    spot[4, 4] = 1

    mask = enlarge(spot, 90, 90)

    rows, columns = np.mgrid[:90, :90]
    assert np.average(columns, weights=mask) == pytest.approx(44.5, abs=0.01)
    assert np.average(rows, weights=mask) == pytest.approx(44.5, abs=0.01)


def test_the_cup_of_coffee_is_found(segmenter: Segmenter, coffee: Photo) -> None:
    mask = segmenter(coffee)

    found = find_object(mask)
    assert found.confidence > 0.9
    assert mask[200, 280] > 0.9  # the coffee
    assert mask[20, 30] < 0.1  # the table


SHADES = np.linspace(0, 1, 300)[:, np.newaxis, np.newaxis]
SKY = np.broadcast_to((1 - SHADES) * (60, 120, 210) + SHADES * (220, 235, 250), (300, 400, 3)).astype(np.uint8)
RANDOM = np.random.default_rng(0)
EMPTY_PHOTOS = {
    "black": np.zeros((300, 400, 3), np.uint8),
    "white": np.full((300, 400, 3), 255, np.uint8),
    "flat": np.full((300, 400, 3), (200, 60, 30), np.uint8),
    "noise": RANDOM.integers(0, 256, (300, 400, 3), np.uint8),
    "fog": np.asarray(cv2.GaussianBlur(RANDOM.integers(0, 256, (300, 400, 3), np.uint8), (0, 0), 9), np.uint8),
    "sky": SKY,
}


@pytest.mark.parametrize("photo", EMPTY_PHOTOS.values(), ids=EMPTY_PHOTOS)
def test_nothing_is_found_where_nothing_is(segmenter: Segmenter, photo: Photo) -> None:
    with pytest.raises(NothingToCut):
        find_object(segmenter(photo))
