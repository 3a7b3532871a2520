"""The routes: a phone is paired; views and cutouts come in, where they point to and where they landed goes out."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol

from flask import Flask, Response, jsonify, request

from desktop_agent.devices import PairedDevices
from desktop_agent.pictures import Cutout, Picture, read_cutout, read_view
from http_server.answers import answer_errors_in_json, check_key, file_part
from protocol import routes
from protocol.errors import MessageInvalid, ServerBusy
from protocol.messages import (
    AimAnswer,
    AimRequest,
    HealthAnswer,
    PairAnswer,
    PairRequest,
    PasteAnswer,
    PasteRequest,
    ServerAddress,
    StatusAnswer,
    UndoAnswer,
    parse_json,
)
from protocol.pairing import bearer_key, key_hash

MOST_BODY_BYTES = 64 * 1024**2  # a cutout of 8 megapixels as PNG, and a view
MOST_BODY_BYTES_PAIR = 16 * 1024  # anyone in the network may send one
MOST_BODY_BYTES_AIM = 4 * 1024**2  # a small view
MOST_PASTES = 3  # at once: one that is worked on, the others waiting for it
MOST_AIMS = 2  # at once
SHORTEST_PAUSE_S = 0.1  # between two aims of one device


class Pasting(Protocol):
    """What a paired phone may ask of this desktop. Each method raises an error of protocol.errors where it cannot."""

    def aim(self, device: str, view: Picture, asked: AimRequest) -> AimAnswer:
        """Where a paste would go now; `device` tells one phone from another, here and below."""
        ...

    def paste(self, device: str, cutout: Cutout, view: Picture, asked: PasteRequest) -> PasteAnswer:
        """Paste a cutout where a view points to."""
        ...

    def undo(self, device: str) -> UndoAnswer:
        """Take back the last paste, if it came from this device."""
        ...


@dataclass(frozen=True)
class Introduction:
    """What the agent tells a phone that it pairs with."""

    computer_name: str
    server: ServerAddress


class Pace:
    """Lets each device ask a few times a second and no more."""

    def __init__(self, shortest_pause_s: float) -> None:
        """Args: shortest_pause_s: between two requests of one device."""
        self._shortest_pause_s = shortest_pause_s
        self._last_s_by_device: dict[str, float] = {}

    def check(self, device: str) -> None:
        """Count a request.

        Raises:
            ServerBusy: the one before was a moment ago.
        """
        now_s = time.monotonic()
        if now_s - self._last_s_by_device.get(device, -float("inf")) < self._shortest_pause_s:
            raise ServerBusy
        self._last_s_by_device[device] = now_s


@contextmanager
def place_among(places: threading.Semaphore) -> Iterator[None]:
    """One of few places, for as long as a request is worked on.

    Raises:
        ServerBusy: all are taken.
    """
    if not places.acquire(blocking=False):
        raise ServerBusy
    try:
        yield
    finally:
        places.release()


def create_app(pasting: Pasting, devices: PairedDevices, introduction: Introduction) -> Flask:
    """The agent as a WSGI application.

    Args:
        pasting: what phones ask for.
        devices: who may ask for it.
        introduction: what a newly paired phone is told.
    """
    app = Flask(__name__, static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = MOST_BODY_BYTES
    aims, pastes = threading.BoundedSemaphore(MOST_AIMS), threading.BoundedSemaphore(MOST_PASTES)
    pace = Pace(SHORTEST_PAUSE_S)

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

    @app.post(routes.AIM)
    def aim() -> Response:
        request.max_content_length = MOST_BODY_BYTES_AIM
        device = caller()
        pace.check(device)
        with place_among(aims):
            asked = AimRequest.from_wire(parse_json(request.form.get(routes.AIM_PART, "").encode()))
            return jsonify(pasting.aim(device, read_view(file_part(routes.VIEW_PART)), asked).to_wire())

    @app.post(routes.PASTE)
    def paste() -> Response:
        with place_among(pastes):
            asked = PasteRequest.from_wire(parse_json(request.form.get(routes.PASTE_PART, "").encode()))
            cutout, view = read_cutout(file_part(routes.CUTOUT_PART)), read_view(file_part(routes.VIEW_PART))
            return jsonify(pasting.paste(caller(), cutout, view, asked).to_wire())

    @app.post(routes.UNDO)
    def undo() -> Response:
        with place_among(pastes):
            return jsonify(pasting.undo(caller()).to_wire())

    answer_errors_in_json(app)
    return app


def caller() -> str:
    """What the device that asks is called here: not its key."""
    return key_hash(bearer_key(request.headers.get("Authorization")))
