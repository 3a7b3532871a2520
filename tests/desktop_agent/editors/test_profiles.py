import contextlib
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from PIL import Image

from desktop_agent.editors.at_caret import AtCaretInText
from desktop_agent.editors.by_clipboard import ByClipboard, WhereItPleases
from desktop_agent.editors.drop_on_page import DropOnPage
from desktop_agent.editors.gimp import Gimp
from desktop_agent.editors.libre_office import LibreOffice
from desktop_agent.editors.profiles import Editors
from desktop_agent.platforms import Platform, Window
from protocol.errors import EditorTakesNoPictures
from protocol.geometry import ScreenPoint


class Drops:
    """Notes what is dropped."""

    def __init__(self) -> None:
        self.files: list[Path] = []

    def drop(self, file: Path, point: ScreenPoint) -> bool:
        self.files.append(file)
        return True


class Hands:
    """Notes what is pressed."""

    command_key = "ctrl"

    def __init__(self) -> None:
        self.pressed: list[tuple[str, ...]] = []

    def press(self, *keys: str) -> None:
        self.pressed.append(keys)


class Board:
    """Notes what is copied."""

    def __init__(self) -> None:
        self.copied: list[Any] = []

    def copy(self, cutout: Any) -> None:
        self.copied.append(cutout)


def platform_with(hands: Any, board: Any, drop: Any = None) -> Platform:
    windows: Any = SimpleNamespace(at=lambda point: Window(1, "any"))
    return Platform("fake", windows, list, hands, board, drop=drop)


@pytest.mark.parametrize(
    ("program", "name", "way"),
    [
        ("Inkscape", "Inkscape", ByClipboard),
        ("org.inkscape.Inkscape", "Inkscape", ByClipboard),
        ("krita", "Krita", ByClipboard),
        ("Gimp-2.10", "GIMP", Gimp),
        ("gimp-3.0", "GIMP", Gimp),
        ("libreoffice-draw", "LibreOffice Draw", LibreOffice),
        ("libreoffice-impress", "LibreOffice Impress", LibreOffice),
        ("soffice", "LibreOffice", LibreOffice),
        ("kolourpaint", "KolourPaint", WhereItPleases),
        ("Chromium", "Chromium", DropOnPage),
        ("Google-chrome", "Google-chrome", AtCaretInText),
        ("Microsoft-edge", "Microsoft-edge", AtCaretInText),
        ("firefox", "firefox", AtCaretInText),
        ("Some Drawing Program", "Some Drawing Program", WhereItPleases),
    ],
)
def test_each_program_is_pasted_into_in_its_own_way(program: str, name: str, way: type) -> None:
    editor = Editors(platform_with(Hands(), Board(), Drops())).of(Window(1, program))
    assert editor.name == name
    assert type(editor) is way


@pytest.mark.parametrize("program", ["Mousepad", "org.gnome.TextEditor", "XTerm", "gnome-terminal-server", "Thunar"])
def test_programs_that_take_no_pictures_are_refused_by_name(program: str) -> None:
    with pytest.raises(EditorTakesNoPictures, match=program):
        Editors(platform_with(Hands(), Board(), Drops())).of(Window(1, program))


def test_a_program_is_known_by_its_process_too() -> None:
    with pytest.raises(EditorTakesNoPictures):
        Editors(platform_with(Hands(), Board())).of(Window(1, "a program without a name", process="xterm"))


@pytest.mark.parametrize("program", ["Mtpaint", "Chromium", "kolourpaint", "krita", "Inkscape", "Some Drawing Program"])
def test_no_file_is_dropped_on_programs_that_might_open_it_instead_of_the_document(program: str, cutout: Any) -> None:
    drops = Drops()
    editors = Editors(platform_with(Hands(), Board(), drops))
    with contextlib.suppress(EditorTakesNoPictures):
        editors.of(Window(1, program)).insert(cutout, ScreenPoint(5, 5))
    assert not drops.files


def test_krita_is_pasted_into_at_the_cursor(cutout: Any) -> None:
    hands, board = Hands(), Board()
    Editors(platform_with(hands, board)).of(Window(1, "krita")).insert(cutout, ScreenPoint(5, 5))
    assert hands.pressed == [("ctrl", "alt", "v")]
    assert board.copied == [cutout]


def test_where_nothing_can_be_dropped_the_clipboard_is_used(cutout: Any) -> None:
    board = Board()
    Editors(platform_with(Hands(), board)).of(Window(1, "libreoffice-draw")).insert(cutout, ScreenPoint(5, 5))
    assert len(board.copied) == 1


def test_what_was_learnt_of_a_window_is_kept_for_the_next_paste() -> None:
    editors = Editors(platform_with(Hands(), Board()))
    assert editors.of(Window(1, "kolourpaint")) is editors.of(Window(1, "kolourpaint"))
    assert editors.of(Window(1, "kolourpaint")) is not editors.of(Window(2, "kolourpaint"))


def test_a_dropped_file_is_the_cutout_and_stays_for_the_editor_to_read(cutout: Any) -> None:
    drops = Drops()
    editors = Editors(platform_with(Hands(), Board(), drops))
    editors.of(Window(1, "libreoffice-draw")).insert(cutout, ScreenPoint(5, 5))
    with Image.open(drops.files[0]) as picture:
        assert (picture.size, picture.mode) == ((180, 120), "RGBA")
