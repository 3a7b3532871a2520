"""What ONNX Runtime cannot run is refused in words."""

from pathlib import Path

import pytest

from protocol.errors import SettingsInvalid
from segmentation_server.model.onnx_engine import OnnxEngine


@pytest.mark.parametrize("content", [b"", b"no model", b"\x08\x0a\x12\x07pytorch:"], ids=["empty", "text", "cut short"])
def test_another_kind_of_file_is_refused(content: bytes, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "model.onnx"
    file.write_bytes(content)

    with pytest.raises(SettingsInvalid, match="no ONNX model"):
        OnnxEngine(file, threads=1)

    assert capfd.readouterr() == ("", "")


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsInvalid, match=r"There is no model at .*gone.onnx"):
        OnnxEngine(tmp_path / "gone.onnx", threads=1)


@pytest.mark.parametrize("sides", [("height", "width"), (320, 256)])
def test_a_model_for_other_photos_than_square_ones_of_one_size_is_refused(
    sides: tuple[int | str, ...], tmp_path: Path
) -> None:
    onnx = pytest.importorskip("onnx")
    entry, final = (
        onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, (1, 3, *sides)) for name in ("photo", "mask")
    )
    node = onnx.helper.make_node("Identity", ["photo"], ["mask"])
    graph = onnx.helper.make_graph([node], "same", [entry], [final])
    file = tmp_path / "same.onnx"
    onnx.save(onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 18)], ir_version=10), file)

    with pytest.raises(SettingsInvalid, match="square"):
        OnnxEngine(file, threads=1)
