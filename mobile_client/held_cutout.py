"""copied thing -> what floats over the camera's view, and how large. No Kivy."""

from dataclasses import dataclass

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


@dataclass(frozen=True)
class HeldCutout:
    """A cutout and how it floats."""

    cutout: Cutout
    is_whole: bool
    width_share: float  # the cutout's width as a share of the photo's, which filled the window
    floating: Cutout  # at most FLOAT_TEXTURE_PX, colours spread under the transparent pixels
    halo: Cutout  # what surrounds it; it reaches HALO_MARGIN beyond the cutout


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
