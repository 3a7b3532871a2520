"""The numbers that a checkpoint is chosen by are right where they can be worked out by hand."""

import pytest

pytest.importorskip("torch", reason="training needs PyTorch: pip install 'ar-copy-paste[torch]'")

import torch
from torch import Tensor, nn

from segmentation_server.training.dataset import Pairs
from segmentation_server.training.judge import judge


class Always(nn.Module):
    """A network that gives the same map for each photo."""

    def __init__(self, probability: Tensor) -> None:
        super().__init__()
        self.logits = torch.logit(probability)

    def forward(self, batch: Tensor) -> tuple[Tensor, ...]:
        return (self.logits.expand(len(batch), 1, -1, -1),)


def halves(count: int = 3) -> Pairs:
    """Photos of 8 x 8 whose left half is the object."""
    truth = torch.zeros(count, 1, 8, 8, dtype=torch.uint8)
    truth[..., :4] = 255
    photos = torch.zeros(count, 3, 8, 8, dtype=torch.uint8)
    return Pairs(tuple(map(str, range(count))), photos, truth, "")


def test_the_truth_itself_is_perfect() -> None:
    verdict = judge(Always(halves().truths[0, 0] / 255), halves(), 2, torch.float32)

    assert (verdict.mae, verdict.max_f, verdict.merit) == pytest.approx((0, 1, 1))


def test_a_map_that_is_too_large_loses_precision() -> None:
    probability = torch.zeros(8, 8)
    probability[:, :4], probability[:, 4:6] = 0.8, 0.8

    verdict = judge(Always(probability), halves(), 2, torch.float32)

    assert verdict.mae == pytest.approx(0.5 * 0.2 + 0.25 * 0.8)
    precision, recall = 4 / 6, 1
    assert verdict.max_f == pytest.approx(1.3 * precision * recall / (0.3 * precision + recall))


def test_the_best_threshold_is_chosen() -> None:
    probability = torch.full((8, 8), 0.4)
    probability[:, :4] = 0.6

    verdict = judge(Always(probability), halves(), 2, torch.float32)

    assert (verdict.mae, verdict.max_f) == pytest.approx((0.4, 1))
