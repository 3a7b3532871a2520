"""What is dropped on pages in Chromium, which opens a file in a tab of its own if its page does not take it."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from protocol.errors import CopyPasteError, EditorRefused, PasteNotSeen
from protocol.geometry import ScreenPoint
from real_editors import user
from real_editors.agent import AimedAgent
from real_editors.card import draw_card
from real_editors.desk import Desk
from real_editors.documents import write_canvas_page
from real_editors.editors import EDITORS_BY_NAME, PAGE
from real_editors.opened import OpenEditor, open_editor

MIDDLE = ScreenPoint(PAGE.x + PAGE.width // 2, PAGE.y + PAGE.height // 2)  # where a picture in a tab shows
pytestmark = pytest.mark.timeout(180)


@pytest.fixture
def opened(
    request: pytest.FixtureRequest, desk: Desk, tmp_path: Path, pytestconfig: pytest.Config
) -> Iterator[OpenEditor]:
    """Chromium with a page that takes what the parameter names."""
    if not pytestconfig.getoption("--all-editors", default=False):
        pytest.skip("`make test-editors` opens Chromium")
    editor = replace(EDITORS_BY_NAME["chromium-canvas"], write_document=write_canvas_page(request.param))
    home = tmp_path / "home"
    home.mkdir()
    with open_editor(editor, desk, home, is_blank=False) as opened:
        yield opened


def refuse(opened: OpenEditor, agent: AimedAgent) -> CopyPasteError:
    """Paste a card, and check that all of the window looks as before: the same tabs, the same address."""
    opened.desk.hand.move(*user.PARKED)
    before = opened.wait_until_still()
    with pytest.raises(CopyPasteError) as refused:
        agent.paste(draw_card(), MIDDLE)
    opened.desk.hand.move(*user.PARKED)
    assert np.array_equal(opened.wait_until_still(), before)
    return refused.value


@pytest.mark.parametrize("opened", [""], indirect=True)
def test_a_page_that_takes_neither_is_left_as_it_is(opened: OpenEditor, agent: AimedAgent) -> None:
    assert isinstance(refuse(opened, agent), PasteNotSeen)


@pytest.mark.parametrize("opened", ["drag"], indirect=True)
def test_what_a_careless_page_leaves_to_the_browser_is_closed_again(opened: OpenEditor, agent: AimedAgent) -> None:
    assert isinstance(refuse(opened, agent), EditorRefused)


@pytest.mark.parametrize("opened", ["files drop"], indirect=True)
def test_a_page_that_takes_nothing_but_files_gets_one(opened: OpenEditor, agent: AimedAgent) -> None:
    assert agent.paste(draw_card(), MIDDLE).strategy == "drop at the spot"
    assert agent.undo().verified


@pytest.mark.parametrize("opened", ["paste drag drop"], indirect=True)
def test_a_page_that_takes_both_gets_one_cutout(opened: OpenEditor, agent: AimedAgent) -> None:
    assert agent.paste(draw_card(), MIDDLE).strategy == "paste under the pointer"
    assert agent.undo().verified
