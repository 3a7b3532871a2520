"""docs/wire.md, run: every example against the real applications, the tables against the code."""

import io
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from flask import Flask
from PIL import Image
from werkzeug.test import TestResponse

from desktop_agent.app import Introduction
from desktop_agent.app import create_app as create_agent
from desktop_agent.devices import PairedDevices
from protocol import routes
from protocol.errors import CopyPasteError
from protocol.geometry import ScreenPoint
from protocol.messages import AimAnswer, AimRequest, PasteAnswer, PasteRequest, ServerAddress, UndoAnswer
from segmentation_server.app import create_app as create_server
from segmentation_server.photo import Photo
from segmentation_server.segmenter import Mask
from segmentation_server.settings import Settings
from tests.protocol.test_errors import CLASSES

DOCUMENT = (Path(__file__).parents[2] / "docs" / "wire.md").read_text()
AGENT_ROUTES = {routes.PAIR, routes.STATUS, routes.AIM, routes.PASTE, routes.UNDO}
ON_THE_PHONE = {
    *("not_paired", "server_unreachable", "agent_unreachable", "certificate_wrong"),
    *("camera_unavailable", "webcam_unavailable"),
}
NOT_OF_A_SERVER = {"settings_invalid", "weights_missing", "pairing_link_invalid", "training_diverged"}


@dataclass(frozen=True)
class Example:
    """One ```http block."""

    method: str
    path: str
    headers: dict[str, str]
    body: list[str]
    status: int
    answered_headers: dict[str, str]
    answered_body: str


def read_examples() -> list[Example]:
    return [read_example(block) for block in re.findall(r"```http\n(.*?)```", DOCUMENT, re.DOTALL)]


def read_example(block: str) -> Example:
    asked, answered = (part.strip().splitlines() for part in block.split("\n\n", 1))
    method, path = asked[0].split()
    headers, body = split_headers(asked[1:])
    answered_headers, answered_body = split_headers(answered[1:])
    return Example(method, path, headers, body, int(answered[0]), answered_headers, "\n".join(answered_body))


def split_headers(lines: list[str]) -> tuple[dict[str, str], list[str]]:
    is_header = [re.match(r"[A-Z][A-Za-z-]+: ", line) is not None for line in lines]
    headers = dict(line.split(": ", 1) for line, yes in zip(lines, is_header, strict=True) if yes)
    return headers, [line for line, yes in zip(lines, is_header, strict=True) if not yes]


@dataclass(frozen=True)
class DarkSegment:
    """Takes whatever is dark for the object."""

    name: str = "NAME"

    def __call__(self, photo: Photo) -> Mask:
        return np.asarray(photo.max(axis=2) < 128, np.float32)


class DocumentedDesktop:
    """Answers what the document says."""

    def aim(self, device: str, view: object, asked: AimRequest) -> AimAnswer:
        return AimAnswer(ScreenPoint(880, 440), 1.4, 0.98, "Inkscape")

    def paste(self, device: str, cutout: object, view: object, asked: PasteRequest) -> PasteAnswer:
        stages_s = {"screenshot": 0.04, "locate": 0.48, "paste": 0.63, "look": 1.21}
        aim, landed = ScreenPoint(880, 440), ScreenPoint(879.5, 439.5)
        return PasteAnswer("Inkscape", "paste under the pointer", aim, landed, 406.0, 0.71, True, stages_s)

    def undo(self, device: str) -> UndoAnswer:
        return UndoAnswer("Inkscape", True)


def draw_file(name: str) -> bytes:
    if name == "notes.txt":
        return b"not a picture"
    picture = Image.new("RGBA", (80, 60), "white")
    picture.paste((20, 30, 40, 255), (20, 10, 60, 40))
    stream = io.BytesIO()
    (picture if name.endswith(".png") else picture.convert("RGB")).save(
        stream, Path(name).suffix[1:].replace("jpg", "jpeg")
    )
    return stream.getvalue()


def ask(app: Flask, example: Example, known: Mapping[str, str]) -> TestResponse:
    def fill(text: str) -> str:
        for placeholder, value in known.items():
            text = re.sub(rf"\b{placeholder}\b", value, text)
        return text

    headers = {name: fill(value) for name, value in example.headers.items()}
    if headers.get("Content-Type") == "application/json":
        return app.test_client().open(
            example.path, method=example.method, headers=headers, data=fill("\n".join(example.body))
        )
    parts: dict[str, object] = {}
    for line in example.body:
        name, text = line.split("=", 1)
        parts[name] = (io.BytesIO(draw_file(text[1:])), text[1:]) if text.startswith("@") else text
    return app.test_client().open(example.path, method=example.method, headers=headers, data=parts or None)


@pytest.mark.parametrize("example", read_examples(), ids=lambda each: f"{each.method} {each.path} {each.status}")
def test_an_example_is_answered_as_the_document_says(example: Example, tmp_path: Path) -> None:
    devices = PairedDevices(tmp_path / "devices.json")
    device_key = devices.pair(devices.offer_token(), "Ada's phone")
    server = ServerAddress("https://192.168.1.20:8766", "API_KEY", None)
    is_for_agent = example.path in AGENT_ROUTES
    app = (
        create_agent(DocumentedDesktop(), devices, Introduction("studio", server))
        if is_for_agent
        else create_server(DarkSegment(), Settings(api_key="API_KEY"), is_ready=lambda: True)
    )
    answer = ask(app, example, {"DEVICE_KEY": device_key, "TOKEN": devices.offer_token()})
    assert answer.status_code == example.status
    for name, value in example.answered_headers.items():
        assert answer.headers[name] == value
    check_body(answer, example.answered_body)


def check_body(answer: TestResponse, documented: str) -> None:
    if documented.startswith("{"):
        expected = json.loads(documented)
        assert answer.json is not None
        shown = {key: value for key, value in expected.items() if not str(value).startswith("<")}
        assert {key: answer.json[key] for key in shown} == shown
        assert set(answer.json) == set(expected)
    else:
        picture = Image.open(io.BytesIO(answer.data))
        assert f"<{str(picture.format).lower()}>" == documented
        assert picture.size == (80, 60)


def test_every_route_has_an_example() -> None:
    paths = {value for name, value in vars(routes).items() if name.isupper() and str(value).startswith("/")}
    assert paths == {example.path for example in read_examples() if example.status == 200}


def test_the_table_of_errors_is_that_of_the_code() -> None:
    rows = re.findall(r"^\| `([a-z_]+)` \| (\d{3}) \|", DOCUMENT, re.MULTILINE)
    crossing = {error.code: error.status for error in CLASSES if error.code not in ON_THE_PHONE | NOT_OF_A_SERVER}
    assert {code: int(status) for code, status in rows} == crossing


def test_an_error_of_the_examples_says_the_sentence_of_its_class() -> None:
    by_code = {error.code: error for error in CLASSES}
    for example in read_examples():
        if example.status != 200:
            error = json.loads(example.answered_body)
            assert isinstance(by_code[error["code"]](), CopyPasteError)
            assert error["sentence"] == by_code[error["code"]]().sentence
