"""Photo and truth are changed together, by chance that can be repeated."""

import cv2
import numpy as np
import pytest

pytest.importorskip("torch", reason="training needs PyTorch: pip install 'ar-copy-paste[torch]'")

import torch
from torch import Generator, Tensor

from segmentation_server.segmenter import to_batch
from segmentation_server.training.augment import (
    augment,
    blur,
    compress,
    crop,
    draw_nothing,
    empty,
    normalise,
    paste_objects,
    recolour,
)
from segmentation_server.training.recipe import Augmentation

STRONG = Augmentation(
    (0.5, 1), 0.2, True, 0.3, 0.3, 0.3, 0.1, blurred=0.5, jpeg=0.5, pasted=0.5, emptied=0.2, near=0.5, turn=0.1
)


def chance(seed: int = 0) -> Generator:
    return Generator().manual_seed(seed)


def stored(count: int = 4, side: int = 32) -> tuple[Tensor, Tensor]:
    photos = torch.randint(0, 256, (count, 3, side, side), dtype=torch.uint8, generator=chance())
    return photos, photos[:, :1].gt(99).byte() * 255


def gradient(count: int, side: int) -> Tensor:
    """(count, 2, side, side): each pixel holds its own centre, x and y."""
    middle = torch.arange(side) + 0.5
    x, y = torch.meshgrid(middle, middle, indexing="xy")
    return torch.stack([x, y]).expand(count, 2, side, side)


def test_without_augmentation_the_network_sees_what_the_server_shows_it() -> None:
    photos, truths = stored()

    batch, same = augment(photos, truths, 32, Augmentation(), chance())

    expected = to_batch(photos[0].permute(1, 2, 0).numpy(), 32)
    torch.testing.assert_close(batch[:1], torch.from_numpy(expected), rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(same, truths.float() / 255)


def test_photos_may_be_on_a_device_where_chance_is_not() -> None:
    """Tensors of a device without numbers, as those of a GPU, cannot meet others of the CPU."""
    photos, truths = (pictures.to("meta") for pictures in stored())

    batch, changed = augment(photos, truths, 24, STRONG, chance())

    assert (batch.device.type, tuple(batch.shape)) == ("meta", (4, 3, 24, 24))
    assert (changed.device.type, tuple(changed.shape)) == ("meta", (4, 1, 24, 24))


def test_the_same_chance_gives_the_same_batch() -> None:
    photos, truths = stored()

    one, again, other = (augment(photos, truths, 24, STRONG, chance(seed))[0] for seed in (1, 1, 2))

    assert one.equal(again)
    assert not one.equal(other)


def test_what_comes_out_is_in_range() -> None:
    batch, truths = augment(*stored(16), 24, STRONG, chance())

    assert batch.shape == (16, 3, 24, 24)
    assert truths.shape == (16, 1, 24, 24)
    assert batch.isfinite().all()
    assert 0 <= truths.min() < truths.max() <= 1 + 1e-6


def test_a_crop_of_its_own_size_is_a_window_of_whole_pixels() -> None:
    cropped = crop(gradient(20, 32), 24, Augmentation(window=(0.75, 0.75)), chance())

    corners = cropped[:, :, 0, 0]
    assert corners.frac().sub(0.5).abs().max() < 1e-4
    assert corners.min() >= 0.5 - 1e-4
    assert corners.max() <= 8.5 + 1e-4
    assert len({tuple(corner) for corner in corners.round().tolist()}) > 10
    torch.testing.assert_close(cropped - corners[..., None, None], gradient(20, 24) - 0.5, rtol=0, atol=1e-3)


def test_every_other_photo_is_flipped() -> None:
    cropped = crop(gradient(100, 16), 16, Augmentation(is_flipped=True), chance())

    is_flipped = cropped[:, 0, 0, 0] > 8
    assert 30 < is_flipped.sum() < 70
    torch.testing.assert_close(cropped[is_flipped][0], gradient(1, 16)[0].flip(-1), rtol=0, atol=1e-3)


def test_a_near_crop_is_about_the_object_and_not_much_larger() -> None:
    truths = torch.zeros(200, 1, 100, 100)
    truths[:, :, 40:60, 25:75] = 1  # 50 wide, 20 high

    cropped = crop(torch.cat([gradient(200, 100), truths], dim=1), 64, Augmentation(near=1.0), chance())

    sides = (cropped[:, :2, 40, 40] - cropped[:, :2, 24, 24]) * 64 / 16  # in pixels of the photo
    assert 0.8 * 50 - 1 < sides.min() < 0.85 * 50
    assert 1.35 * 50 < sides.max() < 1.4 * 50 + 1
    torch.testing.assert_close(sides[:, 0], sides[:, 1])
    shift = (cropped[:, :2, 31:33, 31:33].mean((2, 3)) - 50) / sides
    assert 0.1 < shift.abs().max() < 0.15 + 1 / 40


def test_a_near_crop_about_an_object_in_the_corner_stays_in_the_photo() -> None:
    truths = torch.zeros(50, 1, 100, 100)
    truths[:, :, 70:, 70:] = 1

    cropped = crop(torch.cat([gradient(50, 100), truths], dim=1), 64, Augmentation(near=1.0), chance())

    assert cropped[:, :2, -2, -2].min() > 95
    assert cropped[:, :2, 1, 1].min() > 55


def test_of_a_photo_without_an_object_a_near_crop_is_large() -> None:
    cropped = crop(
        torch.cat([gradient(20, 64), torch.zeros(20, 1, 64, 64)], dim=1), 32, Augmentation(near=1.0), chance()
    )

    assert (cropped[:, 0, 0, -1] - cropped[:, 0, 0, 0]).min() > 0.75 * 64


def test_a_turned_crop_keeps_its_middle_and_lengths() -> None:
    turned = crop(gradient(50, 64), 64, Augmentation(window=(0.5, 0.5), turn=0.05), chance())

    across = turned[:, :, 32, 40] - turned[:, :, 32, 24]  # in pixels of the photo, along a row of the crop
    torch.testing.assert_close(across.norm(dim=1), torch.full((50,), 8.0), rtol=0, atol=0.1)
    degrees = torch.rad2deg(torch.atan2(across[:, 1], across[:, 0]))
    assert -18 <= degrees.min() < -9
    assert 9 < degrees.max() <= 18
    square = crop(gradient(50, 64), 64, Augmentation(window=(0.5, 0.5)), chance())
    torch.testing.assert_close(*(cropped[:, :, 31:33, 31:33].mean((2, 3)) for cropped in (turned, square)))


def test_a_pasted_object_covers_and_is_truth() -> None:
    photos, truths = stored(2)
    pictures = torch.cat([photos / 255, truths / 255], dim=1)

    pasted = paste_objects(pictures, 1.0, chance())

    is_object = (truths[1, 0] == 255).expand(4, -1, -1)
    torch.testing.assert_close(pasted[0], torch.where(is_object, pictures[1], pictures[0]))
    assert pasted[0, 3].equal(pictures[:, 3].amax(0))


def test_colours_change_and_shapes_stay() -> None:
    photos = stored(1)[0] / 255

    changed = recolour(photos, Augmentation(brightness=0.2, contrast=0.2, saturation=0.2, tint=0.2), chance())

    assert not changed.equal(photos)
    correlation = torch.corrcoef(torch.stack([changed.flatten(), photos.flatten()]))[0, 1]
    assert correlation > 0.95


def test_blur_keeps_a_plain_photo_and_takes_noise_off() -> None:
    plain, noise = torch.full((1, 3, 32, 32), 0.3), stored(1)[0] / 255

    torch.testing.assert_close(blur(plain, 1.0, chance()), plain)
    assert blur(noise, 1.0, chance()).std() < 0.8 * noise.std()


def test_blocks_lose_what_a_real_jpeg_loses_of_a_grey_photo() -> None:
    grey = cv2.GaussianBlur(stored(1, 64)[0][0, 0].numpy(), (0, 0), 1.5)
    quality = 15 + 65 * torch.rand(1, generator=chance()).item()
    jpeg = cv2.imencode(".jpg", grey, [cv2.IMWRITE_JPEG_QUALITY, round(quality)])[1]
    real = np.float32(cv2.imdecode(jpeg, cv2.IMREAD_GRAYSCALE))

    ours = compress(torch.from_numpy(grey / 255).float().expand(1, 3, -1, -1), 1.0, chance())[0, 0].numpy() * 255

    assert np.abs(real - grey).mean() > 1
    assert np.abs(ours - real).mean() < 0.3 * np.abs(real - grey).mean()


def test_a_black_photo_stays_finite() -> None:
    assert normalise(torch.zeros(1, 3, 8, 8)).isfinite().all()


def test_an_emptied_photo_has_an_empty_truth_and_the_others_stay() -> None:
    photos, truths = torch.rand(400, 3, 16, 16, generator=chance()), torch.ones(400, 1, 16, 16)

    new, left = empty(photos, truths, 0.25, chance())

    is_emptied = (new != photos).flatten(1).any(1)
    assert 70 < is_emptied.sum() < 130
    assert left[is_emptied].max() == 0
    assert left[~is_emptied].min() == 1


def test_nothing_is_drawn_in_many_ways() -> None:
    drawn = torch.cat([draw_nothing(32, chance(seed)) for seed in range(300)])

    assert drawn.shape == (300, 3, 32, 32)
    assert 0 <= drawn.min() < drawn.max() <= 1
    spread = drawn.flatten(2).std(2).amax(1)
    assert 10 < (spread == 0).sum() < 100  # one colour
    assert (spread > 0.1).sum() > 20
    assert 5 < (drawn.flatten(1).amax(1) == 0).sum() < 100  # black
