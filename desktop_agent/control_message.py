"""What the agent and the program of its control window tell each other: lines of JSON over a pipe."""

from dataclasses import dataclass

from protocol.messages import Message

PAIR, PAUSE, RESUME, UNPAIR = "pair", "pause", "resume", "unpair"  # what a user may wish


@dataclass(frozen=True)
class ShownPaste(Message):
    """One of the last pastes."""

    at: str  # the time of day
    sentence: str
    is_error: bool
    thumbnail: str  # of the cutout: a PNG in base64; empty without one


@dataclass(frozen=True)
class ControlView(Message):
    """All that the window shows."""

    computer_name: str
    link: str | None  # to pair with, as a QR code
    is_paused: bool
    phones: dict[str, str]  # their names, by what PairedDevices knows them by
    pastes: dict[str, ShownPaste]  # the newest first


@dataclass(frozen=True)
class Wish(Message):
    """What the user clicked."""

    what: str
    device: str | None = None  # to unpair
