from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from desktop_agent.editors.drop_on_page import DropOnPage
from desktop_agent.pictures import Cutout
from desktop_agent.platforms import Platform, Window
from protocol.errors import EditorRefused
from protocol.geometry import ScreenPoint

SPOT = ScreenPoint(300, 200)
PASTE, CLOSE_TAB, UNSELECT = ("ctrl", "v"), ("ctrl", "w"), ("right",)


@dataclass
class FakeChromium:
    """A page, and all that it and its browser are told."""

    takes_drops: bool = True  # or the browser would open them
    title_after: str = ""  # of the window once a file was dropped, with the file's name
    number: int = 1  # of the window in front
    is_text: bool = False
    title: str = "A page - Chromium"
    command_key: str = "ctrl"
    pressed: list[tuple[str, ...]] = field(default_factory=list)
    dropped: list[Path] = field(default_factory=list)

    def focused(self) -> Window:
        return Window(self.number, "Chromium", title=self.title)

    def press(self, *keys: str) -> None:
        self.pressed.append(keys)

    def move_pointer(self, point: ScreenPoint) -> None: ...

    def click(self, point: ScreenPoint) -> None: ...

    def copy(self, cutout: Cutout) -> None: ...

    def is_taken_by_page(self, file: Path, point: ScreenPoint) -> bool:
        return self.takes_drops

    def drop(self, file: Path, point: ScreenPoint) -> bool:
        self.dropped.append(file)
        if self.title_after:
            self.title = self.title_after.format(file.name)
        return True

    def drop_into_text(self, file: Path, point: ScreenPoint) -> bool:
        self.dropped.append(file)
        return True


def picture_tab(cutout: Cutout) -> str:
    """What Chromium calls a tab with a picture alone, given the file's name."""
    return f"{{}} ({cutout.shape[1]}\N{MULTIPLICATION SIGN}{cutout.shape[0]}) - Chromium"


@pytest.fixture
def editor_of(tmp_path: Path) -> Callable[[Any], DropOnPage]:
    def make(chromium: Any) -> DropOnPage:
        platform = Platform("fake", chromium, list, chromium, chromium, chromium, lambda: bool(chromium.is_text))
        return DropOnPage("Chromium", platform, chromium, tmp_path)

    return make


EditorOf = Callable[[Any], DropOnPage]


def test_a_page_is_pasted_into_first(editor_of: EditorOf, cutout: Cutout) -> None:
    chromium = FakeChromium()
    editor_of(chromium).insert(cutout, SPOT)
    assert chromium.pressed == [PASTE]
    assert not chromium.dropped


def test_a_page_that_takes_drops_gets_one_second(editor_of: EditorOf, cutout: Cutout) -> None:
    chromium = FakeChromium()
    editor = editor_of(chromium)
    assert editor.insert_otherwise(cutout, SPOT)
    editor.check()
    assert len(chromium.dropped) == 1
    assert editor.strategy == "drop at the spot"


def test_nothing_is_dropped_on_a_page_that_leaves_it_to_the_browser(editor_of: EditorOf, cutout: Cutout) -> None:
    chromium = FakeChromium(takes_drops=False)
    assert not editor_of(chromium).insert_otherwise(cutout, SPOT)
    assert not chromium.dropped


def test_a_tab_that_was_opened_with_what_was_dropped_is_closed(editor_of: EditorOf, cutout: Cutout) -> None:
    chromium = FakeChromium(title_after=picture_tab(cutout))
    editor = editor_of(chromium)
    editor.insert_otherwise(cutout, SPOT)
    with pytest.raises(EditorRefused, match="closed again"):
        editor.check()
    assert chromium.pressed == [CLOSE_TAB]


@pytest.mark.parametrize("title", ["{} - Paint - Chromium", "{} - Chromium", "{} (1x1) - Chromium"])
def test_a_page_that_calls_itself_after_what_it_took_is_not_closed(
    title: str, editor_of: EditorOf, cutout: Cutout
) -> None:
    chromium = FakeChromium(title_after=title)
    editor = editor_of(chromium)
    editor.insert_otherwise(cutout, SPOT)
    editor.check()
    assert not chromium.pressed


def test_no_key_is_pressed_where_a_tab_is_not_surely_the_browsers_own(editor_of: EditorOf, cutout: Cutout) -> None:
    chromium = FakeChromium(title_after=f"{picture_tab(cutout)} (Incognito)")
    editor = editor_of(chromium)
    editor.insert_otherwise(cutout, SPOT)
    with pytest.raises(EditorRefused, match="look for a tab"):
        editor.check()
    assert not chromium.pressed


def test_no_key_is_pressed_at_another_window_than_that_dropped_on(editor_of: EditorOf, cutout: Cutout) -> None:
    chromium = FakeChromium(title_after=picture_tab(cutout))
    editor = editor_of(chromium)
    editor.insert_otherwise(cutout, SPOT)
    chromium.number = 2
    with pytest.raises(EditorRefused, match="look for a tab"):
        editor.check()
    assert not chromium.pressed


def test_no_tab_is_closed_after_a_paste(editor_of: EditorOf, cutout: Cutout) -> None:
    chromium = FakeChromium(title_after=picture_tab(cutout))
    editor = editor_of(chromium)
    editor.insert_otherwise(cutout, SPOT)
    editor.insert(cutout, SPOT)
    editor.check()
    assert chromium.pressed == [PASTE]


def test_on_a_page_that_was_seen_to_take_a_drop_the_next_is_dropped_at_once(
    editor_of: EditorOf, cutout: Cutout
) -> None:
    chromium = FakeChromium()
    editor = editor_of(chromium)
    editor.insert_otherwise(cutout, SPOT)
    editor.learn(SPOT, 1.0)
    editor.insert(cutout, SPOT)
    assert len(chromium.dropped) == 2
    chromium.title = "Another page - Chromium"
    editor.insert(cutout, SPOT)
    assert chromium.pressed == [PASTE]


def test_a_page_that_shows_nothing_of_a_drop_gets_no_other(editor_of: EditorOf, cutout: Cutout) -> None:
    chromium = FakeChromium()
    editor = editor_of(chromium)
    editor.insert_otherwise(cutout, SPOT)
    editor.learn(SPOT, 1.0)
    editor.insert(cutout, SPOT)
    assert not editor.insert_otherwise(cutout, SPOT)
    assert len(chromium.dropped) == 2


def test_what_is_dropped_into_text_is_no_file_and_is_not_left_selected(editor_of: EditorOf, cutout: Cutout) -> None:
    chromium = FakeChromium(is_text=True, takes_drops=False)
    editor = editor_of(chromium)
    editor.approach(SPOT)
    assert editor.insert_otherwise(cutout, SPOT)
    assert chromium.pressed == [UNSELECT]
    assert editor.strategy == "drop at the caret"
