"""What ncnn cannot run is refused in words."""

from pathlib import Path

import pytest

pytest.importorskip("ncnn", reason="it is an extra: pip install -e '.[ncnn]'")

from protocol.errors import SettingsInvalid
from segmentation_server.model.ncnn_engine import NcnnEngine

HEAD = "7767517\n2 2\n"
ENTRY = "Input in0 0 1 in0 0=64 1=64 2=3\n"
LAYER = "Convolution found 1 1 in0 out0 0=1 1=1 5=1 6=3\n"


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsInvalid, match=r"There is no model at .*gone.param"):
        NcnnEngine(tmp_path / "gone.param", threads=1)


@pytest.mark.parametrize("entry", ["", ENTRY.replace(" 0=64 1=64 2=3", ""), ENTRY.replace("0=64", "0=32")])
def test_a_graph_for_other_photos_than_square_ones_of_one_size_is_refused(entry: str, tmp_path: Path) -> None:
    file = tmp_path / "other.param"
    file.write_text(HEAD + entry + LAYER)

    with pytest.raises(SettingsInvalid, match="square"):
        NcnnEngine(file, threads=1)


@pytest.mark.parametrize("graph", [HEAD.replace("7", "1") + ENTRY + LAYER, HEAD + ENTRY + "Nothing is 1 1 in0 out0\n"])
def test_another_kind_of_file_is_refused(graph: str, tmp_path: Path) -> None:
    file = tmp_path / "other.param"
    file.write_text(graph)

    with pytest.raises(SettingsInvalid, match="no ncnn model"):
        NcnnEngine(file, threads=1)


def test_a_graph_without_its_weights_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "graph.param"
    file.write_text(HEAD + ENTRY + LAYER)

    with pytest.raises(SettingsInvalid, match=r"graph\.bin does not lie beside it"):
        NcnnEngine(file, threads=1)


def test_a_graph_whose_weights_are_cut_short_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "graph.param"
    file.write_text(HEAD + ENTRY + LAYER)
    file.with_suffix(".bin").write_bytes(bytes(8))  # of 4 for the type, 12 for the weights and 4 for the bias

    with pytest.raises(SettingsInvalid, match="no ncnn model"):
        NcnnEngine(file, threads=1)
