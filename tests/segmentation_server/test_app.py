"""The routes, with a model of three lines."""

import io
import threading
from dataclasses import dataclass, field

import numpy as np
import pytest
from flask.testing import FlaskClient
from PIL import Image
from werkzeug.test import TestResponse

from protocol import routes
from protocol.errors import (
    BodyTooLarge,
    CopyPasteError,
    MethodNotAllowed,
    NotAPicture,
    NotAuthorised,
    NothingToCut,
    NotReady,
    PartMissing,
    PictureBroken,
    RouteUnknown,
    ServerBusy,
    TooManyPixels,
)
from protocol.geometry import Box
from protocol.messages import ErrorAnswer, FoundObject, HealthAnswer
from protocol.pairing import bearer
from segmentation_server.app import QUEUE_LENGTH, create_app
from segmentation_server.photo import Photo
from segmentation_server.segmenter import Mask, Segment
from segmentation_server.settings import Settings

KEY = "a key of many letters"


@dataclass(frozen=True)
class BrightSegment:
    """Takes whatever is bright for the object."""

    name: str = "bright"

    def __call__(self, photo: Photo) -> Mask:
        return np.asarray(photo.min(axis=2) > 128, np.float32)


@dataclass(frozen=True)
class BrokenSegment:
    """Fails as no code of ours should."""

    name: str = "broken"

    def __call__(self, photo: Photo) -> Mask:
        raise ZeroDivisionError("a secret of the inside")


@dataclass(frozen=True)
class SlowSegment:
    """Waits until it is let go on, and counts how many are inside at once."""

    name: str = "slow"
    may_go_on: threading.Event = field(default_factory=threading.Event)
    inside: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(1))

    def __call__(self, photo: Photo) -> Mask:
        assert self.inside.acquire(blocking=False)
        self.may_go_on.wait(30)
        self.inside.release()
        return BrightSegment()(photo)


def client_of(segment: Segment, settings: Settings | None = None, *, is_ready: bool = True) -> FlaskClient:
    return create_app(segment, settings or Settings(), lambda: is_ready).test_client()


@pytest.fixture
def client() -> FlaskClient:
    return client_of(BrightSegment())


def photo_of_a_square(side: int = 40) -> bytes:
    """A white square, 20 x 10, at (5, 10) on black."""
    picture = Image.new("RGB", (side * 2, side))
    picture.paste((255, 255, 255), (5, 10, 25, 20))
    file = io.BytesIO()
    picture.save(file, "PNG")
    return file.getvalue()


def send(client: FlaskClient, path: str, photo: bytes, **headers: str) -> TestResponse:
    parts = {routes.PHOTO_PART: (io.BytesIO(photo), "photo.png")}
    return client.post(path, data=parts, headers=headers)


def picture_in(answer: TestResponse) -> Image.Image:
    assert answer.status_code == 200, answer.text
    return Image.open(io.BytesIO(answer.data))


def assert_is(answer: TestResponse, error: type[CopyPasteError]) -> None:
    assert answer.mimetype == "application/json"
    said = ErrorAnswer.from_wire(answer.json)
    assert (answer.status_code, said.code) == (error.status, error.code)
    assert said.sentence.startswith(error.__doc__ or "-")


def test_a_photo_becomes_its_cutout(client: FlaskClient) -> None:
    answer = send(client, routes.CUTOUT, photo_of_a_square())

    picture = picture_in(answer)
    assert (picture.format, picture.mode, picture.size) == ("PNG", "RGBA", (80, 40))
    assert picture.getpixel((10, 15)) == (255, 255, 255, 255)
    assert picture.getpixel((60, 30)) == (0, 0, 0, 0)


def test_a_photo_becomes_its_mask(client: FlaskClient) -> None:
    picture = picture_in(send(client, routes.MASK, photo_of_a_square()))

    assert (picture.format, picture.mode, picture.size) == ("PNG", "L", (80, 40))
    assert picture.getpixel((10, 15)) == 255
    assert picture.getpixel((60, 30)) == 0


@pytest.mark.parametrize("path", [routes.CUTOUT, routes.MASK])
def test_headers_say_where_the_object_is(client: FlaskClient, path: str) -> None:
    answer = send(client, path, photo_of_a_square())

    assert FoundObject.from_headers(dict(answer.headers)) == FoundObject(1.0, Box(5, 10, 20, 10))


@pytest.mark.parametrize("path", [routes.CUTOUT, routes.MASK])
@pytest.mark.parametrize(
    ("accept", "picture_format"),
    [
        ("image/webp", "WEBP"),
        ("image/webp, image/png;q=0.5", "WEBP"),
        ("image/png, image/webp", "PNG"),
        ("image/webp;q=0.5, image/png", "PNG"),
        ("*/*", "PNG"),
        ("text/html", "PNG"),
    ],
)
def test_the_client_chooses_the_format(client: FlaskClient, path: str, accept: str, picture_format: str) -> None:
    answer = send(client, path, photo_of_a_square(), Accept=accept)

    assert picture_in(answer).format == picture_format
    assert answer.mimetype == f"image/{picture_format.lower()}"


def test_colours_under_alpha_0_survive_webp(client: FlaskClient) -> None:
    picture = picture_in(send(client, routes.CUTOUT, photo_of_a_square(), Accept="image/webp"))

    red, _, _, alpha = np.asarray(picture)[15, 27]  # two pixels beside the square
    assert alpha == 0
    assert red > 200


@pytest.mark.parametrize("size", [(1, 1), (1, 40_000), (40_000, 3), (2, 2)])
@pytest.mark.parametrize("path", [routes.CUTOUT, routes.MASK])
def test_a_photo_may_have_any_shape(client: FlaskClient, path: str, size: tuple[int, int]) -> None:
    file = io.BytesIO()
    Image.new("L", size, 255).save(file, "PNG")

    assert picture_in(send(client, path, file.getvalue(), Accept="image/webp")).size == size


@pytest.mark.parametrize("path", [routes.CUTOUT, routes.MASK])
@pytest.mark.parametrize(
    ("photo", "error"),
    [
        (b"", PartMissing),
        (b"hello", NotAPicture),
        (b"<svg/>", NotAPicture),
        (photo_of_a_square()[:70], PictureBroken),
        (photo_of_a_square(side=3000), TooManyPixels),
        (bytes(300_000), BodyTooLarge),
    ],
)
def test_each_wrong_photo_gets_its_own_answer(path: str, photo: bytes, error: type[CopyPasteError]) -> None:
    client = client_of(BrightSegment(), Settings(max_body_bytes=200_000, max_pixels=10_000_000))

    assert_is(send(client, path, photo), error)


@pytest.mark.parametrize("path", [routes.CUTOUT, routes.MASK])
def test_a_photo_with_nothing_in_it_gets_an_answer_that_says_so(client: FlaskClient, path: str) -> None:
    file = io.BytesIO()
    Image.new("RGB", (80, 40)).save(file, "PNG")

    assert_is(send(client, path, file.getvalue()), NothingToCut)


def test_a_body_that_is_not_multipart_has_no_photo(client: FlaskClient) -> None:
    assert_is(client.post(routes.CUTOUT, data=photo_of_a_square(), content_type="image/png"), PartMissing)


def test_a_part_by_another_name_is_not_the_photo(client: FlaskClient) -> None:
    parts = {"file": (io.BytesIO(photo_of_a_square()), "photo.png")}

    assert_is(client.post(routes.CUTOUT, data=parts), PartMissing)


def test_a_multipart_body_without_a_boundary_has_no_photo(client: FlaskClient) -> None:
    assert_is(client.post(routes.CUTOUT, data=b"x", content_type="multipart/form-data"), PartMissing)


def test_an_unknown_address_is_json(client: FlaskClient) -> None:
    assert_is(client.get("/nothing/here"), RouteUnknown)


def test_a_wrong_method_is_json_and_says_what_is_allowed(client: FlaskClient) -> None:
    answer = client.get(routes.CUTOUT)

    assert_is(answer, MethodNotAllowed)
    assert "POST" in answer.headers["Allow"]


def test_an_unexpected_error_is_logged_and_its_inside_is_not_told(caplog: pytest.LogCaptureFixture) -> None:
    answer = send(client_of(BrokenSegment()), routes.CUTOUT, photo_of_a_square())

    assert_is(answer, CopyPasteError)
    assert "secret" not in answer.text
    assert "ZeroDivisionError: a secret of the inside" in caplog.text


# --- Ready or not -----------------------------------------------------------------------------------------------------


def test_a_server_whose_model_has_not_run_is_alive_but_not_ready() -> None:
    client = client_of(BrightSegment(), is_ready=False)

    alive = client.get(routes.HEALTHZ)
    assert HealthAnswer.from_wire(alive.json) == HealthAnswer(False, "bright")
    assert_is(client.get(routes.READYZ), NotReady)
    assert_is(send(client, routes.CUTOUT, photo_of_a_square()), NotReady)
    assert_is(send(client, routes.MASK, photo_of_a_square()), NotReady)


def test_a_server_whose_model_has_run_is_ready(client: FlaskClient) -> None:
    assert HealthAnswer.from_wire(client.get(routes.READYZ).json) == HealthAnswer(True, "bright")


# --- Keys -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "authorization", [None, "", "Bearer", "Bearer wrong", f"Basic {KEY}", KEY, f"Bearer {KEY}x", "Bearer k\xe9y"]
)
@pytest.mark.parametrize("path", [routes.CUTOUT, routes.MASK, "/v1/nothing"])
def test_nobody_without_the_key_is_served(path: str, authorization: str | None) -> None:
    client = client_of(BrightSegment(), Settings(api_key=KEY))

    headers = {} if authorization is None else {"Authorization": authorization}
    answer = send(client, path, photo_of_a_square(), **headers)

    assert_is(answer, NotAuthorised)
    assert answer.headers["WWW-Authenticate"] == "Bearer"


def test_whoever_has_the_key_is_served() -> None:
    client = client_of(BrightSegment(), Settings(api_key=KEY))

    assert send(client, routes.CUTOUT, photo_of_a_square(), Authorization=bearer(KEY)).status_code == 200


def test_health_needs_no_key() -> None:
    client = client_of(BrightSegment(), Settings(api_key=KEY))

    assert client.get(routes.HEALTHZ).status_code == 200
    assert client.get(routes.READYZ).status_code == 200


# --- Load -------------------------------------------------------------------------------------------------------------


def test_one_photo_at_a_time_a_few_wait_and_the_rest_come_back_later() -> None:
    segment = SlowSegment()
    app = create_app(segment, Settings(), lambda: True)
    answers: list[TestResponse] = []
    is_refused = threading.Event()

    def ask() -> None:
        answer = send(app.test_client(), routes.CUTOUT, photo_of_a_square())
        answers.append(answer)
        if answer.status_code == ServerBusy.status:
            is_refused.set()

    callers = [threading.Thread(target=ask) for _ in range(QUEUE_LENGTH + 2)]
    for caller in callers:
        caller.start()
    assert is_refused.wait(10)
    segment.may_go_on.set()
    for caller in callers:
        caller.join()

    assert sorted(answer.status_code for answer in answers) == [200] * (QUEUE_LENGTH + 1) + [503]
    refused = next(answer for answer in answers if answer.status_code == ServerBusy.status)
    assert_is(refused, ServerBusy)
    assert int(refused.headers["Retry-After"]) > 0
