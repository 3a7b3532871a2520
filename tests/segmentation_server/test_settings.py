"""What the server refuses to start with."""

from pathlib import Path

import pytest

from protocol.errors import SettingsInvalid
from segmentation_server.settings import Settings, read_api_key

KEY = "a key of many letters"


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.5", "example.org"])
def test_beyond_this_computer_a_key_is_needed(host: str) -> None:
    with pytest.raises(SettingsInvalid, match="--api-key-file"):
        Settings(host=host)
    assert Settings(host=host, api_key=KEY).host == host


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.2", "::1", "localhost"])
def test_within_this_computer_no_key_is_needed(host: str) -> None:
    assert Settings(host=host).api_key is None


@pytest.mark.parametrize("half", [{"certificate": Path("a.pem")}, {"private_key": Path("a.pem")}])
def test_tls_needs_both_halves(half: dict[str, Path]) -> None:
    with pytest.raises(SettingsInvalid, match="both"):
        Settings(**half)  # type: ignore[arg-type]  # mypy takes the key for any field


@pytest.mark.parametrize("limit", ["max_body_bytes", "max_pixels", "threads"])
def test_limits_start_at_1(limit: str) -> None:
    with pytest.raises(SettingsInvalid):
        Settings(**{limit: 0})  # type: ignore[arg-type]


@pytest.mark.parametrize("port", [-1, 65536])
def test_a_port_is_a_port(port: int) -> None:
    with pytest.raises(SettingsInvalid, match="port"):
        Settings(port=port)


def test_a_key_is_not_shown() -> None:
    assert KEY not in repr(Settings(api_key=KEY))


def test_a_key_file_may_end_with_a_newline(tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text(f"{KEY}\n")

    assert read_api_key(file) == KEY


@pytest.mark.parametrize("content", [b"", b"\n", b"short", "sch\N{LATIN SMALL LETTER O WITH DIAERESIS}n".encode() * 9])
def test_a_key_file_without_a_usable_key_is_refused(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "key"
    file.write_bytes(content)

    with pytest.raises(SettingsInvalid):
        read_api_key(file)


def test_a_missing_key_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsInvalid):
        read_api_key(tmp_path / "key")
