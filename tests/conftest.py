"""Pictures that several tests need, drawn here, and calm for those that calculate."""

from collections.abc import Iterator

import cv2
import numpy as np
import numpy.typing as npt
import pytest

Picture = npt.NDArray[np.uint8]

WORDS = (
    *("file", "edit", "view", "insert", "format", "tools", "table", "window", "help", "open", "save", "print"),
    *("copy", "paste", "undo", "redo", "zoom", "page"),
)


def draw_screen(seed: int, width: int = 1280, height: int = 800) -> Picture:
    """A desktop with windows, icons and text, another one for each seed: (H, W, 3) uint8, RGB."""
    random = np.random.default_rng(seed)
    screen = np.full((height, width, 3), random.integers(60, 200, 3), np.uint8)
    for _ in range(5):
        _draw_window(screen, random)
    for x in range(20, width - 60, 64):
        colour = tuple(int(level) for level in random.integers(0, 255, 3))
        cv2.circle(screen, (x + 20, height - 28), int(random.integers(8, 18)), colour, -1)
        cv2.putText(
            screen, str(random.choice(WORDS))[:3], (x + 4, height - 24), cv2.FONT_HERSHEY_SIMPLEX, 0.5, (255,) * 3
        )
    return screen


def _draw_window(screen: Picture, random: np.random.Generator) -> None:
    height, width = screen.shape[:2]
    w, h = int(random.integers(width // 3, width // 2)), int(random.integers(height // 3, height // 2))
    x, y = int(random.integers(0, width - w)), int(random.integers(0, height - h - 60))
    cv2.rectangle(screen, (x, y), (x + w, y + h), (245, 245, 242), -1)
    cv2.rectangle(screen, (x, y), (x + w, y + 26), (50, 60, 80), -1)
    for row in range(y + 50, y + h - 10, 22):
        line = " ".join(random.choice(WORDS, 9))
        cv2.putText(screen, line, (x + 12, row), cv2.FONT_HERSHEY_SIMPLEX, 0.45, (40, 40, 40), 1, cv2.LINE_AA)
    cv2.rectangle(screen, (x, y), (x + w, y + h), (90, 90, 90), 2)


def draw_cutout() -> Picture:
    """A striped ellipse with a soft edge: (120, 180, 4) uint8, RGBA, straight alpha."""
    y, x = np.mgrid[:120, :180]
    radius = np.hypot((x - 89.5) / 88, (y - 59.5) / 58)
    alpha = np.clip((1 - radius) * 20, 0, 1) * 255
    stripes = np.where((x // 12 + y // 20) % 2, 230, 40)
    return np.dstack([stripes, 200 - x, 60 + y, alpha]).astype(np.uint8)


@pytest.fixture(scope="session")
def screen() -> Picture:
    """A desktop; do not draw on it."""
    return draw_screen(seed=1)


@pytest.fixture
def cutout() -> Picture:
    """Something to paste."""
    return draw_cutout()


@pytest.fixture
def one_thread() -> Iterator[None]:
    """For small tensors: there threads cost more than they bring, most of all where other programs run."""
    torch = pytest.importorskip("torch")
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)
