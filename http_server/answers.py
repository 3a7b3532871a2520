"""Errors -> JSON answers, and the check of keys."""

import hmac
from collections.abc import Callable
from http import HTTPStatus

from flask import Flask, Response, jsonify, request
from werkzeug.exceptions import HTTPException

from protocol.errors import (
    BodyTooLarge,
    CopyPasteError,
    MessageInvalid,
    MethodNotAllowed,
    NotAuthorised,
    PartMissing,
    RouteUnknown,
)
from protocol.messages import ErrorAnswer
from protocol.pairing import bearer_key, key_hash

RETRY_AFTER_S = 2
HEADERS_BY_STATUS = {401: {"WWW-Authenticate": "Bearer"}, 503: {"Retry-After": str(RETRY_AFTER_S)}}
ERRORS_BY_STATUS = {404: RouteUnknown, 405: MethodNotAllowed, 413: BodyTooLarge}


def answer_errors_in_json(app: Flask) -> None:
    """Let every error of an application be answered as an ErrorAnswer; what is unexpected is logged."""

    @app.errorhandler(CopyPasteError)
    def answer_error(error: CopyPasteError) -> Response:
        answer = jsonify(ErrorAnswer.of(error).to_wire())
        answer.status_code = error.status
        answer.headers.update(HEADERS_BY_STATUS.get(error.status, {}))
        return answer

    @app.errorhandler(HTTPException)
    def answer_http_error(error: HTTPException) -> Response:
        status = error.code or HTTPStatus.INTERNAL_SERVER_ERROR
        answer = answer_error(ERRORS_BY_STATUS.get(status, MessageInvalid)())
        answer.headers.extend(
            (name, text) for name, text in error.get_headers(request.environ) if name != "Content-Type"
        )  # such as Allow
        return answer

    @app.errorhandler(Exception)
    def answer_unexpected_error(error: Exception) -> Response:
        app.logger.error("%s %s failed", request.method, request.path, exc_info=error)
        return answer_error(CopyPasteError())


def check_key(is_known: Callable[[str], bool]) -> None:
    """Let only callers pass who send a known key.

    Raises:
        NotAuthorised: the request has none, or another.
    """
    if not is_known(bearer_key(request.headers.get("Authorization"))):
        raise NotAuthorised


def is_same_key(key: str, claimed: str) -> bool:
    """Compared by hash, so that the time taken says nothing of the key nor of its length."""
    return hmac.compare_digest(key_hash(claimed), key_hash(key))


def file_part(name: str) -> bytes:
    """The bytes of one file of a multipart body.

    Raises:
        PartMissing: there is none of that name, or it is empty.
    """
    part = request.files.get(name)
    body = part.read() if part else b""
    if not body:
        raise PartMissing(f'It is called "{name}".')
    return body
