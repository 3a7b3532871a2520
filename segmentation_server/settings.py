"""What the segmentation server is told when it starts."""

import ipaddress
from dataclasses import dataclass, field
from pathlib import Path

from protocol.errors import SettingsInvalid

MIB = 1024 * 1024
MEGAPIXEL = 1_000_000
KEY_LENGTH_LEAST = 16  # characters; what protocol.pairing.new_key makes has 43


@dataclass(frozen=True)
class Settings:
    """Checked when made.

    Raises:
        SettingsInvalid: they contradict each other or would leave the server open to strangers.
    """

    host: str = "127.0.0.1"
    port: int = 8080  # 0 takes any free one
    api_key: str | None = field(default=None, repr=False)  # a secret stays out of logs
    certificate: Path | None = None  # PEM
    private_key: Path | None = None  # PEM
    checkpoint: Path | None = None  # see `engines.load_engine`
    max_body_bytes: int = 25 * MIB
    max_pixels: int = 50 * MEGAPIXEL
    threads: int = 2  # cores that the model may use

    def __post_init__(self) -> None:
        if self.api_key is None and not is_loopback(self.host):
            raise SettingsInvalid(
                f"Anyone who reaches {self.host} could use the server: write a long random key into a file "
                "and name it with --api-key-file, or stay with --host 127.0.0.1."
            )
        if (self.certificate is None) != (self.private_key is None):
            raise SettingsInvalid("TLS needs both --certificate and --private-key.")
        if not 0 <= self.port <= 65535:
            raise SettingsInvalid(f"{self.port} is not a port: take one from 1 to 65535, or 0 for any free one.")
        if min(self.max_body_bytes, self.max_pixels, self.threads) < 1:
            raise SettingsInvalid("--max-body-bytes, --max-pixels and --threads start at 1.")


def is_loopback(host: str) -> bool:
    """Only programs on this computer reach this host."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:  # a name
        return host == "localhost"


def read_api_key(file: Path) -> str:
    """The key in a file, without the white space around it.

    Raises:
        SettingsInvalid: the file cannot be read or holds no usable key.
    """
    try:
        key = file.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsInvalid(f"The API key file {file} cannot be read as plain ASCII text: {error}.") from error
    if len(key) < KEY_LENGTH_LEAST:
        raise SettingsInvalid(f"The API key in {file} is shorter than {KEY_LENGTH_LEAST} characters.")
    return key
