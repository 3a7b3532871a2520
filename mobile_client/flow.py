"""What a tap does next: aiming -> copying -> holding -> pasting -> aiming, and back by undoing.

No Kivy, no pictures, no network.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import partial
from typing import Generic, Protocol, TypeVar

from protocol.errors import CopyPasteError, SecondViewWanted
from protocol.messages import PasteAnswer, UndoAnswer

PhotoT = TypeVar("PhotoT")  # the picture of the thing
CutoutT = TypeVar("CutoutT")  # what was cut out of it
ViewT = TypeVar("ViewT")  # the picture of the screen
AnswerT = TypeVar("AnswerT")

PARTLY_OUTSIDE = "Part of it was outside the picture. To get all of it, tap the cross, move back and copy it again."
STILL_PASTING = "The computer was already asked to paste, so the cutout may still land."
STILL_UNDOING = "The computer was already asked to undo it."
NOT_PASTED = "Nothing was pasted."
UNDO_OFFERED_S = 8.0  # later on, the editor's own undo is nearer
MARKS_S = 0.7  # until the marks are on the screen and a slow camera shows them


class StateName(StrEnum):
    """What the phone is doing."""

    AIMING = "aiming"  # at a thing; a tap copies it
    COPYING = "copying"
    HOLDING = "holding"  # a cutout; a tap pastes it
    PASTING = "pasting"
    UNDOING = "undoing"  # the last paste


@dataclass(frozen=True)
class Notice:
    """A sentence for the user."""

    text: str
    is_error: bool = False


@dataclass(frozen=True)
class State(Generic[CutoutT]):
    """Where the flow stands, and what there is to tell about how it came there."""

    name: StateName = StateName.AIMING
    cutout: CutoutT | None = None  # while holding, pasting and undoing
    notice: Notice | None = None
    pasted: CutoutT | None = None  # while its paste can be undone


class Phone(Protocol[PhotoT, CutoutT, ViewT]):
    """What the flow needs. Pictures are taken on the UI thread; copy, paste and undo run in the background."""

    def take_photo(self) -> PhotoT:
        """The thing, as the user sees it now."""

    def take_view(self) -> ViewT:
        """The computer's screen, as the camera sees it now."""

    def copy(self, photo: PhotoT, /) -> CutoutT:
        """Cut the object out of a photo."""

    def is_whole(self, cutout: CutoutT, /) -> bool:
        """Whether all of the thing was in the photo."""

    def paste(self, cutout: CutoutT, view: ViewT, /, *, is_second_view: bool) -> PasteAnswer:
        """Paste a cutout at the screen point under the centre of a view.

        Raises:
            SecondViewWanted: the screen shows marks now; it asks for another view, once.
        """

    def undo(self) -> UndoAnswer:
        """Take back the last paste."""


class RunOnUi(Protocol):
    """Runs something on the UI thread."""

    def __call__(self, work: Callable[[], None], delay_s: float = 0.0) -> None:
        """Run it before the next frame, or so much later."""


class Flow(Generic[PhotoT, CutoutT, ViewT]):
    """The state machine of the app. Call it on the UI thread only.

    Every question to a server carries a ticket. Cancelling makes the ticket worthless: the late answer of a copy is
    dropped. A paste or an undo cannot be taken back once it was asked for, so cancelling one keeps the cutout and says
    so, and its late answer still informs; a paste that landed can then be undone, but nothing more is changed.
    """

    def __init__(
        self,
        phone: Phone[PhotoT, CutoutT, ViewT],
        *,
        run_in_background: Callable[[Callable[[], None]], None],
        run_on_ui: RunOnUi,
        observe: Callable[[State[CutoutT]], None],
    ) -> None:
        """Start aiming; `observe` is told of every change and every notice."""
        self.state: State[CutoutT] = State()
        self._phone = phone
        self._run_in_background = run_in_background
        self._run_on_ui = run_on_ui
        self._observe = observe
        self._ticket = 0

    def tap(self) -> None:
        """Copy what is aimed at, or paste what is held; while a server works a tap does nothing."""
        try:
            if self.state.name is StateName.AIMING:
                self._copy()
            elif self.state.name is StateName.HOLDING:
                self._paste()
        except CopyPasteError as error:  # no picture could be taken
            self.inform(_notice_of(error))

    def undo(self) -> None:
        """Take back what was just pasted, and hold it again."""
        before = self.state
        if before.pasted is not None:
            self._become(StateName.UNDOING, before.pasted)
            self._ask(self._phone.undo, partial(self._undone, before))

    def cancel(self) -> bool:
        """Let go. False if there was nothing to let go of."""
        if self.state.name is StateName.AIMING:
            return False
        self._ticket += 1
        if self.state.name is StateName.PASTING:
            self._become(StateName.HOLDING, self.state.cutout, Notice(STILL_PASTING))
        elif self.state.name is StateName.UNDOING:
            self._become(StateName.HOLDING, self.state.cutout, Notice(STILL_UNDOING))
        else:
            self._become(StateName.AIMING)
        return True

    def inform(self, notice: Notice) -> None:
        """Tell the user something; what a tap does next stays."""
        self._become(self.state.name, self.state.cutout, notice, self.state.pasted)

    def _copy(self) -> None:
        photo = self._phone.take_photo()
        self._become(StateName.COPYING)
        self._ask(lambda: self._phone.copy(photo), self._copied)

    def _copied(self, answer: CutoutT | CopyPasteError, is_late: bool) -> None:
        if is_late:
            return
        if isinstance(answer, CopyPasteError):
            self._become(StateName.AIMING, notice=_notice_of(answer))
        else:
            self._become(StateName.HOLDING, answer, None if self._phone.is_whole(answer) else Notice(PARTLY_OUTSIDE))

    def _paste(self) -> None:
        view = self._phone.take_view()
        self._become(StateName.PASTING, self.state.cutout)
        self._ask_to_paste(view, is_second_view=False)

    def _paste_again(self, ticket: int) -> None:
        """The marks are on the screen by now; nothing is done if the user let go meanwhile."""
        if ticket != self._ticket:
            return
        try:
            self._ask_to_paste(self._phone.take_view(), is_second_view=True)
        except CopyPasteError as error:  # no picture could be taken
            self._pasted(self._cutout(), error, is_late=False)

    def _ask_to_paste(self, view: ViewT, *, is_second_view: bool) -> None:
        cutout = self._cutout()
        settle = partial(self._pasted if is_second_view else self._pasted_or_shown_marks, cutout)
        self._ask(lambda: self._phone.paste(cutout, view, is_second_view=is_second_view), settle)

    def _cutout(self) -> CutoutT:
        assert self.state.cutout is not None  # it is there while holding and pasting
        return self.state.cutout

    def _pasted_or_shown_marks(self, cutout: CutoutT, answer: PasteAnswer | CopyPasteError, is_late: bool) -> None:
        if not isinstance(answer, SecondViewWanted):
            self._pasted(cutout, answer, is_late)
        elif is_late:
            self.inform(Notice(NOT_PASTED))
        else:
            ticket = self._ticket
            self.inform(Notice(answer.sentence))
            self._run_on_ui(lambda: self._paste_again(ticket), MARKS_S)

    def _pasted(self, cutout: CutoutT, answer: PasteAnswer | CopyPasteError, is_late: bool) -> None:
        notice = _notice_of(answer)
        if not is_late:
            if notice.is_error:
                self._become(StateName.HOLDING, cutout, notice)
            else:
                self._offer_undo(cutout, State(notice=notice))
        elif notice.is_error or not self._has_room_for(cutout):
            self.inform(notice)
        else:
            self._offer_undo(cutout, replace(self.state, notice=notice))

    def _has_room_for(self, cutout: CutoutT) -> bool:
        """Whether the user can have a cutout back without losing another, or one that is being copied."""
        name = self.state.name
        return name is StateName.AIMING or (name is StateName.HOLDING and self.state.cutout is cutout)

    def _offer_undo(self, pasted: CutoutT, state: State[CutoutT]) -> None:
        """For a while what was pasted can be had back."""
        self._become(state.name, state.cutout, state.notice, pasted)
        ticket = self._ticket
        self._run_on_ui(lambda: self._end_offer(ticket), UNDO_OFFERED_S)

    def _end_offer(self, ticket: int) -> None:
        if ticket == self._ticket:
            self._become(self.state.name, self.state.cutout)

    def _undone(self, before: State[CutoutT], answer: UndoAnswer | CopyPasteError, is_late: bool) -> None:
        notice = _notice_of(answer)
        if is_late:
            self.inform(notice)
        elif notice.is_error:
            self._offer_undo(self._cutout(), replace(before, notice=notice))
        else:
            self._become(StateName.HOLDING, self.state.cutout, notice)

    def _ask(self, question: Callable[[], AnswerT], settle: Callable[[AnswerT | CopyPasteError, bool], None]) -> None:
        """Ask in the background; settle on the UI thread with the answer or the error, and whether it comes late."""
        self._ticket += 1
        ticket = self._ticket

        def work() -> None:
            answer: AnswerT | CopyPasteError = CopyPasteError()  # what the user reads if the question itself breaks
            try:
                answer = question()
            except CopyPasteError as error:
                answer = error
            finally:
                self._run_on_ui(lambda: settle(answer, ticket != self._ticket))

        self._run_in_background(work)

    def _become(
        self,
        name: StateName,
        cutout: CutoutT | None = None,
        notice: Notice | None = None,
        pasted: CutoutT | None = None,
    ) -> None:
        self.state = State(name, cutout, notice, pasted)
        self._observe(self.state)


def _notice_of(answer: PasteAnswer | UndoAnswer | CopyPasteError) -> Notice:
    if isinstance(answer, CopyPasteError):
        return Notice(answer.sentence, is_error=True)
    if isinstance(answer, UndoAnswer):
        is_gone = "" if answer.verified else " It may not have worked: look at it before you undo anything there."
        return Notice(f"Undone in {answer.editor}.{is_gone}")
    if answer.error_px is None:
        return Notice(f"It would be pasted into {answer.editor}.")
    where = "right at the aim" if answer.error_px < 1 else f"{answer.error_px:.0f} px from the aim"
    return Notice(f"Pasted into {answer.editor}, {where}.")
