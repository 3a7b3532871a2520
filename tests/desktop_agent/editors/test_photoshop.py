"""Photoshop, on a fake of its scripting objects, its remote connection, its COM object and osascript."""

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from cryptography.hazmat.primitives.ciphers import algorithms

from desktop_agent.editors import Editor, photoshop_scripting
from desktop_agent.editors.photoshop import Photoshop
from desktop_agent.editors.photoshop_scripting import (
    Scripting,
    by_apple_events,
    by_com,
    local_scripting,
    over_remote_connection,
)
from desktop_agent.editors.profiles import Editors
from desktop_agent.paste import Desktop, Paster
from desktop_agent.pictures import Cutout, Picture
from desktop_agent.platforms import Platform, Window
from desktop_agent.screenshot import Screenshot
from protocol.errors import EditorRefused, PermissionMissing
from protocol.geometry import Box, ScreenPoint
from protocol.messages import PasteRequest
from tests.desktop_agent.editors.fake_photoshop import Photoshop as FakePhotoshop
from tests.desktop_agent.editors.fake_photoshop import RemoteConnection, derive_key
from tests.desktop_agent.test_look import lay

WINDOW = Window(1, "Photoshop", box=Box(0, 0, 1280, 800))
ANYWHERE = ScreenPoint(0, 0)
PLATFORM: Platform = SimpleNamespace(input=SimpleNamespace(command_key="ctrl"), clipboard=None, drop=None)  # type: ignore[assignment]  # all that is asked of it
USERS_OWN = ["cm", "all"]  # units and dialogs


def editor_of(fake: FakePhotoshop) -> Editor:
    return Photoshop(Scripting("a script", fake.do_javascript))


class TestScripts:
    def test_a_cutout_is_placed_in_the_middle_of_the_view_pixel_for_pixel(self, cutout: Cutout) -> None:
        fake = FakePhotoshop()
        fake.run("placing.scale = 72 / 300")  # a document for print
        editor_of(fake).insert(cutout, ANYWHERE)
        ((name, (left, _top, right, _bottom)),) = fake.state()["layers"]
        assert name == "Cutout"
        seen = cutout[:, :, 3].any(axis=0).sum()
        assert right - left == pytest.approx(seen)
        assert fake.center() == pytest.approx((300, 200))

    def test_a_view_larger_than_the_document_does_not_count_beyond_it(self, cutout: Cutout) -> None:
        fake = FakePhotoshop()
        fake.run("app.activeDocument.view = {corner: [-500, -100], scale: 1, size: [1600, 500]}")
        editor_of(fake).insert(cutout, ANYWHERE)
        assert fake.center() == pytest.approx((500, 200))

    def test_a_photoshop_that_does_not_tell_its_view_places_it_in_the_middle_of_the_document(
        self, cutout: Cutout
    ) -> None:
        fake = FakePhotoshop()
        fake.run("app.activeDocument.view = null")
        editor_of(fake).insert(cutout, ANYWHERE)
        assert fake.center() == pytest.approx((500, 400))

    def test_it_is_moved_by_what_was_seen_on_the_screen(self, cutout: Cutout) -> None:
        fake = FakePhotoshop()
        editor = editor_of(fake)
        editor.insert(cutout, ANYWHERE)
        assert editor.move(ScreenPoint(900, 500), ScreenPoint(1000, 450), zoom=0.5)
        assert fake.center() == pytest.approx((500, 100))
        assert editor.move(ScreenPoint(1001, 450), ScreenPoint(1000, 450), zoom=0.5)
        assert fake.center() == pytest.approx((498, 100))

    def test_placing_and_moving_is_one_step_of_the_history(self, cutout: Cutout) -> None:
        fake = FakePhotoshop()
        editor = editor_of(fake)
        editor.insert(cutout, ANYWHERE)
        editor.move(ScreenPoint(0, 0), ScreenPoint(10, 10), zoom=1.0)
        assert fake.state()["history"] == ["Open", "AR Copy & Paste"]
        editor.undo()
        assert fake.state()["history"] == ["Open"]
        assert fake.state()["layers"] == []

    def test_a_step_of_the_users_own_is_never_taken_back(self, cutout: Cutout) -> None:
        fake = FakePhotoshop()
        editor = editor_of(fake)
        editor.insert(cutout, ANYWHERE)
        fake.run('app.activeDocument.note("Brush Tool")')
        with pytest.raises(EditorRefused, match="Another step has come after it"):
            editor.undo()
        with pytest.raises(EditorRefused, match="Another step has come after it"):
            editor.move(ScreenPoint(0, 0), ScreenPoint(10, 10), zoom=1.0)
        assert fake.state()["history"] == ["Open", "AR Copy & Paste", "Brush Tool"]

    def test_nothing_is_taken_back_in_another_document(self, cutout: Cutout) -> None:
        fake = FakePhotoshop()
        editor = editor_of(fake)
        editor.insert(cutout, ANYWHERE)
        fake.run("openDocument(13, 50, 50, null)")
        with pytest.raises(EditorRefused, match="Another document is in front"):
            editor.undo()

    def test_what_the_user_had_set_is_put_back(self, cutout: Cutout) -> None:
        fake = FakePhotoshop()
        editor_of(fake).insert(cutout, ANYWHERE)
        assert fake.state()["settings"] == USERS_OWN

    def test_a_document_that_takes_no_layers_is_told_and_left_as_it_was(self, cutout: Cutout) -> None:
        fake = FakePhotoshop()
        fake.run('placing.failure = "The command Place is not currently available."')
        with pytest.raises(EditorRefused, match="Place is not currently available"):
            editor_of(fake).insert(cutout, ANYWHERE)
        assert fake.state()["history"] == ["Open"]
        assert fake.state()["settings"] == USERS_OWN

    def test_a_photoshop_without_a_document_is_told(self, cutout: Cutout) -> None:
        fake = FakePhotoshop(shows_documents=False)
        with pytest.raises(EditorRefused, match="no open document"):
            editor_of(fake).insert(cutout, ANYWHERE)


@pytest.fixture
def remote() -> Iterator[RemoteConnection]:
    connection = RemoteConnection(FakePhotoshop(), "correct horse")
    yield connection
    connection.close()


def test_on_linux_only_who_has_set_a_password_has_a_way() -> None:
    assert local_scripting(None) is None
    scripting = local_scripting("password")
    assert scripting is not None
    assert scripting.name == "a script over its remote connection"


@dataclass
class PhotoshopOnScreen:
    """A desktop on which Photoshop shows its document zoomed out and scrolled."""

    photoshop: FakePhotoshop
    bare: Picture
    zoom: float
    left: float  # where the document's corner is on the screen
    top: float

    def take_screenshots(self) -> list[Screenshot]:
        """The layers are drawn where the document's place, zoom and scroll bring them."""
        screen = self.bare.copy()
        if self.photoshop.state()["layers"]:
            x, y = self.photoshop.center()
            assert self.photoshop.placed is not None
            centre = (self.left + self.zoom * x, self.top + self.zoom * y)
            screen = lay(screen, self.photoshop.placed, centre, self.zoom)
        return [Screenshot(screen, 0, 0)]

    def at(self, point: ScreenPoint) -> Window:
        return WINDOW

    def focused(self) -> Window:
        return WINDOW

    def pointer(self) -> None:
        return None

    def save(self) -> None:
        return None

    def restore(self, saved: None) -> None:
        return None


def test_the_second_look_brings_it_to_the_aim_whatever_the_zoom_and_the_scroll(screen: Picture, cutout: Cutout) -> None:
    fake = FakePhotoshop()
    desktop: Any = PhotoshopOnScreen(fake, screen.copy(), zoom=2 / 3, left=250, top=180)
    editors = Editors(PLATFORM, Scripting("a script", fake.do_javascript))
    platform = Platform("drawn", desktop, desktop.take_screenshots, desktop, desktop)
    aim = ScreenPoint(760, 520)
    found: Any = SimpleNamespace(screen_point=aim, scale=1.0, turn_deg=0.0)
    answer = Paster(Desktop(platform, editors.of), lambda view, request: found).paste(
        cutout, np.zeros((1, 1, 3), np.uint8), PasteRequest(width_view=180)
    )
    assert answer.verified
    assert answer.landed is not None and answer.landed.distance_to(aim) < 1
    assert answer.landed_width == pytest.approx(180, rel=0.04)
    x, y = fake.center()
    assert (250 + 2 / 3 * x, 180 + 2 / 3 * y) == pytest.approx((760, 520), abs=1)
    assert fake.state()["history"] == ["Open", "AR Copy & Paste"]


class TestProfile:
    @pytest.mark.parametrize("program", ["Photoshop", "Adobe Photoshop 2026", "photoshop.exe"])
    def test_photoshop_is_known_by_the_name_of_each_system(self, program: str) -> None:
        editors = Editors(PLATFORM, Scripting("a script", FakePhotoshop().do_javascript))
        assert editors.of(Window(1, program)).strategy == "a script"

    def test_without_a_way_for_scripts_it_is_as_any_other(self) -> None:
        assert Editors(PLATFORM).of(Window(1, "Photoshop")).strategy != "a script"


class TestRemoteConnection:
    def test_the_key_is_that_of_photoshop(self) -> None:
        # PBKDF2-HMAC-SHA1, 1000 rounds, 24 bytes; worked out with openssl kdf.
        assert derive_key("swordfish").hex() == "c955d164a3d14a65b629f64aa3fd21a428f8d9e220d62795"

    def test_a_cutout_gets_there_and_moves(self, remote: RemoteConnection, cutout: Cutout) -> None:
        editor = Photoshop(Scripting("a script", over_remote_connection(remote.password, remote.port)))
        editor.insert(cutout, ANYWHERE)
        editor.move(ScreenPoint(0, 0), ScreenPoint(30, 0), zoom=1.0)
        assert remote.photoshop.center() == pytest.approx((330, 200))
        assert remote.transactions == [0, 0]  # one of each connection

    @pytest.mark.filterwarnings("ignore:TripleDES")
    def test_the_cipher_is_not_looked_for_where_it_will_be_gone(
        self, remote: RemoteConnection, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.delattr(algorithms, "TripleDES", raising=False)
        assert over_remote_connection(remote.password, remote.port)("1 + 1") == "2"

    def test_a_wrong_password_is_told_without_saying_it(self, remote: RemoteConnection) -> None:
        run = over_remote_connection("battery staple", remote.port)
        with pytest.raises(EditorRefused, match="Is the password") as refused:
            run("1")
        assert "battery" not in refused.value.sentence

    def test_it_says_where_to_switch_it_on(self, remote: RemoteConnection) -> None:
        remote.close()
        with pytest.raises(EditorRefused, match="Enable Remote Connections"):
            over_remote_connection("any", remote.port)("1")

    def test_a_photoshop_that_does_not_answer_is_told(
        self, remote: RemoteConnection, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        remote.answers = False
        monkeypatch.setattr(photoshop_scripting, "SCRIPT_S", 0.2)
        with pytest.raises(EditorRefused, match="Does it show a dialog"):
            over_remote_connection(remote.password, remote.port)("1")

    def test_neither_the_password_nor_a_traceback_is_logged(
        self, remote: RemoteConnection, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
    ) -> None:
        with pytest.raises(EditorRefused):
            over_remote_connection("battery staple", remote.port)("1")
        assert caplog.text == ""
        assert capfd.readouterr() == ("", "")


class ComError(Exception):
    """As comtypes raises where a call fails within Photoshop."""


def comtypes(fake: FakePhotoshop | None, failure: Exception | None = None) -> Any:
    """The package, and Photoshop's object as it is registered with Windows."""
    log: list[str] = []

    def get_active_object(name: str, dynamic: bool) -> SimpleNamespace:
        assert (name, dynamic, log) == ("Photoshop.Application", True, ["initialised"])
        if fake is None:
            raise failure or OSError(-2147221021, "Operation unavailable")
        return SimpleNamespace(DoJavaScript=fake.do_javascript)

    client = SimpleNamespace(GetActiveObject=get_active_object)
    return SimpleNamespace(client=client, COMError=ComError, CoInitialize=lambda: log.append("initialised"))


class TestCom:
    def test_a_cutout_gets_there(self, cutout: Cutout) -> None:
        fake = FakePhotoshop()
        Photoshop(Scripting("a script", by_com(comtypes(fake)))).insert(cutout, ANYWHERE)
        assert fake.center() == pytest.approx((300, 200))

    @pytest.mark.parametrize("failure", [OSError("not running"), ComError("busy")])
    def test_a_photoshop_that_takes_no_script_is_told(self, failure: Exception) -> None:
        with pytest.raises(EditorRefused, match="takes no script"):
            by_com(comtypes(None, failure))("1")


OSASCRIPT = """#!{python}
import sys
from pathlib import Path
first, script = sys.argv[1:7], sys.argv[7:]
assert first == ["-e", "on run arguments", "-e",
    'tell application id "com.adobe.Photoshop" to do javascript (item 1 of arguments)', "-e", "end run"], first
Path({log!r}).write_text(script[0])
{ending}
"""


class TestAppleEvents:
    @pytest.fixture
    def osascript(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
        def install(ending: str) -> Path:
            program, log = tmp_path / "osascript", tmp_path / "script"
            program.write_text(OSASCRIPT.format(python=sys.executable, log=str(log), ending=ending))
            program.chmod(0o755)
            monkeypatch.setenv("PATH", str(tmp_path))
            return log

        return install

    def test_the_script_goes_past_every_shell(self, osascript: Any) -> None:
        log = osascript("print('done 12')")
        script = """alert("$(touch x) `date` 'ä' \\\\");"""
        assert by_apple_events(script) == "done 12"
        assert log.read_text() == script

    def test_a_missing_permission_is_explained(self, osascript: Any) -> None:
        osascript("sys.exit('execution error: Not authorized to send Apple events to Adobe Photoshop. (-1743)')")
        with pytest.raises(PermissionMissing, match="Automation"):
            by_apple_events("1")

    def test_what_photoshop_says_is_handed_on(self, osascript: Any) -> None:
        osascript("sys.exit('execution error: Adobe Photoshop got an error: Application is not running. (-600)')")
        with pytest.raises(EditorRefused, match="is not running"):
            by_apple_events("1")
