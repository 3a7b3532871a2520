"""The routes: a phone is paired; a view and a cutout come in, where it landed goes out."""

from collections.abc import Callable
from dataclasses import dataclass

from flask import Flask, Response, jsonify, request

from desktop_agent.devices import PairedDevices
from desktop_agent.editors import Cutout
from desktop_agent.pictures import read_cutout, read_view
from desktop_agent.screenshot import Picture
from http_server.answers import answer_errors_in_json, check_key, file_part
from protocol import routes
from protocol.errors import MessageInvalid
from protocol.messages import (
    HealthAnswer,
    PairAnswer,
    PairRequest,
    PasteAnswer,
    PasteRequest,
    ServerAddress,
    StatusAnswer,
    parse_json,
)

MOST_BODY_BYTES = 64 * 1024**2  # a cutout of 2500 x 2500 as PNG, and a view

Paste = Callable[[Cutout, Picture, PasteRequest], PasteAnswer]


@dataclass(frozen=True)
class Introduction:
    """What the agent tells a phone that it pairs with."""

    computer_name: str
    server: ServerAddress


def create_app(paste: Paste, devices: PairedDevices, introduction: Introduction) -> Flask:
    """The agent as a WSGI application.

    Args:
        paste: pastes a cutout where a view points to.
        devices: who may ask for it.
        introduction: what a newly paired phone is told.
    """
    app = Flask(__name__, static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = MOST_BODY_BYTES

    @app.before_request
    def check_caller() -> None:
        if request.path not in (routes.HEALTHZ, routes.PAIR):
            check_key(devices.is_paired)

    @app.get(routes.HEALTHZ)
    def healthz() -> Response:
        return jsonify(HealthAnswer(is_ready=True, model=None).to_wire())

    @app.post(routes.PAIR)
    def pair() -> Response:
        asked = PairRequest.from_wire(parse_json(request.get_data()))
        if asked.wire_version != routes.WIRE_VERSION:
            raise MessageInvalid(f"It speaks version {asked.wire_version}; this is {routes.WIRE_VERSION}.")
        device_key = devices.pair(asked.token, asked.device_name)
        return jsonify(PairAnswer(device_key, introduction.computer_name, introduction.server).to_wire())

    @app.get(routes.STATUS)
    def status() -> Response:
        return jsonify(StatusAnswer(introduction.computer_name, routes.WIRE_VERSION).to_wire())

    @app.post(routes.PASTE)
    def paste_cutout() -> Response:
        asked = PasteRequest.from_wire(parse_json(request.form.get(routes.PASTE_PART, "").encode()))
        cutout, view = read_cutout(file_part(routes.CUTOUT_PART)), read_view(file_part(routes.VIEW_PART))
        return jsonify(paste(cutout, view, asked).to_wire())

    answer_errors_in_json(app)
    return app
