"""A real server and the bodies that strangers may send it."""

import http.client
import io
import os
import socket
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait

import pytest
import requests
from PIL import Image

from protocol import routes
from protocol.messages import ErrorAnswer
from segmentation_server.settings import MIB
from tests.segmentation_server.server_process import ServerProcess

FORM = {"Content-Type": "multipart/form-data; boundary=x"}
FLAT = 1.5  # times the memory before, about 170 MiB: none of the huge bodies fits in, nor a heap for each caller
HEAD = b"POST /v1/cutout HTTP/1.1\r\nHost: x\r\nContent-Type: multipart/form-data; boundary=x\r\n"


def file_of(picture: Image.Image, file_format: str) -> bytes:
    file = io.BytesIO()
    picture.save(file, file_format)
    return file.getvalue()


def bad_photos(coffee_png: bytes) -> list[bytes]:
    return [
        b"",
        b"hello",
        coffee_png[:60],
        coffee_png[: len(coffee_png) // 2],
        coffee_png[:2000] + os.urandom(100_000),
        os.urandom(200_000),
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        file_of(Image.new("RGB", (600, 400), (90, 120, 150)), "PNG"),  # nothing to cut
        file_of(Image.new("1", (30_000, 30_000)), "PNG"),  # a bomb
        bytes(40 * MIB),
    ]


def assert_is_refused(answer: requests.Response) -> None:
    said = ErrorAnswer.from_wire(answer.json())
    assert 400 <= answer.status_code < 500
    assert said.code
    assert said.sentence.endswith(".")


@pytest.mark.parametrize("path", [routes.CUTOUT, routes.MASK])
def test_ten_bad_bodies_get_ten_answers_and_leave_no_trace(server: ServerProcess, coffee_png: bytes, path: str) -> None:
    photos = bad_photos(coffee_png)
    assert server.send(path, coffee_png).status_code == 200
    for photo in photos:
        server.send(path, photo)
    before = server.memory_mib()

    for photo in photos:
        assert_is_refused(server.send(path, photo))

    assert len(photos) == 10
    assert server.memory_mib() < FLAT * before
    assert server.send(path, coffee_png).status_code == 200


def pieces(count: int, size: int) -> Iterator[bytes]:
    for _ in range(count):
        yield bytes(size)


@pytest.mark.parametrize("path", [routes.CUTOUT, routes.HEALTHZ, "/nothing"])
@pytest.mark.parametrize(("count", "size"), [(2000, 100_000), (1, 200_000_000)], ids=["small chunks", "one huge chunk"])
def test_a_large_chunked_body_is_refused_and_not_kept(server: ServerProcess, path: str, count: int, size: int) -> None:
    before = server.memory_mib()

    answer = requests.post(server.url + path, data=pieces(count, size), headers=FORM, timeout=30)

    assert_is_refused(answer)
    assert server.memory_mib() < FLAT * before


@pytest.mark.parametrize("path", [routes.CUTOUT, routes.HEALTHZ, "/nothing"])
def test_a_large_body_is_refused_and_not_kept(server: ServerProcess, path: str) -> None:
    before = server.memory_mib()

    answer = requests.post(server.url + path, data=bytes(200_000_000), headers=FORM, timeout=30)

    assert_is_refused(answer)
    assert server.memory_mib() < FLAT * before


def test_a_chunked_photo_is_taken(server: ServerProcess, coffee_png: bytes) -> None:
    part = b'--x\r\nContent-Disposition: form-data; name="photo"; filename="photo"\r\n\r\n'
    body = part + coffee_png + b"\r\n--x--\r\n"
    chunks = (body[start : start + 1000] for start in range(0, len(body), 1000))

    answer = requests.post(server.url + routes.CUTOUT, data=chunks, headers=FORM, timeout=30)

    assert answer.status_code == 200


def connect(server: ServerProcess) -> socket.socket:
    return socket.create_connection(("127.0.0.1", int(server.url.rpartition(":")[2])), timeout=20)


def answer_to(server: ServerProcess, request: bytes) -> bytes:
    """Everything that comes back for bytes that no decent client would send."""
    with connect(server) as connection:
        connection.sendall(request)
        connection.shutdown(socket.SHUT_WR)
        return b"".join(iter(lambda: connection.recv(65536), b""))


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"garbage\r\n\r\n",
        HEAD + b"Content-Length: -5\r\n\r\nabc",
        HEAD + b"Content-Length: five\r\n\r\nabc",
        HEAD + b"Content-Length: 1000\r\n\r\n--x\r\n",
        HEAD + b"Transfer-Encoding: chunked\r\n\r\nzz\r\nabc",
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n-5\r\nabc",
        HEAD + b"Transfer-Encoding: chunked\r\n\r\nffffffffff\r\nabc",
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n3\r\nabcdef\r\n",
        HEAD + b"X: " + b"a" * 100_000 + b"\r\n\r\n",
    ],
)
def test_what_is_hardly_http_is_refused_in_json(server: ServerProcess, request_bytes: bytes) -> None:
    answer = answer_to(server, request_bytes)

    assert answer.startswith(b"HTTP/1.1 4")
    assert b"application/json" in answer
    assert b'"code"' in answer


def test_a_client_that_hangs_up_does_no_harm(server: ServerProcess, coffee_png: bytes) -> None:
    for _ in range(20):
        with connect(server) as connection:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")
            connection.sendall(HEAD + b"Content-Length: 100000\r\n\r\n--x\r\n")

    assert server.send(routes.CUTOUT, coffee_png).status_code == 200


def test_the_rest_of_an_unread_body_is_not_taken_for_a_request(server: ServerProcess) -> None:
    hidden = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
    request = b"POST /nothing HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%s" % (len(hidden), hidden)

    assert answer_to(server, request).count(b"HTTP/1.1") == 1


def test_a_connection_is_kept_for_the_next_photo(server: ServerProcess, coffee_png: bytes) -> None:
    photo = {routes.PHOTO_PART: ("photo", coffee_png)}
    request = requests.Request("POST", server.url + routes.CUTOUT, files=photo).prepare()
    connection = http.client.HTTPConnection(server.url.removeprefix("http://"))
    connection.connect()
    first_socket = connection.sock

    for _ in range(2):
        connection.request("POST", routes.CUTOUT, request.body, dict(request.headers))
        answer = connection.getresponse()
        answer.read()
        assert answer.status == 200
        assert connection.sock is first_socket
    connection.close()


def test_memory_stays_flat_under_load(server: ServerProcess, coffee_png: bytes) -> None:
    with ThreadPoolExecutor(16) as callers:
        first = list(callers.map(lambda _: server.send(routes.CUTOUT, coffee_png).status_code, range(16)))
        before = server.memory_mib()
        more = list(callers.map(lambda _: server.send(routes.CUTOUT, coffee_png).status_code, range(32)))

    assert set(first + more) <= {200, 503}
    assert 200 in more
    assert server.memory_mib() < FLAT * before


def test_health_is_answered_while_photos_wait(server: ServerProcess, coffee_png: bytes) -> None:
    with ThreadPoolExecutor(8) as callers:
        photos = [callers.submit(server.send, routes.CUTOUT, coffee_png) for _ in range(8)]
        wait(photos, return_when=FIRST_COMPLETED)  # the first is one too many for a full queue

        assert server.get(routes.HEALTHZ).status_code == 200
        assert not all(photo.done() for photo in photos)
        assert {photo.result().status_code for photo in photos} == {200, 503}
