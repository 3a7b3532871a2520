"""The routes: a phone is paired; a view and a cutout come in, where it landed goes out."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from flask import Flask, Response, jsonify, request

from desktop_agent.devices import PairedDevices
from desktop_agent.pictures import Cutout, Picture, read_cutout, read_view
from http_server.answers import answer_errors_in_json, check_key, file_part
from protocol import routes
from protocol.errors import MessageInvalid, ServerBusy
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

MOST_BODY_BYTES = 64 * 1024**2  # a cutout of 8 megapixels as PNG, and a view
MOST_BODY_BYTES_PAIR = 16 * 1024  # anyone in the network may send one
MOST_PASTES = 3  # at once: one that is worked on, the others waiting for it

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
    places = threading.BoundedSemaphore(MOST_PASTES)

    @app.before_request
    def check_caller() -> None:
        if request.path not in (routes.HEALTHZ, routes.PAIR):
            check_key(devices.is_paired)

    @app.get(routes.HEALTHZ)
    def healthz() -> Response:
        return jsonify(HealthAnswer(is_ready=True, model=None).to_wire())

    @app.post(routes.PAIR)
    def pair() -> Response:
        request.max_content_length = MOST_BODY_BYTES_PAIR
        asked = PairRequest.from_wire(parse_json(request.get_data()))
        if asked.wire_version != routes.WIRE_VERSION:
            raise MessageInvalid(f"It speaks version {asked.wire_version}; this is {routes.WIRE_VERSION}.")
        device_key = devices.pair(asked.token, asked.device_name)
        return jsonify(PairAnswer(device_key, introduction.computer_name, introduction.server).to_wire())

    @app.get(routes.STATUS)
    def status() -> Response:
        return jsonify(StatusAnswer(introduction.computer_name, routes.WIRE_VERSION, time.monotonic()).to_wire())

    @app.post(routes.PASTE)
    def paste_cutout() -> Response:
        if not places.acquire(blocking=False):
            raise ServerBusy
        try:
            asked = PasteRequest.from_wire(parse_json(request.form.get(routes.PASTE_PART, "").encode()))
            cutout, view = read_cutout(file_part(routes.CUTOUT_PART)), read_view(file_part(routes.VIEW_PART))
            return jsonify(paste(cutout, view, asked).to_wire())
        finally:
            places.release()

    answer_errors_in_json(app)
    return app
