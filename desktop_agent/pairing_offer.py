"""one-time token -> QR code in the terminal and in a window."""

import contextlib
import io
import socket
from collections.abc import Callable
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

    def __init__(self, terminal: TextIO, show_in_window: Callable[[str | None], None]) -> None:
        """Args: terminal: where to print. show_in_window: shows a link's code there, too; None: no more."""
        self._terminal = terminal
        self._show_in_window = show_in_window

    def show(self, link: PairingLink) -> None:
        """Show a link instead of the one before."""
        uri = link.to_uri()
        with contextlib.suppress(UnicodeEncodeError):  # a terminal without block characters has the link below
            self._terminal.write(self._draw(uri))
        self._terminal.write(f"Scan this code with your phone's camera. It is good for two minutes.\n{uri}\n")
        self._terminal.flush()
        self._show_in_window(uri)

    def withdraw(self) -> None:
        """The link has been used or has expired."""
        self._show_in_window(None)

    def _draw(self, uri: str) -> str:
        """The code in block characters; where colours can be set, light on dark whatever the terminal's own are."""
        drawn = io.StringIO()
        segno.make(uri, micro=False).terminal(drawn, compact=True)
        if not self._terminal.isatty():
            return drawn.getvalue()
        return "".join(f"{LIGHT_ON_DARK}{line}{OWN_COLOURS}\n" for line in drawn.getvalue().splitlines())
