"""photo + mask -> cutout."""

from typing import Any, TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from protocol.errors import NothingToCut
from protocol.geometry import Box
from protocol.messages import FoundObject
from segmentation_server.photo import Photo
from segmentation_server.segmenter import Mask

Cutout: TypeAlias = NDArray[np.uint8]
Alpha: TypeAlias = NDArray[np.uint8]
Colours: TypeAlias = NDArray[np.float32]

SURE = 0.5  # a pixel of this probability is taken for the object
CONFIDENCE_LEAST = 0.7  # mean probability of those pixels; photos of things have 0.79 and more, bare brick 0.69
AREA_LEAST = 1 / 2000  # of the photo; less is a speck
ALPHA_FROM, ALPHA_TO = 0.25, 0.75  # probabilities that become clear and solid: no haze around, no ghostly interior
RIM = 4  # pixels outside the object that have its colour under alpha 0, so that scaled textures have no dark fringe
BLUR_SIDE = 512  # longer side of the picture in which colours are spread: what a blur leaves needs no more
BLUR_WIDTHS = (91, 7)  # pixels of it: first wide, then narrow (Forte & Pitié 2021, section 3)
WEIGHT_LEAST = 1e-3  # so that a colour is spread even to where nothing of its kind is near
STRIP = 256  # rows refined at once, so that memory stays flat however large the photo


def find_object(mask: Mask) -> FoundObject:
    """Say where the object is and how sure that is.

    Args:
        mask: (H, W) float32 in [0, 1].

    Returns:
        The mean probability of the pixels taken for the object, and the box of everything visible in the cutout.

    Raises:
        NothingToCut: next to no pixel reaches 0.5, or those that do are doubtful.
    """
    sure = mask[mask >= SURE]
    if sure.size < AREA_LEAST * mask.size:
        raise NothingToCut
    confidence = float(sure.mean(dtype=np.float64))
    if confidence < CONFIDENCE_LEAST:
        raise NothingToCut
    return FoundObject(confidence, Box(*cv2.boundingRect(to_alpha(mask))))


def cut_out(photo: Photo, mask: Mask) -> Cutout:
    """Make everything but the object transparent.

    Args:
        photo: (H, W, 3) uint8, RGB.
        mask: (H, W) float32 in [0, 1].

    Returns:
        (H, W, 4) uint8, RGBA, straight alpha; colours under soft edges, and a few pixels beyond, are the object's own.

    Raises:
        NothingToCut: see `find_object`.
    """
    near = _grow(find_object(mask).box, RIM, mask.shape)
    cutout = np.zeros((*mask.shape, 4), np.uint8)
    _fill(cutout[near], photo[near], to_alpha(mask[near]))
    return cutout


def to_alpha(mask: Mask) -> Alpha:
    """(H, W) float32 in [0, 1] -> (H, W) uint8: probabilities near 0 and 1 become clear and solid."""
    scale = 255 / (ALPHA_TO - ALPHA_FROM)
    above = np.maximum(mask, ALPHA_FROM)  # convertScaleAbs saturates at 255 but mirrors what is below 0
    return np.asarray(cv2.convertScaleAbs(above, alpha=scale, beta=-ALPHA_FROM * scale), np.uint8)


def _grow(box: Box, margin: int, shape: tuple[int, ...]) -> tuple[slice, slice]:
    """Rows and columns of a box with a margin, inside a picture of shape (H, W)."""
    rows = slice(max(box.y - margin, 0), min(box.y + box.height + margin, shape[0]))
    columns = slice(max(box.x - margin, 0), min(box.x + box.width + margin, shape[1]))
    return rows, columns


def _fill(cutout: Cutout, photo: Photo, alpha: Alpha) -> None:
    """Draw (h, w, 3) and (h, w) uint8 into (h, w, 4) uint8 zeros; those that stay keep files small."""
    object_colours, other_colours = _spread_colours(photo, alpha)
    reach = cv2.dilate(alpha, np.ones((2 * RIM + 1, 2 * RIM + 1), np.uint8))
    cutout[..., 3] = alpha
    for top in range(0, len(photo), STRIP):
        strip = slice(top, top + STRIP)
        solid = alpha[strip] == 255
        soft = (reach[strip] > 0) & ~solid
        share = _share(alpha[strip][soft])  # (N, 1)
        own, other = object_colours[strip][soft], other_colours[strip][soft]  # (N, 3)
        cutout[strip, :, :3][soft] = _fuse(photo[strip][soft], own, other, share).astype(np.uint8)
        np.copyto(cutout[strip, :, :3], photo[strip], where=solid[..., np.newaxis])


def _spread_colours(photo: Photo, alpha: Alpha) -> tuple[Photo, Photo]:
    """The smooth colours of the object and of what is behind it, each spread beyond the edge: (h, w, 3) uint8 both."""
    scale = min(1.0, BLUR_SIDE / max(alpha.shape))
    size = [max(1, round(side * scale)) for side in alpha.shape[::-1]]
    small = cv2.resize(photo, size, interpolation=cv2.INTER_AREA).astype(np.float32)
    share = _share(cv2.resize(alpha, size, interpolation=cv2.INTER_AREA))
    own, smooth_own, smooth_other = small, small, small
    for width in BLUR_WIDTHS:
        smooth_own = _weighted_blur(own, share, width)
        smooth_other = _weighted_blur(smooth_other, 1 - share, width)
        own = _fuse(small, smooth_own, smooth_other, share)
    return _enlarge(smooth_own, alpha.shape), _enlarge(smooth_other, alpha.shape)


def _enlarge(colours: Colours, shape: tuple[int, ...]) -> Photo:
    """(h, w, 3) float32 -> (H, W, 3) uint8."""
    return np.asarray(cv2.resize(colours.astype(np.uint8), shape[1::-1]), np.uint8)


def _share(alpha: NDArray[Any]) -> Colours:
    """uint8 -> float32 in [0, 1] with one more axis, for the channels."""
    return np.asarray(alpha[..., np.newaxis] / 255, np.float32)


def _weighted_blur(colours: Colours, weight: Colours, width: int) -> Colours:
    """(h, w, 3) and (h, w, 1) float32 -> (h, w, 3) float32: the mean of the neighbours that have weight."""
    weight = weight + WEIGHT_LEAST
    colour_sums, weight_sums = (cv2.blur(part, (width, width)) for part in (colours * weight, weight))
    return np.asarray(colour_sums / weight_sums[..., np.newaxis], np.float32)


def _fuse(photo: Photo | Colours, own: Photo | Colours, other: Photo | Colours, share: Colours) -> Colours:
    """The object's colour where its share of a pixel is `share`: its smooth colour and what that does not explain.

    Forte & Pitié 2021, equation 7; all (..., 3) in 0 to 255, share (..., 1) float32 in [0, 1].
    """
    unexplained = photo - share * own - (1 - share) * other
    return np.asarray((own + share * unexplained).clip(0, 255), np.float32)
