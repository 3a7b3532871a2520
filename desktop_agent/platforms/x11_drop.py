"""Linux with X11: a file dropped at a point of the desktop, as the XDND protocol (version 5) asks for it.

The pointer stays where it is: the program is told the point in the messages.
"""

import base64
import select
import time
from pathlib import Path
from typing import Any

from desktop_agent.platforms.x11_selection import Form, Forms, Offer, open_display
from protocol.geometry import ScreenPoint

VERSION = 5
URI_LIST = "text/uri-list"
HTML = "text/html"
PNG = "image/png"
COPY, MOVE = "XdndActionCopy", "XdndActionMove"
ANSWER_S = 2.0  # for a program to say whether it takes something there, however often it is told a position
POSITIONS = 5  # that are told: some programs refuse the first ones, before they have read what is offered
POSITION_S = 0.05  # from one to the next
FINISHED_S = 4.0  # for a program to have read the file


class X11Drop:
    """Drags files without a hand."""

    def drop(self, file: Path, point: ScreenPoint) -> bool:
        """Drop a file.

        Args:
            file: must stay until the program has read it.
            point: where, on the desktop.

        Returns:
            Whether the program there said that it takes it.
        """
        return _drag(_as_file(file), point, COPY, drops=True) is not None

    def is_taken_by_page(self, file: Path, point: ScreenPoint) -> bool:
        """Ask with what only a page can take, then with an action that a browser would not choose by itself.

        Chromium takes any file, to open it, but no bare picture; and it copies where it is asked to move. Pages that
        ask for a file's kind take no bare picture either; pages that insist on copying do not move.
        """
        return (
            _drag({PNG: Form(PNG, 8, file.read_bytes())}, point, COPY, drops=False) is not None
            or _drag(_as_file(file), point, MOVE, drops=False) == MOVE
        )

    def drop_into_text(self, file: Path, point: ScreenPoint) -> bool:
        """Drop it as HTML, with the picture inside."""
        source = f"data:{PNG};base64,{base64.b64encode(file.read_bytes()).decode()}"
        return _drag({HTML: Form(HTML, 8, f'<img src="{source}">'.encode())}, point, COPY, drops=True) is not None


def _as_file(file: Path) -> Forms:
    return {URI_LIST: Form(URI_LIST, 8, f"{file.resolve().as_uri()}\r\n".encode())}


def _drag(forms: Forms, point: ScreenPoint, action: str, *, drops: bool) -> str | None:
    """Drag something to a point, and drop it there or go away.

    Args:
        forms: what it is; three at most.
        point: where, on the desktop.
        action: what is proposed to do with it.
        drops: whether to.

    Returns:
        The action that the program there chose; None if it does not take it.
    """
    source = Offer("XdndSelection", forms, open_display())
    try:
        return _Drag(source, action).run(point, drops=drops)
    finally:
        source.withdraw()


class _Drag:
    """One drag over one window; its answers come to a window of its own."""

    def __init__(self, source: Offer, action: str) -> None:
        from Xlib import X

        self._display = open_display()
        self._root = self._display.screen().root
        self._own = self._root.create_window(-10, -10, 1, 1, 0, X.CopyFromParent, X.InputOnly, X.CopyFromParent)
        self._source = source
        self._action = action

    def run(self, point: ScreenPoint, *, drops: bool) -> str | None:
        """Enter, move, drop or leave; the action chosen, None if it was not taken."""
        try:
            target = self._target_at(point)
            if target is None:
                return None
            chosen = self._hover_over(target, point)
            if chosen is not None and drops:
                self._tell(target, "XdndDrop", 0, 0, 0, 0)
                self._hear("XdndFinished", FINISHED_S)  # only the screen shows what has come of it
            else:
                self._tell(target, "XdndLeave", 0, 0, 0, 0)
                self._display.sync()  # or else the next drag, over another connection, might come before
            return chosen
        finally:
            self._display.close()

    def _hover_over(self, target: Any, point: ScreenPoint) -> str | None:
        place = (round(point.x) << 16) | round(point.y)
        kinds = [self._atom(name) for name in self._source.forms]
        self._tell(target, "XdndEnter", VERSION << 24, *kinds, *[0] * (3 - len(kinds)))
        deadline_s = time.monotonic() + ANSWER_S
        for _ in range(POSITIONS):
            self._tell(target, "XdndPosition", 0, place, 0, self._atom(self._action))
            status = self._hear("XdndStatus", deadline_s - time.monotonic())
            if status is None:
                return None
            if status[1] & 1:
                return str(self._display.get_atom_name(status[4])) if status[4] else ""
            time.sleep(POSITION_S)
        return None

    def _target_at(self, point: ScreenPoint) -> Any:
        """The outermost window at a point that takes drops; the window manager's frame around it does not."""
        window = self._root
        while True:
            window = window.translate_coords(self._root, round(point.x), round(point.y)).child
            if not window or window.get_full_property(self._atom("XdndAware"), 0):
                return window or None

    def _tell(self, target: Any, message: str, *numbers: int) -> None:
        from Xlib.protocol.event import ClientMessage

        content = (32, [int(self._own.id), *numbers])
        target.send_event(ClientMessage(window=target, client_type=self._atom(message), data=content))
        self._display.flush()

    def _hear(self, message: str, timeout_s: float) -> list[int] | None:
        """The five numbers of the next message of that name; None if none comes in time."""
        from Xlib import X

        deadline_s = time.monotonic() + timeout_s
        while (left_s := deadline_s - time.monotonic()) > 0:
            if not self._display.pending_events():
                select.select([self._display.fileno()], [], [], left_s)
            while self._display.pending_events():
                event = self._display.next_event()
                if event.type == X.ClientMessage and event.client_type == self._atom(message):
                    return [int(number) for number in event.data[1]]
        return None

    def _atom(self, name: str) -> int:
        return int(self._display.intern_atom(name))
