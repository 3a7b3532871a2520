"""What may go wrong between a tap and a paste, with a real program and a real window manager."""

import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from desktop_agent.pictures import Picture
from protocol.errors import (
    CopyPasteError,
    DialogInFront,
    NothingToUndo,
    ScreenLocked,
    WindowChanged,
)
from protocol.geometry import Box, ScreenPoint
from real_editors import user
from real_editors.agent import AimedAgent
from real_editors.card import draw_card, find_card
from real_editors.desk import HEIGHT, WIDTH, Desk
from real_editors.editors import EDITORS_BY_NAME, RealEditor
from real_editors.opened import OpenEditor, open_editor
from real_editors.trial import looks_alike

AIM = ScreenPoint(1000, 500)
ASIDE = Box(700, 300, 900, 600)
SMALL = Box(40, 900, 200, 100)  # over KolourPaint's tools
LONGEST_WAIT_S = 20.0  # for a program and the window manager to do what they were asked
OpenOne = Callable[[RealEditor], AbstractContextManager[OpenEditor]]
pytestmark = pytest.mark.timeout(180)


@pytest.fixture
def opened(desk: Desk, tmp_path: Path) -> Iterator[OpenEditor]:
    """KolourPaint, the quickest to open; a new one for each test."""
    home = tmp_path / "home"
    home.mkdir()
    with desk.as_own(), open_editor(EDITORS_BY_NAME["kolourpaint"], desk, home, is_blank=False) as opened:
        yield opened


def paste(agent: AimedAgent, aim: ScreenPoint = AIM) -> CopyPasteError | None:
    """Paste a card; what was said against it."""
    try:
        agent.paste(draw_card(), aim)
    except CopyPasteError as error:
        return error
    return None


def wait_until(is_so: Callable[[], bool]) -> None:
    deadline_s = time.monotonic() + LONGEST_WAIT_S
    while not is_so():
        assert time.monotonic() < deadline_s
        time.sleep(0.05)


def assert_document_is(opened: OpenEditor, before: Picture) -> None:
    opened.desk.hand.move(*user.PARKED)
    assert looks_alike(opened, before, opened.wait_until_still())


def test_a_dialog_in_front_is_named_and_left_alone(opened: OpenEditor, agent: AimedAgent) -> None:
    before, editor = opened.desk.screenshot(), opened.desk.active_window()
    opened.desk.hand.press("Control_L", "o")
    wait_until(lambda: opened.desk.active_window() not in (editor, None))
    dialog = opened.desk.active_window()
    error = paste(agent)
    assert isinstance(error, DialogInFront)
    assert "Open" in error.fact
    assert opened.desk.active_window() == dialog
    opened.desk.hand.press("Escape")
    wait_until(lambda: opened.desk.active_window() == editor)
    assert_document_is(opened, before)


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda desk: desk.move(ASIDE), id="moved"),
        pytest.param(Desk.minimise, id="minimised"),
        pytest.param(Desk.close, id="closed"),
    ],
)
def test_a_window_that_changes_between_the_look_and_the_paste_is_not_pasted_into(
    opened: OpenEditor, tmp_path: Path, change: Callable[[Desk], None]
) -> None:
    def change_now() -> None:
        change(opened.desk)
        wait_until(lambda: not looks_alike(opened, before, opened.desk.screenshot()))

    copied = user.lay_out(opened.desk, opened.home).copied
    before = opened.desk.screenshot()
    error = paste(AimedAgent(tmp_path, meanwhile=change_now))
    assert isinstance(error, WindowChanged)
    assert find_card(before, opened.desk.screenshot()) is None
    assert user.look(opened.desk).copied == copied


def test_a_locked_screen_is_said_to_be_locked(opened: OpenEditor, agent: AimedAgent) -> None:
    before = opened.desk.screenshot()
    with opened.desk.another_window(Box(0, 0, WIDTH, HEIGHT), locks=True):
        wait_until(lambda: not opened.desk.screenshot().any())
        assert isinstance(paste(agent), ScreenLocked)
    assert_document_is(opened, before)


def test_a_picture_that_another_program_has_copied_is_there_again_to_the_byte(
    opened: OpenEditor, agent: AimedAgent, tmp_path: Path
) -> None:
    file = tmp_path / "copied.png"
    Image.fromarray(np.random.default_rng(3).integers(0, 255, (300, 400, 4), np.uint8)).save(file)
    command = ["xclip", "-selection", "clipboard", "-t", "image/png", "-quiet", str(file)]
    opened.desk.start("xclip", command, tmp_path)
    wait_until(lambda: copied_picture() == file.read_bytes())
    assert paste(agent) is None
    assert copied_picture() == file.read_bytes()


def copied_picture() -> bytes:
    asked = ["xclip", "-selection", "clipboard", "-t", "image/png", "-out"]
    return subprocess.run(asked, capture_output=True, timeout=10, check=False).stdout


def test_the_window_that_had_the_keyboard_has_it_again(opened: OpenEditor, agent: AimedAgent) -> None:
    with opened.desk.another_window(SMALL) as other:
        opened.desk.activate(other)
        wait_until(lambda: opened.desk.active_window() == other)
        assert paste(agent) is None
        wait_until(lambda: opened.desk.active_window() == other)


def test_a_modifier_that_the_user_holds_does_not_spoil_the_paste(opened: OpenEditor, agent: AimedAgent) -> None:
    with opened.desk.hand.holding_key("Shift_L"):
        assert paste(agent) is None


def test_two_phones_paste_one_after_the_other_and_neither_is_lost(opened: OpenEditor, agent: AimedAgent) -> None:
    before, said = opened.desk.screenshot(), []
    aims = [ScreenPoint(700, 300), ScreenPoint(1300, 700)]
    phones = [threading.Thread(target=lambda aim=aim: said.append(paste(agent, aim))) for aim in aims]
    for phone in phones:
        phone.start()
    for phone in phones:
        phone.join()
    assert said == [None, None]
    after = opened.wait_until_still()
    for aim in aims:
        around = slice(int(aim.y) - 150, int(aim.y) + 150), slice(int(aim.x) - 200, int(aim.x) + 200)
        assert find_card(before[around], after[around]) is not None


def test_an_undo_takes_back_one_paste_and_not_the_users_own_work(opened: OpenEditor, agent: AimedAgent) -> None:
    before = opened.desk.screenshot()
    assert paste(agent) is None
    assert agent.undo().verified
    with pytest.raises(NothingToUndo):
        agent.undo()
    assert_document_is(opened, before)


def test_an_agent_that_was_killed_while_it_pasted_says_what_it_does_not_know(
    opened: OpenEditor, agent: AimedAgent, tmp_path: Path
) -> None:
    command = [sys.executable, "-m", "tests.editors.paste_and_be_killed", str(tmp_path), str(AIM.x), str(AIM.y)]
    assert subprocess.run(command, timeout=60, check=False).returncode == -9
    told = agent.tell_unknown()
    assert told is not None
    assert "KolourPaint" in told
    assert agent.tell_unknown() is None


@pytest.fixture
def open_one(desk: Desk, tmp_path: Path, pytestconfig: pytest.Config) -> OpenOne:
    """Opens any editor, where `make test-editors` has installed them all."""
    if not pytestconfig.getoption("--all-editors", default=False):
        pytest.skip("`make test-editors` opens more than KolourPaint")
    return lambda editor: open_editor(editor, desk, tmp_path, is_blank=False)


def test_a_read_only_document_is_not_said_to_be_pasted_into(desk: Desk, tmp_path: Path, open_one: OpenOne) -> None:
    draw = EDITORS_BY_NAME["draw"]
    with desk.as_own(), open_one(replace(draw, command=(*draw.command, "--view"))) as opened:
        before = opened.desk.screenshot()
        assert paste(AimedAgent(tmp_path)) is not None
        after = opened.wait_until_still()  # its bar that says "read-only" may come as late as this
        assert find_card(before, after) is None


def test_what_krita_asks_at_the_first_paste_is_for_the_user_to_answer(
    desk: Desk, tmp_path: Path, open_one: OpenOne
) -> None:
    with desk.as_own(), open_one(replace(EDITORS_BY_NAME["krita"], profile=())) as opened:
        before, editor = opened.desk.screenshot(), opened.desk.active_window()
        error = paste(AimedAgent(tmp_path))
        assert isinstance(error, DialogInFront)
        opened.desk.hand.press("Escape")
        wait_until(lambda: opened.desk.active_window() == editor)
        assert_document_is(opened, before)
