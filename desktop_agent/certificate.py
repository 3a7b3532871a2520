"""The certificate by which a phone knows this computer: made once, signed by itself, pinned by its fingerprint."""

import datetime
import os
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from protocol.errors import SettingsInvalid
from protocol.pairing import certificate_sha256

LIFETIME = datetime.timedelta(days=3650)


@dataclass(frozen=True)
class Certificate:
    """A certificate and its private key, as PEM files."""

    file: Path
    private_key_file: Path
    sha256: str  # hexadecimal, of the DER form


def load_or_make_certificate(folder: Path, computer_name: str) -> Certificate:
    """This computer's certificate; made on the first call.

    Args:
        folder: where it is kept.
        computer_name: what the certificate says it is for.

    Raises:
        SettingsInvalid: the folder cannot be used, or what lies there is damaged.
    """
    try:
        return _load_or_make(folder, computer_name)
    except (OSError, ValueError) as error:
        raise SettingsInvalid(
            f"The certificate in {folder} cannot be used: {error}. Delete it; phones pair again."
        ) from error


def _load_or_make(folder: Path, computer_name: str) -> Certificate:
    file, private_key_file = folder / "certificate.pem", folder / "private-key.pem"
    if not (file.exists() and private_key_file.exists()):
        folder.mkdir(parents=True, exist_ok=True)
        _make(file, private_key_file, computer_name)
    certificate = x509.load_pem_x509_certificate(file.read_bytes())
    fingerprint = certificate_sha256(certificate.public_bytes(serialization.Encoding.DER))
    return Certificate(file, private_key_file, fingerprint)


def _make(file: Path, private_key_file: Path, computer_name: str) -> None:
    private_key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, computer_name[:64])])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(private_key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))  # phones' clocks are off
        .not_valid_after(now + LIFETIME)
        .sign(private_key, hashes.SHA256())
    )
    pem = private_key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    # The certificate comes last: both are made anew unless both are there.
    descriptor = os.open(private_key_file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as stream:
        stream.write(pem)
    fresh = file.with_suffix(".new")
    fresh.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    fresh.replace(file)
