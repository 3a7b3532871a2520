"""The hybrid loss has the numbers of the authors' code, and stays finite whatever the truth and the logits."""

import pytest

pytest.importorskip("torch", reason="training needs PyTorch: pip install 'ar-copy-paste[torch]'")

import torch
import torch.nn.functional as F
from torch import Tensor

from segmentation_server.training.hybrid_loss import COMBINATIONS, bce, hybrid_loss, iou, ssim

# Of the authors' code on `square`. It computes in single precision, in which its way to SSIM is in error by some 1e-6:
# it gave 0.663169742, and elsewhere gives 0.663160682; in double precision it gives what stands here.
PUBLISHED = {"b": 0.105360508, "s": 0.663168354, "i": 0.307692111}
TERMS = [("b", bce), ("s", ssim), ("i", iou)]


def square() -> Tensor:
    truth = torch.zeros(1, 1, 64, 64)
    truth[..., 16:48, 16:48] = 1
    return truth


def logits_of(probability: Tensor) -> Tensor:
    return torch.logit(probability.double()).float()


@pytest.mark.parametrize(("term", "loss"), TERMS)
@pytest.mark.parametrize("precision", [torch.float32, torch.float64])
@pytest.mark.parametrize("rounding", [torch.float32, torch.float64], ids=["nearly", "exactly"])
def test_each_term_has_the_published_value(
    term: str, loss: type, precision: torch.dtype, rounding: torch.dtype
) -> None:
    """Of .1 and .9, each as near as either type comes to it, which single precision must not notice."""
    truth = square()
    logits = torch.logit((0.1 + 0.8 * truth.to(rounding)).double())

    assert loss(logits.to(precision), truth.to(precision)).item() == pytest.approx(PUBLISHED[term], abs=1e-6)


@pytest.mark.parametrize("terms", COMBINATIONS)
def test_a_combination_sums_its_terms_over_all_outputs(terms: str) -> None:
    truth = square()
    outputs = [logits_of(0.1 + 0.8 * truth)] * 8

    losses = hybrid_loss(outputs, truth, terms)

    assert losses.tolist() == pytest.approx([8 * PUBLISHED[term] for term in terms], abs=8e-6)


def test_a_smaller_output_is_compared_with_the_truth_averaged_to_its_size() -> None:
    truth = square()
    fine, coarse = logits_of(0.1 + 0.8 * truth), torch.randn(1, 1, 16, 16)
    averaged = truth.view(1, 1, 16, 4, 16, 4).mean((3, 5))

    together = hybrid_loss([fine, coarse, coarse], truth)

    torch.testing.assert_close(together, hybrid_loss([fine], truth) + hybrid_loss([coarse, coarse], averaged))


def test_outputs_that_differ_are_each_compared_with_the_truth_of_their_own_photo() -> None:
    truth = torch.cat([square(), 1 - square()])
    outputs = [torch.randn(2, 1, 64, 64) for _ in range(3)]

    together = hybrid_loss(outputs, truth)

    one_by_one = sum(hybrid_loss([output[n : n + 1]], truth[n : n + 1]) / 2 for output in outputs for n in range(2))
    torch.testing.assert_close(together, one_by_one)


def test_the_windows_are_those_of_a_square_convolution() -> None:
    reach = torch.arange(-5, 6)
    row = torch.exp(-(reach**2) / (2 * 1.5**2))
    window = torch.outer(row, row)[None, None] / row.sum() ** 2
    photo, truth = torch.rand(2, 1, 40, 24), (torch.rand(2, 1, 40, 24) > 0.5).float()

    def blurred(maps: Tensor) -> Tensor:
        return F.conv2d(maps, window, padding=5)

    mean_p, mean_t = blurred(photo), blurred(truth)
    variance_p, variance_t = blurred(photo**2) - mean_p**2, blurred(truth**2) - mean_t**2
    covariance = blurred(photo * truth) - mean_p * mean_t
    likeness = (2 * mean_p * mean_t + 1e-4) * (2 * covariance + 9e-4)
    expected = 1 - likeness / ((mean_p**2 + mean_t**2 + 1e-4) * (variance_p + variance_t + 9e-4))

    torch.testing.assert_close(ssim(logits_of(photo), truth), expected.mean(), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("truth", [torch.zeros(2, 1, 32, 32), torch.ones(2, 1, 32, 32)], ids=["empty", "full"])
@pytest.mark.parametrize("logit", [-1e4, -80.0, 0.0, 80.0, 1e4])
def test_an_empty_or_full_truth_and_extreme_logits_give_finite_losses_and_gradients(
    truth: Tensor, logit: float
) -> None:
    logits = torch.full_like(truth, logit, requires_grad=True)

    losses = hybrid_loss([logits], truth)
    losses.sum().backward()  # type: ignore[no-untyped-call]  # its stub has no types

    assert losses.isfinite().all()
    assert logits.grad is not None
    assert logits.grad.isfinite().all()


@pytest.mark.parametrize("value", [0.0, 1.0])
def test_a_map_that_is_right_everywhere_has_no_loss(value: float) -> None:
    truth = torch.full((1, 1, 32, 32), value)

    assert hybrid_loss([(truth - 0.5) * 1e4], truth).tolist() == pytest.approx([0, 0, 0], abs=1e-6)


def test_half_precision_logits_are_compared_in_single_precision() -> None:
    truth = square()
    logits = logits_of(0.1 + 0.8 * truth)

    with torch.autocast("cpu", torch.bfloat16):
        losses = hybrid_loss([logits.bfloat16()], truth)

    assert losses.dtype == torch.float32
    torch.testing.assert_close(losses, hybrid_loss([logits.bfloat16().float()], truth))
