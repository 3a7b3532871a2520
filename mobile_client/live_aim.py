"""small views -> what the reticle says: while a cutout is held, the agent is asked where a paste would go. No Kivy."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from mobile_client.flow import RunOnUi
from protocol.errors import CopyPasteError
from protocol.messages import AimAnswer

ViewT = TypeVar("ViewT")

LOCKS_FROM = 0.9  # the probability of being right from which on the reticle locks
HOLDS_FROM = 0.7  # from which on a locked one stays so
STEADY_S = 1.2  # what is shown stays so long after it was last true, lest it flicker
PAUSE_S = 0.2  # between an answer and the next view
SLOWER = 1.5  # each refusal makes the pause so much longer, and the battery last
LONGEST_PAUSE_S = 0.6
LONGEST_PAUSE_UNANSWERED_S = 4.0  # for an agent that is busy, or not there


@dataclass(frozen=True)
class Sight:
    """What the user is told of the aim."""

    editor: str | None = None  # the program that a tap would paste into; None until that is sure
    advice: str = ""  # what is in the way, as a sentence


class Aim(Protocol[ViewT]):
    """What live aim needs."""

    def take_small_view(self) -> ViewT | None:
        """The computer's screen, as the camera sees it now; None before the first frame. Called on the UI thread."""

    def aim(self, view: ViewT, /) -> AimAnswer:
        """Where a paste would go; runs in the background. Raises what the agent says is wrong."""


class LiveAim(Generic[ViewT]):
    """Asks again and again, one question at a time, from `start` until `stop`. Call it on the UI thread only."""

    def __init__(
        self,
        phone: Aim[ViewT],
        *,
        run_in_background: Callable[[Callable[[], None]], None],
        run_on_ui: RunOnUi,
        observe: Callable[[Sight], None],
        clock_s: Callable[[], float] = time.monotonic,
    ) -> None:
        """Wait for `start`; `observe` is told whenever the sight changes."""
        self._phone = phone
        self._run_in_background = run_in_background
        self._run_on_ui = run_on_ui
        self._observe = observe
        self._clock_s = clock_s
        self._turn = 0  # each start and stop ends the one before
        self._is_running = False
        self._pause_s = PAUSE_S
        self._sight = Sight()
        self._seen_s = 0.0  # when an answer last said what is shown

    def start(self) -> None:
        """Begin to ask, unless it is being done."""
        if not self._is_running:
            self._is_running = True
            self._turn += 1
            self._pause_s, self._seen_s = PAUSE_S, self._clock_s()
            self._look(self._turn)

    def stop(self) -> None:
        """Ask no more; an answer that is under way is dropped, and nothing is known of the aim."""
        self._is_running = False
        self._turn += 1
        self._show(Sight())

    def _look(self, turn: int) -> None:
        if turn != self._turn:
            return
        view = self._phone.take_small_view()
        if view is None:
            self._run_on_ui(lambda: self._look(turn), PAUSE_S)
            return
        self._run_in_background(lambda: self._ask(view, turn))

    def _ask(self, view: ViewT, turn: int) -> None:
        answer: AimAnswer | CopyPasteError = CopyPasteError()  # if the question itself breaks
        try:
            answer = self._phone.aim(view)
        except CopyPasteError as error:
            answer = error
        finally:
            self._run_on_ui(lambda: self._learn(answer, turn))

    def _learn(self, answer: AimAnswer | CopyPasteError, turn: int) -> None:
        if turn != self._turn:
            return
        self._pause_s = _next_pause_s(self._pause_s, answer)
        self._see(_sight_of(answer, is_locked=self._sight.editor is not None))
        self._run_on_ui(lambda: self._look(turn), self._pause_s)

    def _see(self, sight: Sight) -> None:
        """Good news is shown at once, anything else when what is shown has not been true for a while."""
        is_stale = self._clock_s() - self._seen_s >= STEADY_S
        if sight.editor or is_stale or sight == self._sight:
            self._seen_s = self._clock_s()
            self._show(sight)

    def _show(self, sight: Sight) -> None:
        if sight != self._sight:
            self._sight = sight
            self._observe(sight)


def _sight_of(answer: AimAnswer | CopyPasteError, *, is_locked: bool) -> Sight:
    if isinstance(answer, CopyPasteError):
        return Sight(advice=answer.sentence)
    if answer.probability < (HOLDS_FROM if is_locked else LOCKS_FROM):
        return Sight()
    return Sight(advice=answer.refusal.sentence) if answer.refusal else Sight(editor=answer.editor)


def _next_pause_s(pause_s: float, answer: AimAnswer | CopyPasteError) -> float:
    if isinstance(answer, AimAnswer):
        return PAUSE_S
    longest_s = LONGEST_PAUSE_UNANSWERED_S if answer.status >= 500 else LONGEST_PAUSE_S
    return min(longest_s, pause_s * SLOWER)
