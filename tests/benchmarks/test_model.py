"""The benchmark of the networks measures what it says it measures, on a CPU and in what a GPU would be given."""

import os
import subprocess
import sys
from functools import partial
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch", reason="the benchmark needs more packages: pip install -e '.[benchmark]'")
pytest.importorskip("openvino", reason="the benchmark needs more packages: pip install -e '.[benchmark]'")

import torch
from torch import Tensor, nn

from benchmarks.drawn_weights import draw_network
from benchmarks.fused import RectifiedConvolution, fuse
from benchmarks.model_on_cpu import (
    EAGER,
    LITE,
    PHOTO,
    Contender,
    Measured,
    Spent,
    contenders_of,
    measure_in_turns,
    rows,
)
from benchmarks.model_on_gpu import FORMS, Form, Timed, eager, flops_of_a_photo, fused, matrix_peak, row, time_forms
from segmentation_server.model.architectures import ARCHITECTURES
from segmentation_server.model.engines import OURS
from segmentation_server.model.export import export
from segmentation_server.photo import read_photo
from segmentation_server.segmenter import to_batch
from tests.benchmarks.fake_engine import Fake, broken

pytestmark = pytest.mark.usefixtures("one_thread")
PICTURE = np.zeros((12, 16, 3), np.uint8)


def measured(engine: str, *seconds: float, level: float = 0.0) -> Measured:
    spent = tuple(Spent(one, 2 * one) for one in seconds)
    return Measured(Contender("net", engine, Fake), spent, 99.6, np.full((8, 8), level, np.float32))


# --- On the CPU -----------------------------------------------------------------------------------------------------


def test_each_engine_has_a_process_and_memory_of_its_own() -> None:
    small, slow, large = measure_in_turns(
        [
            Contender("net", "small", Fake),
            Contender("net", "slow", partial(Fake, seconds=0.2, size=16)),
            Contender("net", "large", partial(Fake, memory_mb=300)),
        ],
        PICTURE,
        rounds=3,
    )

    assert len({os.getpid(), small.mask[0, 0], slow.mask[0, 0], large.mask[0, 0]}) == 4
    assert [len(one.spent) for one in (small, slow, large)] == [3, 3, 3]
    assert slow.speed(small) < 0.5 < 2 < small.speed(slow)
    assert min(spent.seconds for spent in slow.spent) >= 0.2
    assert max(spent.core_seconds for spent in slow.spent) < 0.1  # it only slept
    assert 290 < large.memory_mb - small.memory_mb < 320


def test_an_engine_that_does_not_run_here_is_left_out(capfd: pytest.CaptureFixture[str]) -> None:
    only = measure_in_turns([Contender("net", "no", broken), Contender("net", "yes", Fake)], PICTURE, rounds=1)

    assert [one.contender.engine for one in only] == ["yes"]
    errors = capfd.readouterr().err
    assert "OSError: no such engine" in errors
    assert "net in no does not run here" in errors


def test_speeds_are_compared_round_by_round() -> None:
    """Between the rounds the machine became ten times slower: the medians alone would say 10 / 3."""
    ours, theirs = measured("ours", 1, 3, 10), measured("theirs", 2, 10, 20)

    assert ours.speed(theirs) == 2
    assert theirs.speed(ours) == 0.5


def test_a_line_compares_with_the_baseline_and_with_pytorch() -> None:
    baseline, own = measured("base", 6.0), measured(EAGER, 3.0)
    one = measured("fast", 1.5, level=0.1)

    lines = list(rows([own, one], baseline))

    assert lines == [
        "| net | PyTorch | 3.000 | 6.000 | 2.00 | 1.00 | 100 | 0.000 |",
        "| net | fast | 1.500 | 3.000 | 4.00 | 2.00 | 100 | 25.500 |",
    ]


def test_all_engines_run_the_same_network(tmp_path: Path) -> None:
    weights = tmp_path / f"{LITE}.safetensors"
    weights.write_bytes((OURS / "basnet_lite.safetensors").read_bytes())
    export(weights)
    export(weights, to_ncnn=True)
    batch = to_batch(read_photo(PHOTO.read_bytes(), 10**6), 288)

    loads = {contender.engine: contender.load for contender in contenders_of(LITE, tmp_path, threads=1)}

    assert list(loads) == ["PyTorch", "PyTorch, compiled", "ONNX Runtime", "ncnn", "OpenVINO"]
    expected = loads["PyTorch"]()(batch)
    assert expected.std() > 0.01
    for name in ("ONNX Runtime", "ncnn", "OpenVINO"):
        np.testing.assert_allclose(loads[name]()(batch), expected, atol=1e-3)


def test_without_a_gpu_it_says_so(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "benchmarks.model", "--only", "gpu"]

    finished = subprocess.run(command, env={"PATH": str(tmp_path)}, capture_output=True, text=True, check=True)

    assert finished.stdout.strip() == "GPU: PyTorch finds none here, so nothing is measured on one."


# --- For a GPU ------------------------------------------------------------------------------------------------------


class Small(nn.Module):
    """A residual block and a head."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.norm = nn.Conv2d(3, 8, 3, padding=1), nn.BatchNorm2d(8)
        self.second, self.head = nn.Conv2d(8, 8, 3, padding=1), nn.Conv2d(8, 1, 1)

    def forward(self, batch: Tensor) -> tuple[Tensor]:
        features = torch.nn.functional.relu(self.norm(self.first(batch)))
        return (self.head(torch.nn.functional.relu(self.second(features) + features)),)


def broken_form(model: nn.Module) -> None:
    raise RuntimeError("no such kernel")


def test_forms_are_timed_against_the_peak_and_the_exact_mask(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("benchmarks.model_on_gpu.BATCHES", (1, 2))
    monkeypatch.setattr("benchmarks.model_on_gpu.TIMED_S", 0.01)
    forms = (
        Form("exact", eager(torch.float32)),
        Form("broken", broken_form),  # type: ignore[arg-type]
        Form("rough", eager(torch.bfloat16)),
    )

    timed = list(time_forms(Small().eval(), forms, torch.randn(2, 3, 16, 16), peaks_a_photo=1e-3))

    assert [(one.form, one.batch) for one in timed] == [("exact", 1), ("exact", 2), ("rough", 1), ("rough", 2)]
    assert [one.share * one.seconds for one in timed] == pytest.approx([1e-3, 2e-3, 1e-3, 2e-3])
    assert max(one.difference for one in timed[:2]) < 1e-3
    assert 1e-3 < min(one.difference for one in timed[2:]) < 2
    assert "broken: no such kernel" in capsys.readouterr().err


def test_a_line_says_how_many_photos_a_second() -> None:
    assert row(Timed("fast", 8, 0.004, 0.25, 0.126)) == "| fast | 8 | 4.00 | 2000 | 25% | 0.13 |"


def test_a_photo_costs_basnet_what_is_published_of_it() -> None:
    assert flops_of_a_photo(ARCHITECTURES["basnet"]) / 2e9 == pytest.approx(198.4, abs=0.1)


def test_the_peak_is_that_of_a_product_of_matrices(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("benchmarks.model_on_gpu.TIMED_S", 0.01)

    assert 1e6 < matrix_peak(torch.device("cpu"), 64) < 1e15


def test_the_forms_have_names_of_their_own() -> None:
    assert len({form.name for form in FORMS}) == len(FORMS) == 8


@torch.inference_mode()
@pytest.mark.parametrize(("name", "fused_convolutions"), [("basnet", 75), ("basnet-lite", 0)])
def test_a_fused_network_has_fewer_steps_and_gives_the_same(name: str, fused_convolutions: int) -> None:
    model = draw_network(ARCHITECTURES[name])
    photo = torch.randn(1, 3, 50, 70)

    quick = fuse(model)

    for ours, expected in zip(quick(photo), model(photo), strict=True):
        assert expected.std() > 0.1
        torch.testing.assert_close(ours, expected, rtol=1e-3, atol=1e-3)
    reached = [quick.get_submodule(str(node.target)) for node in quick.graph.nodes if node.op == "call_module"]
    assert sum(isinstance(layer, RectifiedConvolution) for layer in reached) == fused_convolutions
    assert not any(isinstance(layer, nn.BatchNorm2d) for layer in reached)


@torch.inference_mode()
def test_a_shortcut_is_added_before_rectifying() -> None:
    model, photo = Small().eval(), torch.randn(2, 3, 16, 16)

    torch.testing.assert_close(fused(torch.float32)(model)(photo), model(photo)[0])
