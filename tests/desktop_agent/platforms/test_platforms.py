"""Which platform is taken where, and that nothing of the others is touched."""

import ctypes
import subprocess
import sys
from pathlib import Path
from typing import Any

import mss.darwin
import pytest

from desktop_agent.platforms import local_platform, macos
from protocol.errors import DesktopUnavailable
from tests.desktop_agent.platforms.fake_macos import FakeAccessibility, FakePasteboard, FakeQuartz, appkit
from tests.desktop_agent.platforms.fake_windows import FakeWindows

FOREIGN = ("win32", "macos", "wayland", "portal", "kwin")


def test_no_other_system_is_imported() -> None:
    script = "import sys, desktop_agent.__main__; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    imported = set(done.stdout.split())
    assert not imported & {f"desktop_agent.platforms.{name}" for name in FOREIGN}
    assert not imported & {"copykitten", "jeepney", "photoshop", "Xlib"}


def test_a_terminal_without_a_desktop_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    with pytest.raises(DesktopUnavailable):
        local_platform(tmp_path)


def test_on_windows_real_pixels_are_asked_for_before_anything_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake = FakeWindows()
    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.setattr(ctypes, "WinDLL", fake.library, raising=False)
    platform = local_platform(tmp_path)
    assert fake.log == ["awareness -4"]
    platform.input.press(platform.input.command_key, "v")
    assert fake.log[1:3] == ["down 0x11", "down 0x56"]


def test_on_macos_the_command_key_pastes_and_screenshots_are_in_real_pixels(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    quartz = FakeQuartz()
    modules: dict[str, Any] = {"Quartz": quartz, "ApplicationServices": FakeAccessibility()}
    for name, module in {**modules, "AppKit": appkit(FakePasteboard())}.items():
        monkeypatch.setitem(sys.modules, name, module)
    monkeypatch.setattr(sys, "platform", "darwin")
    monkeypatch.setattr(macos, "local_layout", lambda: {"v": 9})
    monkeypatch.setattr(mss.darwin, "IMAGE_OPTIONS", mss.darwin.IMAGE_OPTIONS)  # put back afterwards
    platform = local_platform(tmp_path)
    platform.input.press(platform.input.command_key, "v")
    assert quartz.posted[1].flags == quartz.kCGEventFlagMaskCommand
    assert not mss.darwin.IMAGE_OPTIONS & mss.darwin.kCGWindowImageNominalResolution
