"""rows and scores -> what one reads and looks at."""

import csv
import dataclasses
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from segmentation_server.evaluation.dataset import Dataset, Pair
from segmentation_server.evaluation.metrics import Scores
from segmentation_server.evaluation.predictions import Predict, fit
from segmentation_server.evaluation.rows import MEASURES, PICTURE_MEASURES, Row

HEADINGS = ("max F", "weighted F", "boundary F", "MAE", "S", "mean E", "IoU")  # of MEASURES
WORST = 20  # pictures on a contact sheet
SHEET_COLUMNS = 4
CELL = 150  # pixels, the side of the square that each picture fits into
LINE = 18  # pixels, the height of a line of text

PLOT = 600  # pixels, the side of the square that the curves lie in
MARGIN = 60
LEAST = 0.5  # where both axes begin, unless a curve would not be seen
COLOURS = ("#d62728", "#1f77b4", "#2ca02c", "#9467bd", "#ff7f0e", "#17becf", "#8c564b", "#7f7f7f")


def table(rows: Sequence[Row]) -> str:
    """A row for each data set, its groups indented below."""
    width = max(len(_label(row)) for row in rows)
    lines = [" ".join([" " * width, "pictures", *(f"{heading:>10}" for heading in HEADINGS)])]
    for row in rows:
        values = (f"{getattr(row, measure):10.4f}" for measure in MEASURES)
        lines.append(" ".join([f"{_label(row):{width}}", f"{row.pictures:8d}", *values]))
    return "\n".join(lines)


def _label(row: Row) -> str:
    return row.dataset if row.group is None else f"  {row.group}"


def write_totals(file: Path, model: str, rows: Sequence[Row]) -> None:
    """All rows with their curves as JSON."""
    totals = {"model": model, "rows": [dataclasses.asdict(row) for row in rows]}
    file.write_text(json.dumps(totals, default=np.ndarray.tolist) + "\n", encoding="utf-8")


def write_scores(file: Path, dataset: Dataset, scores: Sequence[Scores]) -> None:
    """A line of CSV for each picture."""
    with file.open("w", newline="", encoding="utf-8") as table_file:
        writer = csv.writer(table_file)
        writer.writerow(["name", *PICTURE_MEASURES, "attributes"])
        for pair, one in zip(dataset.pairs, scores, strict=True):
            values = (f"{getattr(one, measure):.6f}" for measure in PICTURE_MEASURES)
            writer.writerow([pair.name, *values, " ".join(pair.attributes)])


# --- Worst first ----------------------------------------------------------------------------------------------------


def draw_worst(dataset: Dataset, scores: Sequence[Scores], predict: Predict) -> Image.Image:
    """The pictures of least weighted F, the worst first: each as photo, truth and prediction side by side."""
    order = sorted(zip(scores, dataset.pairs, strict=True), key=lambda scored: scored[0].weighted_f)[:WORST]
    columns = min(SHEET_COLUMNS, len(order))
    rows = -(-len(order) // columns)
    sheet = Image.new("RGB", (columns * (3 * CELL + LINE), rows * (CELL + LINE)), "white")
    for place, (one, pair) in enumerate(order):
        row, column = divmod(place, columns)
        sheet.paste(_draw_triple(pair, one, predict), (column * (3 * CELL + LINE), row * (CELL + LINE)))
    return sheet


def _draw_triple(pair: Pair, scores: Scores, predict: Predict) -> Image.Image:
    triple = Image.new("RGB", (3 * CELL, CELL + LINE), "white")
    title = f"{pair.name}   weighted F {scores.weighted_f:.3f}   boundary F {scores.boundary_f:.3f}"
    ImageDraw.Draw(triple).text((2, 2), title, "black", ImageFont.load_default(12))
    truth = pair.truth()
    for place, picture in enumerate((pair.photo(), truth.astype(np.uint8) * 255, fit(predict(pair), truth.shape))):
        small = Image.fromarray(picture).convert("RGB")
        small.thumbnail((CELL - 2, CELL - 2))
        triple.paste(small, (place * CELL, LINE))
    return triple


# --- Precision and recall -------------------------------------------------------------------------------------------


def draw_curves(rows: Sequence[Row]) -> Image.Image:
    """A precision-recall curve for each row, from recall and precision of .5 upwards if that shows some of each."""
    side = PLOT + 2 * MARGIN
    plot = Image.new("RGB", (side, side), "white")
    draw, font = ImageDraw.Draw(plot), ImageFont.load_default(15)
    least = LEAST if all(len(_points(row, LEAST)) > 1 for row in rows) else 0.0
    for tenth in range(round(10 * least), 11):
        x, y = _place(tenth / 10, tenth / 10, least)
        draw.line([(x, MARGIN), (x, MARGIN + PLOT)], "#dddddd")
        draw.line([(MARGIN, y), (MARGIN + PLOT, y)], "#dddddd")
        draw.text((x, MARGIN + PLOT + 8), f"{tenth / 10:.1f}", "black", font, anchor="mt")
        draw.text((MARGIN - 8, y), f"{tenth / 10:.1f}", "black", font, anchor="rm")
    draw.text((side / 2, side - 10), "recall", "black", font, anchor="mb")
    draw.text((MARGIN, MARGIN - 12), "precision", "black", font, anchor="mb")
    for number, row in enumerate(rows):
        colour = COLOURS[number % len(COLOURS)]
        draw.line([_place(*point, least) for point in _points(row, least)], colour, width=3)
        title = f"{row.dataset}: max F {row.max_f:.3f}"
        draw.text((MARGIN + 12, MARGIN + PLOT - 12 - 20 * number), title, colour, font, anchor="lb")
    return plot


def _points(row: Row, least: float) -> list[tuple[float, float]]:
    """The (recall, precision) of a curve that lie in a plot which begins at `least`."""
    curve = zip(row.recall.tolist(), row.precision.tolist(), strict=True)
    return [point for point in curve if min(point) >= least]


def _place(recall: float, precision: float, least: float) -> tuple[float, float]:
    """Where in the picture a point of the curve is drawn, in pixels."""
    scale = PLOT / (1 - least)
    return MARGIN + (recall - least) * scale, MARGIN + (1 - precision) * scale
