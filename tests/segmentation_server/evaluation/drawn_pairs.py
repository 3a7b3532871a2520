"""Predictions and truths drawn with NumPy alone, so that they are the same with every version of every library."""

import numpy as np

from segmentation_server.evaluation.metrics import Prediction, Truth

HEIGHT, WIDTH = 60, 80


def ellipse(x: float, y: float, a: float, b: float, *, softness: float = 0.0) -> Prediction:
    """1 inside, 0 outside; the edge is `softness` times as wide as the ellipse."""
    down, across = np.mgrid[:HEIGHT, :WIDTH]
    inside: Prediction = 1 - ((across - x) / a) ** 2 - ((down - y) / b) ** 2
    return (inside / softness + 0.5).clip(0, 1) if softness else (inside >= 0).astype(np.float64)


def noise(seed: int) -> Prediction:
    return np.random.default_rng(seed).random((HEIGHT, WIDTH))


def rings() -> Truth:
    """A cup with its handle: a thin ring at the side of a solid ellipse, and a wire across the picture."""
    handle = ellipse(58, 30, 12, 14) - ellipse(58, 30, 9, 11)
    shape = ellipse(36, 30, 20, 24) + handle > 0
    shape[52, :] = True
    return shape


def draw_pairs() -> dict[str, tuple[Prediction, Truth]]:
    """A name for each prediction, in steps of 1/255 as in a PNG, and its truth."""
    cup, disc, corner = rings(), ellipse(40, 30, 22, 15) > 0, np.zeros((HEIGHT, WIDTH), bool)
    corner[:9, :7] = True
    dot, empty, full = np.zeros_like(corner), np.zeros_like(corner), np.ones_like(corner)
    dot[20, 30] = True
    soft = ellipse(42, 29, 21, 16, softness=0.6)
    pairs = {
        "a soft ellipse a little beside its truth": (soft, disc),
        "a cup without its handle": (ellipse(37, 31, 21, 23, softness=0.4), cup),
        "a faint and noisy cup": (0.6 * cup * noise(1) + 0.2 * noise(2), cup),
        "pure noise": (noise(3), disc),
        "the opposite": (1.0 - disc, disc),
        "the truth itself": (cup.astype(np.float64), cup),
        "nothing found": (np.zeros((HEIGHT, WIDTH)), disc),
        "everything found": (np.ones((HEIGHT, WIDTH)), disc),
        "undecided": (np.full((HEIGHT, WIDTH), 0.4), disc),
        "an object in the corner": (ellipse(2, 3, 9, 9, softness=0.5), corner),
        "a single pixel": (0.9 * noise(4), dot),
        "noise where there is nothing": (0.3 * noise(5), empty),
        "nothing where there is nothing": (np.zeros((HEIGHT, WIDTH)), empty),
        "noise where all is object": (1 - 0.3 * noise(6), full),
        "all where all is object": (np.ones((HEIGHT, WIDTH)), full),
    }
    return {name: (np.round(prediction * 255) / 255, truth) for name, (prediction, truth) in pairs.items()}
