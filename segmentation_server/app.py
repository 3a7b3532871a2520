"""The routes: a photo comes in, its cutout or mask goes out."""

import io
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, TypeAlias, TypeVar

import cv2
import numpy as np
from flask import Flask, Response, jsonify, request
from numpy.typing import NDArray
from PIL import Image

from http_server.answers import answer_errors_in_json, check_key, file_part, is_same_key
from protocol import routes
from protocol.errors import NotReady, ServerBusy
from protocol.messages import FoundObject, HealthAnswer
from segmentation_server.cutout import cut_out, find_object
from segmentation_server.photo import Photo, read_photo
from segmentation_server.segmenter import Mask, Segment
from segmentation_server.settings import Settings

Drawing: TypeAlias = NDArray[np.uint8]  # (H, W, 4) RGBA or (H, W) grey
Answer = TypeVar("Answer")

QUEUE_LENGTH = 4  # photos that wait while one is worked on; more are told to come back
WEBP_SIDE_MOST = 16383  # of the format
ENCODINGS: dict[str, dict[str, Any]] = {
    "image/png": {"format": "PNG", "compress_level": 1},  # a little larger than the best, ten times faster
    "image/webp": {"format": "WEBP", "quality": 90, "method": 0, "exact": True},  # quick; keeps colours under alpha 0
}


class Queue:
    """One thread that works on one photo at a time, and a few callers that wait for it.

    So memory grows neither with the number of callers nor with that of threads, each of which keeps a heap of its own.
    """

    def __init__(self, length: int) -> None:
        """Args: length: how many may wait."""
        self._places = threading.BoundedSemaphore(length + 1)
        self._worker = ThreadPoolExecutor(max_workers=1, thread_name_prefix="photos")

    def run(self, work: Callable[[], Answer]) -> Answer:
        """Do the work when its turn comes.

        Raises:
            ServerBusy: the queue is full.
        """
        if not self._places.acquire(blocking=False):
            raise ServerBusy
        try:
            return self._worker.submit(work).result()
        finally:
            self._places.release()


def create_app(segment: Segment, settings: Settings, is_ready: Callable[[], bool]) -> Flask:
    """The server as a WSGI application.

    Args:
        segment: finds the object in a photo; called by one thread at a time.
        settings: the limits and the API key.
        is_ready: whether the model has run once.
    """
    app = Flask(__name__, static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = settings.max_body_bytes
    app.json.sort_keys = False  # type: ignore[attr-defined]  # the default provider's
    queue = Queue(QUEUE_LENGTH)

    @app.before_request
    def check_caller() -> None:
        if request.path.startswith("/v1/"):
            if settings.api_key is not None:
                check_key(partial(is_same_key, settings.api_key))
            if not is_ready():
                raise NotReady

    @app.get(routes.HEALTHZ)
    def healthz() -> Response:
        return jsonify(HealthAnswer(is_ready(), segment.name).to_wire())

    @app.get(routes.READYZ)
    def readyz() -> Response:
        if not is_ready():
            raise NotReady
        return jsonify(HealthAnswer(True, segment.name).to_wire())

    @app.post(routes.CUTOUT)
    def cutout() -> Response:
        return answer_with(cut_out)

    @app.post(routes.MASK)
    def mask() -> Response:
        return answer_with(lambda _photo, mask: to_grey(mask))

    def answer_with(draw: Callable[[Photo, Mask], Drawing]) -> Response:
        body, kind = file_part(routes.PHOTO_PART), _wanted_kind()

        def work() -> Response:
            photo = read_photo(body, settings.max_pixels)
            mask = segment(photo)
            return _to_response(draw(photo, mask), find_object(mask), kind)

        return queue.run(work)

    answer_errors_in_json(app)
    return app


def _wanted_kind() -> str:
    """PNG unless the client would rather have WebP."""
    return request.accept_mimetypes.best_match(list(ENCODINGS), default="image/png")


def _to_response(drawing: Drawing, found: FoundObject, kind: str) -> Response:
    """A file of that kind, or PNG if it is too large for WebP, with what it shows in the headers."""
    fitting = kind if max(drawing.shape) <= WEBP_SIDE_MOST else "image/png"
    headers = {**found.to_headers(), "Vary": "Accept"}
    return Response(_encode(drawing, fitting), mimetype=fitting, headers=headers)


def to_grey(mask: Mask) -> Drawing:
    """(H, W) float32 in [0, 1] -> (H, W) uint8."""
    return np.asarray(cv2.convertScaleAbs(mask, alpha=255), np.uint8)


def _encode(drawing: Drawing, kind: str) -> bytes:
    """A drawing as a file of that kind."""
    encoded = io.BytesIO()
    Image.fromarray(drawing).save(encoded, **ENCODINGS[kind])
    return encoded.getvalue()
