"""data sets + predictions -> a table, and files to look at."""

import argparse
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

from protocol.errors import SettingsInvalid
from segmentation_server.evaluation import report
from segmentation_server.evaluation.dataset import Dataset, open_dataset
from segmentation_server.evaluation.metrics import Scores
from segmentation_server.evaluation.predictions import Predict, keep_predictions, predict_with, read_predictions
from segmentation_server.evaluation.rows import score_pairs, table_rows
from segmentation_server.model.engines import load_engine
from segmentation_server.segmenter import Segmenter
from segmentation_server.settings import Settings


def read_options(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Options from the command line.

    Raises:
        SettingsInvalid: a number is out of its range.
    """
    parser = argparse.ArgumentParser(
        prog="python -m segmentation_server.evaluation", description="Scores masks against hand-made ones."
    )
    parser.add_argument("--dataset", type=Path, action="append", required=True, help="folder or zip; may be repeated")
    source = parser.add_mutually_exclusive_group()
    source.add_argument("--predictions", type=Path, help="folder of PNG files; else the server's model makes them")
    source.add_argument("--checkpoint", type=Path, help="another model, as the server takes it")
    parser.add_argument("--limit", type=int, help="only the first so many pictures of each data set")
    parser.add_argument("--out", type=Path, help="folder for CSV, JSON, precision-recall curve and the worst pictures")
    parser.add_argument("--keep", type=Path, help="folder for the predictions, to be read again with --predictions")
    parser.add_argument("--threads", type=int, default=Settings.threads, help="pictures at a time (%(default)s)")
    options = parser.parse_args(arguments)
    if options.threads < 1 or (options.limit is not None and options.limit < 1):
        raise SettingsInvalid("--threads and --limit start at 1.")
    return options


def evaluate(options: argparse.Namespace) -> str:
    """Score the data sets, write the files and return the table.

    Raises:
        CopyPasteError: a data set, a prediction or the model cannot be read.
    """
    datasets = [open_dataset(path, limit=options.limit) for path in options.dataset]
    if len({dataset.name for dataset in datasets}) < len(datasets):
        raise SettingsInvalid("Two data sets have the same name; rename one of them.")
    model, predict_in = _open_model(options)
    predicts = [predict_in(dataset) for dataset in datasets]
    for folder in filter(None, (options.out, options.keep)):
        folder.mkdir(parents=True, exist_ok=True)
    rows = []
    for dataset, predict in zip(datasets, predicts, strict=True):
        rows += table_rows(dataset, _score(dataset, predict, options))
    if options.out:
        report.write_totals(options.out / "totals.json", model, rows)
        report.draw_curves([row for row in rows if row.group is None]).save(options.out / "precision_recall.png")
    return f"{model}\n{report.table(rows)}"


def _open_model(options: argparse.Namespace) -> tuple[str, Callable[[Dataset], Predict]]:
    """The model's name, and what predicts in a data set."""
    if options.predictions:
        return str(options.predictions), lambda dataset: read_predictions(options.predictions, dataset)
    # Pictures side by side use the cores better than several threads at one picture.
    segment = Segmenter(load_engine(options.checkpoint, threads=1))
    return segment.name, lambda _: predict_with(segment)


def _score(dataset: Dataset, predict: Predict, options: argparse.Namespace) -> list[Scores]:
    """Score one data set and write its files."""
    keeping = keep_predictions(predict, options.keep / dataset.name) if options.keep else predict
    scores = score_pairs(dataset.pairs, keeping, options.threads)
    scored = list(_show_progress(dataset.name, len(dataset.pairs), scores))
    if options.out:
        report.write_scores(options.out / f"{dataset.name}.csv", dataset, scored)
        report.draw_worst(dataset, scored, predict).save(options.out / f"{dataset.name}_worst.png")
    return scored


def _show_progress(title: str, total: int, scores: Iterable[Scores]) -> Iterator[Scores]:
    """Draw a bar with the time left while the scores come in."""
    started = time.monotonic()
    try:
        for number, one in enumerate(scores, start=1):
            seconds = time.monotonic() - started
            bar = f"{'#' * (30 * number // total):30}"
            speed = f"{number / seconds:.1f} a second, {seconds / number * (total - number):.0f} s left"
            sys.stderr.write(f"\r{title} [{bar}] {number} of {total}, {speed}  ")
            yield one
    finally:
        sys.stderr.write("\n")  # what comes next, an error perhaps, has a line of its own
