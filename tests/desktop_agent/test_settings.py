import shlex
import subprocess
from pathlib import Path

import pytest

from desktop_agent.settings import AGENT_PORT, parse
from protocol.errors import SettingsInvalid

ROOT = Path(__file__).parents[2]


def test_without_arguments_only_this_computer_is_served() -> None:
    settings = parse([])
    assert (settings.host, settings.port) == ("127.0.0.1", AGENT_PORT)
    assert settings.server_url is None
    assert settings.shows_window
    assert settings.shows_marks


def test_marks_can_be_turned_off() -> None:
    assert not parse(["--no-marks"]).shows_marks


def test_make_run_passes_options_on() -> None:
    asked = ["make", "--no-print-directory", "--dry-run", "run", 'ARGS=--no-marks --name "the studio"']
    printed = subprocess.run(asked, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    [command] = [line for line in printed.splitlines() if "-m desktop_agent" in line]
    settings = parse(shlex.split(command)[3:])
    assert (settings.host, settings.computer_name, settings.shows_marks) == ("0.0.0.0", "the studio", False)


def test_the_key_of_a_server_is_read_from_its_file(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("  secret\n")
    settings = parse(["--server-url", "https://gpu:8080", "--server-api-key-file", str(tmp_path / "key")])
    assert settings.server_api_key == "secret"
    assert "secret" not in repr(settings)


def test_the_password_of_photoshop_is_read_from_its_file(tmp_path: Path) -> None:
    (tmp_path / "password").write_text("swordfish\n")
    settings = parse(["--photoshop-password-file", str(tmp_path / "password")])
    assert settings.photoshop_password == "swordfish"
    assert "swordfish" not in repr(settings)


def test_a_secret_that_cannot_be_used_is_not_told(tmp_path: Path) -> None:
    (tmp_path / "password").write_text("schwertfräse", "latin-1")
    with pytest.raises(SettingsInvalid, match="beyond ASCII") as invalid:
        parse(["--photoshop-password-file", str(tmp_path / "password")])
    assert "schwert" not in invalid.value.sentence


@pytest.mark.parametrize(
    "arguments",
    [
        ["--port", "99999"],
        ["--port", "-1"],
        ["--server-api-key-file", "key"],
        ["--server-url", "https://gpu", "--server-api-key-file", "/no/such/file"],
    ],
)
def test_what_cannot_work_is_one_sentence(arguments: list[str]) -> None:
    with pytest.raises(SettingsInvalid):
        parse(arguments)
