"""copied thing -> what floats over the camera's view, and how large. No Kivy."""

from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from PIL import Image, ImageChops, ImageFilter, ImageOps

from mobile_client.clients import CopiedThing, Cutout

HALO_MARGIN = 0.14  # of the cutout's long side: how far its halo reaches beyond it
LIFT_SCALE = 0.92  # a thing in hand looks a little smaller than a thing in place
FLOAT_TEXTURE_PX = 1024
HALO_PX = 360  # the long side of the cutout within its halo
SHADOW_DROP_PX = 10
SHADOW_BLUR_PX = 12
MOST_ENLARGED = 3.0  # window pixels per pixel of the cutout; nor does the agent paste it larger
MOST_OF_WINDOW = (0.72, 0.46)  # of its width and height: the screen must stay visible around what is held
LEAST_OF_WINDOW = 0.1  # of its width: smaller than a fingertip nobody sees what they hold
UPRIGHT_WITHIN_DEG = 4.0  # of a quarter turn: nobody means to turn a thing by so little


@dataclass(frozen=True)
class HeldCutout:
    """A cutout and how it floats."""

    cutout: Cutout
    is_whole: bool
    width_share: float  # the cutout's width as a share of the photo's, which filled the window
    floating: Cutout  # at most FLOAT_TEXTURE_PX, colours spread under the transparent pixels
    halo: Cutout  # what surrounds it; it reaches HALO_MARGIN beyond the cutout


@dataclass(frozen=True)
class Grip:
    """How two fingers have scaled and turned what floats."""

    zoom: float = 1.0
    twist_deg: float = 0.0  # clockwise, from -180 to 180, as far as the fingers went

    @property
    def turn_deg(self) -> float:
        """How far it floats turned, clockwise: as the fingers went, but straight if it is nearly so."""
        straight_deg = round(self.twist_deg / 90) * 90.0
        return straight_deg if abs(self.twist_deg - straight_deg) <= UPRIGHT_WITHIN_DEG else self.twist_deg

    def pinched(self, factor: float, twist_deg: float, limits: tuple[float, float]) -> Self:
        """It, so many times larger and turned so much further; the zoom stays within limits."""
        least, most = limits
        zoom = min(most, max(least, self.zoom * factor))
        return replace(self, zoom=zoom, twist_deg=(self.twist_deg + twist_deg + 180) % 360 - 180)


def hold(thing: CopiedThing, photo_width: int) -> HeldCutout:
    """Make a fresh cutout ready to float."""
    picture = Image.fromarray(np.ascontiguousarray(thing.cutout))
    picture.thumbnail((FLOAT_TEXTURE_PX, FLOAT_TEXTURE_PX), reducing_gap=2.0)
    width_share = thing.cutout.shape[1] / photo_width
    return HeldCutout(thing.cutout, thing.is_whole, width_share, _spread_colours(picture), _halo_of(picture))


def _spread_colours(picture: Image.Image) -> Cutout:
    """Give transparent pixels their neighbours' colour: Kivy blends straight alpha and would show black edges."""
    spread = picture.convert("RGBa").filter(ImageFilter.GaussianBlur(6)).convert("RGBA")
    pixels = np.array(picture)  # (h, w, 4)
    is_clear = pixels[..., 3] == 0
    pixels[is_clear, :3] = np.asarray(spread)[is_clear, :3]
    return pixels


def _halo_of(picture: Image.Image) -> Cutout:
    """A bright rim and a shadow around a cutout, clear where the cutout is and at the edge, lest a box be seen."""
    scale = HALO_PX / max(picture.size)
    alpha = picture.getchannel("A").resize([max(1, round(side * scale)) for side in picture.size])
    wide = ImageOps.expand(alpha, round(HALO_PX * HALO_MARGIN))
    rim = np.clip(np.asarray(wide.filter(ImageFilter.GaussianBlur(2.5))) / 255 * 4, 0, 1)
    dropped = ImageChops.offset(wide, 0, SHADOW_DROP_PX)
    shadow = np.asarray(dropped.filter(ImageFilter.GaussianBlur(SHADOW_BLUR_PX))) / 255 * 0.55
    outside = 1 - np.asarray(wide) / 255
    opacity = rim + shadow * (1 - rim)
    grey = 255 * rim / np.maximum(opacity, 1e-6)
    return np.dstack([grey, grey, grey, 255 * opacity * outside]).astype(np.uint8)


def float_size(held: HeldCutout, window_size: tuple[float, float]) -> tuple[float, float]:
    """Width and height at which a cutout floats: as large as it was seen, lifted, but not blurred or in the way."""
    height_of_width = held.cutout.shape[0] / held.cutout.shape[1]
    most_width, most_height = (side * share for side, share in zip(window_size, MOST_OF_WINDOW, strict=True))
    sharp_width = held.cutout.shape[1] * MOST_ENLARGED
    seen_width = held.width_share * window_size[0] * LIFT_SCALE
    width = min(seen_width, sharp_width, most_width, most_height / height_of_width)
    return width, width * height_of_width


def zoom_limits(held: HeldCutout, window_size: tuple[float, float]) -> tuple[float, float]:
    """The least and the most zoom of a grip: the cutout is still seen, not blurred, and not beyond the window."""
    width, height = float_size(held, window_size)
    sharp_width = held.cutout.shape[1] * MOST_ENLARGED
    most = min(sharp_width / width, window_size[0] / width, window_size[1] / height)
    return min(1.0, LEAST_OF_WINDOW * window_size[0] / max(width, height)), max(1.0, most)
