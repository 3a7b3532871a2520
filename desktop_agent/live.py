"""What phones ask of this desktop while they aim and paste: view -> where a paste would go, and the paste itself."""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from desktop_agent.editors import Editor
from desktop_agent.find import PointFinder
from desktop_agent.mark import draw_mark
from desktop_agent.overlay import Overlay
from desktop_agent.paste import Paster
from desktop_agent.pictures import Cutout, Picture
from desktop_agent.screenshot import Screenshot
from protocol.errors import CopyPasteError, NothingToUndo, SecondViewWanted, ServerBusy
from protocol.geometry import ScreenPoint
from protocol.messages import AimAnswer, AimRequest, ErrorAnswer, PasteAnswer, PasteRequest, UndoAnswer

MARK_S = 1.0  # after the last aim
TRIAL_MARK_S = 3.0
NOT_MARKED = "Nothing on the screen marks the spot: marks are turned off, or cannot be shown now."


class LiveDesktop:
    """Answers aims while nothing is pasted, and pastes."""

    def __init__(
        self,
        paster: Paster,
        finder: PointFinder,
        overlay: Overlay,
        editor_at: Callable[[ScreenPoint], Editor],
        tell: Callable[[str], None],
    ) -> None:
        """Set up.

        Args:
            paster: what pastes.
            finder: finds where views point to.
            overlay: to mark where a paste would land, if it can.
            editor_at: the editor under a screen point.
            tell: takes a line for the user of this computer.
        """
        self._paster = paster
        self._finder = finder
        self._overlay = overlay
        self._editor_at = editor_at
        self._tell = tell
        self._turn = threading.Lock()
        self._pastes = 0  # going on or waiting
        self._paste_turn = threading.Lock()  # one of them after the other
        self._marked_for: str | None = None  # the device of which a second view is wanted
        self._pasted_by: str | None = None  # the device whose paste was the last

    def aim(self, device: str, view: Picture, asked: AimRequest) -> AimAnswer:
        """Where a paste would go now.

        Raises:
            ServerBusy: something is being pasted.
            ScreenNotInView and the others of PointFinder.follow: there is no such point.
        """
        with self._turn:
            if self._pastes:
                raise ServerBusy
        self._overlay.prepare()
        found = self._finder.follow(device, view, asked.shutter_s)
        self._mark(found.screen_point, [found.monitor], MARK_S, width_px=asked.width_view * found.scale)
        editor, refusal = self._editor_or_refusal(found.screen_point)
        return AimAnswer(found.screen_point, found.radius_95, found.probability, editor, refusal)

    def paste(self, device: str, cutout: Cutout, view: Picture, asked: PasteRequest) -> PasteAnswer:
        """Paste a cutout where a view points to.

        Raises:
            ServerBusy: the screen shows markers for another device.
            ScreenNotInView and the others of Paster.paste.
        """
        with self._pasting(device):
            try:
                answer = self._paster.paste(cutout, view, asked)
            except CopyPasteError as error:
                self._marked_for = device if isinstance(error, SecondViewWanted) else None
                self._tell(f"Not pasted. {error.sentence}")
                raise
            if not asked.is_dry_run:
                self._pasted_by = device
        self._tell(_summary(answer))
        if asked.is_dry_run and not self._mark(answer.aim, self._overlay.take_clean_screenshots(), TRIAL_MARK_S):
            self._tell(NOT_MARKED)
        return answer

    def undo(self, device: str) -> UndoAnswer:
        """Take back the last paste.

        Raises:
            ServerBusy: the screen shows markers for another device.
            NothingToUndo: another device has pasted it, or one of the reasons of Paster.undo, as are the others.
        """
        with self._pasting(device):
            if self._pasted_by not in (None, device):
                raise NothingToUndo("The last paste came from another phone.")
            return self._paster.undo()

    @contextmanager
    def _pasting(self, device: str) -> Iterator[None]:
        """One at a time, without a mark, and without aims that could show one."""
        with self._turn:
            self._pastes += 1
        try:
            with self._paste_turn:
                if self._marked_for not in (None, device) and self._finder.shows_markers:
                    raise ServerBusy("Its screen shows markers for another phone.")
                self._marked_for = None
                self._overlay.hide()
                yield
        finally:
            with self._turn:
                self._pastes -= 1

    def _mark(
        self, point: ScreenPoint, screenshots: Sequence[Screenshot], shows_s: float, *, width_px: float = 0.0
    ) -> bool:
        """Lay a mark over a point for a while; False if nothing is shown."""
        monitors = [monitor for monitor in screenshots if monitor.contains(point)]
        patches = [patch for monitor in monitors for patch in draw_mark(point, monitor, width_px)]
        with self._turn:
            may_show = not self._pastes and not self._finder.shows_markers
            return may_show and self._overlay.show(patches, shows_s)

    def _editor_or_refusal(self, point: ScreenPoint) -> tuple[str, None] | tuple[None, ErrorAnswer]:
        """The editor under a point; or why there is none, such as that what is there takes no pictures."""
        try:
            return self._editor_at(point).name, None
        except CopyPasteError as error:
            return None, ErrorAnswer.of(error)


def _summary(answer: PasteAnswer) -> str:
    stages = ", ".join(f"{stage} {seconds:.2f} s" for stage, seconds in answer.stages_s.items())
    if answer.error_px is None:
        return f"Would be pasted into {answer.editor} ({answer.strategy}): {stages}."
    return f"Pasted into {answer.editor} ({answer.strategy}), {answer.error_px:.1f} px from the aim: {stages}."
