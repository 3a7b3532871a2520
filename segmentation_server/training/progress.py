"""What a training run shows of itself: curves and masks, as PNG."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from torch import Tensor

WIDTH, HEIGHT, MARGIN = 800, 240, 40  # pixels of one curve
TILE = 160  # pixels per side
COLUMNS = 4  # photos side by side, each with its truth and its mask
INK, GRID = (40, 40, 40), (225, 225, 225)
Curve = Sequence[tuple[int, float]]  # step, value


def draw_curves(curves: Mapping[str, Curve], file: Path) -> None:
    """One below the other; what is not yet begun is left out."""
    panels = [_panel(name, curve) for name, curve in curves.items() if len(curve) > 1]
    if panels:
        cv2.imwrite(str(file), np.concatenate(panels))


def _panel(name: str, curve: Curve) -> NDArray[np.uint8]:
    panel = np.full((HEIGHT, WIDTH, 3), 255, np.uint8)
    points = np.array(curve, np.float64)
    low, high = points.min(0), np.quantile(points, [0.98, 1], axis=0).max(0)
    high[1] = max(np.quantile(points[:, 1], 0.98), low[1] + 1e-9)  # the first few losses would flatten all others
    scaled = (points - low) / (high - low)
    across, up = scaled[:, 0] * (WIDTH - 2 * MARGIN), scaled[:, 1].clip(0, 1) * (HEIGHT - 2 * MARGIN)
    pixels = np.stack([MARGIN + across, HEIGHT - MARGIN - up], axis=1).round().astype(np.int32)
    cv2.rectangle(panel, (MARGIN, MARGIN), (WIDTH - MARGIN, HEIGHT - MARGIN), GRID)
    cv2.polylines(panel, [pixels], isClosed=False, color=INK, lineType=cv2.LINE_AA)
    text = f"{name}: {low[1]:.4f} to {high[1]:.4f}, now {points[-1, 1]:.4f}, steps {low[0]:.0f} to {high[0]:.0f}"
    cv2.putText(panel, text, (MARGIN, MARGIN - 12), cv2.FONT_HERSHEY_SIMPLEX, 0.5, INK, 1, cv2.LINE_AA)
    return panel


def draw_masks(photos: Tensor, truths: Tensor, probabilities: Tensor, file: Path) -> None:
    """Photo, truth and mask side by side.

    Args:
        photos: (N, 3, S, S) uint8, RGB.
        truths: (N, 1, S, S) uint8.
        probabilities: (N, 1, S, S) float32 in [0, 1].
        file: where to.
    """
    masks = (probabilities * 255).round().byte()
    triples = [
        np.concatenate([_tile(photo), _tile(truth), _tile(mask)], axis=1)
        for photo, truth, mask in zip(photos, truths, masks, strict=True)
    ]
    whole = len(triples) // COLUMNS * COLUMNS or len(triples)
    rows = [np.concatenate(triples[at : at + COLUMNS], axis=1) for at in range(0, whole, COLUMNS)]
    cv2.imwrite(str(file), np.concatenate(rows))


def _tile(picture: Tensor) -> NDArray[np.uint8]:
    """(1 or 3, S, S) uint8, RGB -> (TILE, TILE, 3) uint8, BGR."""
    bgr = picture.expand(3, -1, -1).flip(0).permute(1, 2, 0).cpu().numpy()
    return np.asarray(cv2.resize(bgr, (TILE, TILE), interpolation=cv2.INTER_AREA), np.uint8)
