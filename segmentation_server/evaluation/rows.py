"""pairs + predictions -> scores -> the rows of a table."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from segmentation_server.evaluation.dataset import Dataset, Pair
from segmentation_server.evaluation.metrics import Curve, Scores, f_measure, score
from segmentation_server.evaluation.predictions import Predict, fit

PICTURE_MEASURES = ("weighted_f", "boundary_f", "mae", "s_measure", "e_measure", "iou")
MEASURES = ("max_f", *PICTURE_MEASURES)


@dataclass(frozen=True)
class Row:
    """Means over pictures; `max_f` is the best F on their mean precision-recall curve, at one threshold for all."""

    dataset: str
    group: str | None  # an attribute, or None for the whole data set
    pictures: int
    max_f: float
    weighted_f: float
    boundary_f: float
    mae: float
    s_measure: float
    e_measure: float
    iou: float
    precision: Curve
    recall: Curve


def score_pairs(pairs: Sequence[Pair], predict: Predict, threads: int) -> Iterator[Scores]:
    """The scores of each pair, in order, as soon as they are there."""
    with ThreadPoolExecutor(threads) as pool:
        yield from pool.map(lambda pair: score_pair(pair, predict), pairs)


def score_pair(pair: Pair, predict: Predict) -> Scores:
    """The scores of one pair."""
    truth = pair.truth()
    return score(fit(predict(pair), truth.shape) / 255.0, truth)


def table_rows(dataset: Dataset, scores: Sequence[Scores]) -> list[Row]:
    """A row for the data set, then one for each attribute and one for their average (the paper's Table 4)."""
    groups = []
    for attribute in dataset.attributes:
        having = [one for one, pair in zip(scores, dataset.pairs, strict=True) if attribute in pair.attributes]
        groups.append(mean_row(dataset.name, attribute, having))
    average = [average_row(groups)] if groups else []
    return [mean_row(dataset.name, None, scores), *groups, *average]


def mean_row(dataset: str, group: str | None, scores: Sequence[Scores]) -> Row:
    """Each picture counts the same."""
    precision, recall = (np.mean([getattr(one, curve) for one in scores], axis=0) for curve in ("precision", "recall"))
    means = {measure: float(np.mean([getattr(one, measure) for one in scores])) for measure in PICTURE_MEASURES}
    max_f = float(f_measure(precision, recall).max())
    return Row(dataset, group, len(scores), max_f, **means, precision=precision, recall=recall)


def average_row(groups: Sequence[Row]) -> Row:
    """Each group counts the same, however many pictures it has; one picture may be in several."""
    precision, recall = (np.mean([getattr(row, curve) for row in groups], axis=0) for curve in ("precision", "recall"))
    means = {measure: float(np.mean([getattr(row, measure) for row in groups])) for measure in MEASURES}
    pictures = sum(row.pictures for row in groups)
    return Row(groups[0].dataset, "average", pictures, **means, precision=precision, recall=recall)
