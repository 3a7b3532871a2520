"""`python -m segmentation_server.evaluation`, from its options to the table and the files."""

import csv
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from segmentation_server.evaluation.__main__ import main
from segmentation_server.evaluation.dataset import open_dataset
from segmentation_server.evaluation.metrics import f_measure
from segmentation_server.evaluation.predictions import predict_with
from segmentation_server.evaluation.report import CELL, COLOURS, LINE
from segmentation_server.photo import Photo
from segmentation_server.segmenter import Mask
from tests.segmentation_server.evaluation.conftest import NAMES, TRUTHS, as_levels, save


def table_of(printed: str) -> dict[str, list[float]]:
    """The numbers of each row: pictures, max F, weighted F, boundary F, MAE, S, mean E, IoU."""
    rows = [line.split() for line in printed.splitlines()[2:]]
    return {row[0]: [float(number) for number in row[1:]] for row in rows}


@pytest.mark.parametrize("form", ["folder", "packed"])
def test_the_table_says_what_was_worked_out_by_hand(
    form: str, predictions: Path, request: pytest.FixtureRequest, capsys: pytest.CaptureFixture[str]
) -> None:
    """Three masks of four are right: precision and recall are .75 until all is found, and so is F."""
    dataset = request.getfixturevalue(form)

    assert main(["--dataset", str(dataset), "--predictions", str(predictions)]) == 0

    pictures, max_f, weighted_f, boundary_f, mae, _, _, iou = table_of(capsys.readouterr().out)["things"]
    assert (pictures, max_f, weighted_f, boundary_f, iou) == (4, 0.75, 0.75, 0.75, 0.75)
    assert mae == pytest.approx(32 * 8 / (40 * 60) / 4, abs=1e-4)


def test_each_attribute_has_its_row_and_counts_the_same_in_the_average(
    folder: Path, predictions: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["--dataset", str(folder), "--predictions", str(predictions)])

    table = table_of(capsys.readouterr().out)
    assert list(table) == ["things", "large", "thin", "average"]
    assert table["large"][:3] == [2, 1, 1]
    assert table["thin"][:3] == [2, 0.5, 0.5]
    assert table["average"][1:3] == [0.75, 0.75]


def test_several_data_sets_stand_in_one_table(
    folder: Path, packed: Path, predictions: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = packed.rename(tmp_path / "others.zip")
    for name, truth in TRUTHS.items():
        save(as_levels(truth), predictions / "others" / f"{name}.png")

    assert main(["--dataset", str(folder), "--dataset", str(other), "--predictions", str(predictions)]) == 0

    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[:2] for line in lines if line[:1].strip()][1:] == [["things", "4"], ["others", "4"]]
    assert lines[-4].split()[2] == "1.0000"  # the folder with a data set's name belongs to it


def test_a_prediction_of_another_size_is_brought_to_the_size_of_the_truth(
    folder: Path, predictions: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, truth in TRUTHS.items():
        save(as_levels(truth.repeat(2, axis=0).repeat(2, axis=1)), predictions / f"{name}.png")

    main(["--dataset", str(folder), "--predictions", str(predictions)])

    assert table_of(capsys.readouterr().out)["things"][1:] == [1, 1, 1, 0, 1, pytest.approx(1, abs=0.01), 1]


# --- Files ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def out(folder: Path, predictions: Path, tmp_path: Path) -> Path:
    """What it writes."""
    main(["--dataset", str(folder), "--predictions", str(predictions), "--out", str(tmp_path / "out")])
    return tmp_path / "out"


def test_the_csv_has_a_line_for_each_picture(out: Path) -> None:
    with (out / "things.csv").open() as file:
        rows = list(csv.DictReader(file))

    assert [row["name"] for row in rows] == list(NAMES)
    assert [float(row["weighted_f"]) for row in rows] == [1, 1, 1, 0]
    assert [row["attributes"] for row in rows] == ["", "large", "thin large", "thin"]


def test_the_json_holds_the_rows_and_their_curves(out: Path, predictions: Path) -> None:
    totals = json.loads((out / "totals.json").read_text())

    assert totals["model"] == str(predictions)
    whole = totals["rows"][0]
    assert (whole["dataset"], whole["group"], whole["pictures"]) == ("things", None, 4)
    best = f_measure(np.array(whole["precision"]), np.array(whole["recall"])).max()
    assert len(whole["precision"]) == 256
    assert whole["max_f"] == pytest.approx(best)


def test_the_worst_picture_comes_first_as_photo_truth_and_prediction(out: Path) -> None:
    with Image.open(out / "things_worst.png") as sheet:
        first = np.asarray(sheet, np.int64)[LINE : LINE + 40, : 3 * CELL]
    photo, truth, prediction = first[:, :CELL], first[:, CELL : 2 * CELL], first[:, 2 * CELL :]

    post = np.s_[6:34, 42:46]  # without its edge, which JPEG blurs
    assert photo[post].mean(axis=(0, 1)) == pytest.approx((200, 30, 40), abs=12)
    assert truth[post].mean() > 250
    assert prediction[post].mean() == 0


def test_the_curve_is_drawn(out: Path) -> None:
    red = tuple(bytes.fromhex(COLOURS[0][1:]))

    with Image.open(out / "precision_recall.png") as plot:
        drawn = (np.asarray(plot) == red).all(axis=-1)

    # From (.75, .75), where every threshold but the last lies, the curve falls out of sight.
    assert drawn[355:365, 355:365].any()


def test_a_poor_curve_is_drawn_too(folder: Path, tmp_path: Path) -> None:
    """All of the picture is found in each: precision is the truths' share, .22, and recall 1."""
    for name in NAMES:
        save(np.full((40, 60), 255, np.uint8), tmp_path / f"all/{name}.png")

    main(["--dataset", str(folder), "--predictions", str(tmp_path / "all"), "--out", str(tmp_path / "out")])

    red = tuple(bytes.fromhex(COLOURS[0][1:]))
    with Image.open(tmp_path / "out" / "precision_recall.png") as plot:
        drawn = (np.asarray(plot) == red).all(axis=-1)
    precision = np.mean([truth.mean() for truth in TRUTHS.values()])
    down = round(60 + (1 - precision) * 600)
    assert drawn[down - 3 : down + 4, 655:665].any()


# --- The server's own model -----------------------------------------------------------------------------------------


def test_what_the_servers_model_predicts_scores_the_same_when_read_again(
    folder: Path, weights: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    keep = tmp_path / "kept"
    options = ["--dataset", str(folder), "--limit", "2"]

    assert main([*options, "--keep", str(keep)]) == 0
    first = capsys.readouterr()
    assert main([*options, "--predictions", str(keep)]) == 0
    again = capsys.readouterr()

    assert first.out.splitlines()[0] == weights.stem
    assert "2 of 2" in first.err
    assert table_of(first.out) == table_of(again.out)
    assert table_of(first.out)["things"][2] > 0.8  # red things on grey are easy


def test_a_mask_is_rounded_to_the_nearest_level(folder: Path) -> None:
    class Sure:
        name = "sure"

        def __call__(self, photo: Photo) -> Mask:
            return np.full(photo.shape[:2], 0.999, np.float32)

    levels = predict_with(Sure())(open_dataset(folder).pairs[0])

    assert levels.shape == (40, 60)
    assert (levels == 255).all()


def test_the_server_starts_without_any_of_this() -> None:
    listing = (
        "import segmentation_server.__main__, sys; print([m for m in sys.modules if 'scipy' in m or 'evaluation' in m])"
    )

    finished = subprocess.run([sys.executable, "-c", listing], capture_output=True, text=True, check=True)

    assert finished.stdout == "[]\n"


# --- Mistakes -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--dataset", "nowhere"], "neither a folder nor a zip"),
        (["--dataset", "{folder}/attributes.csv"], "neither a folder nor a zip"),
        (["--dataset", "{folder}/mask"], "is no data set"),
        (["--dataset", "{folder}", "--predictions", "nowhere"], "lacks 4 predictions; the first is cup.png"),
        (["--dataset", "{folder}", "--dataset", "{folder}"], "the same name"),
        (["--dataset", "{folder}", "--limit", "0"], "start at 1"),
        (["--dataset", "{folder}", "--checkpoint", "nowhere.pth"], "nowhere.pth"),
        (
            ["--dataset", "{folder}", "--predictions", "{predictions}", "--out", "{folder}/attributes.csv"],
            "attributes.csv",
        ),
    ],
)
def test_a_mistake_is_one_sentence(
    options: list[str], sentence: str, folder: Path, predictions: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    filled = [option.format(folder=folder, predictions=predictions) for option in options]

    assert main(filled) == 2

    printed = capsys.readouterr()
    assert sentence in printed.err
    assert printed.err.count("\n") == 1
    assert printed.out == ""


def test_a_picture_damaged_halfway_is_named_on_a_line_of_its_own(
    folder: Path, predictions: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "mask" / "frame.png").write_bytes(b"no picture")

    assert main(["--dataset", str(folder), "--predictions", str(predictions)]) == 2

    last = capsys.readouterr().err.splitlines()[-1]
    assert last.startswith("This is not a picture")
    assert "frame.png" in last
