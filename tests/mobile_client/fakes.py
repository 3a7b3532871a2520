"""A server that says what a test wants and remembers what it was asked."""

import datetime
import io
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import numpy.typing as npt
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from PIL import Image

from protocol.pairing import certificate_sha256


@dataclass(frozen=True)
class Request:
    """What the server was asked."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Answer:
    """What the server says; `cut_short` announces more than it sends."""

    body: bytes = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    cut_short: bool = False
    before: Callable[[], object] = lambda: None  # called before the answer, to make it wait


class FakeServer(ThreadingHTTPServer):
    """Gives the same answer on every route, or the one of `answers`."""

    daemon_threads = True

    def __init__(self, port: int = 0) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self.requests: list[Request] = []
        self.sockets: list[socket.socket] = []
        self.answer: Callable[[Request], Answer] = lambda _request: Answer(status=404, body=b"{}")
        self.scheme = "http"
        self.errors = 0

    @property
    def url(self) -> str:
        return f"{self.scheme}://127.0.0.1:{self.server_port}"

    @property
    def connections(self) -> int:
        """How many there ever were."""
        return len(self.sockets)

    def go_away(self) -> None:
        """Stop listening, and hang up on those who hope to ask more."""
        self.shutdown()
        self.server_close()
        for connection in self.sockets:
            with suppress(OSError):  # it was closed before
                connection.shutdown(socket.SHUT_RDWR)

    def speak_tls(self, certificate: Path) -> None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        self.socket = context.wrap_socket(self.socket, server_side=True)
        self.scheme = "https"

    def handle_error(self, request: object, client_address: object) -> None:
        self.errors += 1  # a client that hangs up is no news to a test


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: FakeServer

    def setup(self) -> None:
        super().setup()
        self.server.sockets.append(self.connection)

    def do_GET(self) -> None:
        length = int(self.headers.get("Content-Length", 0))
        request = Request(self.command, self.path, dict(self.headers), self.rfile.read(length))
        self.server.requests.append(request)
        answer = self.server.answer(request)
        answer.before()
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(answer.body) + (1000 if answer.cut_short else 0)))
        self.end_headers()
        self.wfile.write(answer.body)
        self.close_connection = answer.cut_short

    do_POST = do_GET  # noqa: N815  # the base class asks for this name

    def log_message(self, *_arguments: object) -> None:
        pass


@contextmanager
def serving(server: FakeServer) -> Iterator[FakeServer]:
    """The server answers inside the with block and is gone after it."""
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()


def write_certificate(path: Path) -> str:
    """Write a new self-signed certificate with its key; its SHA-256."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "somewhere else")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    key_pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(key_pem + certificate.public_bytes(serialization.Encoding.PEM))
    return certificate_sha256(certificate.public_bytes(serialization.Encoding.DER))


def png(picture: npt.NDArray[np.uint8]) -> bytes:
    """A picture as a PNG file."""
    stream = io.BytesIO()
    Image.fromarray(picture).save(stream, "PNG")
    return stream.getvalue()
