"""The windows of the desktop: which lies under a point, which has the keyboard."""

import os
import sys
from dataclasses import dataclass
from typing import Any, Protocol

from protocol.geometry import ScreenPoint


@dataclass(frozen=True)
class Window:
    """A top-level window."""

    number: int
    program: str  # its name, as the user knows it


class Windows(Protocol):
    """What the agent asks of the desktop's window manager."""

    def at(self, point: ScreenPoint) -> Window | None:
        """The topmost window under a point of the desktop; None over the bare desktop."""
        ...

    def focused(self) -> Window | None:
        """The window that keys go to."""
        ...

    def focus(self, window: Window) -> None:
        """Raise a window and give it the keyboard."""
        ...


def local_windows() -> Windows:
    """The windows of this machine's desktop."""
    return X11Windows() if sys.platform.startswith("linux") and os.environ.get("DISPLAY") else UnknownWindows()


class UnknownWindows:
    """A desktop whose windows cannot be asked about: everything is one window, which has the keyboard."""

    _window = Window(0, "the editor")

    def at(self, point: ScreenPoint) -> Window:  # noqa: ARG002  # one window has every point
        """Always the one window."""
        return self._window

    def focused(self) -> Window:
        """Always the one window."""
        return self._window

    def focus(self, window: Window) -> None:
        """Nothing to do."""


class X11Windows:
    """Linux with X11, through the hints that every window manager keeps (EWMH)."""

    def __init__(self) -> None:
        """Connect to the display named by DISPLAY."""
        import Xlib.display

        self._display = Xlib.display.Display()
        self._root = self._display.screen().root

    def at(self, point: ScreenPoint) -> Window | None:
        """The topmost managed window there."""
        for number in reversed(self._numbers("_NET_CLIENT_LIST_STACKING")):
            client = self._display.create_resource_object("window", number)
            corner = client.translate_coords(self._root, 0, 0)  # of the root, seen from the window
            geometry = client.get_geometry()
            is_across = 0 <= point.x + corner.x < geometry.width
            is_down = 0 <= point.y + corner.y < geometry.height
            if is_across and is_down and client.get_attributes().map_state:
                return Window(number, self._program(client))
        return None

    def focused(self) -> Window | None:
        """The window that the window manager calls active."""
        numbers = self._numbers("_NET_ACTIVE_WINDOW")
        if not numbers or not numbers[0]:
            return None
        return Window(numbers[0], self._program(self._display.create_resource_object("window", numbers[0])))

    def focus(self, window: Window) -> None:
        """Ask the window manager, as a pager would."""
        from Xlib import X
        from Xlib.protocol.event import ClientMessage

        message = ClientMessage(
            window=self._display.create_resource_object("window", window.number),
            client_type=self._display.intern_atom("_NET_ACTIVE_WINDOW"),
            data=(32, [2, X.CurrentTime, 0, 0, 0]),  # 2: on behalf of the user, not of a program
        )
        self._root.send_event(message, event_mask=X.SubstructureRedirectMask | X.SubstructureNotifyMask)
        self._display.sync()

    def _numbers(self, hint: str) -> list[int]:
        value = self._root.get_full_property(self._display.intern_atom(hint), 0)  # 0: of any type
        return list(value.value) if value else []

    def _program(self, client: Any) -> str:
        names = client.get_wm_class()  # (instance, class), such as ("org.inkscape.Inkscape", "Inkscape")
        return str(names[1]) if names else "a program without a name"
