"""A link becomes a pairing that outlives the app."""

import json
import stat
from pathlib import Path

import numpy as np
import pytest
import segno

from mobile_client.pairing import Pairing, PairingFile, pair, read_code
from protocol.errors import CertificateWrong, PairingLinkInvalid
from protocol.messages import PairAnswer, ServerAddress
from protocol.pairing import PairingLink
from tests.mobile_client.fakes import Answer, FakeServer

ANSWER = PairAnswer("key", "desk", ServerAddress("http://10.0.0.2:8000", None, None))
PAIRING = Pairing("https://10.0.0.2:8001", "ab" * 32, ANSWER)


def test_a_link_becomes_a_pairing(tls_server: FakeServer, certificate: tuple[Path, str]) -> None:
    tls_server.answer = lambda _: Answer(json.dumps(ANSWER.to_wire()).encode())
    link = PairingLink("127.0.0.1", tls_server.server_port, certificate[1], "token")
    assert pair(link.to_uri()) == Pairing(tls_server.url, certificate[1], ANSWER)


def test_a_token_is_not_given_to_another_computer(tls_server: FakeServer) -> None:
    with pytest.raises(CertificateWrong):
        pair(PairingLink("127.0.0.1", tls_server.server_port, "ab" * 32, "token").to_uri())
    assert tls_server.requests == []


def test_a_code_of_something_else_is_not_a_link() -> None:
    with pytest.raises(PairingLinkInvalid):
        pair("https://example.org/menu")


def test_a_pairing_outlives_the_app(tmp_path: Path) -> None:
    PairingFile(tmp_path / "new").save(PAIRING)
    assert PairingFile(tmp_path / "new").load() == PAIRING


def test_a_new_pairing_takes_the_place_of_the_old(tmp_path: Path) -> None:
    PairingFile(tmp_path).save(Pairing("https://old:1", "00" * 32, ANSWER))
    PairingFile(tmp_path).save(PAIRING)
    assert PairingFile(tmp_path).load() == PAIRING


def test_only_its_owner_can_read_a_pairing(tmp_path: Path) -> None:
    PairingFile(tmp_path).save(PAIRING)
    assert stat.S_IMODE((tmp_path / "pairing.json").stat().st_mode) == 0o600


@pytest.mark.parametrize("text", ["", "{", "[]", '{"agent_url": 1}'])
def test_a_damaged_pairing_is_none(tmp_path: Path, text: str) -> None:
    (tmp_path / "pairing.json").write_text(text)
    assert PairingFile(tmp_path).load() is None


def test_without_a_file_there_is_no_pairing(tmp_path: Path) -> None:
    assert PairingFile(tmp_path / "nowhere").load() is None


def test_a_code_in_the_camera_is_read() -> None:
    uri = PairingLink("192.168.178.20", 8001, "ab" * 32, "x" * 22).to_uri()
    modules = np.array([list(row) for row in segno.make(uri).matrix_iter(border=4)], np.uint8)
    frame = np.kron(1 - modules, np.full((6, 6), 255, np.uint8))
    assert read_code(np.repeat(frame[..., None], 3, axis=2)) == uri


def test_a_frame_without_a_code_reads_as_none() -> None:
    assert read_code(np.full((200, 200, 3), 90, np.uint8)) is None
