"""How a phone and a computer come to trust each other: the link in the QR code, tokens, keys and fingerprints."""

import base64
import binascii
import hashlib
import secrets
import urllib.parse
from dataclasses import dataclass

from protocol.errors import PairingLinkInvalid
from protocol.routes import WIRE_VERSION

SCHEME = "arpaste"
TOKEN_BYTES = 16  # 128 bits, single use
KEY_BYTES = 32  # 256 bits, for as long as the device stays paired
TOKEN_LIFETIME_S = 120.0


def new_token() -> str:
    """A one-time pairing token, 22 characters."""
    return secrets.token_urlsafe(TOKEN_BYTES)


def new_key() -> str:
    """A device key or API key, 43 characters."""
    return secrets.token_urlsafe(KEY_BYTES)


def key_hash(key: str) -> str:
    """What a program stores instead of a key: its SHA-256, hexadecimal. Keys are random, so no salt is needed."""
    return hashlib.sha256(key.encode()).hexdigest()


def certificate_sha256(certificate_der: bytes) -> str:
    """A certificate's fingerprint: the SHA-256 of its DER form, hexadecimal."""
    return hashlib.sha256(certificate_der).hexdigest()


def bearer(key: str) -> str:
    """The Authorization header that carries a key."""
    return f"Bearer {key}"


def bearer_key(authorization: str | None) -> str:
    """The key in an Authorization header; empty if there is none."""
    scheme, _, key = (authorization or "").partition(" ")
    return key.strip() if scheme.lower() == "bearer" else ""


@dataclass(frozen=True)
class PairingLink:
    """What the QR code says: where the agent is, the certificate to expect, and a token to be let in once."""

    host: str
    port: int
    certificate_sha256: str  # hexadecimal
    token: str

    @property
    def agent_url(self) -> str:
        """The agent's address, without a path."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"https://{host}:{self.port}"

    def to_uri(self) -> str:
        """The link as text, about 110 characters: a QR code of version 7."""
        fingerprint = base64.urlsafe_b64encode(bytes.fromhex(self.certificate_sha256)).rstrip(b"=").decode()
        query = urllib.parse.urlencode({"v": WIRE_VERSION, "f": fingerprint, "t": self.token})
        return f"{SCHEME}://{self.agent_url.removeprefix('https://')}/p?{query}"

    @classmethod
    def from_uri(cls, uri: str) -> "PairingLink":
        """Read a link back.

        Raises:
            PairingLinkInvalid: it is not one of ours, or of another version.
        """
        try:
            parts = urllib.parse.urlsplit(uri.strip())
            query = dict(urllib.parse.parse_qsl(parts.query, strict_parsing=True))
            fingerprint = base64.b64decode(query["f"] + "=", altchars=b"-_", validate=True)
            host, port = parts.hostname, parts.port
        except (ValueError, KeyError, binascii.Error) as error:
            raise PairingLinkInvalid from error
        is_ours = parts.scheme == SCHEME and parts.path == "/p" and query.get("v") == str(WIRE_VERSION)
        if not (is_ours and host and port and len(fingerprint) == 32 and query.get("t")):
            raise PairingLinkInvalid
        return cls(host, port, fingerprint.hex(), query["t"])
