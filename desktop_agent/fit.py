"""cutout + how it floated over the view -> the picture that the editor is given."""

import cv2
import numpy as np
import numpy.typing as npt

from desktop_agent.pictures import Cutout

SMALLEST_CUTOUT_PX = 16
LARGEST_SCALE = 3.0  # beyond this a cutout is more blur than picture
LARGEST_SHARE = 0.9  # of the monitor that a cutout may cover
LONGEST_PX = 6000  # in the document, however far it is zoomed out
UPRIGHT_DEG = 12.0  # a phone is never held straighter than this

Premultiplied = npt.NDArray[np.float32]  # (h, w, 4), RGBA, 0 to 255


def fit_cutout(cutout: Cutout, width_px: float, turn_deg: float, monitor: tuple[int, int], zoom: float = 1.0) -> Cutout:
    """The cutout as large and as turned on the screen as it floated over the view.

    Args:
        cutout: (h, w, 4) uint8, RGBA, straight alpha.
        width_px: wanted width before it is turned, in screen pixels.
        turn_deg: clockwise; within UPRIGHT_DEG it stays upright.
        monitor: (height, width) of what it is to fit on, in pixels.
        zoom: screen pixels in a pixel of what the editor is given.

    Returns:
        (h, w, 4) uint8, RGBA, straight alpha; with transparent corners if it is turned.
    """
    size = fitted_size(cutout, width_px, monitor, zoom)
    premultiplied = _premultiply(cutout)
    if size != (cutout.shape[1], cutout.shape[0]):
        interpolation = cv2.INTER_AREA if size[0] < cutout.shape[1] else cv2.INTER_LINEAR
        premultiplied = np.asarray(cv2.resize(premultiplied, size, interpolation=interpolation), np.float32)
    turn_deg = upright(turn_deg)
    return _straighten(_turn(premultiplied, turn_deg) if turn_deg else premultiplied)


def fitted_size(cutout: Cutout, width_px: float, monitor: tuple[int, int], zoom: float) -> tuple[int, int]:
    """The (width, height) of what fit_cutout makes, before it is turned."""
    height, width = cutout.shape[:2]
    fits = LARGEST_SHARE * min(monitor[1] / width, monitor[0] / height)
    on_screen = min(fits, max(width_px, SMALLEST_CUTOUT_PX) / width)
    scale = min(on_screen / zoom, LARGEST_SCALE, LONGEST_PX / max(height, width))
    return max(1, round(width * scale)), max(1, round(height * scale))


def upright(turn_deg: float) -> float:
    """The same turn between -180 and 180; none at all where it is too small to be meant."""
    turn_deg = (turn_deg + 180) % 360 - 180
    return 0.0 if abs(turn_deg) <= UPRIGHT_DEG else turn_deg


def pad_cutout(cutout: Cutout, left: int, top: int, right: int, bottom: int) -> Cutout:
    """The cutout in the midst of transparent pixels, so that an editor that pastes by its edges puts it elsewhere."""
    return np.pad(cutout, ((top, bottom), (left, right), (0, 0)))


def _premultiply(cutout: Cutout) -> Premultiplied:
    """Colours are averaged by their alpha, so that what lies under transparent pixels does not bleed in."""
    alpha = cutout[:, :, 3:].astype(np.float32) / 255
    return np.asarray(np.concatenate([cutout[:, :, :3] * alpha, alpha * 255], axis=2), np.float32)


def _straighten(premultiplied: Premultiplied) -> Cutout:
    colours = premultiplied[:, :, :3] / np.maximum(premultiplied[:, :, 3:] / 255, 1e-3)
    return np.asarray(np.clip(np.rint(np.dstack([colours, premultiplied[:, :, 3]])), 0, 255), np.uint8)


def _turn(premultiplied: Premultiplied, turn_deg: float) -> Premultiplied:
    """Turned clockwise about its centre, on a canvas that holds all of it."""
    height, width = premultiplied.shape[:2]
    cosine, sine = np.cos(np.deg2rad(turn_deg)), np.sin(np.deg2rad(turn_deg))
    turned_width = int(np.ceil(width * abs(cosine) + height * abs(sine)))
    turned_height = int(np.ceil(width * abs(sine) + height * abs(cosine)))
    turned_from_cutout = np.array([[cosine, -sine, 0.0], [sine, cosine, 0.0]])  # y runs down, so this is clockwise
    centre = ((width - 1) / 2, (height - 1) / 2)
    turned_from_cutout[:, 2] = ((turned_width - 1) / 2, (turned_height - 1) / 2) - turned_from_cutout[:, :2] @ centre
    return np.asarray(cv2.warpAffine(premultiplied, turned_from_cutout, (turned_width, turned_height)), np.float32)
