"""Engines on the CPU: seconds a photo and memory of each, in a process of its own, all in turns.

A machine that others use as well is now quicker and now slower. So every engine runs once, then every engine once more,
and what is compared are the times of one round.
"""

import importlib.util
import multiprocessing
import shutil
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from segmentation_server.model import Engine, Float32Array
from segmentation_server.model.engines import OURS, load_engine
from segmentation_server.photo import Photo, read_photo
from segmentation_server.segmenter import to_batch
from segmentation_server.weights import U2NETP, fetch_weights

PHOTO = Path(__file__).parents[1] / "demo" / "coffee.png"
SPAWN = multiprocessing.get_context("spawn")  # a fork would count our memory as the engine's
LITE, FULL = "BASNet-lite", "BASNet"
EAGER = "PyTorch"
HEAD = (
    f"| network | engine | seconds | core-seconds | speed, u2netp's = 1 | {EAGER}'s = 1 | MB | mask off by, of 255 |",
    "|---|---|---|---|---|---|---|---|",
)


@dataclass(frozen=True)
class Contender:
    """A network in an engine."""

    network: str
    engine: str
    load: Callable[[], Engine]  # called in a process of its own, so it must be picklable


class Spent(NamedTuple):
    """On one photo."""

    seconds: float
    core_seconds: float  # of all its threads, whatever else the cores did meanwhile


@dataclass(frozen=True)
class Measured:
    """What became of a contender."""

    contender: Contender
    spent: tuple[Spent, ...]  # one of each round
    memory_mb: float  # at its highest, Python and the engine's libraries included
    mask: Float32Array  # (size, size) in [0, 1], as the engine's

    def speed(self, other: "Measured") -> float:
        """How many times as fast as the other, in the median round."""
        rounds = zip(self.spent, other.spent, strict=True)
        return statistics.median(theirs.seconds / ours.seconds for ours, theirs in rounds)


def cpu_table(folder: Path, rounds: int, threads: int) -> Iterator[str]:
    """The lines of the table in Markdown, as soon as they are known.

    Args:
        folder: an empty one for files of models, 0.6 GB.
        rounds: how often each engine runs.
        threads: cores that each may use.
    """
    baseline = Contender("u2netp", "ONNX Runtime", partial(load_engine, fetch_weights(U2NETP), threads))
    with SPAWN.Pool(1) as other_process:  # what PyTorch takes of memory ends with it
        other_process.apply(write_models, (folder,))
    photo = read_photo(PHOTO.read_bytes(), 10**6)
    yield from HEAD
    for network in (LITE, FULL):
        contenders = [baseline, *contenders_of(network, folder, threads)]
        measured = measure_in_turns(contenders, photo, rounds)
        yield from rows(measured if network == LITE else measured[1:], measured[0])


def write_models(folder: Path) -> None:
    """A file of weights and a graph of each network; those of BASNet are drawn, which are as quick as any."""
    from benchmarks.drawn_weights import draw_network
    from segmentation_server.model.architectures import ARCHITECTURES
    from segmentation_server.model.checkpoint import save_checkpoint
    from segmentation_server.model.export import export

    shutil.copy(OURS / "basnet_lite.safetensors", folder / f"{LITE}.safetensors")
    save_checkpoint(draw_network(ARCHITECTURES["basnet"]), folder / f"{FULL}.safetensors", "basnet")
    for network in (LITE, FULL):
        export(folder / f"{network}.safetensors")
        export(folder / f"{network}.safetensors", to_ncnn=True)


def contenders_of(network: str, folder: Path, threads: int) -> Iterator[Contender]:
    """The engines that are installed, PyTorch as it is first."""
    weights, graph = folder / f"{network}.safetensors", folder / f"{network}.onnx"
    yield Contender(network, EAGER, partial(load_engine, weights, threads))
    yield Contender(network, f"{EAGER}, compiled", partial(load_compiled, weights, threads))
    yield Contender(network, "ONNX Runtime", partial(load_engine, graph, threads))
    yield Contender(network, "ncnn", partial(load_engine, graph.with_suffix(".param"), threads))
    if importlib.util.find_spec("openvino"):
        yield Contender(network, "OpenVINO", partial(load_openvino, graph, threads))


def load_compiled(weights: Path, threads: int) -> Engine:
    """PyTorch's compiler, told that the weights will not change."""
    import torch._inductor.config

    from segmentation_server.model.torch_engine import TorchEngine

    torch._inductor.config.freezing = True
    engine = load_engine(weights, threads)
    assert isinstance(engine, TorchEngine)
    engine.model.compile()
    return engine


def load_openvino(graph: Path, threads: int) -> Engine:
    """Intel's runtime, from the same graph as ONNX Runtime."""
    from benchmarks.openvino_engine import OpenVinoEngine

    return OpenVinoEngine(graph, threads)


# --- Measuring ------------------------------------------------------------------------------------------------------


def measure_in_turns(contenders: Sequence[Contender], photo: Photo, rounds: int) -> list[Measured]:
    """Run all contenders once, then all once more, and so on.

    Args:
        contenders: each gets a process.
        photo: (H, W, 3) uint8, RGB; each gets it at its own size.
        rounds: how often, after two runs that make an engine ready and do not count.
    """
    with ExitStack() as running:
        started = [(contender, running.enter_context(process(contender.load, photo))) for contender in contenders]
        ready = [
            (contender, end, mask) for contender, end in started if (mask := first_mask(contender, end)) is not None
        ]
        spent = [[ask(end, is_last=False) for _, end, _ in ready] for _ in range(rounds)]
        memories_mb = [ask(end, is_last=True) for _, end, _ in ready]
    times = [tuple(one) for one in zip(*spent, strict=True)]
    return [
        Measured(contender, one, memory_mb, mask)
        for (contender, _, mask), one, memory_mb in zip(ready, times, memories_mb, strict=True)
    ]


def first_mask(contender: Contender, end: Connection) -> Float32Array | None:
    """None if it does not run here; Python has then told why."""
    try:
        mask: Float32Array = end.recv()
    except EOFError:
        sys.stderr.write(f"{contender.network} in {contender.engine} does not run here and is left out.\n")
        return None
    return mask


@contextmanager
def process(load: Callable[[], Engine], photo: Photo) -> Iterator[Connection]:
    """Our end of a process that runs an engine."""
    ours, theirs = SPAWN.Pipe()
    other = SPAWN.Process(target=serve, args=(theirs, load, photo), daemon=True)
    other.start()
    theirs.close()  # ours then ends with the process
    try:
        yield ours
    finally:
        ours.close()
        other.terminate()
        other.join()


def ask(end: Connection, *, is_last: bool) -> Any:
    """What `serve` answers."""
    end.send(is_last)
    return end.recv()


def serve(end: Connection, load: Callable[[], Engine], photo: Photo) -> None:
    """Send a mask, then a time whenever asked, and when asked for the last time the most memory that there was."""
    engine = load()
    batch = to_batch(photo, engine.size)
    engine(batch)
    end.send(engine(batch)[0])
    while not end.recv():
        start_s, start_core_s = time.perf_counter(), time.process_time()
        engine(batch)
        end.send(Spent(time.perf_counter() - start_s, time.process_time() - start_core_s))
    end.send(peak_memory_mb())


def peak_memory_mb() -> float:
    """Of this process. The kernel's other account of it, getrusage, begins with the parent's."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    (line,) = (line for line in status.splitlines() if line.startswith("VmHWM:"))
    return int(line.split()[1]) * 1024 / 1e6


# --- The table ------------------------------------------------------------------------------------------------------


def rows(measured: Sequence[Measured], baseline: Measured) -> Iterator[str]:
    """A line for each, against the baseline and against PyTorch with the same network."""
    eager = {one.contender.network: one for one in measured if one.contender.engine == EAGER}
    for one in measured:
        own = eager.get(one.contender.network)
        cells = (
            one.contender.network,
            one.contender.engine,
            f"{statistics.median(spent.seconds for spent in one.spent):.3f}",
            f"{statistics.median(spent.core_seconds for spent in one.spent):.3f}",
            f"{one.speed(baseline):.2f}",
            f"{one.speed(own):.2f}" if own else "",
            f"{one.memory_mb:.0f}",
            f"{255 * np.abs(one.mask - own.mask).mean():.3f}" if own else "",
        )
        yield f"| {' | '.join(cells)} |"
