"""stored photos + truths -> a batch for the network, on whichever device they are.

All chance is drawn on the CPU from one generator, so that a batch follows from its number alone, on any device. It is
sent to a GPU without waiting for it.
"""

import math

import torch
import torch.nn.functional as F
from torch import Generator, Tensor

from segmentation_server.segmenter import IMAGENET_MEAN, IMAGENET_STD
from segmentation_server.training.recipe import Augmentation

BLUR_REACH = 4  # pixels; the window is twice as wide and one
BLUR_SIGMA = (0.4, 2.0)  # pixels
NEARNESS = (0.8, 1.4)  # of a window about the object, which is as large as the object's longer side, times this
NEAR_SHIFT = 0.15  # how far its middle is from the object's, either way, as a share of its sides
LEAST_NEAR = 0.4  # of the stored side; closer, a photo has no details
JPEG_QUALITY = (15.0, 80.0)  # as libjpeg counts
DARKNESS = 2  # of photos of nothing; some are black
GREY = (0.299, 0.587, 0.114)  # ITU-R BT.601
LUMINANCE_STEPS = (  # ITU-T T.81, Table K.1: what the frequencies of a block are divided by at quality 50
    (16, 11, 10, 16, 24, 40, 51, 61),
    (12, 12, 14, 19, 26, 58, 60, 55),
    (14, 13, 16, 24, 40, 57, 69, 56),
    (14, 17, 22, 29, 51, 87, 80, 62),
    (18, 22, 37, 56, 68, 109, 103, 77),
    (24, 35, 55, 64, 81, 104, 113, 92),
    (49, 64, 78, 87, 103, 121, 120, 101),
    (72, 92, 95, 98, 112, 100, 103, 99),
)


def augment(
    photos: Tensor, truths: Tensor, side: int, how: Augmentation, generator: Generator
) -> tuple[Tensor, Tensor]:
    """Change photos and truths by chance, each in its own way.

    Args:
        photos: (B, 3, S, S) uint8, RGB.
        truths: (B, 1, S, S) uint8, 255 where the object is.
        side: of what is returned, in pixels.
        how: what is done, how often and how much.
        generator: on the CPU.

    Returns:
        (B, 3, side, side) float32, normalised as `segmenter.to_batch` does, and (B, 1, side, side) float32 in [0, 1].
    """
    both = torch.cat([photos, truths], dim=1).float() / 255
    both = crop(both, side, how, generator)
    both = paste_objects(both, how.pasted, generator)
    photos, truths = both[:, :3], both[:, 3:]
    photos = recolour(photos, how, generator)
    photos = blur(photos, how.blurred, generator)
    photos = compress(photos, how.jpeg, generator)
    photos, truths = empty(photos, truths, how.emptied, generator)
    return normalise(photos), truths


def normalise(photos: Tensor) -> Tensor:
    """(B, 3, H, W) float32 in [0, 1], RGB -> what the network takes; see `segmenter.to_batch`."""
    brightest = photos.amax((1, 2, 3), keepdim=True).clamp_min(1 / 255)
    constants = (torch.from_numpy(values).view(3, 1, 1) for values in (IMAGENET_MEAN, IMAGENET_STD))
    mean, std = (send(values, photos.device) for values in constants)
    return (photos / brightest - mean) / std


def send(drawn: Tensor, device: torch.device) -> Tensor:
    """Copy a tensor of the CPU to a device; pinned, or the copy would wait until a GPU had finished all else."""
    return (drawn.pin_memory() if device.type == "cuda" else drawn).to(device, non_blocking=True)


def crop(pictures: Tensor, side: int, how: Augmentation, generator: Generator) -> Tensor:
    """(B, C, S, S) float, the last channel a truth in [0, 1] -> (B, C, side, side).

    It is a window of whole pixels, anywhere or about the object, resized bilinearly and perhaps turned and flipped.
    """
    count, stored = pictures.shape[0], pictures.shape[-1]
    stretch = 1 + _around(count, 2, how.stretch, generator)
    share = _uniform(count, *how.window, generator)[:, None] * stretch
    place = torch.rand(count, 2, generator=generator)
    is_flipped = torch.rand(count, generator=generator) < (0.5 if how.is_flipped else 0)
    angle = 2 * math.pi * _around(count, 1, how.turn, generator)[:, 0]
    is_near = torch.rand(count, 1, generator=generator) < how.near
    nearness = _uniform(count, *NEARNESS, generator)[:, None] * stretch
    share, place, is_near, nearness = (send(drawn, pictures.device) for drawn in (share, place, is_near, nearness))

    # The window in pixels, x and y: anywhere, or about the object.
    begin, end = bounds(pictures[:, -1] > 0.5)
    longest = (end - begin).amax(1, keepdim=True)
    near = (nearness * longest).clamp_min(LEAST_NEAR * stored)
    sides = torch.where(is_near, near, share * stored).round().clamp(1, stored)
    room = stored - sides
    corners = torch.where(is_near, (begin + end - sides) / 2 + NEAR_SHIFT * (2 * place - 1) * sides, place * (room + 1))
    corners = corners.floor().clamp_min(0).minimum(room)

    # As affine_grid counts, from -1 to 1.
    scale, middle = sides / stored, (2 * corners + sides) / stored - 1
    turned = torch.stack([angle.cos(), -angle.sin(), angle.sin(), angle.cos()], dim=1).view(count, 2, 2)
    turned[:, :, 0] *= torch.where(is_flipped, -1.0, 1.0)[:, None]
    affine = torch.cat([send(turned, pictures.device) * scale[:, None], middle[:, :, None]], dim=2)
    grid = F.affine_grid(affine, [count, 1, side, side], align_corners=False)
    return F.grid_sample(pictures, grid, padding_mode="border", align_corners=False)


def bounds(truths: Tensor) -> tuple[Tensor, Tensor]:
    """(B, S, S) bool -> the first pixel of an object and the one behind its last, both (B, 2) int64, x and y.

    An empty truth counts as full.
    """
    lines = torch.stack([truths.any(1), truths.any(2)], dim=1).int()  # (B, 2, S)
    return lines.argmax(2), truths.shape[-1] - lines.flip(2).argmax(2)


def paste_objects(pictures: Tensor, share: float, generator: Generator) -> Tensor:
    """(B, 4, H, W), photo and truth: upon some lies the object of the next; both objects are then the truth."""
    chosen = _choose(len(pictures), share, generator)
    if not len(chosen):
        return pictures
    chosen = send(chosen, pictures.device)
    giver = pictures[(chosen + 1) % len(pictures)]
    opacity = giver[:, 3:]
    solid = torch.cat([giver[:, :3], torch.ones_like(opacity)], dim=1)
    return pictures.index_copy(0, chosen, torch.lerp(pictures[chosen], solid, opacity))


def recolour(photos: Tensor, how: Augmentation, generator: Generator) -> Tensor:
    """(B, 3, H, W) in [0, 1] -> same: saturation, contrast, tint and brightness, in this order."""
    if not any((how.saturation, how.contrast, how.tint, how.brightness)):
        return photos
    count = len(photos)
    saturation, contrast, brightness = (
        send((1 + _around(count, 1, most, generator)).view(count, 1, 1, 1), photos.device)
        for most in (how.saturation, how.contrast, how.brightness)
    )
    tint = send((1 + _around(count, 3, how.tint, generator)).view(count, 3, 1, 1), photos.device)
    grey = (photos * send(torch.tensor(GREY).view(3, 1, 1), photos.device)).sum(1, keepdim=True)
    photos = torch.lerp(grey, photos, saturation)
    photos = torch.lerp(grey.mean((1, 2, 3), keepdim=True), photos, contrast)
    return (photos * tint * brightness).clamp(0, 1)


def blur(photos: Tensor, share: float, generator: Generator) -> Tensor:
    """(B, 3, H, W) -> same: some out of focus."""
    sigma = _uniform(len(photos), *BLUR_SIGMA, generator)
    chosen = _choose(len(photos), share, generator)
    if not len(chosen):
        return photos
    reach = torch.arange(-BLUR_REACH, BLUR_REACH + 1)
    window = torch.exp(-(reach**2) / (2 * sigma[chosen, None] ** 2))  # (b, 9)
    window = send((window / window.sum(1, keepdim=True)).repeat_interleave(3, dim=0), photos.device)  # (3 b, 9)
    chosen = send(chosen, photos.device)
    height, width = photos.shape[-2:]
    maps = photos[chosen].reshape(1, -1, height, width)
    maps = F.conv2d(F.pad(maps, (BLUR_REACH,) * 4, mode="replicate"), window[:, None, None], groups=len(window))
    maps = F.conv2d(maps, window[:, None, :, None], groups=len(window))
    return photos.index_copy(0, chosen, maps.reshape(-1, 3, height, width))


def compress(photos: Tensor, share: float, generator: Generator) -> Tensor:
    """(B, 3, H, W) in [0, 1], sides multiples of 8 -> same: some with what JPEG leaves of blocks of 8 x 8 pixels.

    The three colours are rounded as JPEG rounds luminance: coarser than it treats brightness, finer than colour.
    """
    quality = _uniform(len(photos), *JPEG_QUALITY, generator)
    chosen = _choose(len(photos), share, generator)
    if not len(chosen):
        return photos
    factor = torch.where(quality < 50, 50 / quality, 2 - quality / 50)[chosen].view(-1, 1, 1, 1, 1, 1)
    chosen = send(chosen, photos.device)
    steps = send((torch.tensor(LUMINANCE_STEPS) * factor).round().clamp(1, 255) / 255, photos.device)
    cosines = send(_cosines(), photos.device)
    height, width = photos.shape[-2:]
    blocks = (photos[chosen] - 128 / 255).reshape(-1, 3, height // 8, 8, width // 8, 8).transpose(3, 4)
    rounded = torch.round(cosines @ blocks @ cosines.T / steps) * steps  # (b, 3, H / 8, W / 8, 8, 8)
    restored = (cosines.T @ rounded @ cosines).transpose(3, 4).reshape(-1, 3, height, width) + 128 / 255
    return photos.index_copy(0, chosen, restored.clamp(0, 1))


def empty(photos: Tensor, truths: Tensor, share: float, generator: Generator) -> tuple[Tensor, Tensor]:
    """(B, 3, H, W) in [0, 1] and (B, 1, H, W) -> same: some are no photos of anything, and their truth is empty.

    Every pair of a data set has an object, so that a network learns that there is one even where nothing is.
    """
    chosen = _choose(len(photos), share, generator)
    blanks = [draw_nothing(photos.shape[-1], generator) for _ in chosen]
    if not blanks:
        return photos, truths
    chosen = send(chosen, photos.device)
    return photos.index_copy(0, chosen, send(torch.cat(blanks), photos.device)), truths.index_fill(0, chosen, 0)


def draw_nothing(side: int, generator: Generator) -> Tensor:
    """(1, 3, side, side) in [0, 1], in 8 bits: a colour, a shade from one to another, fog or noise, dark or light."""
    cells = 2 ** torch.randint(int(math.log2(side)) + 1, (2,), generator=generator)  # across and down
    light, depth = torch.rand(2, generator=generator)
    colour = torch.rand(1, 3, 1, 1, generator=generator)
    spots = 2 * torch.rand(1, 3, int(cells[0]), int(cells[1]), generator=generator) - 1
    coarse = light**DARKNESS * colour * (1 + depth * spots)
    fine = F.interpolate(coarse, (side, side), mode="bilinear", align_corners=True)
    return (255 * fine.clamp(0, 1)).round() / 255


def _cosines() -> Tensor:
    """(8, 8), orthonormal: a row of pixels -> its frequencies (ITU-T T.81, A.3.3)."""
    pixel = torch.arange(8)
    waves = torch.cos((2 * pixel[None, :] + 1) * pixel[:, None] * math.pi / 16) / 2
    waves[0] /= math.sqrt(2)
    return waves


def _choose(count: int, share: float, generator: Generator) -> Tensor:
    """The numbers of those that it happens to; drawn even if it happens to none, so that no draw moves another."""
    return torch.nonzero(torch.rand(count, generator=generator) < share)[:, 0]


def _uniform(count: int, least: float, most: float, generator: Generator) -> Tensor:
    return least + (most - least) * torch.rand(count, generator=generator)


def _around(count: int, columns: int, most: float, generator: Generator) -> Tensor:
    """(count, columns) between -most and most."""
    return most * (2 * torch.rand(count, columns, generator=generator) - 1)
