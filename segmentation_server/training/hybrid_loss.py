"""logits + truth -> the hybrid loss (section 3.4): BCE for pixels, SSIM for patches, IoU for the whole map.

Probabilities are never stored: all terms start from logits and are computed in single precision, so that a map that is
sure of itself, an empty truth or a full one gives a finite loss and finite gradients.
"""

from collections.abc import Callable, Sequence
from functools import cache
from itertools import groupby

import torch
import torch.nn.functional as F
from torch import Tensor

COMBINATIONS = ("b", "s", "i", "bs", "bi", "si", "bsi")  # the lower half of Table 1
WINDOW = 11  # pixels per side, Wang et al. 2004
SIGMA = 1.5  # pixels, Wang et al. 2004
C1 = 0.01**2  # equation 5
C2 = 0.03**2  # equation 5
NOTHING = 1e-6  # pixels; two empty maps then agree, and no other IoU is changed by as much as one part in a million


def hybrid_loss(outputs: Sequence[Tensor], truth: Tensor, terms: str = "bsi") -> Tensor:
    """Equations 2 and 3 with every weight 1: each term summed over the outputs.

    Args:
        outputs: K maps of (B, 1, H, W) logits, of any floating type. One that is smaller is compared with the truth
            averaged to its size, whose pixels are alike where it divides the truth's.
        truth: (B, 1, H, W) in [0, 1].
        terms: the initials of what is summed, one of COMBINATIONS.

    Returns:
        (len(terms),) float32, the terms in that order; their sum is the loss.
    """
    sums = torch.zeros(len(terms), device=truth.device)
    with torch.autocast(truth.device.type, enabled=False):
        for shape, equal in groupby(outputs, key=lambda output: output.shape):
            logits = torch.stack([output.float() for output in equal])  # (k, B, 1, h, w)
            seen = truth.float() if shape == truth.shape else F.adaptive_avg_pool2d(truth.float(), shape[-2:])
            sums = sums + torch.stack([len(logits) * TERMS[term](logits, seen) for term in terms])
    return sums


def bce(logits: Tensor, truth: Tensor) -> Tensor:
    """Equation 4, the mean over pixels: (..., H, W) logits, and truths that broadcast to them -> a number."""
    return F.binary_cross_entropy_with_logits(logits, truth.expand_as(logits))


def ssim(logits: Tensor, truth: Tensor) -> Tensor:
    """Equation 5, the mean over Gaussian windows around each pixel, beyond the edges black; shapes as for `bce`.

    Written with the error p - t, which is what it is about: 1 - SSIM = l + s - l s, where l compares the means of a
    window and s what varies in it. The usual form subtracts numbers that are nearly equal wherever a map is flat, which
    in single precision leaves an error of 1e-5.
    """
    p = logits.sigmoid()
    mean_t, mean_error = _blur(truth), _blur(p - truth)
    mean_p = mean_t + mean_error
    variances = _blur(p * p) - mean_p * mean_p + _blur(truth * truth) - mean_t * mean_t
    variance_of_error = _blur((p - truth).square()) - mean_error * mean_error
    of_means = mean_error * mean_error / (mean_p * mean_p + mean_t * mean_t + C1)
    of_details = variance_of_error / (variances + C2)
    return (of_means + of_details - of_means * of_details).mean()


def iou(logits: Tensor, truth: Tensor) -> Tensor:
    """Equation 6, the mean over maps; shapes as for `bce`. An empty map of an empty truth has no loss."""
    probability = logits.sigmoid()
    common = (probability * truth).sum((-2, -1))
    union = probability.sum((-2, -1)) + truth.sum((-2, -1)) - common
    return 1 - ((common + NOTHING) / (union + NOTHING)).mean()


TERMS: dict[str, Callable[[Tensor, Tensor], Tensor]] = {"b": bce, "s": ssim, "i": iou}


def _blur(maps: Tensor) -> Tensor:
    """A Gaussian window is a product of a column and a row, and each of them a band matrix: (..., H, W) -> same."""
    height, width = maps.shape[-2:]
    return _band_on(height, maps.dtype, maps.device) @ maps @ _band_on(width, maps.dtype, maps.device)


@cache
def _band_on(side: int, dtype: torch.dtype, device: torch.device) -> Tensor:
    """As `_band`; kept, since a copy to a GPU in each step would take longer than the product."""
    return _band(side).to(device, dtype)


@cache
def _band(side: int) -> Tensor:
    """(side, side) float64, symmetric: row i weighs the pixels around i."""
    pixel = torch.arange(side, dtype=torch.float64)
    distance = (pixel[:, None] - pixel[None, :]).abs()
    reach = torch.arange(WINDOW, dtype=torch.float64) - WINDOW // 2
    weights = torch.exp(-(distance**2) / (2 * SIGMA**2)) / torch.exp(-(reach**2) / (2 * SIGMA**2)).sum()
    return torch.where(distance <= WINDOW // 2, weights, 0)
