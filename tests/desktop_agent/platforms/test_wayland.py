"""Wayland, with a real session bus and fakes of what answers on it; it was not run on a Wayland desktop."""

import stat
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from desktop_agent.pictures import Cutout, read_cutout
from desktop_agent.platforms import Platform, kwin, local_platform
from desktop_agent.platforms.wayland import connect
from protocol.errors import DesktopUnavailable, NoEditorThere, PermissionMissing, WindowsUntold
from protocol.geometry import Box, ScreenPoint
from tests.desktop_agent.platforms.fake_portal import FakeKWin, FakePortal, KWinDesktop, Monitor, private_bus

LEFT, RIGHT = Monitor(41, (-1280, 0), (1280, 720)), Monitor(42, (0, 0), (960, 540))
FIRST, SECOND, THIRD = (str(uuid.UUID(int=number)) for number in (1, 2, 3))

# As gst-launch-1.0 does with these elements: it reads one frame from that connection and writes it as PNG.
GSTREAMER = """#!{python}
import os, sys
from PIL import Image
words = sys.argv[1:]
source, *filters, sink = [part.split() for part in " ".join(words[1:]).split(" ! ")]
properties = dict(word.split("=") for word in source[1:])
assert words[0] == "--quiet" and source[0] == "pipewiresrc" and properties.pop("num-buffers") == "1", words
assert [part[0] for part in filters] == ["videoconvert", "pngenc"] and sink == ["fdsink", "fd=1"], words
assert os.read(int(properties["fd"]), 99) == b"pipewire"
sizes = {{"41": (1280, 720), "42": (1920, 1080)}}
Image.new("RGBA", sizes[properties["path"]], (int(properties["path"]), 2, 3, 255)).save(sys.stdout.buffer, "PNG")
"""


@pytest.fixture
def bus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    with private_bus(tmp_path) as address:
        monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", address)
        yield address


@pytest.fixture
def portal(bus: str) -> FakePortal:
    return FakePortal(bus, [LEFT, RIGHT])


@pytest.fixture
def platform(portal: FakePortal, tmp_path: Path) -> Platform:
    return connect(tmp_path)


def gstreamer(folder: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    program = folder / "gst-launch-1.0"
    program.write_text(script.format(python=sys.executable))
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(folder))


def test_a_wayland_session_is_recognised_although_it_also_speaks_x11(
    portal: FakePortal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WAYLAND_DISPLAY", "wayland-0")
    monkeypatch.setenv("DISPLAY", ":0")
    assert local_platform(tmp_path).name == "Wayland"


class TestConsent:
    def test_the_user_is_asked_once(self, portal: FakePortal, tmp_path: Path) -> None:
        for _start in range(3):
            connect(tmp_path)
        assert portal.asked == 1
        assert stat.S_IMODE((tmp_path / "wayland-consent").stat().st_mode) == 0o600

    def test_a_consent_that_was_revoked_is_asked_for_anew(self, portal: FakePortal, tmp_path: Path) -> None:
        connect(tmp_path)
        portal.token = ""
        connect(tmp_path)
        assert portal.asked == 2

    def test_a_no_is_told(self, portal: FakePortal, tmp_path: Path) -> None:
        portal.consents = False
        with pytest.raises(PermissionMissing, match="answered with no"):
            connect(tmp_path)

    def test_a_screen_without_remote_interaction_is_not_enough(self, portal: FakePortal, tmp_path: Path) -> None:
        portal.devices = 0
        with pytest.raises(PermissionMissing, match="allow remote interaction"):
            connect(tmp_path)

    def test_a_desktop_without_portals_is_told(self, bus: str, tmp_path: Path) -> None:
        with pytest.raises(DesktopUnavailable, match=r"org\.freedesktop\.portal\.Desktop"):
            connect(tmp_path)

    def test_a_session_without_a_bus_is_told(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", f"unix:path={tmp_path}/none")
        with pytest.raises(DesktopUnavailable, match="session bus"):
            connect(tmp_path)

    def test_a_session_that_has_ended_is_told(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        with private_bus(tmp_path) as address:
            monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", address)
            FakePortal(address, [LEFT])
            platform = connect(tmp_path)
        with pytest.raises(DesktopUnavailable, match="session bus does not answer"):
            platform.input.press("ctrl", "v")


class TestScreens:
    def test_each_shared_monitor_has_its_place_and_scale(
        self, platform: Platform, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        gstreamer(tmp_path, monkeypatch, GSTREAMER)
        left, right = platform.take_screenshots()
        assert (left.left, left.top, left.scale, left.pixels.shape) == (-1280, 0, 1.0, (720, 1280, 3))
        assert (right.left, right.top, right.scale, right.pixels.shape) == (0, 0, 2.0, (1080, 1920, 3))
        assert (right.pixels == (42, 2, 3)).all()

    def test_what_must_be_installed_is_named(
        self, platform: Platform, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("PATH", str(tmp_path))
        with pytest.raises(DesktopUnavailable, match=r"Install gstreamer1\.0-tools"):
            platform.take_screenshots()

    def test_gstreamer_without_pipewire_is_told(
        self, platform: Platform, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        gstreamer(tmp_path, monkeypatch, "#!{python}\nraise SystemExit(1)  # no element pipewiresrc\n")
        with pytest.raises(DesktopUnavailable, match=r"gstreamer1\.0-pipewire"):
            platform.take_screenshots()


class TestInput:
    def test_keys_are_pressed_together_and_let_go_in_reverse(self, platform: Platform, portal: FakePortal) -> None:
        platform.input.press(platform.input.command_key, "v")
        assert portal.log == ["key 0xffe3 1", "key 0x76 1", "key 0x76 0", "key 0xffe3 0"]

    def test_the_pointer_moves_within_the_monitor_it_belongs_to(self, platform: Platform, portal: FakePortal) -> None:
        platform.input.move_pointer(ScreenPoint(-1280, 719))
        platform.input.move_pointer(ScreenPoint(479.5, 269.5))
        assert portal.log == ["pointer 41 0.5 719.5", "pointer 42 480.0 270.0"]
        assert platform.input.pointer() is None

    def test_a_monitor_that_is_not_shared_is_told(self, platform: Platform) -> None:
        with pytest.raises(PermissionMissing, match="not shared"):
            platform.input.move_pointer(ScreenPoint(2000, 10))

    def test_a_click(self, platform: Platform, portal: FakePortal) -> None:
        platform.input.click(ScreenPoint(10, 20))
        assert portal.log == ["pointer 42 10.5 20.5", "button 0x110 1", "button 0x110 0"]

    def test_a_drag_ends_where_it_should(self, platform: Platform, portal: FakePortal) -> None:
        platform.input.drag(ScreenPoint(10, 20), ScreenPoint(-90, 40))
        assert portal.log[:2] == ["pointer 42 10.5 20.5", "button 0x110 1"]
        assert portal.log[-2:] == ["pointer 41 1190.5 40.5", "button 0x110 0"]

    def test_a_session_that_was_ended_is_told(self, platform: Platform, portal: FakePortal) -> None:
        portal.session = "/another"
        with pytest.raises(DesktopUnavailable, match="no such session"):
            platform.input.press("ctrl", "v")


def wait_for(look: Callable[[], Any]) -> Any:
    """What it finds, as soon as it finds something."""
    deadline_s = time.monotonic() + 10
    while not (found := look()):
        assert time.monotonic() < deadline_s
        time.sleep(0.01)
    return found


class TestClipboard:
    def test_who_pastes_gets_the_cutout(self, platform: Platform, portal: FakePortal, cutout: Cutout) -> None:
        platform.clipboard.copy(cutout)
        pasted = portal.paste("image/png")
        assert pasted is not None
        assert (read_cutout(pasted) == cutout).all()

    def test_a_format_that_is_not_offered_is_refused_at_once(
        self, platform: Platform, portal: FakePortal, cutout: Cutout
    ) -> None:
        platform.clipboard.copy(cutout)
        assert portal.paste("text/plain") is None

    def test_a_portal_without_a_clipboard_is_told(self, portal: FakePortal, tmp_path: Path, cutout: Cutout) -> None:
        portal.has_clipboard = False
        platform = connect(tmp_path)
        with pytest.raises(DesktopUnavailable, match="share no clipboard"):
            platform.clipboard.copy(cutout)

    def test_what_was_there_comes_back_in_every_format(
        self, portal: FakePortal, tmp_path: Path, cutout: Cutout
    ) -> None:
        portal.clipboard = {"text/plain": "Wörter".encode(), "application/x-large": bytes(300_000)}
        platform = connect(tmp_path)
        saved = wait_for(platform.clipboard.save)  # the desktop tells of it a moment after the start
        platform.clipboard.copy(cutout)
        platform.clipboard.restore(saved)
        assert portal.offered == ["text/plain", "application/x-large"]
        assert portal.paste("application/x-large") == bytes(300_000)
        assert portal.paste("image/png") is None


def described(internal_id: str, **more: Any) -> dict[str, Any]:
    geometry = dict(zip(("x", "y", "width", "height"), more.pop("box", (-800, 0, 700.4, 600)), strict=True))
    fixed = {"resourceClass": "krita", "caption": "Eins", "pid": 1, "normalWindow": True, "minimized": False}
    return {"internalId": "{" + internal_id + "}", "frameGeometry": geometry, **fixed, **more}


class TestWindows:
    def test_without_kde_nothing_is_pasted(self, platform: Platform) -> None:
        with pytest.raises(WindowsUntold):
            platform.windows.at(ScreenPoint(1, 1))

    def test_the_topmost_window_on_this_desktop_that_is_in_sight(
        self, bus: str, portal: FakePortal, tmp_path: Path
    ) -> None:
        windows = [
            described(FIRST, resourceClass="org.inkscape.Inkscape", caption='"Quoted" - \\'),
            described(SECOND, minimized=True),
            described(THIRD, desktops=["other"]),
            described(str(uuid.uuid4()), normalWindow=False),  # a tooltip
        ]
        FakeKWin(bus, KWinDesktop(windows))
        found = connect(tmp_path).windows.at(ScreenPoint(-400, 300))
        assert (found.number, found.program, found.title) == (1, "org.inkscape.Inkscape", '"Quoted" - \\')
        assert found.box == Box(-800, 0, 700, 600)
        assert not found.is_dialog

    def test_a_panel_is_no_editor(self, bus: str, portal: FakePortal, tmp_path: Path) -> None:
        FakeKWin(bus, KWinDesktop([described(FIRST), described(SECOND, dock=True, normalWindow=False)]))
        with pytest.raises(NoEditorThere):
            connect(tmp_path).windows.at(ScreenPoint(-400, 300))

    def test_that_window_comes_forward(self, bus: str, portal: FakePortal, tmp_path: Path) -> None:
        service = FakeKWin(bus, KWinDesktop([described(FIRST, desktops=["home"]), described(SECOND, box=(0, 0, 9, 9))]))
        service.desktop.active = "{" + SECOND + "}"
        windows = connect(tmp_path).windows
        window = windows.at(ScreenPoint(-400, 300))
        assert windows.focused() != window
        windows.focus(window)
        assert windows.focused() == window
        assert not service.scripts, "each is unloaded"

    def test_a_kwin_that_says_nothing_is_told(
        self, bus: str, portal: FakePortal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        service = FakeKWin(bus, KWinDesktop([described(FIRST)]))
        service.answers = False
        monkeypatch.setattr(kwin, "ANSWER_S", 0.2)
        with pytest.raises(DesktopUnavailable, match="Plasma 6"):
            connect(tmp_path).windows.focused()
