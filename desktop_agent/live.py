"""What phones ask of this desktop while they aim and paste: view -> where a paste would go, and the paste itself."""

from collections.abc import Callable

from desktop_agent.editors import Editor
from desktop_agent.locate import FoundPoint
from desktop_agent.paste import Paster
from desktop_agent.pictures import Cutout, Picture
from protocol.errors import CopyPasteError, NoEditorThere, NothingToUndo
from protocol.geometry import ScreenPoint
from protocol.messages import AimAnswer, AimRequest, PasteAnswer, PasteRequest, UndoAnswer


class LiveDesktop:
    """Answers aims while nothing is pasted, and pastes."""

    def __init__(
        self,
        paster: Paster,
        find_point: Callable[[Picture], FoundPoint],
        editor_at: Callable[[ScreenPoint], Editor],
        tell: Callable[[str], None],
    ) -> None:
        """Set up.

        Args:
            paster: what pastes.
            find_point: the screen point under the centre of a view.
            editor_at: the editor under a screen point.
            tell: takes a line for the user of this computer.
        """
        self._paster = paster
        self._find_point = find_point
        self._editor_at = editor_at
        self._tell = tell

    def aim(self, device: str, view: Picture, asked: AimRequest) -> AimAnswer:  # noqa: ARG002  # come to use next
        """Where a paste would go now."""
        found = self._find_point(view)
        return AimAnswer(found.screen_point, found.radius_95, found.probability, self._editor_name(found.screen_point))

    def paste(self, cutout: Cutout, view: Picture, asked: PasteRequest) -> PasteAnswer:
        """Paste a cutout where a view points to."""
        try:
            answer = self._paster.paste(cutout, view, asked)
        except CopyPasteError as error:
            self._tell(f"Not pasted. {error.sentence}")
            raise
        self._tell(_summary(answer))
        return answer

    def undo(self) -> UndoAnswer:
        """Take back the last paste."""
        raise NothingToUndo

    def _editor_name(self, point: ScreenPoint) -> str | None:
        try:
            return self._editor_at(point).name
        except NoEditorThere:
            return None


def _summary(answer: PasteAnswer) -> str:
    stages = ", ".join(f"{stage} {seconds:.2f} s" for stage, seconds in answer.stages_s.items())
    where = f"{answer.error_px:.1f} px from the aim" if answer.error_px is not None else "as a trial"
    return f"Pasted into {answer.editor} ({answer.strategy}), {where}: {stages}."
