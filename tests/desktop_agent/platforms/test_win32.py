"""Windows, on a fake of its libraries; it was not run on Windows itself."""

from types import SimpleNamespace
from typing import Any

import pytest

from desktop_agent.pictures import Cutout
from desktop_agent.platforms.win32 import (
    Libraries,
    Win32Clipboard,
    Win32Input,
    Win32Windows,
    load,
    see_real_pixels,
)
from protocol.errors import DesktopUnavailable, EditorOutOfReach, NoEditorThere
from protocol.geometry import Box, ScreenPoint
from tests.desktop_agent.platforms.fake_windows import FakeWindow, FakeWindows

SHIFT = 0xA0  # the left one
# What the fake asserts within a call from C would otherwise go unnoticed.
pytestmark = pytest.mark.filterwarnings("error::pytest.PytestUnraisableExceptionWarning")
TEXT, BITMAP, DIB, HTML = 13, 2, 8, 0xC0DE


def paint(**changes: Any) -> FakeWindow:
    return FakeWindow(**{"number": 7, "box": (-800, 10, -100, 610), **changes})


def libraries_of(fake: FakeWindows) -> Libraries:
    return load(fake.library)


def test_real_pixels_are_asked_for() -> None:
    fake = FakeWindows()
    see_real_pixels(libraries_of(fake))
    assert fake.log == ["awareness -4"]


def test_a_windows_without_a_function_is_too_old() -> None:
    with pytest.raises(DesktopUnavailable, match="newer"):
        load(lambda name: SimpleNamespace())


class TestWindows:
    def test_the_window_under_a_point_left_of_the_primary_monitor(self) -> None:
        fake = FakeWindows([paint(title="Zeichnung - Paint")])
        window = Win32Windows(libraries_of(fake)).at(ScreenPoint(-400.2, 300))
        assert (window.number, window.program, window.process) == (7, "Paint", "Paint.exe")
        assert (window.title, window.box) == ("Zeichnung - Paint", Box(-800, 10, 700, 600))
        assert not window.is_dialog
        assert not fake.handles, "every handle is closed"

    def test_a_dialog_is_known_as_one(self) -> None:
        fake = FakeWindows([paint(kind="#32770")])
        assert Win32Windows(libraries_of(fake)).at(ScreenPoint(-400, 300)).is_dialog

    @pytest.mark.parametrize("kind", ["Progman", "WorkerW", "Shell_TrayWnd"])
    def test_the_desktop_and_the_taskbar_are_no_editors(self, kind: str) -> None:
        fake = FakeWindows([paint(kind=kind)])
        with pytest.raises(NoEditorThere):
            Win32Windows(libraries_of(fake)).at(ScreenPoint(-400, 300))

    def test_where_no_window_is_there_is_no_editor(self) -> None:
        with pytest.raises(NoEditorThere):
            Win32Windows(libraries_of(FakeWindows([paint()]))).at(ScreenPoint(4000, 300))

    def test_a_program_of_the_administrator_is_refused_with_a_sentence(self) -> None:
        fake = FakeWindows([paint(is_elevated=True)])
        with pytest.raises(EditorOutOfReach, match="Paint"):
            Win32Windows(libraries_of(fake)).at(ScreenPoint(-400, 300))
        assert not fake.handles

    def test_an_agent_of_the_administrator_reaches_it(self) -> None:
        fake = FakeWindows([paint(is_elevated=True)], is_elevated=True)
        assert Win32Windows(libraries_of(fake)).at(ScreenPoint(-400, 300)).program == "Paint"

    def test_a_window_comes_forward_although_windows_keeps_it_back(self) -> None:
        fake = FakeWindows([paint(), FakeWindow(8, (0, 0, 9, 9))], foreground=8)
        windows = Win32Windows(libraries_of(fake))
        windows.focus(windows.at(ScreenPoint(-400, 300)))
        focused = windows.focused()
        assert focused is not None
        assert focused.number == 7
        assert fake.log == ["down 0x12", "up 0x12"]
        assert not fake.held

    def test_a_window_that_is_in_front_gets_no_key(self) -> None:
        fake = FakeWindows([paint()], foreground=7)
        windows = Win32Windows(libraries_of(fake))
        windows.focus(windows.at(ScreenPoint(-400, 300)))
        assert not fake.log

    def test_a_minimised_window_is_restored(self) -> None:
        fake = FakeWindows([paint()], foreground=7)
        windows = Win32Windows(libraries_of(fake))
        window = windows.at(ScreenPoint(-400, 300))
        fake.windows[0].is_minimised = True
        windows.focus(window)
        assert fake.log == ["show 7 9"]

    def test_nothing_is_focused_while_the_screen_is_locked(self) -> None:
        assert Win32Windows(libraries_of(FakeWindows([paint()], is_locked=True))).focused() is None


class TestInput:
    def test_keys_are_pressed_together_and_let_go_in_reverse(self) -> None:
        fake = FakeWindows()
        Win32Input(libraries_of(fake)).press("ctrl", "v")
        assert fake.log == ["down 0x11", "down 0x56", "up 0x56", "up 0x11"]

    def test_a_shift_that_the_user_holds_does_not_count_and_is_put_back(self) -> None:
        fake = FakeWindows(held={SHIFT})
        Win32Input(libraries_of(fake)).press("ctrl", "v")
        assert fake.log == ["up 0xa0", "down 0x11", "down 0x56", "up 0x56", "up 0x11", "down 0xa0"]
        assert fake.held == {SHIFT}

    def test_delete_is_not_the_one_of_the_number_pad(self) -> None:
        fake = FakeWindows()
        Win32Input(libraries_of(fake)).press("delete")
        assert fake.log == ["down 0x2e extended", "up 0x2e extended"]

    def test_the_pointer_hovers_on_a_monitor_to_the_left(self) -> None:
        fake = FakeWindows()
        keys = Win32Input(libraries_of(fake))
        keys.move_pointer(ScreenPoint(-1200.4, 33.6))
        assert keys.pointer() == ScreenPoint(-1200, 34)

    def test_a_click_is_made_with_the_button_that_selects(self) -> None:
        fake = FakeWindows(left_handed=True)
        Win32Input(libraries_of(fake)).click(ScreenPoint(10, 20))
        assert fake.log == ["button 0x8 at (10, 20)", "button 0x10 at (10, 20)"]

    def test_a_drag_ends_where_it_should(self) -> None:
        fake = FakeWindows()
        Win32Input(libraries_of(fake)).drag(ScreenPoint(10, 20), ScreenPoint(110, -20))
        assert fake.log == ["button 0x2 at (10, 20)", "button 0x4 at (110, -20)"]

    def test_a_locked_screen_is_told(self) -> None:
        keys = Win32Input(libraries_of(FakeWindows(is_locked=True)))
        assert keys.pointer() is None
        with pytest.raises(DesktopUnavailable, match="locked"):
            keys.press("ctrl", "v")
        with pytest.raises(DesktopUnavailable, match="locked"):
            keys.move_pointer(ScreenPoint(1, 1))


class TestClipboard:
    def test_every_format_comes_back(self, cutout: Cutout) -> None:
        before = {TEXT: "Wörter\0".encode("utf-16-le"), HTML: b"<b>W</b>", DIB: bytes(range(256)) * 9}
        fake = FakeWindows(clipboard=before | {BITMAP: b""})

        def copy(cutout: Cutout) -> None:
            fake.clipboard = {DIB: cutout.tobytes()}

        clipboard = Win32Clipboard(libraries_of(fake), copy)
        saved = clipboard.save()
        clipboard.copy(cutout)
        clipboard.restore(saved)
        assert fake.clipboard == before
        assert not fake.is_clipboard_open
        assert not fake.own_windows

    def test_an_empty_clipboard_is_empty_again(self) -> None:
        fake = FakeWindows()
        clipboard = Win32Clipboard(libraries_of(fake), lambda cutout: None)
        saved = clipboard.save()
        fake.clipboard[DIB] = b"cutout"
        clipboard.restore(saved)
        assert fake.clipboard == {}

    def test_a_program_that_holds_the_clipboard_for_a_moment_is_waited_for(self) -> None:
        fake = FakeWindows(clipboard={TEXT: b"t\0"}, busy=3)
        assert Win32Clipboard(libraries_of(fake), lambda cutout: None).save() == [(TEXT, b"t\0")]

    def test_one_that_keeps_it_is_told_of(self) -> None:
        fake = FakeWindows(busy=1000)
        with pytest.raises(DesktopUnavailable, match="keeps the clipboard"):
            Win32Clipboard(libraries_of(fake), lambda cutout: None).save()
