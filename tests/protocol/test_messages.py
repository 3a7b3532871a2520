import copy
from dataclasses import replace

import pytest

from protocol.errors import CopyPasteError, MessageInvalid, NothingToCut, PasteMisplaced
from protocol.geometry import Box, ScreenPoint
from protocol.messages import (
    AimAnswer,
    AimRequest,
    ErrorAnswer,
    FoundObject,
    HealthAnswer,
    Message,
    PairAnswer,
    PairRequest,
    PasteAnswer,
    PasteRequest,
    ServerAddress,
    StatusAnswer,
    UndoAnswer,
)

SERVER = ServerAddress("https://10.0.0.2:8766", "key", None)
MESSAGES = [
    ErrorAnswer("nothing_to_cut", "No object."),
    HealthAnswer(True, None),
    SERVER,
    PairRequest("token", "phone"),
    PairAnswer("key", "studio", SERVER),
    StatusAnswer("studio", 1, 5.5),
    AimRequest(320.5, 12.25),
    AimAnswer(ScreenPoint(1.5, 2), 0.5, 0.99, "Inkscape"),
    AimAnswer(ScreenPoint(1.5, 2), 0.5, 0.99, None, ErrorAnswer("no_editor_there", "There is no open document.")),
    PasteRequest(320.5),
    PasteRequest(320.5, 30.0, 12.25, is_second_view=True, is_dry_run=True),
    PasteAnswer("Inkscape", "drop", ScreenPoint(1.5, 2), ScreenPoint(3, 4.5), 180.0, 2.9, True, {"look": 1.2}),
    PasteAnswer("Inkscape", "drop", ScreenPoint(1.5, 2), None, None, None, False, {}),
    UndoAnswer("Inkscape", True),
]


@pytest.mark.parametrize("message", MESSAGES, ids=lambda message: type(message).__name__)
def test_a_message_survives_the_wire(message: Message) -> None:
    assert type(message).from_wire(message.to_wire()) == message


def test_unknown_keys_are_ignored_and_the_argument_is_left_alone() -> None:
    wire = {**PasteRequest(320.0).to_wire(), "shadow": 30}
    before = copy.deepcopy(wire)
    assert PasteRequest.from_wire(wire) == PasteRequest(320.0)
    assert wire == before


def test_a_whole_number_is_a_number() -> None:
    assert PasteRequest.from_wire({**PasteRequest(1.0).to_wire(), "width_view": 320}) == PasteRequest(320.0)


@pytest.mark.parametrize(
    "wire",
    [
        {},
        {"width_view": "wide"},
        {"width_view": None},
        {"width_view": True},
        {"width_view": [320]},
        {"width_view": "\ud800"},
        {"width_view": float("nan")},
        {"width_view": float("inf")},
        {"width_view": 10**400},
        [],
        None,
        "text",
        7,
    ],
    ids=str,
)
def test_what_is_not_of_the_form_is_refused(wire: object) -> None:
    with pytest.raises(MessageInvalid):
        PasteRequest.from_wire(wire)


def test_half_a_character_is_no_text() -> None:
    with pytest.raises(MessageInvalid):
        PairRequest.from_wire({"token": "\ud800", "device_name": "phone", "wire_version": 1})


def test_a_missing_key_inside_is_named() -> None:
    wire = PairAnswer("key", "studio", SERVER).to_wire()
    del wire["server"]["url"]
    with pytest.raises(MessageInvalid, match=r"PairAnswer\.server\.url is missing"):
        PairAnswer.from_wire(wire)


def test_an_error_survives_the_wire_as_its_class() -> None:
    error = ErrorAnswer.of(PasteMisplaced("It was undone.")).to_error()
    assert type(error) is PasteMisplaced
    assert error.sentence == PasteMisplaced("It was undone.").sentence


def test_an_error_of_a_newer_version_keeps_its_sentence() -> None:
    error = ErrorAnswer("from_the_future", "The moon is in the way.").to_error()
    assert type(error) is CopyPasteError
    assert error.sentence == "The moon is in the way."


def test_an_error_says_what_the_peer_said_word_for_word() -> None:
    error = ErrorAnswer(NothingToCut.code, "Reworded by a newer version.").to_error()
    assert type(error) is NothingToCut
    assert error.sentence == "Reworded by a newer version."


def test_a_found_object_survives_as_headers() -> None:
    found = FoundObject(0.9375, Box(1, 2, 30, 40))
    assert FoundObject.from_headers(found.to_headers()) == found


@pytest.mark.parametrize("box", ["", "1,2,3", "1,2,3,x", "1;2;3;4"])
def test_malformed_headers_are_refused(box: str) -> None:
    headers = {**FoundObject(0.5, Box(1, 2, 3, 4)).to_headers(), "Object-Box": box}
    with pytest.raises(MessageInvalid):
        FoundObject.from_headers(headers)


def test_messages_cannot_be_changed() -> None:
    assert replace(PasteRequest(1.0), width_view=2.0) == PasteRequest(2.0)
    with pytest.raises(AttributeError):
        MESSAGES[0].code = "other"  # type: ignore[attr-defined]  # that is the point
