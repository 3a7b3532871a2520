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

from desktop_agent.app import SHORTEST_PAUSE_S, Introduction, create_app
from desktop_agent.devices import PairedDevices
from desktop_agent.pictures import Picture
from protocol import routes
from protocol.errors import CopyPasteError, NothingToUndo, ScreenNotInView
from protocol.geometry import ScreenPoint
from protocol.messages import (
    AimAnswer,
    AimRequest,
    ErrorAnswer,
    PairAnswer,
    PairRequest,
    PasteAnswer,
    PasteRequest,
    ServerAddress,
    StatusAnswer,
    UndoAnswer,
)
from protocol.pairing import bearer
from tests.desktop_agent.test_pictures import encode, png_that_claims

ANSWER = PasteAnswer("Drawn", "drawing", ScreenPoint(10, 20), ScreenPoint(11, 20), 180.0, 1.0, True, {"look": 0.5})
SERVER = ServerAddress("https://10.0.0.2:8766", "api key", None)


AIMED = AimAnswer(ScreenPoint(10, 20), 1.5, 0.9, "Drawn")


@dataclass
class FakeDesktop:
    """Remembers what it was asked."""

    failure: CopyPasteError | None = None
    pasted: list[tuple[Picture, Picture, PasteRequest]] = field(default_factory=list)
    callers: list[str] = field(default_factory=list)
    aimed: list[tuple[str, Picture, AimRequest]] = field(default_factory=list)

    def aim(self, device: str, view: Picture, asked: AimRequest) -> AimAnswer:
        self._fail()
        self.aimed.append((device, view, asked))
        return AIMED

    def paste(self, device: str, cutout: Picture, view: Picture, asked: PasteRequest) -> PasteAnswer:
        self._fail()
        self.callers.append(device)
        self.pasted.append((cutout, view, asked))
        return ANSWER

    def undo(self, device: str) -> UndoAnswer:
        self._fail()
        self.callers.append(device)
        return UndoAnswer("Drawn", True)

    def _fail(self) -> None:
        if self.failure:
            raise self.failure


@dataclass
class Agent:
    """The application, one paired phone, and what it asked for."""

    client: FlaskClient
    devices: PairedDevices
    desktop: FakeDesktop
    headers: dict[str, str]


@pytest.fixture
def agent(tmp_path: Path) -> Iterator[Agent]:
    devices, desktop = PairedDevices(tmp_path / "devices.json"), FakeDesktop()
    app = create_app(desktop, devices, Introduction("studio", SERVER))
    key = devices.pair(devices.offer_token(), "Ada's phone")
    with app.test_client() as client:
        yield Agent(client, devices, desktop, {"Authorization": bearer(key)})


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
    pasted, view, request = agent.desktop.pasted[0]
    assert np.array_equal(pasted, cutout)
    assert view.shape == (48, 64, 3)
    assert request == PasteRequest(90.0)


def test_a_refused_paste_says_why(agent: Agent, cutout: Picture) -> None:
    agent.desktop.failure = ScreenNotInView()
    answer = agent.client.post(routes.PASTE, data=parts(cutout), headers=agent.headers)
    assert answer.status_code == 422
    assert isinstance(ErrorAnswer.from_wire(answer.json).to_error(), ScreenNotInView)


def test_what_nobody_expected_is_no_traceback_for_the_phone(agent: Agent, cutout: Picture) -> None:
    agent.desktop.failure = ZeroDivisionError("a secret of the inside")  # type: ignore[assignment]  # no error of ours
    answer = agent.client.post(routes.PASTE, data=parts(cutout), headers=agent.headers)
    assert answer.status_code == 500
    assert "secret" not in answer.text


@pytest.mark.parametrize(
    ("method", "path"),
    [
        *(("GET", routes.STATUS), ("POST", routes.AIM), ("POST", routes.PASTE), ("POST", routes.UNDO)),
        *(("GET", "/"), ("GET", "/v1/anything")),
    ],
)
@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer guess"}, {"Authorization": "Basic guess"}])
def test_nobody_who_is_not_paired_can_do_anything(
    agent: Agent, method: str, path: str, headers: dict[str, str]
) -> None:
    answer = agent.client.open(path, method=method, headers=headers)
    assert answer.status_code == 401
    assert ErrorAnswer.from_wire(answer.json).code == "not_authorised"
    assert not agent.desktop.pasted


def aim_parts(view: Image.Image | None = None) -> dict[str, object]:
    """A good body of /v1/aim."""
    return {
        routes.AIM_PART: json.dumps(AimRequest(90.0, shutter_s=12.5).to_wire()),
        routes.VIEW_PART: (io.BytesIO(encode(view or Image.new("RGB", (64, 48)), "JPEG")), "view.jpg"),
    }


def test_a_paired_phone_may_aim(agent: Agent) -> None:
    answer = agent.client.post(routes.AIM, data=aim_parts(), headers=agent.headers)
    assert AimAnswer.from_wire(answer.json) == AIMED
    _device, view, asked = agent.desktop.aimed[0]
    assert view.shape == (48, 64, 3)
    assert asked == AimRequest(90.0, 12.5)


def test_a_phone_that_aims_without_pause_is_told_to_wait_and_another_is_not(agent: Agent) -> None:
    other = {"Authorization": bearer(agent.devices.pair(agent.devices.offer_token(), "Bea's phone"))}
    assert agent.client.post(routes.AIM, data=aim_parts(), headers=agent.headers).status_code == 200
    answer = agent.client.post(routes.AIM, data=aim_parts(), headers=agent.headers)
    assert ErrorAnswer.from_wire(answer.json).code == "server_busy"
    assert agent.client.post(routes.AIM, data=aim_parts(), headers=other).status_code == 200
    time.sleep(SHORTEST_PAUSE_S)
    assert agent.client.post(routes.AIM, data=aim_parts(), headers=agent.headers).status_code == 200
    devices = [device for device, _view, _asked in agent.desktop.aimed]
    assert devices[0] == devices[2] != devices[1]


def test_a_key_is_not_what_a_device_is_called(agent: Agent) -> None:
    agent.client.post(routes.AIM, data=aim_parts(), headers=agent.headers)
    assert agent.desktop.aimed[0][0] not in agent.headers["Authorization"]


def test_a_paste_and_an_undo_tell_one_phone_from_another(agent: Agent, cutout: Picture) -> None:
    other = {"Authorization": bearer(agent.devices.pair(agent.devices.offer_token(), "Bea's phone"))}
    agent.client.post(routes.PASTE, data=parts(cutout), headers=agent.headers)
    agent.client.post(routes.UNDO, headers=agent.headers)
    agent.client.post(routes.PASTE, data=parts(cutout), headers=other)
    agent.client.post(routes.UNDO, headers=other)
    ada, ada_again, bea, bea_again = agent.desktop.callers
    assert ada == ada_again != bea == bea_again


def test_an_aim_sends_a_small_view(agent: Agent) -> None:
    huge = Image.effect_noise((3000, 2400), 200)
    answer = agent.client.post(routes.AIM, data=aim_parts(huge), headers=agent.headers)
    assert ErrorAnswer.from_wire(answer.json).code == "body_too_large"


def test_a_paired_phone_may_undo(agent: Agent) -> None:
    answer = agent.client.post(routes.UNDO, headers=agent.headers)
    assert UndoAnswer.from_wire(answer.json) == UndoAnswer("Drawn", True)


def test_without_a_paste_there_is_nothing_to_undo(agent: Agent) -> None:
    agent.desktop.failure = NothingToUndo()
    answer = agent.client.post(routes.UNDO, headers=agent.headers)
    assert answer.status_code == 409
    assert ErrorAnswer.from_wire(answer.json).code == "nothing_to_undo"


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
    assert not agent.desktop.pasted


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
