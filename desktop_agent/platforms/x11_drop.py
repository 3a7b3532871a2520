"""Linux with X11: a file dropped at a point of the desktop, as the XDND protocol (version 5) asks for it.

The pointer stays where it is: the program is told the point in the messages.
"""

import select
import time
from pathlib import Path
from typing import Any

from desktop_agent.platforms.x11_selection import Form, Offer, open_display
from protocol.geometry import ScreenPoint

VERSION = 5
URI_LIST = "text/uri-list"
ANSWER_S = 1.5  # for a program to say whether it takes a file there
POSITIONS = 3  # that are told: some programs refuse the first, before they have read what is offered
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
        uri = f"{file.resolve().as_uri()}\r\n".encode()
        source = Offer("XdndSelection", {URI_LIST: Form(URI_LIST, 8, uri)}, open_display())
        try:
            return _Drag(source).run(point)
        finally:
            source.withdraw()


class _Drag:
    """One drag over one window; its answers come to a window of its own."""

    def __init__(self, source: Offer) -> None:
        from Xlib import X

        self._display = open_display()
        self._root = self._display.screen().root
        self._own = self._root.create_window(-10, -10, 1, 1, 0, X.CopyFromParent, X.InputOnly, X.CopyFromParent)
        self._source = source

    def run(self, point: ScreenPoint) -> bool:
        """Enter, move, drop; whether it was taken."""
        try:
            target = self._target_at(point)
            return target is not None and self._drop_on(target, point)
        finally:
            self._display.close()

    def _drop_on(self, target: Any, point: ScreenPoint) -> bool:
        place = (round(point.x) << 16) | round(point.y)
        self._tell(target, "XdndEnter", VERSION << 24, self._atom(URI_LIST), 0, 0)
        for _ in range(POSITIONS):
            self._tell(target, "XdndPosition", 0, place, 0, self._atom("XdndActionCopy"))
            status = self._hear("XdndStatus", ANSWER_S)
            if status is None or status[1] & 1:
                break
            time.sleep(0.05)
        if status is None or not status[1] & 1:
            self._tell(target, "XdndLeave", 0, 0, 0, 0)
            return False
        self._tell(target, "XdndDrop", 0, 0, 0, 0)
        self._hear("XdndFinished", FINISHED_S)
        return True

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
