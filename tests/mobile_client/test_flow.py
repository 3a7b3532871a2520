"""What a tap does next, told without a window, a camera or a network."""

import dataclasses
from collections.abc import Callable
from typing import TypeVar

import pytest

from mobile_client.flow import (
    MARKS_S,
    NOT_PASTED,
    PARTLY_OUTSIDE,
    STILL_PASTING,
    STILL_UNDOING,
    UNDO_OFFERED_S,
    Flow,
    Notice,
    State,
    StateName,
)
from protocol.errors import (
    AgentUnreachable,
    CameraUnavailable,
    CopyPasteError,
    NothingToCut,
    NothingToUndo,
    ScreenNotInView,
    SecondViewWanted,
)
from protocol.geometry import ScreenPoint
from protocol.messages import PasteAnswer, UndoAnswer

PASTED_NOTICE = Notice("Pasted into Inkscape, 1 px from the aim.")
T = TypeVar("T")
PASTED = PasteAnswer("Inkscape", "drop", ScreenPoint(10, 20), ScreenPoint(10, 21), 180.0, 1.0, True, {})


class FakePhone:
    """Pictures are words; what a server answers is set by the test; background work waits until `finish`."""

    def __init__(self) -> None:
        self.copied: str | Exception = "cup"
        self.pasted: PasteAnswer | Exception = PASTED
        self.undone: UndoAnswer | Exception = UndoAnswer("Inkscape", verified=True)
        self.cut_off = ""
        self.camera_error: CopyPasteError | None = None
        self.asked: list[tuple[str, ...]] = []
        self.work: list[Callable[[], None]] = []
        self.later: list[tuple[float, Callable[[], None]]] = []
        self.states: list[State[str]] = []
        self.flow = Flow[str, str, str](
            self, run_in_background=self.work.append, run_on_ui=self._run_on_ui, observe=self.states.append
        )

    def take_photo(self) -> str:
        return self._picture("photo")

    def take_view(self) -> str:
        return self._picture("view")

    def copy(self, photo: str) -> str:
        self.asked.append(("copy", photo))
        return _answer(self.copied)

    def is_whole(self, cutout: str) -> bool:
        return cutout != self.cut_off

    def paste(self, cutout: str, view: str, *, is_second_view: bool) -> PasteAnswer:
        self.asked.append(("paste again" if is_second_view else "paste", cutout, view))
        return _answer(self.pasted)

    def undo(self) -> UndoAnswer:
        self.asked.append(("undo",))
        return _answer(self.undone)

    def finish(self) -> None:
        """The oldest question is answered."""
        self.work.pop(0)()

    def wait(self) -> float:
        """The time for what was put off has come; how long that was, in seconds."""
        delay_s, work = self.later.pop(0)
        work()
        return delay_s

    @property
    def name(self) -> StateName:
        return self.flow.state.name

    @property
    def notice(self) -> Notice | None:
        return self.flow.state.notice

    def _run_on_ui(self, work: Callable[[], None], delay_s: float = 0.0) -> None:
        if delay_s:
            self.later.append((delay_s, work))
        else:
            work()

    def _picture(self, word: str) -> str:
        if self.camera_error:
            raise self.camera_error
        return word


def _answer(answer: T | Exception) -> T:
    if isinstance(answer, Exception):
        raise answer
    return answer


@pytest.fixture
def phone() -> FakePhone:
    return FakePhone()


@pytest.fixture
def holding(phone: FakePhone) -> FakePhone:
    phone.flow.tap()
    phone.finish()
    return phone


def test_two_taps_copy_and_paste(phone: FakePhone) -> None:
    phone.flow.tap()
    phone.finish()
    phone.flow.tap()
    phone.finish()

    assert [state.name for state in phone.states] == ["copying", "holding", "pasting", "aiming"]
    assert phone.asked == [("copy", "photo"), ("paste", "cup", "view")]
    assert phone.notice == Notice("Pasted into Inkscape, 1 px from the aim.")


@pytest.mark.parametrize(
    ("error_px", "where"), [(0.4, "right at the aim"), (0.96, "right at the aim"), (1.0, "1 px"), (7.6, "8 px")]
)
def test_the_user_is_told_how_far_from_the_aim_the_cutout_landed(
    holding: FakePhone, error_px: float, where: str
) -> None:
    holding.pasted = dataclasses.replace(PASTED, error_px=error_px)
    holding.flow.tap()
    holding.finish()
    assert holding.notice is not None
    assert holding.notice.text.startswith(f"Pasted into Inkscape, {where}")


def test_a_cutout_that_is_not_all_of_the_thing_is_held_and_the_user_told(phone: FakePhone) -> None:
    phone.cut_off = "cup"
    phone.flow.tap()
    phone.finish()
    assert phone.flow.state == State(StateName.HOLDING, "cup", Notice(PARTLY_OUTSIDE))


def test_a_whole_cutout_needs_no_words(holding: FakePhone) -> None:
    assert holding.flow.state == State(StateName.HOLDING, "cup", None)


def test_the_cutout_is_in_hand_while_holding_and_pasting(holding: FakePhone) -> None:
    assert holding.flow.state.cutout == "cup"
    holding.flow.tap()
    assert holding.flow.state.cutout == "cup"
    holding.finish()
    assert holding.flow.state.cutout is None


def test_a_tap_while_copying_does_nothing(phone: FakePhone) -> None:
    phone.flow.tap()
    phone.flow.tap()
    assert len(phone.work) == 1
    assert len(phone.states) == 1


def test_a_tap_while_pasting_does_nothing(holding: FakePhone) -> None:
    holding.flow.tap()
    holding.flow.tap()
    assert len(holding.work) == 1


def test_a_failed_copy_goes_back_to_aiming_and_says_why(phone: FakePhone) -> None:
    phone.copied = NothingToCut()
    phone.flow.tap()
    phone.finish()
    assert phone.flow.state == State(StateName.AIMING, None, Notice(NothingToCut().sentence, is_error=True))


def test_a_failed_paste_keeps_the_cutout_and_says_why(holding: FakePhone) -> None:
    holding.pasted = ScreenNotInView()
    holding.flow.tap()
    holding.finish()
    assert holding.flow.state == State(StateName.HOLDING, "cup", Notice(ScreenNotInView().sentence, is_error=True))


def test_a_failed_paste_can_be_tried_again(holding: FakePhone) -> None:
    holding.pasted = AgentUnreachable()
    holding.flow.tap()
    holding.finish()
    holding.pasted = PASTED
    holding.flow.tap()
    holding.finish()
    assert holding.name is StateName.AIMING


def test_a_question_that_breaks_does_not_leave_the_user_waiting(phone: FakePhone) -> None:
    phone.copied = ZeroDivisionError()
    phone.flow.tap()
    with pytest.raises(ZeroDivisionError):
        phone.finish()
    assert phone.flow.state == State(StateName.AIMING, None, Notice(CopyPasteError().sentence, is_error=True))


def test_without_a_picture_nothing_is_asked(phone: FakePhone) -> None:
    phone.camera_error = CameraUnavailable()
    phone.flow.tap()
    assert phone.work == []
    assert phone.flow.state == State(StateName.AIMING, None, Notice(CameraUnavailable().sentence, is_error=True))


def test_without_a_view_the_cutout_is_kept(holding: FakePhone) -> None:
    holding.camera_error = CameraUnavailable()
    holding.flow.tap()
    assert holding.name is StateName.HOLDING
    assert holding.flow.state.cutout == "cup"


def test_there_is_nothing_to_cancel_while_aiming(phone: FakePhone) -> None:
    assert not phone.flow.cancel()
    assert phone.states == []


def test_cancelling_a_copy_goes_back_to_aiming(phone: FakePhone) -> None:
    phone.flow.tap()
    assert phone.flow.cancel()
    assert phone.flow.state == State(StateName.AIMING)


def test_the_late_answer_of_a_cancelled_copy_is_dropped(phone: FakePhone) -> None:
    phone.flow.tap()
    phone.flow.cancel()
    phone.finish()
    assert [state.name for state in phone.states] == ["copying", "aiming"]


def test_the_late_error_of_a_cancelled_copy_is_dropped(phone: FakePhone) -> None:
    phone.copied = NothingToCut()
    phone.flow.tap()
    phone.flow.cancel()
    phone.finish()
    assert phone.notice is None


def test_the_late_answer_of_a_cancelled_copy_does_not_become_the_next_one(phone: FakePhone) -> None:
    phone.copied = "cup"
    phone.flow.tap()
    phone.flow.cancel()
    phone.flow.tap()
    phone.finish()
    assert phone.name is StateName.COPYING
    phone.copied = "plant"
    phone.finish()
    assert phone.flow.state.cutout == "plant"


def test_cancelling_while_holding_lets_go_of_the_cutout(holding: FakePhone) -> None:
    assert holding.flow.cancel()
    assert holding.flow.state == State(StateName.AIMING)


def test_cancelling_a_paste_keeps_the_cutout_and_says_that_it_may_still_land(holding: FakePhone) -> None:
    holding.flow.tap()
    assert holding.flow.cancel()
    assert holding.flow.state == State(StateName.HOLDING, "cup", Notice(STILL_PASTING))


def test_the_late_answer_of_a_cancelled_paste_still_informs(holding: FakePhone) -> None:
    holding.flow.tap()
    holding.flow.cancel()
    holding.finish()
    assert holding.flow.state == State(StateName.HOLDING, "cup", PASTED_NOTICE, pasted="cup")


def test_a_cancelled_paste_that_landed_can_be_undone_for_a_while(holding: FakePhone) -> None:
    holding.flow.tap()
    holding.flow.cancel()
    holding.finish()
    holding.flow.undo()
    assert holding.flow.state == State(StateName.UNDOING, "cup")
    holding.finish()
    assert holding.asked[-1] == ("undo",)
    assert holding.flow.state == State(StateName.HOLDING, "cup", Notice("Undone in Inkscape."))


def test_a_cancelled_paste_that_could_not_be_undone_leaves_the_cutout_in_hand(holding: FakePhone) -> None:
    holding.flow.tap()
    holding.flow.cancel()
    holding.finish()
    holding.undone = AgentUnreachable()
    holding.flow.undo()
    holding.finish()
    notice = Notice(AgentUnreachable().sentence, is_error=True)
    assert holding.flow.state == State(StateName.HOLDING, "cup", notice, pasted="cup")


def test_after_a_while_it_cannot_and_the_cutout_is_still_in_hand(holding: FakePhone) -> None:
    holding.flow.tap()
    holding.flow.cancel()
    holding.finish()
    assert holding.wait() == UNDO_OFFERED_S
    assert holding.flow.state == State(StateName.HOLDING, "cup")


def test_a_cancelled_paste_can_be_had_back_after_letting_go(holding: FakePhone) -> None:
    holding.flow.tap()
    holding.flow.cancel()
    holding.flow.cancel()
    holding.finish()
    assert holding.flow.state == State(StateName.AIMING, None, PASTED_NOTICE, pasted="cup")


def test_a_late_paste_is_not_offered_back_in_place_of_another_cutout(holding: FakePhone) -> None:
    holding.flow.tap()
    holding.flow.cancel()
    holding.flow.cancel()
    paste = holding.work.pop()
    holding.copied = "plant"
    holding.flow.tap()
    holding.finish()
    paste()
    assert holding.flow.state == State(StateName.HOLDING, "plant", PASTED_NOTICE)


def test_the_late_error_of_a_cancelled_paste_still_informs(holding: FakePhone) -> None:
    holding.pasted = AgentUnreachable()
    holding.flow.tap()
    holding.flow.cancel()
    holding.flow.cancel()
    holding.finish()
    assert holding.flow.state == State(StateName.AIMING, None, Notice(AgentUnreachable().sentence, is_error=True))


def test_informing_changes_nothing_else(holding: FakePhone) -> None:
    holding.flow.inform(Notice("Paired with desk."))
    assert holding.flow.state == State(StateName.HOLDING, "cup", Notice("Paired with desk."))


@pytest.fixture
def marked(holding: FakePhone) -> FakePhone:
    """The screen was too plain, so it shows marks."""
    holding.pasted = SecondViewWanted()
    holding.flow.tap()
    holding.finish()
    return holding


def test_a_plain_screen_is_looked_at_again_once_it_shows_marks(marked: FakePhone) -> None:
    assert marked.flow.state == State(StateName.PASTING, "cup", Notice(SecondViewWanted().sentence))
    assert marked.work == []
    marked.pasted = PASTED
    assert marked.wait() == MARKS_S
    marked.finish()
    assert marked.asked[1:] == [("paste", "cup", "view"), ("paste again", "cup", "view")]
    assert marked.name is StateName.AIMING
    assert marked.notice == Notice("Pasted into Inkscape, 1 px from the aim.")


@pytest.mark.parametrize("error", [ScreenNotInView(), SecondViewWanted()])
def test_a_second_view_that_is_refused_is_the_last(marked: FakePhone, error: CopyPasteError) -> None:
    marked.pasted = error
    marked.wait()
    marked.finish()
    assert marked.flow.state == State(StateName.HOLDING, "cup", Notice(error.sentence, is_error=True))
    assert (marked.work, marked.later) == ([], [])


def test_after_a_second_view_the_next_tap_may_ask_for_two_again(marked: FakePhone) -> None:
    marked.wait()
    marked.finish()
    marked.flow.tap()
    marked.finish()
    marked.wait()
    assert marked.name is StateName.PASTING
    assert len(marked.work) == 1


def test_letting_go_while_marks_are_shown_takes_no_second_view(marked: FakePhone) -> None:
    marked.flow.cancel()
    marked.wait()
    assert marked.work == []
    assert marked.flow.state.name is StateName.HOLDING
    assert marked.flow.state.cutout == "cup"


def test_marks_that_come_after_letting_go_say_that_nothing_was_pasted(holding: FakePhone) -> None:
    holding.pasted = SecondViewWanted()
    holding.flow.tap()
    holding.flow.cancel()
    holding.finish()
    assert holding.flow.state == State(StateName.HOLDING, "cup", Notice(NOT_PASTED))
    assert holding.later == []


def test_without_a_second_view_the_cutout_is_kept(marked: FakePhone) -> None:
    marked.camera_error = CameraUnavailable()
    marked.wait()
    assert marked.flow.state == State(StateName.HOLDING, "cup", Notice(CameraUnavailable().sentence, is_error=True))


@pytest.fixture
def pasted(holding: FakePhone) -> FakePhone:
    holding.flow.tap()
    holding.finish()
    return holding


def test_what_was_pasted_can_be_had_back(pasted: FakePhone) -> None:
    assert pasted.flow.state == State(StateName.AIMING, None, PASTED_NOTICE, pasted="cup")
    pasted.flow.undo()
    assert pasted.flow.state == State(StateName.UNDOING, "cup")
    pasted.finish()
    assert pasted.asked[-1] == ("undo",)
    assert pasted.flow.state == State(StateName.HOLDING, "cup", Notice("Undone in Inkscape."))


def test_after_an_undo_it_can_be_pasted_elsewhere(pasted: FakePhone) -> None:
    pasted.flow.undo()
    pasted.finish()
    pasted.flow.tap()
    pasted.finish()
    assert pasted.flow.state == State(StateName.AIMING, None, PASTED_NOTICE, pasted="cup")


def test_undo_is_offered_for_a_while(pasted: FakePhone) -> None:
    assert pasted.wait() == UNDO_OFFERED_S
    assert pasted.flow.state == State(StateName.AIMING)
    pasted.flow.undo()
    assert pasted.asked[-1] != ("undo",)


def test_the_end_of_one_offer_does_not_end_the_next(pasted: FakePhone) -> None:
    pasted.flow.undo()
    pasted.finish()
    pasted.flow.tap()
    pasted.finish()
    pasted.wait()
    assert pasted.flow.state.pasted == "cup"
    pasted.wait()
    assert pasted.flow.state.pasted is None


def test_copying_the_next_thing_ends_the_offer(pasted: FakePhone) -> None:
    pasted.flow.tap()
    assert pasted.flow.state == State(StateName.COPYING)
    pasted.wait()
    assert pasted.flow.state == State(StateName.COPYING)


def test_informing_does_not_end_the_offer(pasted: FakePhone) -> None:
    pasted.flow.inform(Notice("Paired with desk."))
    assert pasted.flow.state.pasted == "cup"


def test_an_undo_that_was_not_seen_to_work_says_so_and_the_cutout_is_back(pasted: FakePhone) -> None:
    pasted.undone = UndoAnswer("Inkscape", verified=False)
    pasted.flow.undo()
    pasted.finish()
    assert pasted.flow.state.cutout == "cup"
    assert pasted.notice is not None
    assert pasted.notice.text.startswith("Undone in Inkscape. It may not have worked")


@pytest.mark.parametrize("error", [NothingToUndo(), AgentUnreachable()])
def test_an_undo_that_failed_says_why_and_can_be_tried_again(pasted: FakePhone, error: CopyPasteError) -> None:
    pasted.undone = error
    pasted.flow.undo()
    pasted.finish()
    assert pasted.flow.state == State(StateName.AIMING, None, Notice(error.sentence, is_error=True), pasted="cup")
    pasted.undone = UndoAnswer("Inkscape", verified=True)
    pasted.flow.undo()
    pasted.finish()
    assert pasted.name is StateName.HOLDING


def test_letting_go_of_an_undo_keeps_the_cutout_and_its_answer_still_informs(pasted: FakePhone) -> None:
    pasted.flow.undo()
    assert pasted.flow.cancel()
    assert pasted.flow.state == State(StateName.HOLDING, "cup", Notice(STILL_UNDOING))
    pasted.finish()
    assert pasted.flow.state == State(StateName.HOLDING, "cup", Notice("Undone in Inkscape."))


def test_a_tap_while_undoing_does_nothing(pasted: FakePhone) -> None:
    pasted.flow.undo()
    pasted.flow.tap()
    assert pasted.name is StateName.UNDOING
    assert len(pasted.work) == 1


def test_nothing_pasted_cannot_be_undone(holding: FakePhone) -> None:
    holding.flow.undo()
    assert holding.work == []
