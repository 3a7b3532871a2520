"""Pasting that the user of this computer can watch and pause."""

import base64
import io
import time
from collections import deque
from collections.abc import Callable

import numpy as np
from PIL import Image

from desktop_agent.app import Pasting
from desktop_agent.control_message import PAIR, PAUSE, RESUME, UNPAIR, ControlView, ShownPaste, Wish
from desktop_agent.devices import PairedDevices
from desktop_agent.pictures import Cutout, Picture
from protocol.errors import AgentPaused, CopyPasteError, SecondViewWanted, ServerBusy
from protocol.messages import AimAnswer, AimRequest, PasteAnswer, PasteRequest, UndoAnswer

MOST_PASTES = 4  # remembered, in memory only
THUMBNAIL_PX = 44


class Oversight:
    """Passes on what phones ask, unless it is paused, and knows all that the control window shows."""

    def __init__(
        self, pasting: Pasting, devices: PairedDevices, computer_name: str, want_code: Callable[[], None]
    ) -> None:
        """Set up.

        Args:
            pasting: what is watched.
            devices: the phones.
            computer_name: what they call this computer.
            want_code: called when the user wants to pair another phone.
        """
        self._pasting = pasting
        self._devices = devices
        self._computer_name = computer_name
        self._want_code = want_code
        self._tell_change: Callable[[], None] = lambda: None
        self._link: str | None = None
        self._is_paused = False
        self._pastes: deque[ShownPaste] = deque(maxlen=MOST_PASTES)

    def watch(self, tell_change: Callable[[], None]) -> None:
        """Call this whenever there is something else to show."""
        self._tell_change = tell_change

    def look(self) -> ControlView:
        """All there is to show now."""
        pastes = {str(number): paste for number, paste in enumerate(reversed(self._pastes))}
        return ControlView(self._computer_name, self._link, self._is_paused, self._devices.names_by_device(), pastes)

    def show_link(self, link: str | None) -> None:
        """This is the link to pair with now; None: there is none."""
        self._link = link
        self._tell_change()

    def act(self, wish: Wish) -> None:
        """Do what the user clicked. A pause does not break off what is being pasted."""
        if wish.what == PAIR:
            self._want_code()
        elif wish.what in (PAUSE, RESUME):
            self._is_paused = wish.what == PAUSE
        elif wish.what == UNPAIR and wish.device:
            self._devices.unpair(wish.device)
        self._tell_change()

    def aim(self, device: str, view: Picture, asked: AimRequest) -> AimAnswer:
        """See `Pasting`.

        Raises:
            AgentPaused: phones are refused.
        """
        self._check()
        return self._pasting.aim(device, view, asked)

    def paste(self, device: str, cutout: Cutout, view: Picture, asked: PasteRequest) -> PasteAnswer:
        """See `Pasting`; raises what `aim` raises."""
        self._check()
        try:
            answer = self._pasting.paste(device, cutout, view, asked)
        except (SecondViewWanted, ServerBusy):  # it goes on, or waits for another phone's
            raise
        except CopyPasteError as error:
            self._note(cutout, error.sentence, is_error=True)
            raise
        if answer.error_px is not None:
            self._note(cutout, f"Pasted into {answer.editor}", is_error=False)
        return answer

    def undo(self, device: str) -> UndoAnswer:
        """See `Pasting`; raises what `aim` raises."""
        self._check()
        answer = self._pasting.undo(device)
        self._note(None, f"Undone in {answer.editor}", is_error=False)
        return answer

    def _check(self) -> None:
        if self._is_paused:
            raise AgentPaused

    def _note(self, cutout: Cutout | None, sentence: str, *, is_error: bool) -> None:
        thumbnail = "" if cutout is None else draw_thumbnail(cutout)
        self._pastes.append(ShownPaste(time.strftime("%H:%M"), sentence, is_error, thumbnail))
        self._tell_change()


def draw_thumbnail(cutout: Cutout) -> str:
    """A small PNG of a cutout, (h, w, 4) uint8 RGBA, in base64."""
    picture, png = Image.fromarray(np.ascontiguousarray(cutout)), io.BytesIO()
    picture.thumbnail((THUMBNAIL_PX, THUMBNAIL_PX))
    picture.save(png, "PNG")
    return base64.b64encode(png.getvalue()).decode()
