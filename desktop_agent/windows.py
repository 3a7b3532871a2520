"""The windows of the desktop: which lies under a point, which has the keyboard."""

import os
import sys
from dataclasses import dataclass
from typing import Any, Protocol

from protocol.errors import DesktopUnavailable, NoEditorThere
from protocol.geometry import ScreenPoint

NO_EDITORS = frozenset({"_NET_WM_WINDOW_TYPE_DESKTOP", "_NET_WM_WINDOW_TYPE_DOCK"})  # file managers, panels


@dataclass(frozen=True)
class Window:
    """A top-level window."""

    number: int
    program: str  # its name, as the user knows it


class Windows(Protocol):
    """What the agent asks of the desktop's window manager."""

    def at(self, point: ScreenPoint) -> Window:
        """The topmost window under a point of the desktop.

        Raises:
            NoEditorThere: there is the bare desktop, or a panel.
            DesktopUnavailable: this desktop's windows cannot be asked about.
        """
        ...

    def focused(self) -> Window | None:
        """The window that keys go to."""
        ...

    def focus(self, window: Window) -> None:
        """Raise a window and give it the keyboard."""
        ...


def local_windows() -> Windows:
    """The windows of this machine's desktop.

    Raises:
        DesktopUnavailable: there should be a desktop, but it does not answer.
    """
    is_x11 = sys.platform.startswith("linux") and os.environ.get("DISPLAY")
    return X11Windows() if is_x11 else UnknownWindows()


class UnknownWindows:
    """A desktop whose windows cannot be asked about yet. Nothing is pasted there: keys might go anywhere."""

    def at(self, point: ScreenPoint) -> Window:  # noqa: ARG002  # no point has a window that is known
        """Raises DesktopUnavailable, always."""
        raise DesktopUnavailable("Only Linux with X11 works so far; the README says what is to come.")

    def focused(self) -> None:
        """Nothing is known to have the keyboard."""

    def focus(self, window: Window) -> None:
        """There is no window to focus."""


class X11Windows:
    """Linux with X11, through the hints that every window manager keeps (EWMH)."""

    def __init__(self) -> None:
        """Connect to the display named by DISPLAY."""
        import Xlib.display
        import Xlib.error

        try:
            self._display = Xlib.display.Display()
        except (Xlib.error.DisplayError, Xlib.error.XauthError, OSError) as error:
            raise DesktopUnavailable(f"({error})") from error
        self._root = self._display.screen().root
        self._closed = Xlib.error.XError  # what asking about a window raises that has just closed

    def at(self, point: ScreenPoint) -> Window:
        """The topmost window there that is in sight and no panel."""
        for number in reversed(self._numbers(self._root, "_NET_CLIENT_LIST_STACKING")):
            client = self._display.create_resource_object("window", number)
            try:
                if self._is_in_sight(client) and self._covers(client, point):
                    if self._is_no_editor(client):
                        break
                    return Window(number, self._program(client))
            except self._closed:
                continue
        raise NoEditorThere

    def focused(self) -> Window | None:
        """The window that the window manager calls active."""
        numbers = self._numbers(self._root, "_NET_ACTIVE_WINDOW")
        if not numbers or not numbers[0]:
            return None
        try:
            return Window(numbers[0], self._program(self._display.create_resource_object("window", numbers[0])))
        except self._closed:
            return None

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

    def _covers(self, client: Any, point: ScreenPoint) -> bool:
        corner = client.translate_coords(self._root, 0, 0)  # of the root, seen from the window
        geometry = client.get_geometry()
        return bool(0 <= point.x + corner.x < geometry.width and 0 <= point.y + corner.y < geometry.height)

    def _is_in_sight(self, client: Any) -> bool:
        """Mapped, not minimised, and on the desktop that is shown. Compositors keep the others mapped."""
        if not client.get_attributes().map_state:
            return False
        if self._display.intern_atom("_NET_WM_STATE_HIDDEN") in self._numbers(client, "_NET_WM_STATE"):
            return False
        shown, own = self._numbers(self._root, "_NET_CURRENT_DESKTOP"), self._numbers(client, "_NET_WM_DESKTOP")
        return not (shown and own) or own[0] in (shown[0], 0xFFFFFFFF)  # the last: on all of them

    def _is_no_editor(self, client: Any) -> bool:
        kinds = self._numbers(client, "_NET_WM_WINDOW_TYPE")
        return any(self._display.get_atom_name(kind) in NO_EDITORS for kind in kinds)

    def _program(self, client: Any) -> str:
        names = client.get_wm_class()  # (instance, class), such as ("org.inkscape.Inkscape", "Inkscape")
        return str(names[1]) if names else "a program without a name"

    def _numbers(self, client: Any, hint: str) -> list[int]:
        value = client.get_full_property(self._display.intern_atom(hint), 0)  # 0: of any type
        return list(value.value) if value else []
