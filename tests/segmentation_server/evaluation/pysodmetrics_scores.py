"""The drawn pairs -> pysodmetrics_scores.json, by PySODMetrics, an independent implementation of the measures.

It needs older versions of NumPy and OpenCV than the rest and half a gigabyte more, so it runs in an environment of its
own, once:

    pip install pysodmetrics==1.6.2
    python -m tests.segmentation_server.evaluation.pysodmetrics_scores
"""

import json
from importlib.metadata import version
from pathlib import Path
from typing import Any

import py_sod_metrics as oracle

from segmentation_server.evaluation.metrics import Prediction, Truth
from tests.segmentation_server.evaluation.drawn_pairs import draw_pairs

EVERY = 15  # thresholds 255, 240, ..., 0 stand for all of a curve


def scores_of(prediction: Prediction, truth: Truth) -> dict[str, Any]:
    """The measures' names are those of `metrics.Scores`; maps are used as they are."""

    def ask(measure: Any) -> Any:
        measure.step(prediction, truth, normalize=False)
        return measure.get_results()

    iou = oracle.IOUHandler(with_dynamic=False, with_adaptive=False, with_binary=True)
    curves = ask(oracle.Fmeasure())["pr"]
    alignment = ask(oracle.Emeasure())["em"]["curve"]
    return {
        "weighted_f": ask(oracle.WeightedFmeasure())["wfm"],
        "mae": ask(oracle.MAE())["mae"],
        "s_measure": ask(oracle.Smeasure())["sm"],
        "e_measure": alignment.mean(),
        "iou": ask(oracle.FmeasureV2(metric_handlers={"iou": iou}))["iou"]["binary"],
        "precision": curves["p"][::EVERY].tolist(),
        "recall": curves["r"][::EVERY].tolist(),
        "alignment": alignment[::EVERY].tolist(),
    }


def main() -> None:
    scores = {name: scores_of(*pair) for name, pair in draw_pairs().items()}
    made_by = f"PySODMetrics {version('pysodmetrics')}"
    file = Path(__file__).with_suffix(".json")
    file.write_text(json.dumps({"made_by": made_by, "every": EVERY, "scores": scores}, indent=1, default=float) + "\n")


if __name__ == "__main__":
    main()
