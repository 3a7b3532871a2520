"""A real agent and the bodies that strangers and broken phones may send it."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest
import requests
from PIL import Image

from demo.desktop import VirtualScreen, environment
from demo.programs import Program, Programs
from desktop_agent.pictures import Picture
from mobile_client.clients import AgentClient
from protocol import routes
from protocol.errors import CertificateWrong
from protocol.messages import ErrorAnswer, PasteRequest
from protocol.pairing import PairingLink, bearer
from tests.desktop_agent.test_pictures import encode, png_that_claims

# The phone's way of trusting the agent's certificate has tests of its own; this is about bodies.
pytestmark = [
    pytest.mark.filterwarnings("ignore:Unverified HTTPS request"),
    pytest.mark.skipif(shutil.which("Xvfb") is None, reason="`make test` installs a virtual screen"),
]
MIB = 2**20
START_S = 60.0
REQUEST = json.dumps(PasteRequest(90.0).to_wire())


@dataclass(frozen=True)
class Agent:
    """An agent that listens, and the key of a phone paired with it."""

    program: Program
    link: PairingLink
    device_key: str

    def post(self, route: str, key: str | None = None, **options: object) -> requests.Response:
        headers = {"Authorization": bearer(key)} if key else {}
        url = self.link.agent_url + route
        return requests.post(url, headers=headers, timeout=60, verify=False, **options)  # type: ignore[arg-type]

    def memory_mib(self) -> float:
        return float(psutil.Process(self.program.process.pid).memory_info().rss) / MIB


@pytest.fixture(scope="module")
def agent(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Agent]:
    folder = tmp_path_factory.mktemp("agent")
    with Programs(folder) as programs:
        screen = VirtualScreen(programs, "screen", 640, 480)
        command = [sys.executable, "-m", "desktop_agent", "--port", "0", "--data-dir", str(folder / "data")]
        command += ["--server-url", "http://127.0.0.1:1", "--no-window"]
        program = programs.start("agent", command, environment(folder / "home", screen.display))
        link = PairingLink.from_uri("arpaste:" + program.wait_for("arpaste:", START_S))
        answer = AgentClient(link.agent_url, link.certificate_sha256).pair(link.token, "test phone")
        yield Agent(program, link, answer.device_key)


Part = tuple[str, bytes | str]


def bad_pastes(cutout: Picture) -> list[dict[str, Part]]:
    good_cutout: Part = ("cutout.png", encode(Image.fromarray(cutout), "PNG"))
    jpeg = encode(Image.effect_noise((640, 480), 60).convert("RGB"), "JPEG")
    good_view: Part = ("view.jpg", jpeg)
    views: list[Part] = [
        ("view.jpg", b""),
        ("view.jpg", b"hello"),
        ("view.jpg", jpeg[:4000]),
        ("view.jpg", os.urandom(200_000)),
        ("view.png", png_that_claims(60_000, 60_000)),
        ("view.bin", bytes(100 * MIB)),
    ]
    return [
        *({"paste": ("", REQUEST), "cutout": good_cutout, "view": view} for view in views),
        {"paste": ("", "{"), "cutout": good_cutout, "view": good_view},
        {"paste": ("", REQUEST), "cutout": ("cutout.png", b"text"), "view": good_view},
        {"paste": ("", REQUEST), "view": good_view},
        {"something": ("", "else")},
    ]


def assert_is_refused(answer: requests.Response) -> None:
    said = ErrorAnswer.from_wire(answer.json())
    assert 400 <= answer.status_code < 500
    assert said.sentence.endswith(".")


def test_ten_bad_pastes_get_ten_answers_and_leave_no_trace(agent: Agent, cutout: Picture) -> None:
    bodies = bad_pastes(cutout)
    for body in bodies:
        agent.post(routes.PASTE, agent.device_key, files=body)
    before_mib = agent.memory_mib()
    for body in bodies:
        assert_is_refused(agent.post(routes.PASTE, agent.device_key, files=body))
    assert agent.memory_mib() - before_mib < 30


def test_ten_bad_pairings_get_ten_answers(agent: Agent) -> None:
    bodies = [
        b"",
        b"{",
        b"[]",
        b"null",
        b"\xff",
        b"7",
        b'{"token": 1}',
        b"[" * 10**6,
        os.urandom(10**5),
        bytes(100 * MIB),
    ]
    for body in bodies:
        assert_is_refused(agent.post(routes.PAIR, data=body))


def test_strangers_get_nothing_for_a_good_paste(agent: Agent, cutout: Picture) -> None:
    body = bad_pastes(cutout)[0]
    assert agent.post(routes.PASTE, files=body).status_code == 401
    assert agent.post(routes.PASTE, "guess", files=body).status_code == 401


def test_after_all_that_a_paired_phone_is_still_served(agent: Agent, cutout: Picture) -> None:
    phone = AgentClient(agent.link.agent_url, agent.link.certificate_sha256, agent.device_key)
    assert phone.status().wire_version == routes.WIRE_VERSION


def test_an_agent_without_a_desktop_does_not_start(tmp_path: Path) -> None:
    without_screen = {name: value for name, value in os.environ.items() if name not in ("DISPLAY", "WAYLAND_DISPLAY")}
    command = [sys.executable, "-m", "desktop_agent", "--port", "0", "--data-dir", str(tmp_path)]
    ended = subprocess.run(command, env=without_screen, capture_output=True, text=True, timeout=START_S, check=False)
    assert ended.returncode == 2
    assert ended.stderr.startswith("The computer's desktop cannot be seen or reached.")
    assert "Traceback" not in ended.stderr


def test_a_second_agent_is_told_that_one_runs_already(agent: Agent, tmp_path: Path) -> None:
    port = str(agent.link.port)
    command = [sys.executable, "-m", "desktop_agent", "--port", port, "--data-dir", str(tmp_path)]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=START_S, check=False)
    assert ended.returncode == 2
    assert "it runs already" in ended.stderr


def test_a_phone_that_expects_another_certificate_says_nothing_to_this_agent(agent: Agent) -> None:
    with pytest.raises(CertificateWrong):
        AgentClient(agent.link.agent_url, "00" * 32, agent.device_key).status()
