"""What the programs say to each other: frozen dataclasses with to_wire and from_wire."""

import dataclasses
import json
import math
import types
import typing
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from protocol.errors import CopyPasteError, MessageInvalid, error_class
from protocol.geometry import Box, ScreenPoint
from protocol.routes import BOX_HEADER, CONFIDENCE_HEADER, WIRE_VERSION


class Message:
    """A dataclass that crosses the wire as a JSON object.

    Unknown keys are ignored, so that a newer peer may say more; a missing key or a value of the wrong type is an error.
    """

    def to_wire(self) -> dict[str, Any]:
        """This message as what `json.dumps` takes."""
        return dataclasses.asdict(self)  # type: ignore[call-overload, no-any-return]  # every subclass is a dataclass

    @classmethod
    def from_wire(cls, wire: object) -> Self:
        """Read what `json.loads` gave; it is not changed.

        Raises:
            MessageInvalid: a key is missing or a value has the wrong type.
        """
        message = _read(cls, wire, cls.__name__)
        assert isinstance(message, cls)
        return message


def parse_json(body: bytes) -> object:
    """What a JSON body says, for some from_wire.

    Raises:
        MessageInvalid: it is not JSON, or nested without end.
    """
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as error:
        raise MessageInvalid("It is not JSON.") from error


def _read(kind: Any, value: object, where: str) -> object:
    """`value` as `kind`, checked: a dataclass, an optional, a dict of values or a plain JSON type."""
    if dataclasses.is_dataclass(kind):
        return _read_dataclass(kind, value, where)
    if typing.get_origin(kind) is types.UnionType:
        plain_kind, _none = typing.get_args(kind)
        return None if value is None else _read(plain_kind, value, where)
    if typing.get_origin(kind) is dict:
        if not isinstance(value, Mapping):
            raise MessageInvalid(f"{where} is not an object.")
        _key_kind, value_kind = typing.get_args(kind)
        return {str(key): _read(value_kind, item, f"{where}.{key}") for key, item in value.items()}
    if kind is float and type(value) in (int, float):
        return _read_finite(value, where)
    if kind is str and isinstance(value, str):
        return _read_text(value, where)
    if type(value) is not kind:
        raise MessageInvalid(f"{where} is not a {kind.__name__}.")
    return value


def _read_text(value: str, where: str) -> str:
    """JSON may hold halves of characters, which no file and no hash can take."""
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise MessageInvalid(f"{where} is not text.") from error
    return value


def _read_finite(value: Any, where: str) -> float:
    """Python's JSON reader lets NaN and Infinity through, and integers too large for a float."""
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise MessageInvalid(f"{where} is not a finite number.")
    return number


def _read_dataclass(kind: Any, value: object, where: str) -> object:
    if not isinstance(value, Mapping):
        raise MessageInvalid(f"{where} is not an object.")
    hints = typing.get_type_hints(kind)
    fields = {}
    for field in dataclasses.fields(kind):
        if field.name not in value:
            raise MessageInvalid(f"{where}.{field.name} is missing.")
        fields[field.name] = _read(hints[field.name], value[field.name], f"{where}.{field.name}")
    return kind(**fields)


@dataclass(frozen=True)
class ErrorAnswer(Message):
    """The body of every answer that is not a success."""

    code: str
    sentence: str

    @classmethod
    def of(cls, error: CopyPasteError) -> "ErrorAnswer":
        """What the peer is told of this error."""
        return cls(error.code, error.sentence)

    def to_error(self) -> CopyPasteError:
        """The error as its class on this side, saying what the peer said, word for word."""
        error = error_class(self.code)()
        error.sentence = self.sentence
        return error


@dataclass(frozen=True)
class HealthAnswer(Message):
    """The answer of /healthz and /readyz."""

    is_ready: bool
    model: str | None  # what the segmentation server runs; None for the agent


@dataclass(frozen=True)
class FoundObject:
    """What a cutout or mask says of itself, in headers beside the picture."""

    confidence: float  # 0 to 1: mean probability of the pixels taken for the object
    box: Box  # where the object is, in pixels of the photo

    def to_headers(self) -> dict[str, str]:
        """These facts as HTTP headers."""
        box = self.box
        return {
            CONFIDENCE_HEADER: f"{self.confidence:.4f}",
            BOX_HEADER: f"{box.x},{box.y},{box.width},{box.height}",
        }

    @classmethod
    def from_headers(cls, headers: Mapping[str, str]) -> "FoundObject":
        """Read them back.

        Raises:
            MessageInvalid: a header is missing or malformed.
        """
        try:
            x, y, width, height = (int(number) for number in headers[BOX_HEADER].split(","))
            return cls(float(headers[CONFIDENCE_HEADER]), Box(x, y, width, height))
        except (KeyError, ValueError) as error:
            raise MessageInvalid("The headers of the object are missing or malformed.") from error


@dataclass(frozen=True)
class ServerAddress(Message):
    """Where a phone finds the segmentation server and what it needs to be let in."""

    url: str
    api_key: str | None
    certificate_sha256: str | None  # hexadecimal; None for a publicly trusted certificate or plain HTTP


@dataclass(frozen=True)
class PairRequest(Message):
    """A phone asks to be paired, with the token from the QR code."""

    token: str
    device_name: str
    wire_version: int = WIRE_VERSION


@dataclass(frozen=True)
class PairAnswer(Message):
    """The phone is paired: its key, and everything else it needs."""

    device_key: str
    computer_name: str
    server: ServerAddress


@dataclass(frozen=True)
class StatusAnswer(Message):
    """Who the agent is."""

    computer_name: str
    wire_version: int
    clock_s: float  # the agent's own clock when it answered; a phone tells times of the shutter by it


@dataclass(frozen=True)
class AimRequest(Message):
    """A phone that holds a cutout looks at the screen, beside its small view."""

    width_view: float  # the cutout's width in pixels of the view; the mark on the screen shows it
    shutter_s: float | None = None  # when the view was taken, by the agent's clock; None if that is not known


@dataclass(frozen=True)
class AimAnswer(Message):
    """Where a paste would go now."""

    aim: ScreenPoint  # the screen point under the camera's centre
    radius_95: float  # screen pixels around it that hold the true one with 95 %
    probability: float  # 0 to 1, of being right
    editor: str | None  # the program there; None if there is none to paste into
    refusal: ErrorAnswer | None = None  # what a paste would be refused with; None if there is one


@dataclass(frozen=True)
class PasteRequest(Message):
    """How the cutout floats over the view, beside the two pictures."""

    width_view: float  # the cutout's width in pixels of the view, so that it lands as large as it floats
    turn_deg: float = 0.0  # how far it floats turned in the view, clockwise
    shutter_s: float | None = None  # when the view was taken, by the agent's clock; None if that is not known
    is_second_view: bool = False  # taken while the screen showed marks, because SecondViewWanted was the answer
    is_dry_run: bool = False  # mark the spot, paste nothing


@dataclass(frozen=True)
class PasteAnswer(Message):
    """The cutout was pasted and seen where it should be; or, of a dry run, where it would be pasted."""

    editor: str  # the program pasted into
    strategy: str  # the way it was pasted
    aim: ScreenPoint  # the screen point under the camera's centre
    landed: ScreenPoint | None  # the centre of the cutout as the second look found it; None of a dry run
    landed_width: float | None  # how wide it is there, in screen pixels; likewise
    error_px: float | None  # distance between the two points, in screen pixels; likewise
    verified: bool  # whether the second look saw it
    stages_s: dict[str, float]  # seconds each stage took: screenshot, locate, paste, look


@dataclass(frozen=True)
class UndoAnswer(Message):
    """The last paste was taken back."""

    editor: str  # the program that undid it
    verified: bool  # whether the cutout was seen to be gone
