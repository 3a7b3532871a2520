"""one-time token -> QR code in the terminal and in a window."""

import contextlib
import io
import os
import socket
import subprocess
import sys
from typing import TextIO

import segno

from protocol.pairing import PairingLink

LIGHT_ON_DARK, OWN_COLOURS = "\x1b[97;40m", "\x1b[0m"
UNROUTED = "192.0.2.1"  # RFC 5737: belongs to nobody; nothing is sent to it


def reachable_host(host: str) -> str:
    """The address at which phones reach this computer, if it listens at `host`."""
    if host not in ("0.0.0.0", "::"):  # noqa: S104  # compared, not listened at
        return host
    with contextlib.suppress(OSError), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect((UNROUTED, 9))  # a datagram socket that connects only learns its own address
        return str(probe.getsockname()[0])
    return "127.0.0.1"


class PairingOffer:
    """The QR code that is on show, at most one at a time."""

    def __init__(self, terminal: TextIO, *, shows_window: bool) -> None:
        """Args: terminal: where to print. shows_window: whether to open a window beside it."""
        self._terminal = terminal
        self._shows_window = shows_window and bool(os.environ.get("DISPLAY") or sys.platform in ("darwin", "win32"))
        self._window: subprocess.Popen[str] | None = None

    def show(self, link: PairingLink) -> None:
        """Show a link instead of the one before."""
        uri = link.to_uri()
        with contextlib.suppress(UnicodeEncodeError):  # a terminal without block characters has the link below
            self._terminal.write(self._draw(uri))
        self._terminal.write(f"Scan this code with your phone's camera. It is good for two minutes.\n{uri}\n")
        self._terminal.flush()
        if self._shows_window:
            self._show_in_window(uri)

    def withdraw(self) -> None:
        """Close the window; the link has been used or has expired."""
        if self._window and self._window.stdin:
            with contextlib.suppress(OSError):
                self._window.stdin.close()
            self._window.wait()
        self._window = None

    def _draw(self, uri: str) -> str:
        """The code in block characters; where colours can be set, light on dark whatever the terminal's own are."""
        drawn = io.StringIO()
        segno.make(uri, micro=False).terminal(drawn, compact=True)
        if not self._terminal.isatty():
            return drawn.getvalue()
        return "".join(f"{LIGHT_ON_DARK}{line}{OWN_COLOURS}\n" for line in drawn.getvalue().splitlines())

    def _show_in_window(self, uri: str) -> None:
        if self._window is None or self._window.poll() is not None:
            command = [sys.executable, "-m", "desktop_agent.pairing_window"]
            self._window = subprocess.Popen(command, stdin=subprocess.PIPE, text=True)
        assert self._window.stdin
        with contextlib.suppress(OSError):
            self._window.stdin.write(f"{uri}\n")
            self._window.stdin.flush()
