"""photo -> cutout and cutout + view -> paste, asked of the two servers over HTTP."""

import io
import json
import time
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import requests
from PIL import Image
from requests.adapters import HTTPAdapter
from urllib3.exceptions import HTTPError

from mobile_client.agent_clock import AgentClock, Reading
from protocol.errors import (
    AgentUnreachable,
    CertificateWrong,
    CopyPasteError,
    MessageInvalid,
    ServerUnreachable,
)
from protocol.messages import (
    AimAnswer,
    AimRequest,
    ErrorAnswer,
    FoundObject,
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
from protocol.pairing import bearer
from protocol.routes import (
    AIM,
    AIM_PART,
    CUTOUT,
    CUTOUT_PART,
    HEALTHZ,
    PAIR,
    PASTE,
    PASTE_PART,
    PHOTO_PART,
    STATUS,
    UNDO,
    VIEW_PART,
)

Picture = npt.NDArray[np.uint8]  # (H, W, 3) RGB: a photo or a view
Cutout = npt.NDArray[np.uint8]  # (h, w, 4) RGBA, straight alpha

PHOTO_LONG_SIDE = 1600  # pixels; 163 kB as JPEG, and edges still sharp on a 4K screen
VIEW_LONG_SIDE = 1280  # pixels; more does not help to find the screen
AIM_LONG_SIDE = 640  # pixels; some 30 kB as JPEG, a few times a second
TIMEOUTS_S = (4.0, 60.0)  # to connect within a LAN; between two bytes, while a slow CPU runs the model
AIM_TIMEOUTS_S = (2.0, 8.0)  # where it was aimed at longer ago is of no use
MOST_BYTES_JSON = 64 * 1024
MOST_BYTES_PICTURE = 32 * 1024 * 1024  # a PNG of 1600 x 1600 RGBA has 10 MB before compression
CHUNK_BYTES = 64 * 1024
OPAQUE = 128  # the alpha from which on a pixel belongs to the object
MOST_AT_EDGE = 0.03  # of a side of the photo: a thing that touches more of it goes on beyond it


@dataclass(frozen=True)
class AimedView:
    """A picture of the computer's screen, and how the cutout floats over it."""

    view: Picture
    taken_s: float  # by this phone's own clock, time.monotonic
    width_view: float  # how wide the cutout floats, in pixels of the view
    turn_deg: float = 0.0  # how far it floats turned, clockwise


@dataclass(frozen=True)
class CopiedThing:
    """What came back for a photo."""

    cutout: Cutout  # cropped to its box
    is_whole: bool  # False if the thing goes on beyond an edge of the photo


def fit_within(picture: Picture, long_side: int) -> Picture:
    """The picture with its long side at most `long_side` pixels; it is never enlarged."""
    height, width = picture.shape[:2]
    if max(height, width) <= long_side:
        return picture
    scale = long_side / max(height, width)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return np.array(Image.fromarray(picture).resize(size, Image.Resampling.LANCZOS, reducing_gap=2.0))


class SegmentationClient:
    """Asks the segmentation server for cutouts."""

    def __init__(self, address: ServerAddress) -> None:
        """Args: address: where the server is, as the agent told when this phone was paired."""
        self._server = _Server(address.url, address.certificate_sha256, address.api_key, ServerUnreachable)

    def cut_out(self, photo: Picture) -> CopiedThing:
        """Cut the object out of a photo.

        Args:
            photo: (H, W, 3) uint8, RGB; sent with its long side at most PHOTO_LONG_SIDE.

        Returns:
            Its cutout, (h, w, 4) uint8, RGBA, straight alpha, in pixels of the photo as sent; and whether it is whole.

        Raises:
            NothingToCut: no object stands out.
            ServerUnreachable: no answer, or only a part of one.
            CertificateWrong: another computer answered; nothing was sent to it.
            MessageInvalid: the answer is not a cutout of this photo.
            CopyPasteError: whatever else the server says is wrong.
        """
        photo = fit_within(photo, PHOTO_LONG_SIDE)
        parts = {PHOTO_PART: ("photo.jpg", _jpeg(photo, quality=90), "image/jpeg")}
        body, headers = self._server.ask("POST", CUTOUT, MOST_BYTES_PICTURE, files=parts)
        height, width = photo.shape[:2]
        cutout = _decode_cutout(body, (width, height))
        return CopiedThing(_crop(cutout, FoundObject.from_headers(headers)), _is_whole(cutout))

    def health(self) -> HealthAnswer:
        """How the server is; raises what `cut_out` raises."""
        return HealthAnswer.from_wire(self._server.ask_json("GET", HEALTHZ))


class AgentClient:
    """Asks a computer's agent to pair, who it is, where a paste would go, to paste and to undo."""

    def __init__(self, url: str, certificate_sha256: str, device_key: str | None = None) -> None:
        """Args: device_key: what the agent gave when this phone was paired; None before that."""
        self._server = _Server(url, certificate_sha256, device_key, AgentUnreachable)
        self._clock = AgentClock()

    def pair(self, token: str, device_name: str) -> PairAnswer:
        """Exchange the one-time token of a pairing link for a key.

        Raises:
            TokenInvalid: it was used before or has expired.
            AgentUnreachable, CertificateWrong, MessageInvalid: as in `paste`.
        """
        request = PairRequest(token, device_name)
        return PairAnswer.from_wire(self._server.ask_json("POST", PAIR, json=request.to_wire()))

    def status(self) -> StatusAnswer:
        """Who the agent is, and what its clock says; raises what `paste` raises."""
        asked_s = time.monotonic()
        answer = StatusAnswer.from_wire(self._server.ask_json("GET", STATUS))
        self._clock.learn(Reading(asked_s, time.monotonic(), answer.clock_s))
        return answer

    def aim(self, aimed: AimedView) -> AimAnswer:
        """Where a paste would go.

        Args:
            aimed: its view is sent with its long side at most AIM_LONG_SIDE.

        Raises:
            ScreenNotInView and the like: it would go nowhere; why.
            AgentUnreachable, CertificateWrong, MessageInvalid: as in `paste`.
        """
        view = fit_within(aimed.view, AIM_LONG_SIDE)
        request = AimRequest(_width_in(view, aimed), self._clock.agent_time_s(aimed.taken_s))
        parts = {
            AIM_PART: (None, json.dumps(request.to_wire()), "application/json"),
            VIEW_PART: ("view.jpg", _jpeg(view, quality=70), "image/jpeg"),
        }
        return AimAnswer.from_wire(self._server.ask_json("POST", AIM, files=parts, timeout=AIM_TIMEOUTS_S))

    def paste(self, cutout: Cutout, aimed: AimedView, *, is_second_view: bool = False) -> PasteAnswer:
        """Paste a cutout at the screen point under the centre of a view.

        Args:
            cutout: (h, w, 4) uint8, RGBA, straight alpha.
            aimed: its view is sent with its long side at most VIEW_LONG_SIDE.
            is_second_view: whether it was taken because the first try raised SecondViewWanted.

        Raises:
            AgentUnreachable: no answer, or only a part of one.
            CertificateWrong: another computer answered; nothing was sent to it.
            MessageInvalid: the answer is not one that this version understands.
            CopyPasteError: whatever the agent says is wrong, such as ScreenNotInView.
        """
        view = fit_within(aimed.view, VIEW_LONG_SIDE)
        request = PasteRequest(
            _width_in(view, aimed),
            aimed.turn_deg,
            shutter_s=self._clock.agent_time_s(aimed.taken_s),
            is_second_view=is_second_view,
        )
        parts = {
            PASTE_PART: (None, json.dumps(request.to_wire()), "application/json"),
            CUTOUT_PART: ("cutout.png", _png(cutout), "image/png"),
            VIEW_PART: ("view.jpg", _jpeg(view, quality=85), "image/jpeg"),
        }
        return PasteAnswer.from_wire(self._server.ask_json("POST", PASTE, files=parts))

    def undo(self) -> UndoAnswer:
        """Take back the last paste.

        Raises:
            NothingToUndo: there is none.
            AgentUnreachable, CertificateWrong, MessageInvalid: as in `paste`.
        """
        return UndoAnswer.from_wire(self._server.ask_json("POST", UNDO))


class _PinnedAdapter(HTTPAdapter):
    """Trusts one certificate, by its fingerprint, whoever signed it and whatever name it bears."""

    def __init__(self, certificate_sha256: str) -> None:
        self._certificate_sha256 = certificate_sha256
        super().__init__()

    def init_poolmanager(self, *arguments: Any, **options: Any) -> None:
        super().init_poolmanager(*arguments, assert_fingerprint=self._certificate_sha256, **options)

    def cert_verify(self, conn: Any, *_ignored: Any, **_also_ignored: Any) -> None:
        """Leave out the chain of signatures: the fingerprint is checked instead, before a byte is sent."""
        conn.cert_reqs = "CERT_NONE"


class _Server:
    """One server: its address, its key, a kept-alive connection, and what its silence is called."""

    def __init__(
        self, url: str, certificate_sha256: str | None, key: str | None, unreachable: type[CopyPasteError]
    ) -> None:
        self._url = url.rstrip("/")
        self._unreachable = unreachable
        self._session = requests.Session()
        self._session.trust_env = False  # a proxy or CA bundle of the environment has no say in the LAN
        if key:
            self._session.headers["Authorization"] = bearer(key)
        if certificate_sha256:
            self._session.mount("https://", _PinnedAdapter(certificate_sha256))

    def ask(self, method: str, route: str, most_bytes: int, **options: Any) -> tuple[bytes, Any]:
        """The body and headers of a successful answer; an error answer is raised."""
        options = {"timeout": TIMEOUTS_S, "allow_redirects": False, "stream": True, **options}
        try:
            with self._session.request(method, self._url + route, **options) as answer:
                body = _read_body(answer, most_bytes)
        except requests.exceptions.SSLError as error:
            raise (CertificateWrong if _is_about_certificate(error) else self._unreachable)() from error
        except (requests.exceptions.RequestException, HTTPError) as error:  # requests lets some of urllib3's through
            raise self._unreachable from error
        if answer.status_code != requests.codes.ok:
            raise ErrorAnswer.from_wire(parse_json(body)).to_error()
        return body, answer.headers

    def ask_json(self, method: str, route: str, **options: Any) -> object:
        """The JSON of a successful answer."""
        body, _headers = self.ask(method, route, MOST_BYTES_JSON, **options)
        return parse_json(body)


def _is_about_certificate(error: requests.exceptions.SSLError) -> bool:
    """Whether a TLS failure means another computer, rather than one that went away."""
    return "ingerprint" in str(error) or "CERTIFICATE_VERIFY_FAILED" in str(error)


def _read_body(answer: requests.Response, most_bytes: int) -> bytes:
    body = bytearray()
    for chunk in answer.iter_content(CHUNK_BYTES):
        body += chunk
        if len(body) > most_bytes:
            raise MessageInvalid("The answer is too large.")
    return bytes(body)


def _decode_cutout(body: bytes, size: tuple[int, int]) -> Cutout:
    """Decode an answered picture; one of another (width, height) is refused before it is decoded."""
    try:
        with Image.open(io.BytesIO(body), formats=["PNG", "WEBP"]) as picture:
            if picture.size != size:
                raise MessageInvalid("The answered cutout does not have the size of the photo.")
            return np.array(picture.convert("RGBA"))
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise MessageInvalid("The answer is not a picture.") from error


def _crop(cutout: Cutout, found: FoundObject) -> Cutout:
    box = found.box
    height, width = cutout.shape[:2]
    is_inside = 0 <= box.x < box.x + box.width <= width and 0 <= box.y < box.y + box.height <= height
    if not is_inside:
        raise MessageInvalid("The box of the object lies outside the photo.")
    return cutout[box.y : box.y + box.height, box.x : box.x + box.width]


def _is_whole(cutout: Cutout) -> bool:
    """Whether a cutout of the photo's size keeps away from the photo's edges."""
    is_opaque = cutout[..., 3] >= OPAQUE  # (H, W)
    sides = (is_opaque[0], is_opaque[-1], is_opaque[:, 0], is_opaque[:, -1])
    return all(side.mean() <= MOST_AT_EDGE for side in sides)


def _width_in(view: Picture, aimed: AimedView) -> float:
    """How wide the cutout floats in a view that may have been made smaller."""
    return float(aimed.width_view * view.shape[1] / aimed.view.shape[1])


def _jpeg(picture: Picture, quality: int) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(picture).save(stream, "JPEG", quality=quality)
    return stream.getvalue()


def _png(cutout: Cutout) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(cutout)).save(stream, "PNG", compress_level=1)  # level 6 takes twice as long
    return stream.getvalue()
