"""The WSGI server: cheroot, with what it lacks to take bodies from strangers (docs/decisions/0002-cheroot.md)."""

import contextlib
import io
import json
import logging
import re
import signal
import socket
import ssl
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from cheroot.server import HTTPConnection, HTTPRequest
from cheroot.ssl.builtin import BuiltinSSLAdapter
from cheroot.wsgi import Gateway_10, Server
from flask import Flask

from protocol.errors import BodyTooLarge, CopyPasteError, MessageInvalid, SettingsInvalid
from protocol.messages import ErrorAnswer

WORKERS = 16  # requests read or answered at once; how many are worked on is for the application to say
HEADER_BYTES = 64 * 1024
LINGER_BYTES = 512 * 1024**2  # a client that sends more than this sees its connection closed instead of our answer
LINGER_S = 20.0
PIECE_BYTES = 64 * 1024
CHUNK_SIZE = re.compile(rb"([0-9a-fA-F]{1,15})[ \t]*(;.*)?\r\n")  # RFC 9112, section 7.1

log = logging.getLogger(__name__)


class ChunkedBody(io.RawIOBase):
    """A chunked body read piece by piece; cheroot's own takes each chunk into memory, as large as its sender likes."""

    def __init__(self, stream: BinaryIO) -> None:
        """Args: stream: what follows the headers."""
        self._stream = stream
        self._left = 0  # bytes of this chunk
        self.is_read = False

    def readable(self) -> bool:
        """Always."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Fill some of `buffer`; 0 at the end."""
        if self._left == 0 and not self.is_read:
            self._left = self._next_chunk()
        piece = self._stream.read(min(len(buffer), self._left))
        if len(piece) == 0 and self._left:
            raise OSError("The body ends within a chunk.")
        buffer[: len(piece)] = piece
        self._left -= len(piece)
        if piece and self._left == 0 and self._stream.readline(3) != b"\r\n":
            raise OSError("A chunk does not end where it says.")
        return len(piece)

    def _next_chunk(self) -> int:
        size = CHUNK_SIZE.fullmatch(self._stream.readline(HEADER_BYTES))
        if size is None:
            raise OSError("A chunk has no size.")
        length = int(size[1], 16)
        if length == 0:
            while self._stream.readline(HEADER_BYTES) not in (b"\r\n", b""):
                pass  # trailers
            self.is_read = True
        return length


class Request(HTTPRequest):
    """A request whose errors below the application are JSON like those of the application."""

    def simple_response(self, status: object, msg: str = "") -> None:
        """Answer in the application's place and close."""
        error = {"413": BodyTooLarge, "500": CopyPasteError}.get(str(status)[:3], MessageInvalid)(msg)
        body = json.dumps(ErrorAnswer.of(error).to_wire())
        head = f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n"
        self.close_connection = True
        with contextlib.suppress(OSError):
            self.conn.wfile.write(f"{head}Connection: close\r\n\r\n{body}".encode("ascii"))
        self.conn.has_unread_body = True


class Connection(HTTPConnection):
    """A connection that shakes hands in its own thread and lets the client finish sending before it closes."""

    RequestHandlerClass = Request
    has_unread_body = False

    def communicate(self) -> bool:
        """Answer one request; true to keep the connection."""
        if isinstance(self.socket, ssl.SSLSocket):
            try:
                self.socket.do_handshake()  # does nothing from the second request on
            except OSError as error:
                log.info("No TLS with %s: %s", self.remote_addr, error)
                return False
        return bool(super().communicate())  # type: ignore[no-untyped-call]  # cheroot's stubs are thin

    def close(self) -> None:
        """Close, after reading what a client still sends: else its computer drops our answer unread (RFC 9112, 9.6)."""
        if self.has_unread_body:
            with contextlib.suppress(OSError):
                self._linger()
        super().close()

    def _linger(self) -> None:
        self.socket.shutdown(socket.SHUT_WR)
        deadline, left = time.monotonic() + LINGER_S, LINGER_BYTES
        while left > 0 and time.monotonic() < deadline:
            piece = self.socket.recv(PIECE_BYTES)
            if not piece:
                return
            left -= len(piece)


class Gateway(Gateway_10):
    """Hands requests to the application and notes whether it read the body to its end."""

    def get_environ(self) -> dict[str, Any]:  # type: ignore[override]  # its stub forgets the answer
        """The WSGI environment, with a body that is safe to read."""
        if self.req.chunked_read:
            self.req.rfile = ChunkedBody(self.req.conn.rfile)
        return dict(super().get_environ())  # type: ignore[no-untyped-call]

    def start_response(self, *arguments: Any) -> Callable[[bytes], None]:
        """Begin the answer. The rest of an unread body is not taken for the next request, nor read into memory."""
        body = self.req.rfile
        is_read = body.is_read if isinstance(body, ChunkedBody) else body.remaining == 0
        if not is_read:
            self.req.close_connection = self.req.conn.has_unread_body = True
        return super().start_response(*arguments)  # type: ignore[no-any-return]


class TlsAdapter(BuiltinSSLAdapter):
    """TLS whose handshake waits for the connection's own thread; cheroot's holds up every other client meanwhile."""

    def wrap(self, sock: socket.socket) -> tuple[ssl.SSLSocket, dict[str, str]]:
        """The socket and what it adds to the WSGI environment."""
        wrapped = self.context.wrap_socket(sock, server_side=True, do_handshake_on_connect=False)
        return wrapped, {"wsgi.url_scheme": "https"}


@dataclass(frozen=True)
class Address:
    """Where to listen, and with which TLS certificate, if any."""

    host: str
    port: int  # 0: any that is free
    certificate: Path | None = None  # PEM
    private_key: Path | None = None  # PEM


def check_port_is_free(host: str, port: int) -> None:
    """Find out early whether a program could listen there.

    Raises:
        SettingsInvalid: another program does, perhaps this one.
    """
    if port == 0:
        return
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            fact = f"Another program listens on port {port}; if it is this one, it runs already."
            raise SettingsInvalid(fact) from error


class Listener(Server):
    """Serves one application over HTTP/1.1, with TLS if the address has a certificate."""

    ConnectionClass = Connection
    max_request_header_size = HEADER_BYTES

    def __init__(self, app: Flask, address: Address) -> None:
        """Prepare to serve.

        Args:
            app: what answers.
            address: where to listen.

        Raises:
            SettingsInvalid: that address is taken, or the certificate cannot be used.
        """
        super().__init__((address.host, address.port), app, numthreads=WORKERS, server_name="ar-copy-paste")
        self.gateway = Gateway
        try:
            if address.certificate and address.private_key:
                self.ssl_adapter = TlsAdapter(str(address.certificate), str(address.private_key))
        except OSError as error:  # ssl.SSLError is one
            raise SettingsInvalid(f"The certificate or its private key cannot be used: {error}.") from error
        try:
            self.prepare()
        except OSError as error:
            place = f"{address.host}:{address.port}"
            raise SettingsInvalid(f"It cannot listen on {place}; is the port in use? ({error})") from error

    @property
    def url(self) -> str:
        """Its address."""
        host, port = self.bind_addr
        return f"{'https' if self.ssl_adapter else 'http'}://{f'[{host}]' if ':' in host else host}:{port}"

    def serve_until_stopped(self) -> None:
        """Serve until Ctrl+C or SIGTERM."""
        for signal_number in (signal.SIGINT, signal.SIGTERM):
            # In a thread of its own, because stop() waits for what serve() holds.
            signal.signal(signal_number, lambda *_: threading.Thread(target=self.stop).start())
        try:
            self.serve()
        finally:
            self.stop()

    def error_log(self, msg: str = "", level: int = logging.INFO, traceback: bool = False) -> None:
        """Pass cheroot's messages to the log."""
        log.log(level, "%s", msg, exc_info=traceback)
