"""What is open in the editors, and what is pasted into them: all of it drawn here."""

import base64
import io
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image

Picture = npt.NDArray[np.uint8]  # (H, W, 3), RGB
Cutout = npt.NDArray[np.uint8]  # (h, w, 4), RGBA, straight alpha

WriteDocument = Callable[[Path, Picture], Path]

HERE = Path(__file__).parent
WIDTH, HEIGHT = 2400, 1600  # of the pictures; more than a window shows at any zoom that is opened here
WIDTH_MM, HEIGHT_MM = 635.0, 423.33  # the same at 96 pixels an inch
PARAGRAPHS = 40  # more than a window shows
NO_PASTE = '<script>addEventListener("paste", event => event.preventDefault())</script>\n'
SENTENCE = "The quick brown fox jumps over the lazy dog, and the five boxing wizards jump quickly after it. "


def draw_blank() -> Picture:
    """A white sheet: (HEIGHT, WIDTH, 3) uint8, RGB."""
    return np.full((HEIGHT, WIDTH, 3), 255, np.uint8)


def draw_texture() -> Picture:
    """Soft hills under shapes and grain, in quiet colours that nothing pasted has: (HEIGHT, WIDTH, 3) uint8, RGB."""
    random = np.random.default_rng(11)
    hills = cv2.resize(random.uniform(90, 190, (10, 15, 3)), (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC)
    picture = np.clip(hills, 70, 210).astype(np.uint8)
    for _ in range(220):
        centre = tuple(int(limit * random.uniform()) for limit in (WIDTH, HEIGHT))
        colour = tuple(int(level) for level in random.integers(70, 210, 3))
        cv2.ellipse(picture, centre, (int(random.integers(8, 90)), int(random.integers(8, 60))), 30, 0, 360, colour, -1)
    grain = random.normal(0, 5, (HEIGHT // 2, WIDTH // 2, 1)).repeat(2, axis=0).repeat(2, axis=1)
    return np.clip(picture + grain, 60, 220).astype(np.uint8)


def write_png(folder: Path, picture: Picture) -> Path:
    """For editors of pixels."""
    path = folder / "document.png"
    Image.fromarray(picture).save(path)
    return path


def write_svg(folder: Path, picture: Picture) -> Path:
    """For editors of drawings: the picture lies on the page as an object."""
    path = folder / "document.svg"
    path.write_text(
        f'<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" width="{WIDTH}px"'
        f' height="{HEIGHT}px" viewBox="0 0 {WIDTH} {HEIGHT}"><image width="{WIDTH}" height="{HEIGHT}"'
        f' xlink:href="data:image/png;base64,{_base64(picture)}"/></svg>'
    )
    return path


def write_drawing(folder: Path, picture: Picture) -> Path:
    """For LibreOffice Draw."""
    return _write_open_document(folder / "document.fodg", "graphics", "drawing", picture)


def write_slide(folder: Path, picture: Picture) -> Path:
    """For LibreOffice Impress."""
    return _write_open_document(folder / "document.fodp", "presentation", "presentation", picture)


def _write_open_document(path: Path, kind: str, body: str, picture: Picture) -> Path:
    """A page as large as the picture, which lies on it as an object."""
    template = (HERE / "open_document.xml").read_text()
    fields = {"KIND": kind, "BODY": body, "WIDTH": f"{WIDTH_MM}mm", "HEIGHT": f"{HEIGHT_MM}mm"}
    for name, value in {**fields, "PICTURE": _base64(picture)}.items():
        template = template.replace(f"@{name}@", value)
    path.write_text(template)
    return path


def write_canvas_page(takes: str) -> WriteDocument:
    """For a browser: a page that draws what is pasted where the mouse is, and what is dropped.

    Args:
        takes: what it does not leave to the browser: any of "paste", "drag" or only a drag of "files", and "drop".
    """

    def write(folder: Path, picture: Picture) -> Path:
        write_png(folder, picture)
        path = folder / "canvas.html"
        path.write_text((HERE / "canvas.html").read_text().replace("@TAKES@", takes))
        return path

    return write


def write_editable_page(folder: Path, picture: Picture, *, takes_paste: bool = True) -> Path:
    """For a browser: a page with text to write in; blank, or with words on every line."""
    words = "<p>" + SENTENCE * 3 + "</p>" if picture.std() > 1 else "<p><br></p>"
    path = folder / "editable.html"
    page = (HERE / "editable.html").read_text().replace("@TEXT@", words * PARAGRAPHS)
    path.write_text(page if takes_paste else page + NO_PASTE)
    return path


def write_text(folder: Path, picture: Picture) -> Path:
    """For a text editor: blank, or with words."""
    path = folder / "document.txt"
    path.write_text((SENTENCE + "\n") * (80 if picture.std() > 1 else 0))
    return path


def _base64(picture: Picture) -> str:
    png = io.BytesIO()
    Image.fromarray(picture).save(png, "PNG")
    return base64.b64encode(png.getvalue()).decode()
