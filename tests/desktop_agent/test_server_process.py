import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import psutil
import pytest
from PIL import Image

from desktop_agent.certificate import Certificate, load_or_make_certificate
from desktop_agent.server_process import ServerProcess
from mobile_client.clients import SegmentationClient
from protocol.errors import NotAuthorised, SettingsInvalid
from protocol.messages import ServerAddress

COFFEE = Path(__file__).parents[2] / "demo" / "coffee.png"


@pytest.fixture
def certificate(tmp_path: Path) -> Certificate:
    return load_or_make_certificate(tmp_path, "studio")


@pytest.fixture
def server(certificate: Certificate, tmp_path: Path) -> Iterator[ServerProcess]:
    server = ServerProcess("127.0.0.1", 0, certificate, tmp_path)
    yield server
    server.stop()


def test_a_phone_is_served_at_the_address_it_is_given(server: ServerProcess) -> None:
    client = SegmentationClient(server.wait_until_listening())
    photo = np.array(Image.open(COFFEE).convert("RGB"))
    deadline_s = time.monotonic() + 30
    while time.monotonic() < deadline_s:
        try:
            assert client.cut_out(photo).cutout.shape[2] == 4
            return
        except Exception as error:  # noqa: BLE001  # the model is still loading
            assert getattr(error, "code", "") == "not_ready"
            time.sleep(0.2)
    pytest.fail("The model did not get ready.")


def test_nobody_else_is_served(server: ServerProcess) -> None:
    address = server.wait_until_listening()
    stranger = SegmentationClient(ServerAddress(address.url, "guess", address.certificate_sha256))
    with pytest.raises(NotAuthorised):
        stranger.cut_out(np.zeros((8, 8, 3), np.uint8))


def test_it_can_be_stopped_before_it_listens(certificate: Certificate, tmp_path: Path) -> None:
    server = ServerProcess("127.0.0.1", 0, certificate, tmp_path)
    server.stop()
    assert server.has_ended()


def test_its_end_is_noticed(server: ServerProcess) -> None:
    server.wait_until_listening()
    assert not server.has_ended()
    child = max(psutil.Process(os.getpid()).children(), key=psutil.Process.create_time)
    child.send_signal(signal.SIGKILL)
    child.wait()
    assert server.has_ended()


def test_a_server_that_cannot_start_is_one_sentence(certificate: Certificate, tmp_path: Path) -> None:
    certificate.private_key_file.write_text("broken")
    server = ServerProcess("127.0.0.1", 0, certificate, tmp_path)
    with pytest.raises(SettingsInvalid, match="did not start"):
        server.wait_until_listening()


def test_its_key_is_kept_for_its_owner_alone(server: ServerProcess, tmp_path: Path) -> None:
    assert (tmp_path / "server-api-key").stat().st_mode & 0o777 == 0o600
