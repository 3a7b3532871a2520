"""What phones get while they aim and paste, and what the screen shows meanwhile."""

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, cast

import numpy as np
import pytest

from desktop_agent.editors import Editor
from desktop_agent.live import NOT_MARKED, LiveDesktop
from desktop_agent.overlay import Overlay
from desktop_agent.overlay_message import Patch
from desktop_agent.screenshot import Screenshot
from protocol.errors import (
    CopyPasteError,
    EditorTakesNoPictures,
    NoEditorThere,
    NothingToUndo,
    PasteNotSeen,
    ScreenLocked,
    SecondViewWanted,
    ServerBusy,
)
from protocol.geometry import ScreenPoint
from protocol.messages import AimRequest, ErrorAnswer, PasteAnswer, PasteRequest, UndoAnswer
from tests.desktop_agent.test_aim import FOUND, MONITOR, VIEW

CUTOUT = np.full((20, 30, 4), 255, np.uint8)
PATIENCE_S = 10.0
PASTED = PasteAnswer("Drawn", "drawing", ScreenPoint(600, 300), ScreenPoint(601, 300), 90.0, 1.0, True, {"look": 0.5})
UNDONE = UndoAnswer("Drawn", verified=True)


class RememberedOverlay(Overlay):
    """Shows nothing, and remembers what it was to show."""

    def __init__(self) -> None:
        self.shown: list[Sequence[Patch]] = []
        self.can_show = True

    def prepare(self) -> None:
        pass

    def show(self, patches: Sequence[Patch], shows_s: float) -> bool:
        self.shown.append(patches)
        return self.can_show

    def hide(self) -> None:
        self.shown.append(())

    def take_clean_screenshots(self) -> Sequence[Screenshot]:
        return [MONITOR]


@dataclass
class Live:
    """The desktop under test, with a paste and an editor that do as they are told."""

    paste: Callable[[], PasteAnswer] = lambda: PASTED
    undo: Callable[[], UndoAnswer] = lambda: UNDONE
    no_editor: CopyPasteError | None = None
    overlay: RememberedOverlay = field(default_factory=RememberedOverlay)
    told: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.finder = FakeFinder()
        paster, finder = cast(Any, FakePaster(self)), cast(Any, self.finder)
        self.desktop = LiveDesktop(paster, finder, self.overlay, self.editor_at, self.told.append)

    def editor_at(self, point: ScreenPoint) -> Editor:
        if self.no_editor:
            raise self.no_editor
        return cast(Editor, Named("Drawn"))


@dataclass
class Named:
    name: str


@dataclass
class FakePaster:
    live: Live

    def paste(self, *_asked: object) -> PasteAnswer:
        return self.live.paste()

    def undo(self) -> UndoAnswer:
        return self.live.undo()


def nothing_to_undo() -> UndoAnswer:
    raise NothingToUndo


def not_seen() -> PasteAnswer:
    raise PasteNotSeen


def screen_locked() -> PasteAnswer:
    raise ScreenLocked


def second_view_wanted() -> PasteAnswer:
    raise SecondViewWanted


class FakeFinder:
    shows_markers = False

    def follow(self, *_asked: object) -> object:
        return FOUND


@pytest.fixture
def live() -> Live:
    return Live()


def test_an_aim_says_where_how_surely_and_into_what_and_marks_it(live: Live) -> None:
    answer = live.desktop.aim("ada", VIEW, AimRequest(90.0))
    assert (answer.aim, answer.radius_95, answer.probability) == (ScreenPoint(600, 300), 1.0, 0.8)
    assert (answer.editor, answer.refusal) == ("Drawn", None)
    lefts = [patch.x for patch in live.overlay.shown[-1]]
    assert min(lefts) < 600 - 45 < 600 + 45 < max(lefts) + 57  # as wide as the cutout would be


@pytest.mark.parametrize("error", [NoEditorThere(), EditorTakesNoPictures("It is a terminal.")])
def test_an_aim_where_nothing_can_be_pasted_says_why(live: Live, error: CopyPasteError) -> None:
    live.no_editor = error
    answer = live.desktop.aim("ada", VIEW, AimRequest(90.0))
    assert (answer.editor, answer.refusal) == (None, ErrorAnswer(error.code, error.sentence))


def test_a_paste_takes_the_mark_away_before_it_looks(live: Live) -> None:
    live.desktop.aim("ada", VIEW, AimRequest(90.0))
    shown_at_paste: list[Sequence[Patch]] = []

    def paste() -> PasteAnswer:
        shown_at_paste.append(live.overlay.shown[-1])
        return PASTED

    live.paste = paste
    assert live.desktop.paste("ada", CUTOUT, VIEW, PasteRequest(90.0)) == PASTED
    assert shown_at_paste == [()]
    assert live.told == ["Pasted into Drawn (drawing), 1.0 px from the aim: look 0.50 s."]


def test_an_aim_during_a_paste_is_answered_at_once_and_marks_nothing(live: Live) -> None:
    goes_on = threading.Event()

    def paste() -> PasteAnswer:
        assert goes_on.wait(PATIENCE_S)
        return PASTED

    live.paste = paste
    pasting = threading.Thread(target=live.desktop.paste, args=("ada", CUTOUT, VIEW, PasteRequest(90.0)))
    pasting.start()
    while not live.overlay.shown:
        time.sleep(0.01)
    with pytest.raises(ServerBusy):
        live.desktop.aim("ada", VIEW, AimRequest(90.0))
    goes_on.set()
    pasting.join()
    assert live.overlay.shown == [()]
    assert live.desktop.aim("ada", VIEW, AimRequest(90.0)).editor == "Drawn"


def test_a_paste_that_fails_is_told_and_aims_are_answered_again(live: Live) -> None:
    live.paste = not_seen
    with pytest.raises(PasteNotSeen):
        live.desktop.paste("ada", CUTOUT, VIEW, PasteRequest(90.0))
    assert live.told[0].startswith("Not pasted.")
    assert live.desktop.aim("ada", VIEW, AimRequest(90.0)).editor == "Drawn"


def test_a_mark_does_not_replace_markers(live: Live) -> None:
    live.finder.shows_markers = True
    live.desktop.aim("ada", VIEW, AimRequest(90.0))
    assert not live.overlay.shown


def test_a_trial_marks_the_spot_and_says_what_would_be(live: Live) -> None:
    live.paste = lambda: replace(PASTED, landed=None, landed_width=None, error_px=None)
    live.desktop.paste("ada", CUTOUT, VIEW, PasteRequest(90.0, is_dry_run=True))
    assert [len(patches) for patches in live.overlay.shown] == [0, 1]
    assert live.told == ["Would be pasted into Drawn (drawing): look 0.50 s."]


def test_a_trial_without_marks_says_that_nothing_marks_the_spot(live: Live) -> None:
    live.overlay.can_show = False
    live.desktop.paste("ada", CUTOUT, VIEW, PasteRequest(90.0, is_dry_run=True))
    assert live.told[-1] == NOT_MARKED


def test_there_is_nothing_to_undo_before_a_paste(live: Live) -> None:
    live.undo = nothing_to_undo
    with pytest.raises(NothingToUndo):
        live.desktop.undo("ada")


def test_a_paste_is_undone_by_the_phone_that_pasted_it_and_no_other(live: Live) -> None:
    live.desktop.paste("ada", CUTOUT, VIEW, PasteRequest(90.0))
    with pytest.raises(NothingToUndo, match="another phone"):
        live.desktop.undo("bea")
    assert live.desktop.undo("ada") == UNDONE
    live.desktop.paste("bea", CUTOUT, VIEW, PasteRequest(90.0))
    with pytest.raises(NothingToUndo, match="another phone"):
        live.desktop.undo("ada")


def test_another_phones_paste_that_was_refused_or_a_trial_takes_no_undo_away(live: Live) -> None:
    live.desktop.paste("ada", CUTOUT, VIEW, PasteRequest(90.0))
    live.desktop.paste("bea", CUTOUT, VIEW, PasteRequest(90.0, is_dry_run=True))
    live.paste = screen_locked
    with pytest.raises(ScreenLocked):
        live.desktop.paste("bea", CUTOUT, VIEW, PasteRequest(90.0))
    assert live.desktop.undo("ada") == UNDONE


def test_markers_stay_for_the_phone_of_which_a_second_view_is_wanted(live: Live) -> None:
    live.paste, live.finder.shows_markers = second_view_wanted, True
    with pytest.raises(SecondViewWanted):
        live.desktop.paste("ada", CUTOUT, VIEW, PasteRequest(90.0))
    live.paste = lambda: PASTED
    live.overlay.shown.clear()
    with pytest.raises(ServerBusy, match="markers for another phone"):
        live.desktop.paste("bea", CUTOUT, VIEW, PasteRequest(90.0))
    assert not live.overlay.shown
    assert live.desktop.paste("ada", CUTOUT, VIEW, PasteRequest(90.0, is_second_view=True)) == PASTED
    assert live.desktop.paste("bea", CUTOUT, VIEW, PasteRequest(90.0)) == PASTED


def test_markers_that_are_gone_keep_no_other_phone_waiting(live: Live) -> None:
    live.paste, live.finder.shows_markers = second_view_wanted, True
    with pytest.raises(SecondViewWanted):
        live.desktop.paste("ada", CUTOUT, VIEW, PasteRequest(90.0))
    live.paste, live.finder.shows_markers = lambda: PASTED, False
    assert live.desktop.paste("bea", CUTOUT, VIEW, PasteRequest(90.0)) == PASTED
