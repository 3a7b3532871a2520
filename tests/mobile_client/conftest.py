"""Servers that say what a test wants, with and without TLS."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.mobile_client.fakes import FakeServer, serving, write_certificate


@pytest.fixture
def server() -> Iterator[FakeServer]:
    with serving(FakeServer()) as server:
        yield server


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A self-signed certificate's file and its SHA-256."""
    path = tmp_path_factory.mktemp("tls") / "certificate.pem"
    return path, write_certificate(path)


@pytest.fixture
def tls_server(certificate: tuple[Path, str]) -> Iterator[FakeServer]:
    server = FakeServer()
    server.speak_tls(certificate[0])
    with serving(server):
        yield server
