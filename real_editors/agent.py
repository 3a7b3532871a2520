"""The agent's own pasting, with the aim given: how it is found in a view is measured elsewhere."""

from pathlib import Path

import numpy as np

from desktop_agent.desktop import local_desktop
from desktop_agent.journal import Journal
from desktop_agent.locate import FoundPoint
from desktop_agent.paste import Paster
from desktop_agent.pictures import Cutout, Picture
from desktop_agent.platforms import local_platform
from protocol.geometry import ScreenPoint
from protocol.messages import PasteAnswer, PasteRequest, UndoAnswer
from real_editors.desk import Desk

VIEW = np.zeros((1, 1, 3), np.uint8)  # nobody looks at it


class AimedAgent:
    """What `python -m desktop_agent` pastes with, for one desk."""

    def __init__(self, desk: Desk, data_dir: Path) -> None:
        """Args: desk: the one pasted into. data_dir: the agent's folder."""
        self._desk = desk
        with desk.as_own():
            self.desktop = local_desktop(local_platform(data_dir))
        journal = Journal(data_dir / "pasting.json")
        self._paster = Paster(self.desktop, self._find_point, journal=journal, pictures_dir=data_dir / "pictures")
        self._aim = ScreenPoint(0, 0)

    def paste(self, cutout: Cutout, aim: ScreenPoint, *, width_px: float | None = None) -> PasteAnswer:
        """Paste at a point of the screen; raises what Paster.paste does.

        Args:
            cutout: (h, w, 4) uint8, RGBA, straight alpha.
            aim: where its centre is to lie.
            width_px: how wide it is to be on the screen; as wide as it is, if not given.
        """
        self._aim = aim
        with self._desk.as_own():
            return self._paster.paste(cutout, VIEW, PasteRequest(width_px or float(cutout.shape[1])))

    def undo(self) -> UndoAnswer:
        """Take back the last one; raises what Paster.undo does."""
        with self._desk.as_own():
            return self._paster.undo()

    def _find_point(self, _view: Picture, _request: PasteRequest) -> FoundPoint:
        screenshots = self.desktop.platform.take_screenshots()
        monitor = next(screenshot for screenshot in screenshots if screenshot.contains(self._aim))
        return FoundPoint(
            screen_point=self._aim,
            scale=1.0,
            turn_deg=0.0,
            radius_95=1.0,
            probability=1.0,
            agreement=1.0,
            monitor=monitor,
            screen_from_view=np.eye(3),
            view_size=(1, 1),
        )
