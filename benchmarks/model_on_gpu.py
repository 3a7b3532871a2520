"""Forms of a network on the GPU: latency, photos a second, share of the card's peak, and how exact their masks are."""

import copy
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from benchmarks.drawn_weights import draw_network
from benchmarks.fused import fuse
from benchmarks.model_on_cpu import PHOTO
from segmentation_server.model.architectures import ARCHITECTURES, Architecture
from segmentation_server.model.checkpoint import load_checkpoint
from segmentation_server.model.engines import FULL, OURS
from segmentation_server.photo import read_photo
from segmentation_server.segmenter import to_batch

Run: TypeAlias = Callable[[Tensor], Tensor]  # (B, 3, H, W) float32 normalised -> (B, 1, H, W) logits

SIDE = 320  # pixels
BATCHES = (1, 8, 32)
MATRIX_SIDE = 8192
TIMED_S = 0.5  # of each of REPEATS
REPEATS = 5
WARM_UPS = 3  # the compiler's CUDA graphs are recorded in the second run
WEIGHTS = {"basnet": FULL, "basnet-lite": OURS / "basnet_lite.safetensors"}


@dataclass(frozen=True)
class Form:
    """A way to run a network."""

    name: str
    make: Callable[[nn.Module], Run]


@dataclass(frozen=True)
class Timed:
    """A form with one size of batch."""

    form: str
    batch: int
    seconds: float  # a batch
    share: float  # of the card's peak
    difference: float  # of a mask from the exact one, mean over pixels, of 255


def gpu_tables() -> Iterator[str]:
    """A table in Markdown for each network, as soon as its lines are known."""
    device = torch.device("cuda")
    peak = matrix_peak(device, MATRIX_SIDE)
    yield f"\nGPU: {torch.cuda.get_device_name()}, PyTorch {torch.__version__}, {SIDE} x {SIDE} pixels"
    yield f"Its peak, as a product of two {MATRIX_SIDE} x {MATRIX_SIDE} bfloat16 matrices: {peak / 1e12:.0f} TFLOP/s"
    for name, file in WEIGHTS.items():
        architecture = ARCHITECTURES[name]
        model = draw_network(architecture)
        if file.is_file():
            load_checkpoint(model, file)
        weights = "our weights" if file.is_file() else "weights drawn by chance"
        yield f"\n{architecture.title}, {flops_of_a_photo(architecture) / 2e9:.1f} GMAC a photo, {weights}\n"
        yield "| form | batch | ms a batch | photos a second | share of the peak | mask off by, of 255 |"
        yield "|---|---|---|---|---|---|"
        yield from map(row, time_forms(model.to(device), FORMS, photos(device), flops_of_a_photo(architecture) / peak))


# --- Forms ----------------------------------------------------------------------------------------------------------


def eager(dtype: torch.dtype) -> Callable[[nn.Module], Run]:
    """As PyTorch runs it, step by step."""

    def make(model: nn.Module) -> Run:
        return first_map(model.to(dtype=dtype, memory_format=torch.channels_last), dtype)  # type: ignore[call-overload]

    return make


def fused(dtype: torch.dtype) -> Callable[[nn.Module], Run]:
    """As eager, with fewer steps."""
    return lambda model: eager(dtype)(fuse(model))


def compiled(make: Callable[[nn.Module], Run], **options: str) -> Callable[[nn.Module], Run]:
    """A form through PyTorch's compiler."""
    return lambda model: torch.compile(make(model), dynamic=False, **options)  # type: ignore[call-overload]


def as_graph(make: Callable[[nn.Module], Run]) -> Callable[[nn.Module], Run]:
    """A form whose steps are recorded once for each size of batch and then sent to the GPU as one."""
    return lambda model: GraphRun(make(model))


def first_map(model: nn.Module, dtype: torch.dtype) -> Run:
    """The refined map of a network that calculates in `dtype`."""

    def run(batch: Tensor) -> Tensor:
        maps = model(batch.to(dtype=dtype, memory_format=torch.channels_last))
        refined: Tensor = maps[0]
        return refined.float()

    return run


class GraphRun:
    """A Run by CUDA graphs; its answer is overwritten by the next of the same size."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._graphs: dict[torch.Size, tuple[torch.cuda.CUDAGraph, Tensor, Tensor]] = {}

    def __call__(self, batch: Tensor) -> Tensor:
        """See Run."""
        if batch.shape not in self._graphs:
            self._graphs[batch.shape] = self._record(batch)
        graph, entry, final = self._graphs[batch.shape]
        entry.copy_(batch)
        graph.replay()
        return final

    def _record(self, batch: Tensor) -> tuple[torch.cuda.CUDAGraph, Tensor, Tensor]:
        entry, aside = batch.clone(), torch.cuda.Stream()  # type: ignore[no-untyped-call]  # its stub has no types
        aside.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(aside):  # cuDNN tries its ways to convolve before they are recorded
            for _ in range(3):
                self._run(entry)
        torch.cuda.current_stream().wait_stream(aside)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            final = self._run(entry)
        return graph, entry, final


BF16 = torch.bfloat16
FORMS = (
    Form("eager, float32", eager(torch.float32)),
    Form("eager, bfloat16", eager(BF16)),
    Form("compiled, bfloat16", compiled(eager(BF16))),
    Form("compiled, bfloat16, CUDA graph", compiled(eager(BF16), mode="reduce-overhead")),
    Form("bfloat16, CUDA graph", as_graph(eager(BF16))),
    Form("fused, bfloat16, CUDA graph", as_graph(fused(BF16))),
    Form("fused, float16, CUDA graph", as_graph(fused(torch.float16))),
    Form("fused, compiled, bfloat16, CUDA graph", compiled(fused(BF16), mode="reduce-overhead")),
)


# --- Measuring ------------------------------------------------------------------------------------------------------


@torch.inference_mode()
def time_forms(model: nn.Module, forms: tuple[Form, ...], batch: Tensor, peaks_a_photo: float) -> Iterator[Timed]:
    """Time each form with each size of batch; a form that this card or PyTorch cannot run says so and is left out.

    Args:
        model: in eval mode, float32, on the device of the batch; forms get copies.
        forms: the ways to run it.
        batch: (max(BATCHES), 3, H, W) float32 normalised.
        peaks_a_photo: seconds that a photo would take at the device's peak.
    """
    torch.backends.cudnn.benchmark = True
    exact = exact_masks(model, batch)
    for form in forms:
        torch.compiler.reset()
        try:
            run = form.make(copy.deepcopy(model))
            yield from (time_form(form.name, run, batch[:size], exact[:size], peaks_a_photo) for size in BATCHES)
        except RuntimeError as error:
            sys.stderr.write(f"{form.name}: {error}\n")


def time_form(name: str, run: Run, batch: Tensor, exact: Tensor, peaks_a_photo: float) -> Timed:
    """Time one form with one size of batch; see `time_forms`."""
    difference = 255 * (run(batch).sigmoid() - exact).abs().mean().item()
    seconds = time_run(lambda: run(batch), batch.device)
    return Timed(name, len(batch), seconds, peaks_a_photo * len(batch) / seconds, difference)


@torch.inference_mode()
def exact_masks(model: nn.Module, batch: Tensor) -> Tensor:
    """Masks in true single precision, which GPUs otherwise round to 10 bits."""
    with torch.backends.cudnn.flags(enabled=True, allow_tf32=False):
        return torch.cat([model(photo)[0].sigmoid() for photo in torch.split(batch, 1)])


def time_run(run: Callable[[], object], device: torch.device) -> float:
    """Seconds of one run, the median of several series long enough for the clock."""
    _time_series(run, device, WARM_UPS)
    one = _time_series(run, device, 2) / 2
    runs = max(1, round(TIMED_S / one))
    return statistics.median(_time_series(run, device, runs) / runs for _ in range(REPEATS))


def _time_series(run: Callable[[], object], device: torch.device, runs: int) -> float:
    _wait_for(device)
    start_s = time.perf_counter()
    for _ in range(runs):
        run()
    _wait_for(device)
    return time.perf_counter() - start_s


def _wait_for(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize()


def matrix_peak(device: torch.device, side: int) -> float:
    """FLOP a second of the product of two bfloat16 matrices."""
    one, other = (torch.randn(side, side, device=device, dtype=torch.bfloat16) for _ in range(2))
    return 2 * side**3 / time_run(lambda: one @ other, device)


def flops_of_a_photo(architecture: Architecture) -> int:
    """Of its convolutions; one multiplication and one addition are two."""
    with torch.device("meta"), FlopCounterMode(display=False) as counter:
        architecture.build()(torch.empty(1, 3, SIDE, SIDE))
    return int(counter.get_total_flops())


def photos(device: torch.device) -> Tensor:
    """(max(BATCHES), 3, SIDE, SIDE) float32 normalised: one photo, shifted a little further each time."""
    photo = to_batch(read_photo(PHOTO.read_bytes(), 10**6), SIDE)
    return torch.from_numpy(np.concatenate([np.roll(photo, 7 * n, axis=3) for n in range(max(BATCHES))])).to(device)


def row(timed: Timed) -> str:
    """A line of the table."""
    cells = (
        timed.form,
        f"{timed.batch}",
        f"{1000 * timed.seconds:.2f}",
        f"{timed.batch / timed.seconds:.0f}",
        f"{timed.share:.0%}",
        f"{timed.difference:.2f}",
    )
    return f"| {' | '.join(cells)} |"
