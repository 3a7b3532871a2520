"""What the user may set, read from the command line."""

import argparse
import platform
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import platformdirs

from protocol.errors import SettingsInvalid

AGENT_PORT = 8765
SERVER_PORT = 8766


@dataclass(frozen=True)
class Settings:
    """How the agent runs."""

    host: str
    port: int  # 0: any that is free
    data_dir: Path  # the certificate and the paired devices
    computer_name: str
    server_url: str | None  # of a segmentation server that runs already; None: one is started
    server_api_key: str | None = field(repr=False)  # a secret stays out of logs
    photoshop_password: str | None = field(repr=False)  # of its remote connection; None: it is not used
    shows_marks: bool  # on the screen: where a paste would land, and markers on one too plain to recognise
    shows_window: bool  # with the QR code, the phones and the last pastes


def parse(arguments: Sequence[str]) -> Settings:
    """Read the command line.

    Raises:
        SettingsInvalid: two of the settings do not go together, or a file cannot be read.
    """
    parser = argparse.ArgumentParser("desktop_agent", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1", help="address to listen at; 0.0.0.0 for phones in your network")
    parser.add_argument("--port", type=int, default=AGENT_PORT, help="0 takes any free one (default: %(default)s)")
    parser.add_argument("--data-dir", type=Path, default=Path(platformdirs.user_data_dir("ar-copy-paste-agent")))
    parser.add_argument("--name", default=platform.node() or "this computer", help="what phones call this computer")
    parser.add_argument("--server-url", help="a segmentation server that runs already; without it, one is started")
    parser.add_argument("--server-api-key-file", type=Path, help="the API key of that server")
    parser.add_argument("--photoshop-password-file", type=Path, help="the password of Photoshop's remote connection")
    parser.add_argument("--no-marks", action="store_true", help="show neither the aim nor markers on the screen")
    parser.add_argument("--no-window", action="store_true", help="open no window; the QR code is in the terminal")
    given = parser.parse_args(arguments)
    if given.server_api_key_file and not given.server_url:
        raise SettingsInvalid("--server-api-key-file goes with --server-url; give both or neither.")
    if not 0 <= given.port <= 65535:
        raise SettingsInvalid(f"{given.port} is not a port: take one from 1 to 65535, or 0 for any free one.")
    return Settings(
        host=given.host,
        port=given.port,
        data_dir=given.data_dir,
        computer_name=given.name,
        server_url=given.server_url,
        server_api_key=_read_secret(given.server_api_key_file),
        photoshop_password=_read_secret(given.photoshop_password_file),
        shows_marks=not given.no_marks,
        shows_window=not given.no_window,
    )


def _read_secret(file: Path | None) -> str | None:
    try:
        return file.read_text("ascii").strip() if file else None
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsInvalid(f"The secret in {file} cannot be read: {_reason(error)}.") from error


def _reason(error: OSError | UnicodeDecodeError) -> str:
    """Without what is in the file."""
    return str(error) if isinstance(error, OSError) else "it has letters beyond ASCII"
