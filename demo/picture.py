"""The story as one picture: photo, cutout, phone, view, screen before and after."""

import numpy as np
from PIL import Image, ImageDraw, ImageFont, ImageOps

from demo.desktop import Picture
from demo.story import AIM, Story

PANEL = (640, 427)
CAPTION_PX = 44
GAP_PX = 24
INK = (32, 36, 44)
PAPER = (246, 246, 248)
RETICLE, EDGE = (64, 224, 255), (16, 20, 28)  # seen on red, on white and on black
BACKDROP = (228, 229, 233)
SQUARE_PX = 16


def draw(story: Story) -> Image.Image:
    """Six panels with captions, in the order in which they happened."""
    panels = [
        ("1  Point at a thing", Image.fromarray(story.photo)),
        ("2  Tap: it is cut out", on_chequerboard(story.cutout)),
        ("3  The editor before", Image.fromarray(story.screen_before)),
        ("4  Aim: the camera's view (computed)", with_reticle(story.view)),
        ("5  On the phone: it floats over the view", Image.fromarray(story.phone_holding)),
        (f"6  Tap: pasted, {story.distance_px:.1f} px from the aim", with_aim(story.screen_after)),
    ]
    width = 3 * PANEL[0] + 4 * GAP_PX
    height = 2 * (PANEL[1] + CAPTION_PX) + 3 * GAP_PX
    sheet = Image.new("RGB", (width, height), PAPER)
    pen = ImageDraw.Draw(sheet)
    font = ImageFont.load_default(24)
    for index, (caption, picture) in enumerate(panels):
        left = GAP_PX + (index % 3) * (PANEL[0] + GAP_PX)
        top = GAP_PX + (index // 3) * (PANEL[1] + CAPTION_PX + GAP_PX)
        pen.text((left, top + 4), caption, fill=INK, font=font)
        sheet.paste(ImageOps.pad(picture, PANEL, Image.Resampling.LANCZOS, BACKDROP), (left, top + CAPTION_PX))
    return sheet


def on_chequerboard(cutout: Picture) -> Image.Image:
    """A (H, W, 4) cutout over grey and white squares."""
    height, width = cutout.shape[:2]
    rows, columns = np.mgrid[:height, :width] // SQUARE_PX
    squares = np.where((rows + columns) % 2, 255, 204).astype(np.uint8)
    board = Image.fromarray(np.dstack([squares] * 3))
    board.paste(Image.fromarray(cutout), (0, 0), Image.fromarray(cutout))
    return board


def with_reticle(view: Picture) -> Image.Image:
    """A view with its centre marked."""
    return _mark(view, ((view.shape[1] - 1) / 2, (view.shape[0] - 1) / 2), radius_px=26)


def with_aim(screenshot: Picture) -> Image.Image:
    """A screenshot with the aim marked."""
    return _mark(screenshot, (AIM.x, AIM.y), radius_px=12)


def _mark(picture: Picture, point: tuple[float, float], radius_px: int) -> Image.Image:
    marked = Image.fromarray(picture)
    pen = ImageDraw.Draw(marked)
    x, y = point
    for colour, width in ((EDGE, 7), (RETICLE, 3)):
        pen.ellipse((x - radius_px, y - radius_px, x + radius_px, y + radius_px), outline=colour, width=width)
        for dx, dy in ((-1, 0), (1, 0), (0, -1), (0, 1)):
            begin, end = radius_px / 2, 2 * radius_px
            pen.line((x + dx * begin, y + dy * begin, x + dx * end, y + dy * end), fill=colour, width=width)
    return marked
