"""pair -> prediction, from a model or from files."""

from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from protocol.errors import SettingsInvalid
from segmentation_server.evaluation.dataset import Dataset, Pair, read_grey
from segmentation_server.segmenter import Segment

Levels: TypeAlias = NDArray[np.uint8]  # (H, W), 255 where the prediction is sure of the object: what a PNG keeps
Predict: TypeAlias = Callable[[Pair], Levels]


def predict_with(segment: Segment) -> Predict:
    """Run a model; its masks are rounded as a PNG would, so that kept predictions score the same."""
    return lambda pair: np.round(segment(pair.photo()) * 255).astype(np.uint8)


def read_predictions(folder: Path, dataset: Dataset) -> Predict:
    """Take the PNG files of a folder, or of its subfolder with the data set's name if there is one.

    Raises:
        SettingsInvalid: some are missing.
    """
    subfolder = folder / dataset.name
    home = subfolder if subfolder.is_dir() else folder
    missing = [pair.name for pair in dataset.pairs if not (home / f"{pair.name}.png").is_file()]
    if missing:
        raise SettingsInvalid(f"{home} lacks {len(missing)} predictions; the first is {missing[0]}.png.")
    return lambda pair: read_grey(home / f"{pair.name}.png")


def keep_predictions(predict: Predict, folder: Path) -> Predict:
    """Write each prediction into `folder`, where `read_predictions` finds it again."""
    folder.mkdir(parents=True, exist_ok=True)

    def predict_and_keep(pair: Pair) -> Levels:
        levels = predict(pair)
        Image.fromarray(levels).save(folder / f"{pair.name}.png")
        return levels

    return predict_and_keep


def fit(levels: Levels, shape: tuple[int, ...]) -> Levels:
    """The same prediction as (H, W) of `shape`, as CODToolbox brings it to the size of the truth."""
    return levels if levels.shape == shape else np.asarray(cv2.resize(levels, shape[::-1]), np.uint8)
