"""The server as its user starts and stops it."""

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import requests

from protocol import routes
from protocol.pairing import bearer, new_key
from tests.segmentation_server.server_process import run_server, started_server


@pytest.mark.parametrize("by", [signal.SIGTERM, signal.SIGINT])
def test_a_server_told_to_stop_stops_without_a_complaint(by: signal.Signals) -> None:
    with started_server() as server:
        server.wait_until_ready()

        assert server.stop(by) == (0, "")


def test_a_server_stops_even_while_its_model_loads() -> None:
    with started_server() as server:
        assert server.stop() == (0, "")


def test_a_server_that_cannot_say_that_it_is_ready_ends() -> None:
    command = [sys.executable, "-m", "segmentation_server", "--port", "0"]

    with Path("/dev/full").open("w") as full:
        finished = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, timeout=60, check=False)

    assert finished.returncode != 0
    assert "The segmentation server stopped: " in finished.stderr


def test_beyond_this_computer_it_does_not_start_without_a_key() -> None:
    finished = run_server("--host", "0.0.0.0")

    assert finished.returncode == 2
    assert finished.stdout == ""
    assert finished.stderr.count("\n") == 1
    assert "--api-key-file" in finished.stderr


def test_a_port_in_use_is_one_sentence() -> None:
    with started_server() as server:
        finished = run_server("--port", server.url.rpartition(":")[2])

    assert finished.returncode == 2
    assert finished.stderr.count("\n") == 1
    assert "cannot listen on 127.0.0.1" in finished.stderr


@pytest.mark.parametrize("content", [None, b"no checkpoint"])
def test_an_unusable_checkpoint_is_one_sentence(tmp_path: Path, content: bytes | None) -> None:
    checkpoint = tmp_path / "basnet.pth"
    if content is not None:
        checkpoint.write_bytes(content)

    finished = run_server("--port", "0", "--checkpoint", str(checkpoint))

    assert finished.returncode == 2
    assert finished.stderr.count("\n") == 1


def test_the_default_start_needs_no_torch() -> None:
    listing = "import segmentation_server.__main__, sys; print('torch' in sys.modules)"

    finished = subprocess.run([sys.executable, "-c", listing], capture_output=True, text=True, check=True)

    assert finished.stdout == "False\n"


def make_certificate(folder: Path) -> tuple[Path, Path]:
    """A certificate for 127.0.0.1 that vouches for itself, and its private key."""
    certificate, private_key = folder / "certificate.pem", folder / "private_key.pem"
    subject = ["-subj", "/CN=test", "-addext", "subjectAltName=IP:127.0.0.1"]
    files = ["-keyout", str(private_key), "-out", str(certificate)]
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", *subject, *files]
    subprocess.run(command, check=True, capture_output=True)
    return certificate, private_key


@pytest.mark.filterwarnings("ignore:Unverified HTTPS")  # of asking whether it is ready
def test_with_a_certificate_it_speaks_tls_and_wants_its_key(tmp_path: Path, coffee_png: bytes) -> None:
    certificate, private_key = make_certificate(tmp_path)
    key, key_file = new_key(), tmp_path / "key"
    key_file.write_text(key)
    tls = ["--certificate", str(certificate), "--private-key", str(private_key)]
    photo = {routes.PHOTO_PART: ("photo", coffee_png)}

    with started_server("--api-key-file", str(key_file), *tls) as server, requests.Session() as session:
        assert server.url.startswith("https://127.0.0.1:")
        session.verify, session.trust_env = str(certificate), False
        server.wait_until_ready()
        assert session.post(server.url + routes.CUTOUT, files=photo).status_code == 401
        session.headers["Authorization"] = bearer(key)
        assert session.post(server.url + routes.CUTOUT, files=photo).status_code == 200
        too_large = {routes.PHOTO_PART: ("photo", os.urandom(40 * 2**20))}
        assert session.post(server.url + routes.CUTOUT, files=too_large).status_code == 413
        assert session.post(server.url + routes.CUTOUT, files=photo).status_code == 200


def test_a_client_that_never_shakes_hands_holds_up_nobody(tmp_path: Path) -> None:
    certificate, private_key = make_certificate(tmp_path)
    with started_server("--certificate", str(certificate), "--private-key", str(private_key)) as server:
        port = int(server.url.rpartition(":")[2])
        with socket.create_connection(("127.0.0.1", port)), socket.create_connection(("127.0.0.1", port)):
            answer = requests.get(server.url + routes.HEALTHZ, verify=str(certificate), timeout=5)

    assert answer.status_code == 200


def test_the_model_tells_nobody_about_this_computer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    with started_server() as server:
        server.wait_until_ready()
        left_behind = [path.name for path in tmp_path.rglob("*")]

    assert left_behind == []  # ONNX Runtime would keep an identifier of this computer here
