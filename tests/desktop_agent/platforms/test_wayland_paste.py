"""A whole paste on Wayland: portal, KWin and GStreamer are fakes, and so is the editor that takes what they pass on."""

import io
import threading
import uuid
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from jeepney import Message
from PIL import Image

from desktop_agent.desktop import local_desktop
from desktop_agent.paste import Paster
from desktop_agent.pictures import Cutout, Picture, read_cutout
from desktop_agent.platforms.wayland import connect
from protocol.geometry import ScreenPoint
from protocol.messages import PasteRequest
from tests.desktop_agent.platforms.fake_portal import FakeKWin, FakePortal, KWinDesktop, Monitor, private_bus
from tests.desktop_agent.platforms.test_wayland import wait_for
from tests.desktop_agent.test_look import lay

MONITOR = Monitor(7, (0, 0), (640, 400))  # points; each is two pixels wide
AIM = ScreenPoint(300.25, 175.25)
CONTROL, V = 0xFFE3, 0x76


class PortalWithEditor(FakePortal):
    """A desktop on which an editor pastes at the pointer."""

    def __init__(self, address: str, screen: Picture, frame: Path) -> None:
        self._screen = screen
        self._frame = frame
        self._pointer = (0.0, 0.0)
        self._held: set[int] = set()
        self._show(screen)
        super().__init__(address, [MONITOR])

    def NotifyPointerMotionAbsolute(self, m: Message, session: str, options: Any, *to: Any) -> None:  # noqa: N802
        super().NotifyPointerMotionAbsolute(m, session, options, *to)
        _node, x, y = to
        self._pointer = (2 * x - 0.5, 2 * y - 0.5)  # the pixel there

    def NotifyKeyboardKeysym(self, m: Message, session: str, options: Any, keysym: int, state: int) -> None:  # noqa: N802
        super().NotifyKeyboardKeysym(m, session, options, keysym, state)
        (self._held.add if state else self._held.discard)(keysym)
        if self._held == {CONTROL, V}:
            threading.Thread(target=self._paste, daemon=True).start()

    def _paste(self) -> None:
        png = self.paste("image/png")
        assert png is not None
        self._show(lay(self._screen, read_cutout(png), self._pointer))

    def _show(self, screen: Picture) -> None:
        png = io.BytesIO()
        Image.fromarray(screen).save(png, "PNG", compress_level=1)
        new = self._frame.with_suffix(".new")
        new.write_bytes(png.getvalue())
        new.rename(self._frame)


@pytest.fixture
def portal(screen: Picture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[PortalWithEditor]:
    frame, program = tmp_path / "frame.png", tmp_path / "gst-launch-1.0"
    program.write_text(f"#!/bin/sh\nexec /bin/cat '{frame}'\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    with private_bus(tmp_path) as address:
        monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", address)
        editor = "{" + str(uuid.UUID(int=5)) + "}"
        described = {"internalId": editor, "resourceClass": "org.inkscape.Inkscape", "caption": "poster.svg", "pid": 1}
        geometry = {"frameGeometry": {"x": 0, "y": 0, "width": 640, "height": 400}}
        FakeKWin(address, KWinDesktop([{**described, **geometry, "normalWindow": True}], active=editor))
        yield PortalWithEditor(address, screen, frame)


def test_a_cutout_is_pasted_at_the_aim_and_the_clipboard_given_back(
    portal: PortalWithEditor, tmp_path: Path, cutout: Cutout
) -> None:
    portal.clipboard = {"text/plain": b"the user's own"}
    platform = connect(tmp_path)
    wait_for(platform.clipboard.save)  # the desktop tells of it a moment after the start
    paster = Paster(local_desktop(platform), lambda view, request: found())
    answer = paster.paste(cutout, np.zeros((1, 1, 3), np.uint8), PasteRequest(width_view=180))
    assert (answer.editor, answer.verified) == ("Inkscape", True)
    assert answer.landed is not None and answer.landed.distance_to(AIM) < 0.6
    assert answer.landed_width == pytest.approx(180, rel=0.05)
    assert portal.paste("text/plain") == b"the user's own"


def found() -> Any:
    return SimpleNamespace(screen_point=AIM, scale=1.0, turn_deg=0.0)
