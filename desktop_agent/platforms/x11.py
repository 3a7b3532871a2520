"""Linux with X11."""

import threading
from pathlib import Path
from typing import Any

from desktop_agent.platforms import Platform, Window
from desktop_agent.platforms.x11_clipboard import X11Clipboard
from desktop_agent.platforms.x11_drop import X11Drop
from desktop_agent.platforms.x11_input import X11Input
from desktop_agent.platforms.x11_selection import open_display
from desktop_agent.screenshot import MonitorScreenshots
from protocol.errors import NoEditorThere
from protocol.geometry import Box, ScreenPoint

NO_EDITORS = frozenset({"_NET_WM_WINDOW_TYPE_DESKTOP", "_NET_WM_WINDOW_TYPE_DOCK"})  # file managers, panels
DIALOGS = frozenset({"_NET_WM_WINDOW_TYPE_DIALOG", "_NET_WM_STATE_MODAL"})


def connect() -> Platform:
    """The desktop of the display named by DISPLAY.

    Raises:
        DesktopUnavailable: it does not answer.
    """
    from desktop_agent.platforms.x11_cursor import X11Cursor

    hands, cursor = X11Input(open_display()), X11Cursor(open_display())
    return Platform(
        "X11",
        X11Windows(),
        MonitorScreenshots(),
        hands,
        X11Clipboard(),
        drop=X11Drop(),
        is_over_text=cursor.is_over_text,
    )


class X11Windows:
    """The windows, through the hints that every window manager keeps (EWMH).

    A phone may aim while another pastes, so several threads ask; Xlib mixes up their answers if they ask at once.
    """

    def __init__(self) -> None:
        """Connect to the display named by DISPLAY."""
        import Xlib.error

        self._display = open_display()
        self._root = self._display.screen().root
        self._closed = Xlib.error.XError  # what asking about a window raises that has just closed
        self._turn = threading.Lock()

    def at(self, point: ScreenPoint) -> Window:
        """The topmost window there that is in sight and no panel."""
        with self._turn:
            return self._at(point)

    def focused(self) -> Window | None:
        """The window that the window manager calls active."""
        with self._turn:
            return self._focused()

    def focus(self, window: Window) -> None:
        """Ask the window manager, as a pager would."""
        with self._turn:
            self._focus(window)

    def _at(self, point: ScreenPoint) -> Window:
        for number in reversed(self._numbers(self._root, "_NET_CLIENT_LIST_STACKING")):
            client = self._display.create_resource_object("window", number)
            try:
                if self._is_in_sight(client) and self._covers(client, point):
                    if self._is_of_kind(client, NO_EDITORS):
                        break
                    return self._describe(client)
            except self._closed:
                continue
        raise NoEditorThere

    def _focused(self) -> Window | None:
        numbers = self._numbers(self._root, "_NET_ACTIVE_WINDOW")
        if not numbers or not numbers[0]:
            return None
        try:
            return self._describe(self._display.create_resource_object("window", numbers[0]))
        except self._closed:
            return None

    def _focus(self, window: Window) -> None:
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
        box = self._box(client)
        return box.x <= point.x < box.x + box.width and box.y <= point.y < box.y + box.height

    def _box(self, client: Any) -> Box:
        corner = client.translate_coords(self._root, 0, 0)  # of the root, seen from the window
        geometry = client.get_geometry()
        return Box(-corner.x, -corner.y, geometry.width, geometry.height)

    def _describe(self, client: Any) -> Window:
        return Window(
            int(client.id),
            self._program(client),
            self._process(client),
            self._title(client),
            self._box(client),
            is_dialog=self._is_of_kind(client, DIALOGS),
        )

    def _process(self, client: Any) -> str:
        numbers = self._numbers(client, "_NET_WM_PID")
        try:
            return Path(f"/proc/{numbers[0]}/comm").read_text().strip() if numbers else ""
        except OSError:  # it runs on another machine, or has ended
            return ""

    def _title(self, client: Any) -> str:
        title = client.get_full_property(self._display.intern_atom("_NET_WM_NAME"), 0)
        value = title.value if title else ""
        return value if isinstance(value, str) else bytes(value).decode(errors="replace")  # by release of Xlib

    def _is_in_sight(self, client: Any) -> bool:
        """Mapped, not minimised, and on the desktop that is shown. Compositors keep the others mapped."""
        if not client.get_attributes().map_state:
            return False
        if self._display.intern_atom("_NET_WM_STATE_HIDDEN") in self._numbers(client, "_NET_WM_STATE"):
            return False
        shown, own = self._numbers(self._root, "_NET_CURRENT_DESKTOP"), self._numbers(client, "_NET_WM_DESKTOP")
        return not (shown and own) or own[0] in (shown[0], 0xFFFFFFFF)  # the last: on all of them

    def _is_of_kind(self, client: Any, names: frozenset[str]) -> bool:
        kinds = self._numbers(client, "_NET_WM_WINDOW_TYPE") + self._numbers(client, "_NET_WM_STATE")
        return any(self._display.get_atom_name(kind) in names for kind in kinds)

    def _program(self, client: Any) -> str:
        names = client.get_wm_class()  # (instance, class), such as ("org.inkscape.Inkscape", "Inkscape")
        return str(names[1]) if names else "a program without a name"

    def _numbers(self, client: Any, hint: str) -> list[int]:
        value = client.get_full_property(self._display.intern_atom(hint), 0)  # 0: of any type
        return list(value.value) if value else []
