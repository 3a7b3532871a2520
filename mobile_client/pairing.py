"""pairing link -> pairing, kept in a file that only its owner can read."""

import importlib.util
import json
import os
import platform
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mobile_client.clients import AgentClient, Picture
from protocol.errors import MessageInvalid, PairingLinkInvalid
from protocol.messages import Message, PairAnswer
from protocol.pairing import PairingLink


@dataclass(frozen=True)
class Pairing(Message):
    """Everything this phone knows of the computer it is paired with."""

    agent_url: str
    certificate_sha256: str  # hexadecimal
    answer: PairAnswer

    @property
    def agent(self) -> AgentClient:
        """A new client of that computer's agent."""
        return AgentClient(self.agent_url, self.certificate_sha256, self.answer.device_key)


def pair(link_uri: str) -> Pairing:
    """Pair with the computer whose code says `link_uri`.

    Raises:
        PairingLinkInvalid: it is not one of our codes.
        TokenInvalid: the code was used before or has expired.
        AgentUnreachable, CertificateWrong, MessageInvalid: the computer does not answer as it should.
    """
    link = PairingLink.from_uri(link_uri)
    answer = AgentClient(link.agent_url, link.certificate_sha256).pair(link.token, platform.node() or "phone")
    return Pairing(link.agent_url, link.certificate_sha256, answer)


def host_of(link_uri: str) -> str:
    """Which computer a link leads to; empty if it is no link of ours."""
    try:
        return PairingLink.from_uri(link_uri).host
    except PairingLinkInvalid:
        return ""


class PairingFile:
    """The pairing, as JSON in the app's data folder."""

    def __init__(self, folder: Path) -> None:
        """Args: folder: made when there is something to keep."""
        self._path = folder / "pairing.json"

    def load(self) -> Pairing | None:
        """The stored pairing; None if there is none that this version can read."""
        try:
            return Pairing.from_wire(json.loads(self._path.read_text()))
        except (OSError, ValueError, MessageInvalid):
            return None

    def save(self, pairing: Pairing) -> None:
        """Store the pairing in place of an earlier one; the device key in it is for the owner's eyes only."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        fresh = self._path.with_suffix(".new")
        fresh.unlink(missing_ok=True)
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            json.dump(pairing.to_wire(), file)
        fresh.replace(self._path)


def can_read_codes() -> bool:
    """Whether this app reads QR codes itself: on a phone there is no OpenCV, but a camera app that does."""
    return importlib.util.find_spec("cv2") is not None


def read_code(frame: Picture) -> str | None:
    """The text of a QR code in a (H, W, 3) uint8 RGB frame; None without a code, or without OpenCV (on a phone)."""
    try:
        import cv2
    except ImportError:
        return None
    text, _corners, _code = cv2.QRCodeDetectorAruco().detectAndDecode(np.ascontiguousarray(frame[..., ::-1]))
    return text or None
