"""Real weights, a real photo and a real server for the tests of the segmentation server."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from segmentation_server.model.engines import choose_weights
from segmentation_server.model.onnx_engine import OnnxEngine
from segmentation_server.photo import Photo, read_photo
from segmentation_server.segmenter import Segmenter
from segmentation_server.weights import U2NETP, fetch_weights
from tests.segmentation_server.server_process import ServerProcess, started_server

COFFEE = Path(__file__).parents[2] / "demo" / "coffee.png"


@pytest.fixture(scope="session")
def coffee_png() -> bytes:
    """A photo of a cup of coffee, 600 x 400."""
    return COFFEE.read_bytes()


@pytest.fixture(scope="session")
def coffee(coffee_png: bytes) -> Photo:
    return read_photo(coffee_png, 10**6)


@pytest.fixture(scope="session")
def u2netp() -> Path:
    """A peer's network, of another shape than ours."""
    return fetch_weights(U2NETP)


@pytest.fixture(scope="session")
def weights() -> Path:
    """What the server runs unless it is told otherwise."""
    return choose_weights()


@pytest.fixture(scope="session")
def segmenter(weights: Path) -> Segmenter:
    return Segmenter(OnnxEngine(weights, threads=2))


@pytest.fixture(scope="session")
def server() -> Iterator[ServerProcess]:
    with started_server() as server:
        server.wait_until_ready()
        yield server
