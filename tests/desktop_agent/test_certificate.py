import hashlib
import ssl
import stat
from pathlib import Path

import pytest

from desktop_agent.certificate import load_or_make_certificate
from protocol.errors import SettingsInvalid


def test_a_certificate_is_made_once(tmp_path: Path) -> None:
    first = load_or_make_certificate(tmp_path / "agent", "studio")
    assert load_or_make_certificate(tmp_path / "agent", "studio") == first


def test_its_fingerprint_is_that_of_its_der_form(tmp_path: Path) -> None:
    certificate = load_or_make_certificate(tmp_path, "studio")
    der = ssl.PEM_cert_to_DER_cert(certificate.file.read_text())
    assert certificate.sha256 == hashlib.sha256(der).hexdigest()


def test_the_private_key_is_for_its_owner_alone(tmp_path: Path) -> None:
    certificate = load_or_make_certificate(tmp_path, "studio")
    assert stat.S_IMODE(certificate.private_key_file.stat().st_mode) == 0o600


def test_tls_takes_the_pair_and_a_long_computer_name(tmp_path: Path) -> None:
    certificate = load_or_make_certificate(tmp_path, "studio" * 30)
    ssl.create_default_context(ssl.Purpose.CLIENT_AUTH).load_cert_chain(certificate.file, certificate.private_key_file)


def test_a_damaged_certificate_is_one_sentence(tmp_path: Path) -> None:
    load_or_make_certificate(tmp_path, "studio").file.write_text("")
    with pytest.raises(SettingsInvalid, match="Delete it"):
        load_or_make_certificate(tmp_path, "studio")


def test_a_file_in_place_of_the_folder_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(SettingsInvalid):
        load_or_make_certificate(tmp_path / "file", "studio")
