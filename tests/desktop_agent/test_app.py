import io
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
from flask.testing import FlaskClient
from PIL import Image

from desktop_agent.app import Introduction, create_app
from desktop_agent.devices import PairedDevices
from desktop_agent.pictures import Picture
from protocol import routes
from protocol.errors import CopyPasteError, ScreenNotInView
from protocol.geometry import ScreenPoint
from protocol.messages import (
    ErrorAnswer,
    PairAnswer,
    PairRequest,
    PasteAnswer,
    PasteRequest,
    ServerAddress,
    StatusAnswer,
)
from protocol.pairing import bearer
from tests.desktop_agent.test_pictures import encode, png_that_claims

ANSWER = PasteAnswer("Drawn", "drawing", ScreenPoint(10, 20), ScreenPoint(11, 20), 180.0, 1.0, True, {"look": 0.5})
SERVER = ServerAddress("https://10.0.0.2:8766", "api key", None)


@dataclass
class FakePaste:
    """Remembers what it was to paste."""

    failure: CopyPasteError | None = None
    asked: list[tuple[Picture, Picture, PasteRequest]] = field(default_factory=list)

    def __call__(self, cutout: Picture, view: Picture, request: PasteRequest) -> PasteAnswer:
        if self.failure:
            raise self.failure
        self.asked.append((cutout, view, request))
        return ANSWER


@dataclass
class Agent:
    """The application, one paired phone, and what it pasted."""

    client: FlaskClient
    devices: PairedDevices
    paste: FakePaste
    headers: dict[str, str]


@pytest.fixture
def agent(tmp_path: Path) -> Iterator[Agent]:
    devices, paste = PairedDevices(tmp_path / "devices.json"), FakePaste()
    app = create_app(paste, devices, Introduction("studio", SERVER))
    key = devices.pair(devices.offer_token(), "Ada's phone")
    with app.test_client() as client:
        yield Agent(client, devices, paste, {"Authorization": bearer(key)})


def parts(cutout: Picture, /, **replaced: object) -> dict[str, object]:
    """A good body of /v1/paste, some parts of it replaced; None leaves one out."""
    good = {
        routes.PASTE_PART: json.dumps(PasteRequest(90.0).to_wire()),
        routes.CUTOUT_PART: (io.BytesIO(encode(Image.fromarray(cutout), "PNG")), "cutout.png"),
        routes.VIEW_PART: (io.BytesIO(encode(Image.new("RGB", (64, 48)), "JPEG")), "view.jpg"),
    }
    return {name: part for name, part in {**good, **replaced}.items() if part is not None}


def file(body: bytes) -> tuple[io.BytesIO, str]:
    return io.BytesIO(body), "file"


def test_a_paired_phone_may_paste(agent: Agent, cutout: Picture) -> None:
    answer = agent.client.post(routes.PASTE, data=parts(cutout), headers=agent.headers)
    assert PasteAnswer.from_wire(answer.json) == ANSWER
    pasted, view, request = agent.paste.asked[0]
    assert np.array_equal(pasted, cutout)
    assert view.shape == (48, 64, 3)
    assert request == PasteRequest(90.0)


def test_a_refused_paste_says_why(agent: Agent, cutout: Picture) -> None:
    agent.paste.failure = ScreenNotInView()
    answer = agent.client.post(routes.PASTE, data=parts(cutout), headers=agent.headers)
    assert answer.status_code == 422
    assert isinstance(ErrorAnswer.from_wire(answer.json).to_error(), ScreenNotInView)


def test_what_nobody_expected_is_no_traceback_for_the_phone(agent: Agent, cutout: Picture) -> None:
    agent.paste.failure = ZeroDivisionError("a secret of the inside")  # type: ignore[assignment]  # no error of ours
    answer = agent.client.post(routes.PASTE, data=parts(cutout), headers=agent.headers)
    assert answer.status_code == 500
    assert "secret" not in answer.text


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", routes.STATUS), ("POST", routes.PASTE), ("GET", "/"), ("GET", "/v1/anything"), ("POST", "/v1/undo")],
)
@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer guess"}, {"Authorization": "Basic guess"}])
def test_nobody_who_is_not_paired_can_do_anything(
    agent: Agent, method: str, path: str, headers: dict[str, str]
) -> None:
    answer = agent.client.open(path, method=method, headers=headers)
    assert answer.status_code == 401
    assert ErrorAnswer.from_wire(answer.json).code == "not_authorised"
    assert not agent.paste.asked


def test_a_phone_pairs_with_the_token_and_may_then_ask(agent: Agent) -> None:
    asked = PairRequest(agent.devices.offer_token(), "Bea's phone")
    answer = PairAnswer.from_wire(agent.client.post(routes.PAIR, json=asked.to_wire()).json)
    assert (answer.computer_name, answer.server) == ("studio", SERVER)
    status = agent.client.get(routes.STATUS, headers={"Authorization": bearer(answer.device_key)})
    known = StatusAnswer.from_wire(status.json)
    assert known == StatusAnswer("studio", routes.WIRE_VERSION, known.clock_s)
    assert 0 <= time.monotonic() - known.clock_s < 10


def test_a_stranger_may_not_send_much(agent: Agent) -> None:
    assert agent.client.post(routes.PAIR, data=b"[" + b"{}," * 10_000 + b"{}]").status_code == 413


def test_a_token_pairs_once(agent: Agent) -> None:
    asked = PairRequest(agent.devices.offer_token(), "phone").to_wire()
    agent.client.post(routes.PAIR, json=asked)
    assert agent.client.post(routes.PAIR, json=asked).status_code == 403


def test_a_phone_of_another_version_is_told_so_and_keeps_its_token(agent: Agent) -> None:
    token = agent.devices.offer_token()
    answer = agent.client.post(routes.PAIR, json=PairRequest(token, "phone", wire_version=99).to_wire())
    assert answer.status_code == 400
    assert "version 99" in ErrorAnswer.from_wire(answer.json).sentence
    assert agent.client.post(routes.PAIR, json=PairRequest(token, "phone").to_wire()).status_code == 200


BAD_PASTES: dict[str, dict[str, object]] = {
    "nothing": dict.fromkeys((routes.PASTE_PART, routes.CUTOUT_PART, routes.VIEW_PART)),
    "no_request": {routes.PASTE_PART: None},
    "request_no_json": {routes.PASTE_PART: "{"},
    "request_too_deep": {routes.PASTE_PART: "[" * 100_000},
    "request_not_a_number": {routes.PASTE_PART: '{"width_view": NaN}'},
    "no_cutout": {routes.CUTOUT_PART: None},
    "empty_cutout": {routes.CUTOUT_PART: file(b"")},
    "cutout_no_picture": {routes.CUTOUT_PART: file(b"text")},
    "no_view": {routes.VIEW_PART: None},
    "view_truncated": {routes.VIEW_PART: file(encode(Image.effect_noise((300, 200), 90), "JPEG")[:3000])},
    "view_huge": {routes.VIEW_PART: file(png_that_claims(60_000, 60_000))},
    "view_a_program": {routes.VIEW_PART: file(b"%!PS-Adobe-3.0 EPSF-3.0")},
}


@pytest.mark.parametrize("replaced", BAD_PASTES.values(), ids=BAD_PASTES.keys())
def test_a_bad_paste_gets_a_code_and_a_sentence(agent: Agent, cutout: Picture, replaced: dict[str, object]) -> None:
    answer = agent.client.post(
        routes.PASTE, data=parts(cutout, **replaced), headers=agent.headers, content_type="multipart/form-data"
    )
    assert 400 <= answer.status_code < 500
    assert ErrorAnswer.from_wire(answer.json).sentence.endswith(".")
    assert not agent.paste.asked


BAD_PAIRINGS = [
    b"",
    b"{",
    b"[]",
    b"null",
    b"\xff\xfe",
    b'{"token": 1}',
    b'{"token": "\\ud800", "device_name": "d", "wire_version": 1}',
    b'{"token": "t", "device_name": null}',
    b"9" * 5000,
]
BAD_PAIRINGS += [b'{"token": "t", "device_name": "d", "wire_version": "1"}', b"[" * 10_000]


@pytest.mark.parametrize("body", BAD_PAIRINGS, ids=range(len(BAD_PAIRINGS)))
def test_a_bad_pairing_gets_a_code_and_a_sentence(agent: Agent, body: bytes) -> None:
    answer = agent.client.post(routes.PAIR, data=body)
    assert answer.status_code == 400
    assert ErrorAnswer.from_wire(answer.json).sentence.endswith(".")
