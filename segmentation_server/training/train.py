"""recipe + pairs -> weights, and a JSON beside them that says how they were made. Read it from top to bottom.

A batch and all chance in it follow from the seed and the number of the step. So a run that was stopped goes on from its
checkpoint exactly as if it had not been, bit by bit on a CPU.

The rate climbs, stays, and falls to zero over the last steps. What was reached before it fell is kept: a run is made
longer by going on from there (`before_decay.pt`, renamed to `checkpoint.pt`, and more steps in the recipe).
"""

import copy
import dataclasses
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Generator, Tensor, nn
from torch.optim.swa_utils import get_ema_multi_avg_fn

from protocol.errors import SettingsInvalid, TrainingDiverged
from segmentation_server.model.architectures import ARCHITECTURES
from segmentation_server.model.basnet_lite import EfficientNetLite2
from segmentation_server.model.checkpoint import UNREADABLE, load_checkpoint, save_checkpoint
from segmentation_server.training.augment import augment, send
from segmentation_server.training.dataset import Pairs
from segmentation_server.training.encoder import freeze, start_encoder
from segmentation_server.training.hybrid_loss import hybrid_loss
from segmentation_server.training.judge import judge, predict
from segmentation_server.training.progress import draw_curves, draw_masks
from segmentation_server.training.recipe import Recipe

SHOWN = 24  # held-back photos whose masks are drawn
BAR = 20  # characters
TERM_NAMES = {"b": "BCE", "s": "SSIM", "i": "IoU"}
Rows = list[dict[str, float]]


@dataclass(frozen=True)
class Start:
    """The files that a run starts from; None is nothing learnt."""

    weights: Path | None = None  # of the whole network
    encoder: Path | None = None


FROM_NOTHING = Start()


def train(
    recipe: Recipe,
    pairs: Pairs,
    held_back: Pairs,
    out: Path,
    *,
    start: Start = FROM_NOTHING,
    is_stopped: Callable[[], bool] = lambda: False,
    report: Callable[[str], None] = lambda _: None,
) -> None:
    """Train until the recipe's last step or until told to stop; either way what is needed to go on lies in `out`.

    Args:
        recipe: how.
        pairs: what to learn from.
        held_back: what to choose the best weights by; never learnt from.
        out: a folder. If it has a `checkpoint.pt`, the run goes on from it.
        start: what a new run starts from.
        is_stopped: asked before each step.
        report: takes lines of progress.

    Raises:
        SettingsInvalid: the checkpoint in `out` is damaged, or that of another kind of run.
        TrainingDiverged: a loss is no number.
    """
    out.mkdir(parents=True, exist_ok=True)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    torch.backends.cudnn.benchmark = True  # crops keep their size, so the quickest way to convolve is looked for
    precision = torch.bfloat16 if recipe.precision == "bfloat16" else torch.float32
    pairs, held_back = pairs.to(device), held_back.first(recipe.judged).to(device)

    # The network, its average, and an optimiser that is gentler with what has learnt already.
    torch.manual_seed(recipe.seed)
    model = ARCHITECTURES[recipe.model].build()
    if recipe.is_xavier:
        draw_xavier(model)
    learnt = start_encoder(model, start.encoder) if start.encoder else []
    if start.weights:
        load_checkpoint(model, start.weights)
    model = model.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]  # its stub forgets this
    average = copy.deepcopy(model).eval().requires_grad_(requires_grad=False)
    optimiser = create_optimiser(model, learnt, recipe)

    # Where an earlier run stopped.
    run, sums = Run(), torch.zeros(len(recipe.loss), device=device)  # of each term since the last report
    if (out / "checkpoint.pt").exists():
        run = restore_run(out / "checkpoint.pt", model, average, optimiser, sums)
        report(f"Going on from step {run.step}.")

    def keep(name: str) -> None:
        states = {"model": model.state_dict(), "average": average.state_dict(), "optimiser": optimiser.state_dict()}
        torch.save({**states, "sums": sums, "run": dataclasses.asdict(run)}, out / "unfinished.pt")
        (out / "unfinished.pt").replace(out / name)

    def check() -> None:
        """Judge, save, draw."""
        for numbers in (sums, *means):  # where a loss is one still, what normalisation keeps may be none
            refuse_non_finite(numbers, run.step)
        verdict = judge(average, held_back, recipe.batch, precision)
        run.verdicts.append({"step": run.step, "mae": verdict.mae, "max_f": verdict.max_f})
        is_best = verdict.merit > run.best_merit
        if is_best:
            run.best_merit = verdict.merit
            save_checkpoint(average, out / "best.safetensors", recipe.model)
            made = describe(recipe, run, pairs, held_back, start, device)
            (out / "best.json").write_text(json.dumps(made, indent=2) + "\n", encoding="utf-8")
        keep("checkpoint.pt")
        report(f"step {run.step}: held back MAE {verdict.mae:.4f}, max F {verdict.max_f:.4f}{', the best' * is_best}")
        shown = held_back.first(SHOWN)
        masks = predict(average, shown.photos, recipe.batch, precision)
        draw_masks(shown.photos, shown.truths, masks, out / f"masks_{run.step:07d}.png")
        draw_curves(curves(run), out / "curves.png")

    # The steps.
    forward = torch.compile(model, dynamic=False) if recipe.is_compiled else model
    means, values = ([w for w in net.state_dict().values() if w.is_floating_point()] for net in (average, model))
    started_s = checked_s = reported_s = time.monotonic()
    before_s = run.seconds
    model.train()
    if recipe.frozen_blocks:
        assert isinstance(model.encoder, EfficientNetLite2)
        freeze(model.encoder, recipe.frozen_blocks)
    while run.step < recipe.steps and not is_stopped():
        if run.step == recipe.steps - recipe.decay_steps:
            keep("before_decay.pt")
        for group in optimiser.param_groups:
            group["lr"] = group["height"] * recipe.warmth(run.step)

        chosen = send(draw_batch(run.step, recipe, len(pairs)), device)
        chance = create_generator(recipe.seed, "augment", run.step)
        side = recipe.side(run.step)
        photos, truths = augment(pairs.photos[chosen], pairs.truths[chosen], side, recipe.augmentation, chance)
        with torch.autocast(device.type, precision, enabled=precision != torch.float32):
            outputs = forward(photos.contiguous(memory_format=torch.channels_last))
        terms = hybrid_loss(outputs, truths, recipe.loss)

        optimiser.zero_grad(set_to_none=True)
        terms.sum().backward()  # type: ignore[no-untyped-call]  # its stub has no types
        if recipe.clip is not None:
            nn.utils.clip_grad_norm_(model.parameters(), recipe.clip)
        optimiser.step()
        blend(means, values, min(recipe.average, (1 + run.step) / (10 + run.step)))
        sums += terms.detach()
        run.step += 1

        if run.step % recipe.report_steps == 0:  # here alone a GPU is waited for
            refuse_non_finite(sums, run.step)
            losses = (sums / recipe.report_steps).tolist()
            sums.zero_()
            now_s = time.monotonic()
            run.seconds = before_s + now_s - started_s
            run.losses.append({"step": run.step, **dict(zip(recipe.loss, losses, strict=True))})
            step_s, reported_s = (now_s - reported_s) / recipe.report_steps, now_s
            report(progress_line(recipe, run.step, losses, step_s))
            if now_s - checked_s > 60 * recipe.check_minutes:
                check()
                checked_s = reported_s = time.monotonic()
    check()


@dataclass
class Run:
    """How far a run has come."""

    step: int = 0
    seconds: float = 0.0
    best_merit: float = -1.0
    losses: Rows = dataclasses.field(default_factory=list)
    verdicts: Rows = dataclasses.field(default_factory=list)


def restore_run(
    file: Path, model: nn.Module, average: nn.Module, optimiser: torch.optim.Optimizer, sums: Tensor
) -> Run:
    """Put what a run had learnt into the four, and tell how far it had come; rates are those of the recipe as it is."""
    settings = [{name: group[name] for name in group if name != "params"} for group in optimiser.param_groups]
    try:
        saved = torch.load(file, map_location=sums.device, weights_only=True)
        model.load_state_dict(saved["model"])
        average.load_state_dict(saved["average"])
        optimiser.load_state_dict(saved["optimiser"])
        sums.copy_(saved["sums"].view_as(sums))  # which refuses sums of more or fewer terms
        run = Run(**saved["run"])
    except UNREADABLE as error:
        fact = f"{file} is damaged, or from a run with another network, loss or start. Name another folder with --out."
        raise SettingsInvalid(fact) from error
    for group, setting in zip(optimiser.param_groups, settings, strict=True):
        group.update(setting)
    return run


def refuse_non_finite(numbers: Tensor, step: int) -> None:
    """A number that is none spreads to all weights; they are not saved."""
    if not numbers.isfinite().all():
        raise TrainingDiverged(f"It happened before step {step}.")


def create_generator(seed: int, purpose: str, number: int) -> Generator:
    """Chance that follows from these three alone; PyTorch's own seeds are cut to 32 bits."""
    entropy = [seed, int.from_bytes(purpose.encode()), number]
    return Generator().manual_seed(int(np.random.SeedSequence(entropy).generate_state(1)[0]))


def draw_batch(step: int, recipe: Recipe, count: int) -> Tensor:
    """(batch,) int64: each pair comes once in an epoch, in an order of that epoch's own."""
    places = range(step * recipe.batch, (step + 1) * recipe.batch)
    return torch.stack([shuffle(recipe.seed, place // count, count)[place % count] for place in places])


@lru_cache(maxsize=2)
def shuffle(seed: int, epoch: int, count: int) -> Tensor:
    """(count,) int64, the order of an epoch."""
    return torch.randperm(count, generator=create_generator(seed, "epoch", epoch))


def draw_xavier(model: nn.Module) -> None:
    """Section 4.1: convolutions start as Glorot and Bengio 2010 say."""
    for layer in model.modules():
        if isinstance(layer, nn.Conv2d):
            nn.init.xavier_uniform_(layer.weight)


def create_optimiser(model: nn.Module, learnt: list[nn.Parameter], recipe: Recipe) -> torch.optim.Optimizer:
    """AdamW; `height` is what each group's rate is at its highest."""
    known = {id(parameter) for parameter in learnt}
    fresh = [parameter for parameter in model.parameters() if id(parameter) not in known]
    gentle = recipe.rate if recipe.encoder_rate is None else recipe.encoder_rate
    groups: list[dict[str, Any]] = [{"params": fresh, "height": recipe.rate}]
    if learnt:
        groups.append({"params": learnt, "height": gentle})
    return torch.optim.AdamW(groups, lr=recipe.rate, weight_decay=recipe.weight_decay, fused=fresh[0].is_cuda)


def blend(means: list[Tensor], values: list[Tensor], kept: float) -> None:
    """Move the average of the weights, and of what batch normalisation saw, towards the network's."""
    move = get_ema_multi_avg_fn(kept)  # type: ignore[no-untyped-call]  # its stub has no types
    move(means, values, 0)


def progress_line(recipe: Recipe, step: int, losses: list[float], step_s: float) -> str:
    """A bar, losses, photos per second and the time left."""
    bar = "#" * (BAR * step // recipe.steps)
    terms = ", ".join(f"{TERM_NAMES[term]} {loss:.3f}" for term, loss in zip(recipe.loss, losses, strict=True))
    minutes_left = recipe.left(step) * step_s / 60
    pace = f"{recipe.batch / step_s:.1f} photos/s, {minutes_left:.0f} min left"
    return f"[{bar:{BAR}}] step {step} of {recipe.steps}: loss {sum(losses):.3f} ({terms}), {pace}"


def curves(run: Run) -> dict[str, list[tuple[int, float]]]:
    """What is drawn: each term of the loss, and what the held-back photos say."""
    named = [(TERM_NAMES[term], run.losses, term) for term in TERM_NAMES]
    named += [("held back MAE", run.verdicts, "mae"), ("held back max F", run.verdicts, "max_f")]
    return {name: [(int(row["step"]), row[key]) for row in rows if key in row] for name, rows, key in named}


def describe(
    recipe: Recipe, run: Run, pairs: Pairs, held_back: Pairs, start: Start, device: torch.device
) -> dict[str, Any]:
    """How the weights were made, and if they were started from others, how those were."""
    files = {"weights": start.weights, "encoder": start.encoder}
    before = start.weights.with_suffix(".json") if start.weights else None
    return {
        "recipe": dataclasses.asdict(recipe),
        "start": {name: file.name if file else None for name, file in files.items()},
        "before": json.loads(before.read_text(encoding="utf-8")) if before and before.is_file() else None,
        "pairs": {"trained_on": len(pairs), "hash": pairs.hash, "held_back": len(held_back)},
        "steps": run.step,
        "photos_seen": run.step * recipe.batch,
        "seconds": round(run.seconds),
        "held_back": run.verdicts[-1],
        "device": torch.cuda.get_device_name() if device.type == "cuda" else "cpu",
        "torch": torch.__version__,
    }
