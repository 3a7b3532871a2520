"""network + held-back pairs -> two numbers to choose a checkpoint by.

They are taken at the stored size and are for choosing only; `python -m segmentation_server.evaluation` measures.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from segmentation_server.training.augment import normalise
from segmentation_server.training.dataset import Pairs

LEVELS = 256  # thresholds, Achanta et al. 2009
BETA_SQUARED = 0.3  # precision counts more than recall, Achanta et al. 2009


@dataclass(frozen=True)
class Verdict:
    """How near the maps come to the truths."""

    mae: float  # mean absolute error, section 4.2
    max_f: float  # of precision and recall averaged over photos, at the best threshold

    @property
    def merit(self) -> float:
        """The higher the better."""
        return self.max_f - self.mae


@torch.inference_mode()
def predict(model: nn.Module, photos: Tensor, batch: int, precision: torch.dtype) -> Tensor:
    """(N, 3, S, S) uint8, RGB -> (N, 1, S, S) float32 in [0, 1], on the photos' device."""
    maps = []
    for some in torch.split(photos, batch):
        with torch.autocast(photos.device.type, precision, enabled=precision != torch.float32):
            logits = model(normalise(some.float() / 255))[0]
        maps.append(logits.float().sigmoid())
    return torch.cat(maps)


def judge(model: nn.Module, pairs: Pairs, batch: int, precision: torch.dtype) -> Verdict:
    """Compare the maps of a network, in eval mode, with the truths."""
    probabilities = predict(model, pairs.photos, batch, precision)
    truths = pairs.truths > 127
    precision_recall = torch.stack([_precision_and_recall(*pair) for pair in zip(probabilities, truths, strict=True)])
    mean_precision, mean_recall = precision_recall.mean(0)  # (LEVELS,) each
    weighed = BETA_SQUARED * mean_precision + mean_recall
    f = (1 + BETA_SQUARED) * mean_precision * mean_recall / weighed.clamp_min(1e-12)
    return Verdict(mae=(probabilities - truths.float()).abs().mean().item(), max_f=f.max().item())


def _precision_and_recall(probability: Tensor, truth: Tensor) -> Tensor:
    """(1, S, S) float32 and bool -> (2, LEVELS): where at least the threshold is reached, the highest first."""
    level = (probability * (LEVELS - 1)).round().long()
    found = torch.bincount(level.flatten(), minlength=LEVELS).flip(0).cumsum(0)
    right = torch.bincount(level[truth], minlength=LEVELS).flip(0).cumsum(0)
    return torch.stack([right / found.clamp_min(1), right / truth.sum().clamp_min(1)])
