"""The two clients against real sockets, with right, wrong, slow, huge and missing answers."""

import io
import json
import threading
import time
from email.parser import BytesParser
from email.policy import HTTP
from pathlib import Path
from typing import cast

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from mobile_client import clients
from mobile_client.clients import AgentClient, AimedView, SegmentationClient, fit_within
from protocol.errors import (
    AgentUnreachable,
    CertificateWrong,
    CopyPasteError,
    MessageInvalid,
    NothingToCut,
    ScreenNotInView,
    ServerUnreachable,
    TokenInvalid,
)
from protocol.geometry import Box, ScreenPoint
from protocol.messages import (
    AimAnswer,
    AimRequest,
    ErrorAnswer,
    FoundObject,
    HealthAnswer,
    PairAnswer,
    PasteAnswer,
    PasteRequest,
    ServerAddress,
    UndoAnswer,
)
from protocol.messages import StatusAnswer as Status
from protocol.routes import AIM, BOX_HEADER, CONFIDENCE_HEADER, CUTOUT, HEALTHZ, PAIR, PASTE, STATUS, UNDO
from tests.mobile_client.fakes import Answer, FakeServer, Request, png

PHOTO = np.full((60, 80, 3), 200, np.uint8)
HEADERS = FoundObject(0.9, Box(10, 20, 30, 15)).to_headers()
PASTED = PasteAnswer("Inkscape", "drop", ScreenPoint(10, 20), ScreenPoint(10, 21), 180.0, 1.0, True, {"paste": 0.5})
CUTOUT_PICTURE = np.full((15, 30, 4), 120, np.uint8)


def answered_cutout(width: int = 80, height: int = 60) -> npt.NDArray[np.uint8]:
    cutout = np.zeros((height, width, 4), np.uint8)
    cutout[20:35, 10:40] = (180, 40, 20, 255)
    return cutout


def segmentation(server: FakeServer, key: str | None = None, pin: str | None = None) -> SegmentationClient:
    return SegmentationClient(ServerAddress(server.url, key, pin))


def parts_of(request: Request) -> dict[str, bytes]:
    """The parts of a multipart body by name."""
    head = f"Content-Type: {request.headers['Content-Type']}\r\n\r\n".encode()
    message = BytesParser(policy=HTTP).parsebytes(head + request.body)
    return {
        str(part.get_param("name", header="content-disposition")): cast(bytes, part.get_payload(decode=True))
        for part in message.iter_parts()
    }


# --- Cutouts --------------------------------------------------------------------------------------------------------


def test_a_cutout_comes_back_cropped_to_its_box(server: FakeServer) -> None:
    server.answer = lambda _: Answer(png(answered_cutout()), headers=HEADERS)
    cutout = segmentation(server).cut_out(PHOTO).cutout
    assert cutout.shape == (15, 30, 4)
    assert (cutout == (180, 40, 20, 255)).all()


def cutout_in(rows: slice, columns: slice) -> Answer:
    """An opaque rectangle in a photo of 400 x 300 pixels."""
    cutout = np.zeros((300, 400, 4), np.uint8)
    cutout[rows, columns] = 255
    box = Box(columns.start, rows.start, columns.stop - columns.start, rows.stop - rows.start)
    return Answer(png(cutout), headers=FoundObject(0.9, box).to_headers())


@pytest.mark.parametrize(
    ("rows", "columns"),
    [
        (slice(0, 80), slice(50, 90)),
        (slice(200, 300), slice(50, 90)),
        (slice(50, 90), slice(0, 80)),
        (slice(50, 90), slice(300, 400)),
    ],
    ids=["top", "bottom", "left", "right"],
)
def test_a_thing_that_goes_on_beyond_an_edge_of_the_photo_is_not_whole(
    server: FakeServer, rows: slice, columns: slice
) -> None:
    server.answer = lambda _: cutout_in(rows, columns)
    assert not segmentation(server).cut_out(np.zeros((300, 400, 3), np.uint8)).is_whole


@pytest.mark.parametrize(
    ("rows", "columns"),
    [(slice(1, 299), slice(1, 399)), (slice(0, 80), slice(50, 62)), (slice(50, 59), slice(0, 80))],
    ids=["close to every edge", "three percent of the top", "three percent of the left"],
)
def test_a_thing_that_hardly_touches_the_edge_is_whole(server: FakeServer, rows: slice, columns: slice) -> None:
    server.answer = lambda _: cutout_in(rows, columns)
    assert segmentation(server).cut_out(np.zeros((300, 400, 3), np.uint8)).is_whole


def test_a_faint_seam_along_the_edge_cuts_nothing_off(server: FakeServer) -> None:
    cutout = answered_cutout()
    cutout[0] = 100
    server.answer = lambda _: Answer(png(cutout), headers=HEADERS)
    assert segmentation(server).cut_out(PHOTO).is_whole


def test_the_photo_is_sent_as_a_jpeg_to_the_route_of_cutouts(server: FakeServer) -> None:
    server.answer = lambda _: Answer(png(answered_cutout()), headers=HEADERS)
    segmentation(server, key="sesame").cut_out(PHOTO)
    request = server.requests[0]
    photo = Image.open(io.BytesIO(parts_of(request)["photo"]))
    assert (request.method, request.path, request.headers["Authorization"]) == ("POST", CUTOUT, "Bearer sesame")
    assert (photo.format, photo.size) == ("JPEG", (80, 60))


def test_a_large_photo_is_sent_with_its_long_side_at_1600_pixels(server: FakeServer) -> None:
    server.answer = lambda _: Answer(png(answered_cutout(1600, 1200)), headers=HEADERS)
    segmentation(server).cut_out(np.zeros((1800, 2400, 3), np.uint8))
    assert Image.open(io.BytesIO(parts_of(server.requests[0])["photo"])).size == (1600, 1200)


def test_a_small_picture_is_never_enlarged() -> None:
    assert fit_within(PHOTO, 1600) is PHOTO


def test_an_error_answer_becomes_the_error_it_names(server: FakeServer) -> None:
    body = json.dumps(ErrorAnswer.of(NothingToCut("It is all wall.")).to_wire()).encode()
    server.answer = lambda _: Answer(body, status=422)
    with pytest.raises(NothingToCut) as caught:
        segmentation(server).cut_out(PHOTO)
    assert caught.value.sentence == NothingToCut("It is all wall.").sentence


def test_an_error_that_this_version_does_not_know_still_says_its_sentence(server: FakeServer) -> None:
    server.answer = lambda _: Answer(b'{"code": "new_in_2030", "sentence": "The moon is in the way."}', status=400)
    with pytest.raises(CopyPasteError) as caught:
        segmentation(server).cut_out(PHOTO)
    assert "The moon is in the way." in caught.value.sentence


MALFORMED = {
    "no picture": Answer(b"hello", headers=HEADERS),
    "a truncated picture": Answer(png(answered_cutout())[:80], headers=HEADERS),
    "another size": Answer(png(answered_cutout(800, 600)), headers=HEADERS),
    "a bomb": Answer(
        png(np.zeros((1, 1), np.uint8)).replace(b"\0\0\0\1\0\0\0\1", b"\0\1\0\0\0\1\0\0"), headers=HEADERS
    ),
    "no headers": Answer(png(answered_cutout())),
    "an empty box": Answer(png(answered_cutout()), headers={CONFIDENCE_HEADER: "1", BOX_HEADER: "1,1,0,5"}),
    "a box outside": Answer(png(answered_cutout()), headers={CONFIDENCE_HEADER: "1", BOX_HEADER: "70,1,20,5"}),
    "a box before": Answer(png(answered_cutout()), headers={CONFIDENCE_HEADER: "1", BOX_HEADER: "-1,1,20,5"}),
    "half a box": Answer(png(answered_cutout()), headers={CONFIDENCE_HEADER: "1", BOX_HEADER: "1,1"}),
    "a page of a proxy": Answer(b"<html>502</html>", status=502),
    "JSON that is no error": Answer(b"[1, 2]", status=500),
    "JSON too deep": Answer(b"[" * 60_000, status=500),
    "a redirect": Answer(b"", status=307, headers={"Location": "http://127.0.0.1:1/"}),
}


def test_the_segmentation_server_says_how_it_is(server: FakeServer) -> None:
    health = HealthAnswer(True, "BASNet")
    server.answer = lambda _: Answer(json.dumps(health.to_wire()).encode())
    assert segmentation(server).health() == health
    assert (server.requests[0].method, server.requests[0].path) == ("GET", HEALTHZ)


@pytest.mark.parametrize("malformed", MALFORMED.values(), ids=MALFORMED.keys())
def test_a_malformed_answer_is_called_so(server: FakeServer, malformed: Answer) -> None:
    server.answer = lambda _: malformed
    with pytest.raises(MessageInvalid):
        segmentation(server).cut_out(PHOTO)
    assert len(server.requests) == 1


def test_a_huge_answer_is_not_read_to_its_end(server: FakeServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clients, "MOST_BYTES_PICTURE", 100_000)
    server.answer = lambda _: Answer(bytes(50_000_000), headers=HEADERS)
    with pytest.raises(MessageInvalid, match="too large"):
        segmentation(server).cut_out(PHOTO)


# --- Servers that are not there -------------------------------------------------------------------------------------


def test_a_server_that_is_not_there_is_unreachable(server: FakeServer) -> None:
    server.go_away()
    with pytest.raises(ServerUnreachable):
        segmentation(server).cut_out(PHOTO)


def test_an_agent_that_is_not_there_is_unreachable(server: FakeServer) -> None:
    server.go_away()
    with pytest.raises(AgentUnreachable):
        AgentClient(server.url, "0" * 64).status()


def test_a_server_that_dies_in_mid_answer_is_unreachable(server: FakeServer) -> None:
    server.answer = lambda _: Answer(png(answered_cutout())[:40], headers=HEADERS, cut_short=True)
    with pytest.raises(ServerUnreachable):
        segmentation(server).cut_out(PHOTO)


def test_a_server_that_hangs_up_without_a_word_is_unreachable(server: FakeServer) -> None:
    server.answer = lambda _: Answer(before=lambda: 1 / 0)  # the thread of this connection dies
    with pytest.raises(ServerUnreachable):
        segmentation(server).cut_out(PHOTO)


def test_a_server_that_says_nothing_is_unreachable(server: FakeServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clients, "TIMEOUTS_S", (1.0, 0.2))
    is_over = threading.Event()
    server.answer = lambda _: Answer(before=is_over.wait)
    with pytest.raises(ServerUnreachable):
        segmentation(server).cut_out(PHOTO)
    is_over.set()


def test_a_connection_is_kept_for_the_next_question(server: FakeServer) -> None:
    server.answer = lambda _: Answer(png(answered_cutout()), headers=HEADERS)
    client = segmentation(server)
    client.cut_out(PHOTO)
    client.cut_out(PHOTO)
    assert server.connections == 1


def test_the_environment_has_no_say(server: FakeServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    server.answer = lambda _: Answer(png(answered_cutout()), headers=HEADERS)
    assert segmentation(server).cut_out(PHOTO).is_whole


# --- The agent, over TLS --------------------------------------------------------------------------------------------


def test_the_right_certificate_is_trusted(tls_server: FakeServer, certificate: tuple[Path, str]) -> None:
    tls_server.answer = lambda _: Answer(json.dumps(Status("desk", 1, 5.5).to_wire()).encode())
    assert AgentClient(tls_server.url, certificate[1], "sesame").status() == Status("desk", 1, 5.5)
    assert tls_server.requests[0].path == STATUS
    assert tls_server.requests[0].headers["Authorization"] == "Bearer sesame"


def test_nothing_is_said_to_a_computer_with_another_certificate(tls_server: FakeServer) -> None:
    with pytest.raises(CertificateWrong):
        AgentClient(tls_server.url, "ab" * 32, "sesame").status()
    assert tls_server.requests == []


def test_a_segmentation_server_can_be_pinned_too(tls_server: FakeServer, certificate: tuple[Path, str]) -> None:
    tls_server.answer = lambda _: Answer(png(answered_cutout()), headers=HEADERS)
    assert segmentation(tls_server, pin=certificate[1]).cut_out(PHOTO).is_whole
    with pytest.raises(CertificateWrong):
        segmentation(tls_server, pin="ab" * 32).cut_out(PHOTO)


def test_a_certificate_that_nobody_signed_needs_its_pin(tls_server: FakeServer) -> None:
    with pytest.raises(CertificateWrong):
        segmentation(tls_server).cut_out(PHOTO)


def test_a_server_without_tls_is_unreachable_rather_than_another_computer(server: FakeServer) -> None:
    with pytest.raises(AgentUnreachable):
        AgentClient(server.url.replace("http:", "https:"), "ab" * 32).status()


def test_a_token_is_exchanged_for_a_key(tls_server: FakeServer, certificate: tuple[Path, str]) -> None:
    expected = PairAnswer("key", "desk", ServerAddress("http://10.0.0.2:8000", "sesame", None))
    tls_server.answer = lambda _: Answer(json.dumps(expected.to_wire()).encode())
    assert AgentClient(tls_server.url, certificate[1]).pair("token", "my phone") == expected
    assert tls_server.requests[0].path == PAIR
    assert json.loads(tls_server.requests[0].body)["token"] == "token"


def test_a_used_token_is_refused(tls_server: FakeServer, certificate: tuple[Path, str]) -> None:
    tls_server.answer = lambda _: Answer(json.dumps(ErrorAnswer.of(TokenInvalid()).to_wire()).encode(), status=403)
    with pytest.raises(TokenInvalid):
        AgentClient(tls_server.url, certificate[1]).pair("token", "my phone")


def aimed(width: int = 80, height: int = 60, taken_s: float = 0.0) -> AimedView:
    return AimedView(np.zeros((height, width, 3), np.uint8), taken_s, width_view=width / 4)


def test_a_paste_sends_cutout_view_and_width(tls_server: FakeServer, certificate: tuple[Path, str]) -> None:
    tls_server.answer = lambda _: Answer(json.dumps(PASTED.to_wire()).encode())
    assert AgentClient(tls_server.url, certificate[1], "key").paste(CUTOUT_PICTURE, aimed(2560, 1440)) == PASTED

    parts = parts_of(tls_server.requests[0])
    sent_view = Image.open(io.BytesIO(parts["view"]))
    assert tls_server.requests[0].path == PASTE
    assert (sent_view.format, sent_view.size) == ("JPEG", (1280, 720))
    assert PasteRequest.from_wire(json.loads(parts["paste"])) == PasteRequest(320.0)
    assert (np.array(Image.open(io.BytesIO(parts["cutout"]))) == CUTOUT_PICTURE).all()


def test_an_aim_sends_a_small_view(tls_server: FakeServer, certificate: tuple[Path, str]) -> None:
    answer = AimAnswer(ScreenPoint(10, 20), 1.5, 0.97, "Inkscape")
    tls_server.answer = lambda _: Answer(json.dumps(answer.to_wire()).encode())
    assert AgentClient(tls_server.url, certificate[1], "key").aim(aimed(1280, 720)) == answer

    [request] = tls_server.requests
    parts = parts_of(request)
    sent_view = Image.open(io.BytesIO(parts["view"]))
    assert (request.method, request.path) == ("POST", AIM)
    assert (sent_view.format, sent_view.size) == ("JPEG", (640, 360))
    assert AimRequest.from_wire(json.loads(parts["aim"])) == AimRequest(160.0)


def test_a_paste_that_found_no_screen_says_so(tls_server: FakeServer, certificate: tuple[Path, str]) -> None:
    tls_server.answer = lambda _: Answer(json.dumps(ErrorAnswer.of(ScreenNotInView()).to_wire()).encode(), status=422)
    with pytest.raises(ScreenNotInView):
        AgentClient(tls_server.url, certificate[1], "key").paste(CUTOUT_PICTURE, aimed())


def test_a_paste_says_how_far_the_cutout_is_turned(tls_server: FakeServer, certificate: tuple[Path, str]) -> None:
    tls_server.answer = lambda _: Answer(json.dumps(PASTED.to_wire()).encode())
    turned = AimedView(PHOTO, 0.0, width_view=20.0, turn_deg=-30.0)
    AgentClient(tls_server.url, certificate[1], "key").paste(CUTOUT_PICTURE, turned)
    assert PasteRequest.from_wire(json.loads(parts_of(tls_server.requests[0])["paste"])) == PasteRequest(20.0, -30.0)


def test_an_undo_says_which_editor_undid_it(tls_server: FakeServer, certificate: tuple[Path, str]) -> None:
    answer = UndoAnswer("Inkscape", verified=True)
    tls_server.answer = lambda _: Answer(json.dumps(answer.to_wire()).encode())
    assert AgentClient(tls_server.url, certificate[1], "key").undo() == answer
    assert (tls_server.requests[0].method, tls_server.requests[0].path) == ("POST", UNDO)


def test_a_view_is_told_by_the_agents_clock_once_that_is_known(
    tls_server: FakeServer, certificate: tuple[Path, str]
) -> None:
    def answer(request: Request) -> Answer:
        status = Status("desk", 1, time.monotonic() + 1000)
        return Answer(json.dumps((status if request.path == STATUS else PASTED).to_wire()).encode())

    tls_server.answer = answer
    client, taken_s = AgentClient(tls_server.url, certificate[1], "key"), time.monotonic()
    client.paste(CUTOUT_PICTURE, aimed(taken_s=taken_s))
    asked_s = time.monotonic()
    client.status()
    round_trip_s = time.monotonic() - asked_s
    client.paste(CUTOUT_PICTURE, aimed(taken_s=taken_s))

    pastes = [parts_of(request)["paste"] for request in tls_server.requests if request.path == PASTE]
    before, after = (PasteRequest.from_wire(json.loads(paste)).shutter_s for paste in pastes)
    assert before is None
    assert after == pytest.approx(taken_s + 1000, abs=round_trip_s)
