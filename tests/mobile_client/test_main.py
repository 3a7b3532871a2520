"""The app as a program: its command line, what it prints, and a real click on its real window."""

import json
import os
import queue
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from PIL import Image

from mobile_client.__main__ import NO_SCREEN, make_camera
from protocol.errors import (
    AgentUnreachable,
    CopyPasteError,
    PairingLinkInvalid,
    ServerUnreachable,
    SettingsInvalid,
    WebcamUnavailable,
)
from protocol.messages import PairAnswer, ServerAddress
from protocol.pairing import PairingLink
from tests.mobile_client.fakes import Answer, FakeServer

PAIRED = Answer(
    json.dumps(PairAnswer("key", "desk", ServerAddress("http://127.0.0.1:9", None, None)).to_wire()).encode()
)


class RunningApp:
    """The program, its printed lines as they come."""

    def __init__(self, home: Path, *arguments: str, **environment: str) -> None:
        home.mkdir(exist_ok=True)
        self.process = subprocess.Popen(
            [sys.executable, "-m", "mobile_client", *arguments],
            env={**_environment(home), **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self._lines: queue.Queue[str] = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()

    def next_line(self) -> str:
        return self._lines.get(timeout=60)

    def stop(self) -> None:
        self.process.kill()
        self.process.wait()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self._lines.put(line.rstrip("\n"))


def _environment(home: Path) -> dict[str, str]:
    left_out = ("KIVY", "XDG_", "DISPLAY", "WAYLAND_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(left_out)}
    return {**kept, "HOME": str(home), "SDL_VIDEODRIVER": "offscreen", "PYTHONPATH": os.pathsep.join(sys.path)}


@contextmanager
def running(app: RunningApp) -> Iterator[RunningApp]:
    try:
        yield app
    finally:
        app.stop()


def run(home: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "mobile_client", *arguments]
    environment = {**_environment(home), **environment}
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    path = tmp_path / "camera.png"
    Image.new("RGB", (60, 40), (150, 90, 50)).save(path)
    return path


def test_the_first_line_says_that_the_window_is_drawn(tmp_path: Path, picture: Path) -> None:
    with running(RunningApp(tmp_path / "home", "--camera", f"file:{picture}")) as app:
        assert app.next_line() == "Phone app ready"


def test_the_app_writes_nothing_outside_its_data_folder(tmp_path: Path, picture: Path) -> None:
    folder = tmp_path / "folder"
    arguments = ("--camera", f"file:{picture}", "--data-dir", str(folder))
    with running(RunningApp(tmp_path / "home", *arguments)) as app:
        app.next_line()
    assert list((tmp_path / "home").iterdir()) == []


def test_the_app_can_pair_from_the_command_line(
    tmp_path: Path, picture: Path, tls_server: FakeServer, certificate: tuple[Path, str]
) -> None:
    tls_server.answer = lambda _: PAIRED
    link = PairingLink("127.0.0.1", tls_server.server_port, certificate[1], "token").to_uri()
    folder = tmp_path / "folder"
    arguments = ("--camera", f"file:{picture}", "--data-dir", str(folder), "--pair", link)
    with running(RunningApp(tmp_path / "home", *arguments)) as app:
        assert app.next_line() == "Phone app ready"
    assert (folder / "pairing.json").exists()


@pytest.mark.parametrize(
    ("camera", "error"),
    [
        ("film", SettingsInvalid("--camera takes file:PATH or webcam[:N].")),
        ("file:nowhere.png", SettingsInvalid("There is no file nowhere.png.")),
        (f"file:{__file__}", SettingsInvalid(f"{__file__} is not a picture.")),
        ("webcam:77", WebcamUnavailable("(`python -m mobile_client` tried webcam 77.)")),
    ],
)
def test_a_camera_that_is_none_says_why_and_what_is_right(tmp_path: Path, camera: str, error: CopyPasteError) -> None:
    ended = run(tmp_path, "--camera", camera)
    assert ended.returncode == 2
    assert ended.stderr == f"{error.sentence}\n"
    assert ended.stdout == ""


@pytest.mark.parametrize("source", ["file:", "webcam:x", "webcam:-1"])
def test_a_camera_of_no_known_kind_is_refused(source: str) -> None:
    with pytest.raises(SettingsInvalid):
        make_camera(source)


@pytest.mark.parametrize("display", ["", ":9999"], ids=["none", "nobody's"])
def test_without_a_screen_the_app_does_not_start(tmp_path: Path, picture: Path, display: str) -> None:
    ended = run(tmp_path, "--camera", f"file:{picture}", DISPLAY=display, SDL_VIDEODRIVER="")
    assert ended.returncode == 2
    assert ended.stderr == f"{SettingsInvalid(NO_SCREEN).sentence}\n"
    assert ended.stdout == ""


def test_a_wrong_link_is_one_sentence_and_exit_code_2(tmp_path: Path, picture: Path) -> None:
    ended = run(tmp_path, "--camera", f"file:{picture}", "--pair", "https://example.org")
    assert ended.returncode == 2
    assert ended.stderr == f"{PairingLinkInvalid().sentence}\n"


@pytest.mark.parametrize("host", ["a..b", "x" * 70])
def test_a_link_to_a_computer_that_cannot_be_is_one_sentence_and_exit_code_2(
    tmp_path: Path, picture: Path, host: str
) -> None:
    link = PairingLink(host, 1, "ab" * 32, "token").to_uri()
    ended = run(tmp_path, "--camera", f"file:{picture}", "--pair", link)
    assert ended.returncode == 2
    assert ended.stderr == f"{AgentUnreachable().sentence}\n"


@pytest.mark.skipif(shutil.which("Xvfb") is None, reason="Xvfb is not installed")
def test_a_real_click_on_the_real_window_taps(
    tmp_path: Path,
    picture: Path,
    tls_server: FakeServer,
    certificate: tuple[Path, str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (tmp_path / "nobody").touch()
    monkeypatch.setenv("XAUTHORITY", str(tmp_path / "nobody"))  # old releases of Xlib want a file
    tls_server.answer = lambda _: PAIRED
    link = PairingLink("127.0.0.1", tls_server.server_port, certificate[1], "token").to_uri()
    arguments = ("--camera", f"file:{picture}", "--pair", link)
    with (
        _x_server() as display,
        running(RunningApp(tmp_path / "home", *arguments, DISPLAY=display, SDL_VIDEODRIVER="x11")) as app,
    ):
        assert app.next_line() == "Phone app ready"
        _click(display, 216, 400)
        assert app.next_line() == "state: copying"
        assert app.next_line() == "state: aiming"
        assert app.next_line() == f"message: {ServerUnreachable().sentence}"


@contextmanager
def _x_server() -> Iterator[str]:
    command = ["Xvfb", "-displayfd", "1", "-screen", "0", "432x768x24", "-nolisten", "tcp", "-noreset"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as server:
        assert server.stdout is not None
        try:
            yield f":{server.stdout.readline().strip()}"
        finally:
            server.terminate()


def _click(display: str, x: int, y: int) -> None:
    from Xlib import X
    from Xlib.display import Display
    from Xlib.ext import xtest

    connection = Display(display)
    for event, detail in ((X.MotionNotify, 0), (X.ButtonPress, 1), (X.ButtonRelease, 1)):
        xtest.fake_input(connection, event, detail, x=x, y=y)
        connection.sync()
    connection.close()
