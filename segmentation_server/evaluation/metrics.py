"""prediction + truth -> scores.

Every measure takes a prediction, (H, W) float64 in [0, 1], and its truth, (H, W) bool. The prediction is used as it is,
not stretched to fill the range. A curve is (256,) float64: one value for each threshold 255/255, 254/255, ..., 0/255,
where a pixel is found if it reaches the threshold.
"""

from dataclasses import dataclass
from typing import TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt

Prediction: TypeAlias = NDArray[np.float64]
Truth: TypeAlias = NDArray[np.bool_]
Curve: TypeAlias = NDArray[np.float64]

BETA_SQUARED = 0.3  # of F, but for the weighted F; Achanta et al. 2009
SLACK = 3  # pixels; Qin et al. 2019, section 4.3
EPSILON = float(np.spacing(1.0))


@dataclass(frozen=True)
class Scores:
    """What one prediction is worth; 1 is best, and 0 for `mae`."""

    weighted_f: float
    boundary_f: float
    mae: float
    s_measure: float
    e_measure: float
    iou: float
    precision: Curve
    recall: Curve


def score(prediction: Prediction, truth: Truth) -> Scores:
    """All measures of one picture."""
    precision, recall = precision_recall(prediction, truth)
    return Scores(
        weighted_f=weighted_f(prediction, truth),
        boundary_f=boundary_f(prediction, truth),
        mae=mae(prediction, truth),
        s_measure=s_measure(prediction, truth),
        e_measure=float(e_measure_curve(prediction, truth).mean()),
        iou=iou(prediction, truth),
        precision=precision,
        recall=recall,
    )


def mae(prediction: Prediction, truth: Truth) -> float:
    """Mean absolute error (Perazzi et al. 2012)."""
    return float(np.abs(prediction - truth).mean())


def iou(prediction: Prediction, truth: Truth) -> float:
    """Intersection over union of the pixels that reach .5 with the truth; 0 for an empty truth."""
    found = prediction >= 0.5
    return float((found & truth).sum() / max((found | truth).sum(), 1))


# --- F --------------------------------------------------------------------------------------------------------------


def f_measure(precision: Curve, recall: Curve) -> Curve:
    """F of each precision and recall; 0 where both are."""
    return (1 + BETA_SQUARED) * precision * recall / np.maximum(BETA_SQUARED * precision + recall, EPSILON)


def precision_recall(prediction: Prediction, truth: Truth) -> tuple[Curve, Curve]:
    """The curves of precision and recall; where nothing is found, or nothing is to be found, they are 0."""
    hits, false_alarms = _found_at_thresholds(prediction, truth)
    return hits / np.maximum(hits + false_alarms, 1), hits / max(truth.sum(), 1)


def _found_at_thresholds(prediction: Prediction, truth: Truth) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The numbers of found pixels inside and outside of the truth, two curves."""
    levels = (prediction * 255).astype(np.uint8)
    inside = np.bincount(levels[truth], minlength=256)
    outside = np.bincount(levels.ravel(), minlength=256) - inside
    return inside[::-1].cumsum(), outside[::-1].cumsum()


def weighted_f(prediction: Prediction, truth: Truth) -> float:
    """Weighted F with beta 1 (Margolin et al. 2014); 0 for an empty truth.

    Errors inside the object are forgiven where those around them are smaller; errors outside weigh up to twice as much
    the farther from the object they are.
    """
    if not truth.any():
        return 0.0
    distance, nearest = distance_transform_edt(~truth, return_indices=True)  # (H, W) and (2, H, W)
    error = np.abs(prediction - truth)
    around = cv2.GaussianBlur(error[tuple(nearest)], (7, 7), sigmaX=5, borderType=cv2.BORDER_CONSTANT)
    missed = np.minimum(error, around)[truth].sum()
    false_alarms = (error * (2 - 0.5 ** (distance / 5)))[~truth].sum()
    hits = truth.sum() - missed
    precision, recall = hits / (hits + false_alarms + EPSILON), hits / truth.sum()
    return float(2 * precision * recall / (precision + recall + EPSILON))


# --- Boundary -------------------------------------------------------------------------------------------------------


def boundary_f(prediction: Prediction, truth: Truth) -> float:
    """Relaxed boundary F (Ehrig and Euzenat 2005, as Qin et al. 2019 apply it to boundaries in section 4.3).

    The prediction is binarised at .5. Precision is the share of its boundary within `SLACK` pixels of the truth's
    boundary, recall the share of the truth's within `SLACK` pixels of the prediction's. If both have no boundary, as
    an empty mask and one that fills the picture, it is 1; if only one has none, 0.
    """
    found, wanted = boundary(prediction >= 0.5), boundary(truth)
    if not (found.any() and wanted.any()):
        return float(found.any() == wanted.any())
    precision = (_distance_to(wanted)[found] <= SLACK).mean()
    recall = (_distance_to(found)[wanted] <= SLACK).mean()
    return float(f_measure(precision, recall))


def boundary(mask: Truth) -> Truth:
    """The mask without what is left of it when eroded by 3 x 3 pixels; the picture's own edge is no boundary."""
    eroded = cv2.erode(mask.astype(np.uint8), np.ones((3, 3), np.uint8))
    return np.logical_xor(mask, eroded)


def _distance_to(points: Truth) -> NDArray[np.float32]:
    distance = cv2.distanceTransform((~points).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    return np.asarray(distance, np.float32)


# --- Structure ------------------------------------------------------------------------------------------------------


def s_measure(prediction: Prediction, truth: Truth) -> float:
    """Structure measure with alpha .5 (Fan et al. 2017)."""
    share = truth.mean()
    if share in (0, 1):
        return float(1 - mae(prediction, truth))
    inside, outside = _object_score(prediction[truth]), _object_score(1 - prediction[~truth])
    of_objects = share * inside + (1 - share) * outside
    return max(0.0, float(of_objects + _region_score(prediction, truth)) / 2)


def _object_score(values: Prediction) -> float:
    """How high and how even the values (N,) are that should be 1."""
    spread = values.std(ddof=1) if values.size > 1 else 0.0
    return float(2 * values.mean() / (values.mean() ** 2 + 1 + spread + EPSILON))


def _region_score(prediction: Prediction, truth: Truth) -> float:
    """The object's centre cuts the picture into four; each part counts by its area."""
    y, x = np.argwhere(truth).mean(axis=0).round().astype(int) + 1
    quarters = (np.s_[:y, :x], np.s_[:y, x:], np.s_[y:, :x], np.s_[y:, x:])
    parts = [(prediction[quarter], truth[quarter]) for quarter in quarters]
    return sum(truth_part.size / truth.size * _similarity(part, truth_part) for part, truth_part in parts)


def _similarity(prediction: Prediction, truth: Truth) -> float:
    """SSIM over the whole of a part, without its constants; 0 for a part without pixels."""
    if not truth.size:
        return 0.0
    x, y = prediction.mean(), truth.mean()
    freedom = max(truth.size - 1, 1)
    spread = (np.square(prediction - x).sum() + np.square(truth - y).sum()) / freedom
    together = ((prediction - x) * (truth - y)).sum() / freedom
    likeness, most = 4 * x * y * together, (x**2 + y**2) * spread
    return 1.0 if likeness == most == 0 else float(likeness / (most + EPSILON))


# --- Alignment ------------------------------------------------------------------------------------------------------


def e_measure_curve(prediction: Prediction, truth: Truth) -> Curve:
    """Enhanced alignment measure at each threshold (Fan et al. 2018); the mean E is the mean of this curve."""
    hits, false_alarms = _found_at_thresholds(prediction, truth)
    found = hits + false_alarms
    if truth.all():
        aligned = found.astype(np.float64)
    elif not truth.any():
        aligned = (truth.size - found).astype(np.float64)
    else:
        aligned = _aligned_pixels(hits, false_alarms, truth)
    return aligned / max(truth.size - 1, 1)


def _aligned_pixels(hits: NDArray[np.int64], false_alarms: NDArray[np.int64], truth: Truth) -> Curve:
    """The sum of the enhanced alignment matrix; it has only four different values."""
    mean_found, mean_truth = (hits + false_alarms) / truth.size, truth.mean()
    misses = truth.sum() - hits
    rightly_left = truth.size - hits - false_alarms - misses
    aligned: Curve = (
        hits * _alignment(1 - mean_found, 1 - mean_truth)
        + false_alarms * _alignment(1 - mean_found, -mean_truth)
        + misses * _alignment(-mean_found, 1 - mean_truth)
        + rightly_left * _alignment(-mean_found, -mean_truth)
    )
    return aligned


def _alignment(found_bias: Curve, truth_bias: float) -> Curve:
    alignment = 2 * found_bias * truth_bias / (found_bias**2 + truth_bias**2 + EPSILON)
    return np.asarray((alignment + 1) ** 2 / 4, np.float64)
