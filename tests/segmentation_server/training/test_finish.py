"""What is handed out is the mean of what was trained, surer of itself, and says where it comes from."""

import json
from pathlib import Path

import pytest

pytest.importorskip("torch", reason="training needs PyTorch: pip install 'ar-copy-paste[torch]'")

import torch

from segmentation_server.model.basnet_lite import BASNetLite
from segmentation_server.model.checkpoint import load_checkpoint, save_checkpoint
from segmentation_server.training.finish import main, mean_model


def lite_file(folder: Path, seed: int) -> Path:
    """Weights and the JSON that training leaves beside them."""
    torch.manual_seed(seed)
    file = folder / f"run{seed}.safetensors"
    save_checkpoint(BASNetLite(), file, "basnet-lite")
    file.with_suffix(".json").write_text(json.dumps({"photos_seen": seed}))
    return file


def loaded(file: Path) -> BASNetLite:
    model = BASNetLite().eval()
    load_checkpoint(model, file)
    return model


def test_each_weight_is_the_mean_of_those_given(tmp_path: Path) -> None:
    files = [lite_file(tmp_path, seed) for seed in (1, 2, 3)]

    mean = mean_model(files).state_dict()["encoder.stem.conv.weight"]

    given = [loaded(file).state_dict()["encoder.stem.conv.weight"] for file in files]
    torch.testing.assert_close(mean, (given[0] + given[1] + given[2]) / 3)


def test_the_file_is_surer_than_what_it_was_made_from_and_says_how_it_was_made(
    dataset: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file, out = lite_file(tmp_path, 1), tmp_path / "finished.safetensors"

    assert main([str(file), "--dataset", str(dataset), "--out", str(out)]) == 0

    photo = torch.randn(1, 3, 64, 64, generator=torch.Generator().manual_seed(4))
    with torch.inference_mode():
        before, after = loaded(file)(photo)[0], loaded(out)(photo)[0]
    torch.testing.assert_close(after, 2 * before, rtol=0.01, atol=0.01)  # half precision
    made = json.loads(out.with_suffix(".json").read_text())
    assert made["mean_of"] == [{"file": "run1.safetensors", "photos_seen": 1}]
    assert made["pairs"]["held_back"] == 2
    said = capsys.readouterr().out
    assert f"sharpness 2: held back MAE {made['held_back']['sharpness 2']['mae']:.4f}" in said


def test_weights_that_do_not_say_how_they_were_made_are_refused(
    dataset: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file, out = lite_file(tmp_path, 1), tmp_path / "finished.safetensors"
    file.with_suffix(".json").unlink()

    assert main([str(file), "--dataset", str(dataset), "--out", str(out)]) == 2

    assert "run1.json does not say how run1.safetensors was made" in capsys.readouterr().err
    assert not out.exists()


@pytest.mark.parametrize("out", ["finished.pth", "nowhere/finished.safetensors", "run1.safetensors"])
def test_a_place_that_nothing_should_be_written_to_is_refused_at_once(
    dataset: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], out: str
) -> None:
    file = lite_file(tmp_path, 1)
    before = file.read_bytes()

    assert main([str(file), "--dataset", str(dataset), "--out", str(tmp_path / out)]) == 2

    assert out in capsys.readouterr().err
    assert file.read_bytes() == before
