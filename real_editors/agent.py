"""The agent's own pasting, with the aim given: how it is found in a view is measured elsewhere."""

from collections.abc import Callable
from pathlib import Path

import numpy as np

from desktop_agent.desktop import local_desktop
from desktop_agent.editors import Editor
from desktop_agent.journal import Journal
from desktop_agent.locate import FoundPoint
from desktop_agent.paste import Desktop, Paster
from desktop_agent.pictures import Cutout, Picture
from desktop_agent.platforms import Window, local_platform
from protocol.geometry import ScreenPoint
from protocol.messages import PasteAnswer, PasteRequest, UndoAnswer


class AimedAgent:
    """What `python -m desktop_agent` pastes with, on this process's desktop."""

    def __init__(self, data_dir: Path, meanwhile: Callable[[], None] = lambda: None) -> None:
        """Args: data_dir: the agent's folder. meanwhile: called between a look for the window and the paste into it."""
        self._platform = local_platform(data_dir)
        self._desktop = local_desktop(self._platform)
        self._meanwhile = meanwhile
        self._journal = Journal(data_dir / "pasting.json")
        self._paster = Paster(
            Desktop(self._platform, self._editor_of),
            self._find_point,
            journal=self._journal,
            pictures_dir=data_dir / "pictures",
        )
        self._aims: dict[int, ScreenPoint] = {}  # of views

    def paste(self, cutout: Cutout, aim: ScreenPoint) -> PasteAnswer:
        """Paste at a point of the screen, as wide as the cutout is; raises what Paster.paste does.

        Args:
            cutout: (h, w, 4) uint8, RGBA, straight alpha.
            aim: where its centre is to lie.
        """
        view = np.zeros((1, 1, 3), np.uint8)  # nobody looks at it
        self._aims[id(view)] = aim
        return self._paster.paste(cutout, view, PasteRequest(float(cutout.shape[1])))

    def undo(self) -> UndoAnswer:
        """Take back the last one; raises what Paster.undo does."""
        return self._paster.undo()

    def tell_unknown(self) -> str | None:
        """What an agent that was killed left behind, as it is told at the next start."""
        return self._journal.tell_unknown()

    def _editor_of(self, window: Window) -> Editor:
        self._meanwhile()
        return self._desktop.editor_of(window)

    def _find_point(self, view: Picture, _request: PasteRequest) -> FoundPoint:
        aim = self._aims[id(view)]
        monitor = next(screenshot for screenshot in self._platform.take_screenshots() if screenshot.contains(aim))
        return FoundPoint(
            screen_point=aim,
            scale=1.0,
            turn_deg=0.0,
            radius_95=1.0,
            probability=1.0,
            agreement=1.0,
            monitor=monitor,
            screen_from_view=np.eye(3),
            view_size=(1, 1),
        )
