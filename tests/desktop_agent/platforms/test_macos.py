"""macOS, on fakes of PyObjC's modules; it was not run on macOS itself."""

import mss.darwin
import numpy as np
import pytest

from desktop_agent.pictures import Cutout
from desktop_agent.platforms.macos import (
    MacClipboard,
    MacInput,
    MacWindows,
    ask_for_permissions,
    permitted,
    read_layout,
)
from desktop_agent.screenshot import Screenshot
from protocol.errors import DesktopUnavailable, NoEditorThere, PermissionMissing
from protocol.geometry import Box, ScreenPoint
from tests.desktop_agent.platforms.fake_macos import (
    FakeAccessibility,
    FakeKeyboard,
    FakePasteboard,
    FakePasteboardItem,
    FakeQuartz,
    appkit,
    window,
)

# What the fakes assert within a call from C would otherwise go unnoticed.
pytestmark = pytest.mark.filterwarnings("error::pytest.PytestUnraisableExceptionWarning")
COMMAND, SHIFT = 0x100000, 0x20000
V, Z, COMMAND_KEY = 9, 6, 0x37
THERE = ScreenPoint(-500, 300)


class TestPermissions:
    def test_both_are_asked_for_and_explained_at_once(self) -> None:
        accessibility, quartz = FakeAccessibility(is_trusted=False), FakeQuartz(may_record=False)
        with pytest.raises(PermissionMissing, match=r"Accessibility.*Screen & System Audio Recording"):
            ask_for_permissions(accessibility, quartz)
        assert accessibility.log == ["asked {'AXTrustedCheckOptionPrompt': True}"]
        assert quartz.asked == 1

    def test_who_has_them_is_not_asked(self) -> None:
        quartz = FakeQuartz()
        ask_for_permissions(FakeAccessibility(), quartz)
        assert quartz.asked == 0

    def test_a_wallpaper_is_no_screenshot(self) -> None:
        quartz = FakeQuartz()
        shots = [Screenshot(np.zeros((2, 2, 3), np.uint8), 0, 0)]
        take = permitted(lambda: shots, quartz)
        assert take() == shots
        quartz.may_record = False  # taken back while the agent runs
        with pytest.raises(PermissionMissing, match="Recording"):
            take()

    def test_screenshots_can_be_asked_for_in_real_pixels(self) -> None:
        assert mss.darwin.IMAGE_OPTIONS & mss.darwin.kCGWindowImageNominalResolution


class TestWindows:
    def test_the_topmost_window_under_a_point_left_of_the_main_display(self) -> None:
        quartz = FakeQuartz(
            [
                window(1, "Dock", (-2000, -2000, 9000, 9000), layer=20),
                window(2, "Overlay", (-2000, -2000, 9000, 9000), alpha=0.0),
                window(3, "Inkscape", (-800.0, 25.0, 700.0, 600.0), title="poster.svg"),
                window(4, "Safari", (-900.0, 0.0, 900.0, 900.0)),
            ]
        )
        found = MacWindows(quartz, FakeAccessibility()).at(THERE)
        assert (found.number, found.program, found.title) == (3, "Inkscape", "poster.svg")
        assert found.box == Box(-800, 25, 700, 600)
        assert not found.is_dialog

    def test_the_bare_desktop_has_no_editor(self) -> None:
        quartz = FakeQuartz([window(1, "Dock", (-2000, -2000, 9000, 9000), layer=20)])
        with pytest.raises(NoEditorThere):
            MacWindows(quartz, FakeAccessibility()).at(THERE)

    def test_a_palette_never_has_the_keyboard_but_a_dialog_does(self) -> None:
        palette = window(1, "Photoshop", (0, 0, 50, 500), layer=3)
        document = window(2, "Photoshop", (0, 0, 900, 900))
        dialog = window(3, "Photoshop", (300, 300, 200, 100), layer=8)
        assert MacWindows(FakeQuartz([palette, document]), FakeAccessibility()).focused().number == 2  # type: ignore[union-attr]  # there is one
        focused = MacWindows(FakeQuartz([dialog, palette, document]), FakeAccessibility()).focused()
        assert focused is not None
        assert focused.is_dialog

    def test_that_very_window_of_a_program_comes_forward(self) -> None:
        quartz = FakeQuartz([window(3, "Inkscape", (-800.0, 25.0, 700.0, 600.0))])
        accessibility = FakeAccessibility({103: [(0, 0, 700, 600), (-800, 25.5, 700, 600)]})
        windows = MacWindows(quartz, accessibility)
        windows.focus(windows.at(THERE))
        assert accessibility.log == ["AXRaise (-800, 25.5, 700, 600)", "AXFrontmost 103 True"]

    def test_a_program_without_elements_comes_forward_as_a_whole(self) -> None:
        accessibility = FakeAccessibility()
        windows = MacWindows(FakeQuartz([window(3, "Inkscape", (-800.0, 25.0, 700.0, 600.0))]), accessibility)
        windows.focus(windows.at(THERE))
        assert accessibility.log == ["AXFrontmost 103 True"]

    def test_a_window_that_was_closed_is_not_brought_forward(self) -> None:
        quartz, accessibility = FakeQuartz([window(3, "Inkscape", (-800.0, 25.0, 700.0, 600.0))]), FakeAccessibility()
        windows = MacWindows(quartz, accessibility)
        closed = windows.at(THERE)
        quartz.windows.clear()
        windows.focus(closed)
        assert not accessibility.log
        assert windows.focused() is None


class TestInput:
    def test_each_event_says_which_modifiers_it_has(self) -> None:
        quartz = FakeQuartz()
        MacInput(quartz, {"v": V}).press("command", "v")
        assert [(event.kind, event.code, event.flags) for event in quartz.posted] == [
            ("down", COMMAND_KEY, COMMAND),
            ("down", V, COMMAND),
            ("up", V, COMMAND),
            ("up", COMMAND_KEY, 0),
        ]

    def test_shift_adds_to_command(self) -> None:
        quartz = FakeQuartz()
        MacInput(quartz, {"v": V}).press("command", "shift", "v")
        assert quartz.posted[2].flags == COMMAND | SHIFT

    def test_a_layout_without_latin_letters_is_told(self) -> None:
        quartz = FakeQuartz()
        with pytest.raises(DesktopUnavailable, match="no key for v"):
            MacInput(quartz, {}).press("command", "v")
        assert not quartz.posted

    def test_the_pointer_moves_in_points(self) -> None:
        quartz = FakeQuartz()
        keys = MacInput(quartz, {})
        assert keys.pointer() == ScreenPoint(3, 4)
        keys.move_pointer(ScreenPoint(-120.25, 33.5))
        assert quartz.posted[-1].place == (-119.75, 34)
        assert keys.pointer() == ScreenPoint(-120.25, 33.5)

    def test_a_click(self) -> None:
        quartz = FakeQuartz()
        MacInput(quartz, {}).click(ScreenPoint(10, 20))
        assert [event.kind for event in quartz.posted] == ["move", "press", "release"]
        assert quartz.posted[2].clicks == 1

    def test_a_drag_goes_in_steps_and_ends_where_it_should(self) -> None:
        quartz = FakeQuartz()
        MacInput(quartz, {}).drag(ScreenPoint(10, 20), ScreenPoint(110, -20))
        assert {event.kind for event in quartz.posted[2:-1]} == {"drag"}
        assert quartz.posted[1].place == (10.5, 20.5)
        assert (quartz.posted[-1].kind, quartz.posted[-1].place) == ("release", (110.5, -19.5))


class TestLayout:
    def test_on_a_french_keyboard_undo_is_another_key(self) -> None:
        keyboard = FakeKeyboard({13: "z", 9: "v", 6: "w", 83: "v"})
        layout = read_layout(keyboard.carbon(), keyboard.foundation(), keyboard.PROPERTY)
        assert layout["z"] == 13
        assert layout["v"] == 9, "not the one of the number pad"
        assert keyboard.released == [keyboard.CURRENT, keyboard.ASCII]

    def test_an_input_method_has_the_keys_of_its_latin_layout(self) -> None:
        keyboard = FakeKeyboard({9: "v"}, is_input_method=True)
        assert read_layout(keyboard.carbon(), keyboard.foundation(), keyboard.PROPERTY)["v"] == 9


class TestClipboard:
    def test_every_item_comes_back_in_every_type(self, cutout: Cutout) -> None:
        before = [{"public.utf8-plain-text": b"W", "public.html": b"<b>W</b>"}, {"public.file-url": b"file:///a"}]
        pasteboard = FakePasteboard([FakePasteboardItem({**item, "promised": b""}) for item in before])

        def copy(cutout: Cutout) -> None:
            pasteboard.items = [FakePasteboardItem({"public.tiff": cutout.tobytes()})]

        clipboard = MacClipboard(appkit(pasteboard), copy)
        saved = clipboard.save()
        clipboard.copy(cutout)
        clipboard.restore(saved)
        assert pasteboard.items is not None
        assert [item.contents for item in pasteboard.items] == before

    def test_an_empty_clipboard_is_empty_again(self) -> None:
        pasteboard = FakePasteboard()
        clipboard = MacClipboard(appkit(pasteboard), lambda cutout: None)
        saved = clipboard.save()
        pasteboard.items = [FakePasteboardItem({"public.tiff": b"cutout"})]
        clipboard.restore(saved)
        assert pasteboard.items is None
