"""The weights are fetched once, checked always."""

from pathlib import Path

import pytest

from protocol.errors import WeightsMissing
from segmentation_server.weights import CACHE_VARIABLE, U2NETP, fetch_weights, find_weights, main, weights_file


@pytest.fixture
def empty_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path / "cache"))
    return tmp_path / "cache"


def test_fetched_weights_are_found(u2netp: Path) -> None:
    assert find_weights() == u2netp
    assert u2netp.stat().st_size == U2NETP.length


def test_weights_that_are_there_are_not_fetched_again(u2netp: Path) -> None:
    before = u2netp.stat().st_mtime_ns

    assert fetch_weights() == u2netp
    assert u2netp.stat().st_mtime_ns == before


def test_missing_weights_say_how_to_fetch_them(empty_cache: Path) -> None:
    with pytest.raises(WeightsMissing) as caught:
        find_weights()

    assert "python -m segmentation_server.weights" in caught.value.sentence
    assert str(empty_cache) in caught.value.sentence


def test_damaged_weights_are_missing(empty_cache: Path) -> None:
    empty_cache.mkdir()
    weights_file().write_bytes(bytes(U2NETP.length))

    with pytest.raises(WeightsMissing):
        find_weights()


def test_damaged_weights_are_fetched_anew(empty_cache: Path) -> None:
    empty_cache.mkdir()
    weights_file().write_bytes(b"half of a downl")

    assert main() == 0
    assert find_weights() == weights_file()
    assert list(empty_cache.iterdir()) == [weights_file()]  # nothing unfinished stays
