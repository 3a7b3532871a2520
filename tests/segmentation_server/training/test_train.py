"""A run learns, can be stopped and gone on with as if it had not been, and says how its weights were made."""

import dataclasses
import itertools
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("torch", reason="training needs PyTorch: pip install 'ar-copy-paste[torch]'")

import safetensors.torch
import torch
from PIL import Image
from torch import Tensor

from protocol.errors import SettingsInvalid, TrainingDiverged
from segmentation_server.model.basnet_lite import BASNetLite
from segmentation_server.model.checkpoint import read_architecture
from segmentation_server.training.__main__ import RECIPES, main
from segmentation_server.training.dataset import Pairs, is_held_back, read_pairs
from segmentation_server.training.encoder import start_encoder
from segmentation_server.training.recipe import Recipe, read_recipe
from segmentation_server.training.train import Start, draw_batch, train

SIDE = 32


@pytest.fixture(scope="module")
def tiny() -> Recipe:
    """The recipe for two cores, at a size that takes no time: every second thing it does happens within six steps."""
    small = {"stored_side": SIDE, "sides": ((0.0, 24.0), (0.5, 32.0)), "batch": 2, "judged": 2, "report_steps": 2}
    return read_recipe(
        RECIPES / "lite-cpu.toml", steps=6, warm_up_steps=2, decay_steps=2, encoder=None, frozen_blocks=0, **small
    )


@pytest.fixture(scope="module")
def pairs(dataset: Path) -> Pairs:
    return read_pairs([dataset], SIDE, lambda name: not is_held_back(name))


@pytest.fixture(scope="module")
def held_back(dataset: Path) -> Pairs:
    return read_pairs([dataset], SIDE, is_held_back)


def stop_after(steps: int) -> Callable[[], bool]:
    asked = itertools.count()
    return lambda: next(asked) >= steps


def saved_states(out: Path) -> list[Tensor]:
    saved = torch.load(out / "checkpoint.pt", weights_only=True)
    optimiser = [moment for state in saved["optimiser"]["state"].values() for moment in state.values()]
    return [*saved["model"].values(), *saved["average"].values(), *optimiser]


def test_a_run_that_was_stopped_goes_on_as_if_it_had_not_been(
    tiny: Recipe, pairs: Pairs, held_back: Pairs, tmp_path: Path
) -> None:
    train(tiny, pairs, held_back, tmp_path / "whole")
    train(tiny, pairs, held_back, tmp_path / "stopped", is_stopped=stop_after(3))
    train(tiny, pairs, held_back, tmp_path / "stopped")

    whole, stopped = saved_states(tmp_path / "whole"), saved_states(tmp_path / "stopped")
    assert all(one.equal(other) for one, other in zip(whole, stopped, strict=True))
    histories = [torch.load(tmp_path / name / "checkpoint.pt")["run"]["losses"] for name in ("whole", "stopped")]
    assert histories[0] == histories[1]


@pytest.mark.parametrize(
    "change", [{"loss": "b"}, {"loss": "bs"}, {"model": "u-net"}], ids=["one term", "two terms", "network"]
)
def test_a_run_of_another_kind_is_not_gone_on_with(
    change: dict[str, Any], tiny: Recipe, pairs: Pairs, held_back: Pairs, tmp_path: Path
) -> None:
    train(tiny, pairs, held_back, tmp_path, is_stopped=stop_after(1))

    with pytest.raises(SettingsInvalid, match=r"checkpoint.pt is damaged, or .* Name another folder with --out"):
        train(dataclasses.replace(tiny, **change), pairs, held_back, tmp_path)


def test_a_damaged_checkpoint_is_refused_in_words(tiny: Recipe, pairs: Pairs, held_back: Pairs, tmp_path: Path) -> None:
    (tmp_path / "checkpoint.pt").write_bytes(b"PK")

    with pytest.raises(SettingsInvalid, match=r"checkpoint.pt is damaged"):
        train(tiny, pairs, held_back, tmp_path)


def test_a_run_goes_on_at_the_rate_that_its_recipe_has_now(
    tiny: Recipe, pairs: Pairs, held_back: Pairs, tmp_path: Path
) -> None:
    train(tiny, pairs, held_back, tmp_path, is_stopped=stop_after(1))

    train(dataclasses.replace(tiny, rate=0.5 * tiny.rate), pairs, held_back, tmp_path, is_stopped=stop_after(1))

    (group,) = torch.load(tmp_path / "checkpoint.pt")["optimiser"]["param_groups"]
    assert group["height"] == 0.5 * tiny.rate


def test_a_finished_run_leaves_weights_and_says_how_they_were_made(
    tiny: Recipe, pairs: Pairs, held_back: Pairs, tmp_path: Path
) -> None:
    lines: list[str] = []

    train(tiny, pairs, held_back, tmp_path, report=lines.append)

    made = json.loads((tmp_path / "best.json").read_text())
    assert made["recipe"]["seed"] == tiny.seed
    assert made["pairs"] == {"trained_on": 78, "hash": pairs.hash, "held_back": 2}
    assert (made["steps"], made["photos_seen"]) == (6, 12)
    assert 0 < made["held_back"]["mae"] < 1
    assert read_architecture(tmp_path / "best.safetensors") == "basnet-lite"
    weights = safetensors.torch.load_file(tmp_path / "best.safetensors")
    assert {weight.dtype for weight in weights.values()} == {torch.float16, torch.int64}
    assert Image.open(tmp_path / "masks_0000006.png").size == (2 * 3 * 160, 160)
    assert Image.open(tmp_path / "curves.png").width == 800
    assert (tmp_path / "before_decay.pt").exists()
    assert any(line.startswith(f"[{'#' * 20}] step 6 of 6: loss ") and "photos/s" in line for line in lines)
    assert not list(tmp_path.glob("*unfinished*"))


def test_the_loss_falls(tiny: Recipe, pairs: Pairs, held_back: Pairs, tmp_path: Path) -> None:
    longer = dataclasses.replace(tiny, steps=16, loss="b")

    train(longer, pairs, held_back, tmp_path)

    losses = [row["b"] for row in torch.load(tmp_path / "checkpoint.pt")["run"]["losses"]]
    assert sum(losses[-2:]) < 0.9 * sum(losses[:2])


def test_the_recipe_for_a_gpu_runs_on_a_cpu_too(pairs: Pairs, held_back: Pairs, tmp_path: Path) -> None:
    small = {"model": "basnet-lite", "stored_side": SIDE, "sides": ((0.0, 32.0),), "batch": 2, "judged": 1}
    recipe = read_recipe(RECIPES / "fast-gpu.toml", steps=2, report_steps=1, is_compiled=False, **small)

    train(recipe, pairs, held_back, tmp_path)

    assert json.loads((tmp_path / "best.json").read_text())["recipe"]["precision"] == "bfloat16"


def test_a_loss_that_is_no_number_stops_in_words_and_is_not_saved(
    tiny: Recipe, pairs: Pairs, held_back: Pairs, tmp_path: Path
) -> None:
    mad = dataclasses.replace(tiny, rate=1e30, clip=None, warm_up_steps=0, decay_steps=0)

    with pytest.raises(TrainingDiverged, match="before step"):
        train(mad, pairs, held_back, tmp_path)

    assert not (tmp_path / "checkpoint.pt").exists()


def test_an_average_that_is_no_number_is_not_saved(
    tiny: Recipe, pairs: Pairs, held_back: Pairs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("segmentation_server.training.train.blend", lambda means, *_: means[-1].fill_(float("inf")))

    with pytest.raises(TrainingDiverged, match="before step"):
        train(tiny, pairs, held_back, tmp_path)

    assert not (tmp_path / "checkpoint.pt").exists()


def test_a_run_starts_from_the_weights_it_is_given(
    tiny: Recipe, pairs: Pairs, held_back: Pairs, tmp_path: Path
) -> None:
    train(tiny, pairs, held_back, tmp_path / "first")
    still = dataclasses.replace(tiny, seed=9)
    start = Start(weights=tmp_path / "first" / "best.safetensors")

    train(still, pairs, held_back, tmp_path / "second", start=start, is_stopped=lambda: True)

    first = safetensors.torch.load_file(tmp_path / "first" / "best.safetensors")
    second = safetensors.torch.load_file(tmp_path / "second" / "best.safetensors")
    assert all(weight.equal(second[name]) for name, weight in first.items())
    made = [json.loads((tmp_path / name / "best.json").read_text()) for name in ("first", "second")]
    assert made[1]["before"] == made[0]


def test_each_pair_comes_once_in_an_epoch() -> None:
    recipe = Recipe(model="basnet-lite", steps=1, batch=4)

    epochs = torch.stack([draw_batch(step, recipe, 10) for step in range(5)]).flatten().view(2, 10)

    assert [sorted(epoch.tolist()) for epoch in epochs] == [list(range(10))] * 2
    assert not epochs[0].equal(epochs[1])


def test_a_frozen_part_of_an_encoder_stays_as_it_was_taught(
    tiny: Recipe, pairs: Pairs, held_back: Pairs, lite2: Path, tmp_path: Path
) -> None:
    taught = BASNetLite()
    start_encoder(taught, lite2)
    recipe = dataclasses.replace(tiny, encoder="efficientnet-lite2", frozen_blocks=4)

    train(recipe, pairs, held_back, tmp_path / "out", start=Start(encoder=lite2))

    before = {f"encoder.{name}": weight for name, weight in taught.encoder.state_dict().items()}
    after = torch.load(tmp_path / "out" / "checkpoint.pt")["model"]
    kept = {name for name in before if after[name].equal(before[name])}
    assert {name for name in before if ".norm." in name} <= kept
    assert {
        name for name in before if name.startswith(("encoder.stem.", *(f"encoder.blocks.{n}." for n in range(4))))
    } <= kept
    assert not {name for name in before if name.startswith("encoder.blocks.4.") and ".conv." in name} & kept


@pytest.fixture
def program(dataset: Path, tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """The training program with more steps than a test has time for."""
    recipe = tmp_path / "tiny.toml"
    lines = ['model = "basnet-lite"', "steps = 10_000", f"stored_side = {SIDE}", f"sides = [[0.0, {SIDE}]]"]
    recipe.write_text("\n".join([*lines, "batch = 2", "report_steps = 1", "judged = 1"]))
    options = [str(recipe), "--dataset", str(dataset), "--out", str(tmp_path / "out")]
    command = [sys.executable, "-m", "segmentation_server.training", *options]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as running:
        yield running
        running.kill()


def test_sigterm_saves_and_ends(program: subprocess.Popen[str], tmp_path: Path) -> None:
    assert program.stdout is not None
    next(line for line in program.stdout if " step 2 of " in line)

    program.send_signal(signal.SIGTERM)

    started = time.monotonic()
    assert program.wait(timeout=30) == 0
    assert time.monotonic() - started < 20
    assert torch.load(tmp_path / "out" / "checkpoint.pt")["run"]["step"] >= 2


def test_the_program_says_what_is_wrong_with_its_recipe(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["nonsense", "--dataset", str(tmp_path), "--out", str(tmp_path / "out")]) == 2
    assert "nonsense cannot be read" in capsys.readouterr().err
