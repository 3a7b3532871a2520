"""What the reticle says while a cutout is held, told without a window, a camera or a network."""

from collections.abc import Callable

import pytest

from mobile_client.live_aim import (
    LONGEST_PAUSE_S,
    LONGEST_PAUSE_UNANSWERED_S,
    PAUSE_S,
    STEADY_S,
    LiveAim,
    Sight,
)
from protocol.errors import (
    AgentUnreachable,
    CopyPasteError,
    EditorTakesNoPictures,
    NoEditorThere,
    ScreenNotInView,
    ServerBusy,
    ViewTooBlurred,
)
from protocol.geometry import ScreenPoint
from protocol.messages import AimAnswer, ErrorAnswer

SURE, UNSURE, DOUBTED = (AimAnswer(ScreenPoint(1, 2), 1.0, probability, "Inkscape") for probability in (0.97, 0.5, 0.8))
LOCKED = Sight(editor="Inkscape")
NOT_SEEN = Sight(advice=ScreenNotInView().sentence)


class FakePhone:
    """Views are numbers; what the agent answers is set by the test; everything waits until it is let go on."""

    def __init__(self) -> None:
        self.answer: AimAnswer | Exception = SURE
        self.has_camera = True
        self.views: list[int] = []
        self.work: list[Callable[[], None]] = []
        self.later: list[tuple[float, Callable[[], None]]] = []
        self.sights: list[Sight] = []
        self.now_s = 100.0
        self.live = LiveAim[int](
            self,
            run_in_background=self.work.append,
            run_on_ui=self._run_on_ui,
            observe=self.sights.append,
            clock_s=lambda: self.now_s,
        )

    def take_small_view(self) -> int | None:
        return len(self.views) if self.has_camera else None

    def aim(self, view: int) -> AimAnswer:
        self.views.append(view)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer

    def finish(self) -> None:
        """The question is answered."""
        self.work.pop()()

    def wait(self) -> float:
        """The pause is over; how long it was, in seconds."""
        delay_s, work = self.later.pop()
        self.now_s += delay_s
        work()
        return delay_s

    def see(self, answer: AimAnswer | Exception, *, for_s: float = 0.0) -> None:
        """The next view gets this answer, and so do those that follow for a while."""
        self.answer = answer
        until_s = self.now_s + for_s
        self.finish()
        self.wait()
        while self.now_s < until_s:
            self.finish()
            self.wait()

    def _run_on_ui(self, work: Callable[[], None], delay_s: float = 0.0) -> None:
        if delay_s:
            self.later.append((delay_s, work))
        else:
            work()


@pytest.fixture
def phone() -> FakePhone:
    phone = FakePhone()
    phone.live.start()
    return phone


def test_before_it_is_started_nothing_is_asked() -> None:
    assert FakePhone().work == []


def test_a_sure_answer_locks_at_once(phone: FakePhone) -> None:
    phone.see(SURE)
    assert phone.sights == [LOCKED]


def test_one_view_is_under_way_at_a_time(phone: FakePhone) -> None:
    phone.live.start()
    assert len(phone.work) == 1
    assert phone.later == []
    phone.finish()
    assert phone.work == []
    assert phone.wait() == PAUSE_S
    assert len(phone.work) == 1


def test_without_a_frame_the_camera_is_waited_for() -> None:
    phone = FakePhone()
    phone.has_camera = False
    phone.live.start()
    assert phone.work == []
    phone.has_camera = True
    phone.wait()
    assert len(phone.work) == 1


def test_an_unsure_answer_does_not_lock(phone: FakePhone) -> None:
    phone.see(UNSURE, for_s=3 * STEADY_S)
    assert phone.sights == []


def test_a_little_doubt_does_not_unlock_what_it_would_not_have_locked(phone: FakePhone) -> None:
    phone.see(DOUBTED, for_s=3 * STEADY_S)
    assert phone.sights == []
    phone.see(SURE)
    phone.see(DOUBTED, for_s=3 * STEADY_S)
    assert phone.sights == [LOCKED]


def test_a_lock_outlives_a_moment_without_the_screen(phone: FakePhone) -> None:
    phone.see(SURE)
    phone.see(ScreenNotInView(), for_s=0.4 * STEADY_S)
    phone.see(SURE)
    assert phone.sights == [LOCKED]


def test_a_lock_ends_when_the_screen_stays_away(phone: FakePhone) -> None:
    phone.see(SURE)
    phone.see(ScreenNotInView(), for_s=2 * STEADY_S)
    assert phone.sights == [LOCKED, NOT_SEEN]


def test_what_is_in_the_way_is_not_told_at_once(phone: FakePhone) -> None:
    phone.see(ScreenNotInView(), for_s=0.4 * STEADY_S)
    assert phone.sights == []
    phone.see(ScreenNotInView(), for_s=2 * STEADY_S)
    assert phone.sights == [NOT_SEEN]


def test_two_reasons_that_take_turns_do_not_flicker(phone: FakePhone) -> None:
    phone.see(ScreenNotInView(), for_s=2 * STEADY_S)
    for _time in range(6):
        phone.see(ViewTooBlurred())
        phone.see(ScreenNotInView())
    assert phone.sights == [NOT_SEEN]


def test_another_program_under_the_reticle_is_named_at_once(phone: FakePhone) -> None:
    phone.see(SURE)
    phone.see(AimAnswer(ScreenPoint(1, 2), 1.0, 0.97, "Krita"))
    assert phone.sights == [LOCKED, Sight(editor="Krita")]


@pytest.mark.parametrize("error", [NoEditorThere(), EditorTakesNoPictures()])
def test_where_nothing_can_be_pasted_the_user_is_told_why(phone: FakePhone, error: CopyPasteError) -> None:
    phone.see(AimAnswer(ScreenPoint(1, 2), 1.0, 0.97, None, ErrorAnswer.of(error)), for_s=2 * STEADY_S)
    assert phone.sights == [Sight(advice=error.sentence)]


@pytest.mark.parametrize(
    ("error", "longest_s"),
    [
        (ScreenNotInView(), LONGEST_PAUSE_S),
        (ServerBusy(), LONGEST_PAUSE_UNANSWERED_S),
        (AgentUnreachable(), LONGEST_PAUSE_UNANSWERED_S),
    ],
)
def test_refusals_slow_it_down_and_an_answer_speeds_it_up(phone: FakePhone, error: Exception, longest_s: float) -> None:
    phone.answer = error
    pauses_s = []
    for _time in range(12):
        phone.finish()
        pauses_s.append(phone.wait())
    assert pauses_s[0] > PAUSE_S
    assert pauses_s == sorted(pauses_s)
    assert pauses_s[-1] == longest_s
    phone.answer = SURE
    phone.finish()
    assert phone.wait() == PAUSE_S


def test_after_it_is_stopped_nothing_is_known_and_nothing_asked(phone: FakePhone) -> None:
    phone.see(SURE)
    phone.live.stop()
    phone.finish()
    assert phone.later == []
    assert phone.sights == [LOCKED, Sight()]


def test_the_pause_of_a_stopped_one_leads_to_no_question(phone: FakePhone) -> None:
    phone.finish()
    phone.live.stop()
    phone.wait()
    assert phone.work == []


def test_started_again_it_asks_one_question_at_a_time(phone: FakePhone) -> None:
    phone.finish()
    phone.live.stop()
    phone.live.start()
    phone.wait()
    assert len(phone.work) == 1


def test_a_question_that_breaks_is_not_the_last(phone: FakePhone) -> None:
    phone.answer = ZeroDivisionError()
    with pytest.raises(ZeroDivisionError):
        phone.finish()
    phone.wait()
    assert len(phone.work) == 1
