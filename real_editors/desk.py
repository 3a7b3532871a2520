"""A virtual screen of 1920 x 1080 with a window manager, and a hand that works the programs on it."""

import contextlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from Xlib import X
from Xlib.display import Display
from Xlib.error import XError
from Xlib.protocol.event import ClientMessage

from demo.desktop import Picture, VirtualScreen, environment
from demo.programs import Program, Programs
from real_editors.hand import Hand

WIDTH, HEIGHT = 1920, 1080
OPENBOX = Path(__file__).parents[1] / "demo" / "openbox.xml"
START_S = 10.0
ADD_STATE = 1  # _NET_WM_STATE_ADD
NO_WINDOW = 0


class Desk:
    """Screen, window manager and message bus."""

    def __init__(self, programs: Programs, home: Path) -> None:
        """Start them. Args: programs: what ends them. home: an empty folder."""
        self._programs = programs
        self.screen = VirtualScreen(programs, "editors' screen", WIDTH, HEIGHT)
        bus_command = ["dbus-daemon", "--session", "--nofork", "--print-address=1"]
        bus = programs.start("message bus", bus_command, environment(home, self.screen.display))
        self._bus_address = bus.wait_for("", START_S)
        self.start("window manager", ["openbox", "--config-file", str(OPENBOX)], home)
        self.hand = Hand(self._connect())

    def start(self, name: str, command: list[str], home: Path) -> Program:
        """Start a program on this desk. Args: home: its own folder."""
        return self._programs.start(name, command, {**environment(home, self.screen.display), **self._addresses()})

    @contextmanager
    def as_own(self) -> Iterator[None]:
        """Inside, this process's own desktop is this one: the agent's code runs as if a user had started it here."""
        theirs = {name: os.environ.get(name) for name in self._addresses()}
        os.environ.update(self._addresses())
        try:
            yield
        finally:
            for name, value in theirs.items():
                if value is None:
                    del os.environ[name]
                else:
                    os.environ[name] = value

    def screenshot(self) -> Picture:
        """All of it: (HEIGHT, WIDTH, 3) uint8, RGB."""
        return self.screen.screenshot()

    def active_window(self) -> int | None:
        """The number of the window that has the keyboard."""
        with self._display() as display:
            numbers = _numbers(display, display.screen().root, "_NET_ACTIVE_WINDOW")
        return numbers[0] if numbers and numbers[0] else None

    def is_maximised(self) -> bool:
        """Whether the active window is as large as the screen."""
        with self._display() as display:
            active = display.create_resource_object("window", self.active_window() or NO_WINDOW)
            return active.id != NO_WINDOW and set(_states(display)) <= set(_numbers(display, active, "_NET_WM_STATE"))

    def maximise(self) -> None:
        """Make the active window as large as the screen, if there is one."""
        with self._display() as display:
            message = ClientMessage(
                window=display.create_resource_object("window", self.active_window() or NO_WINDOW),
                client_type=display.intern_atom("_NET_WM_STATE"),
                data=(32, [ADD_STATE, *_states(display), 1, 0]),
            )
            display.screen().root.send_event(message, event_mask=X.SubstructureRedirectMask | X.SubstructureNotifyMask)

    def _connect(self) -> Any:  # Xlib ships no types
        with self.as_own():
            return Display()

    @contextmanager
    def _display(self) -> Iterator[Any]:
        display = self._connect()
        yield display
        display.close()

    def _addresses(self) -> dict[str, str]:
        return {
            "DISPLAY": self.screen.display,
            "DBUS_SESSION_BUS_ADDRESS": self._bus_address,
            "XAUTHORITY": os.devnull,  # old releases of Xlib miss the file, which this display does not need
        }


def _states(display: Any) -> list[int]:
    return [display.intern_atom(f"_NET_WM_STATE_MAXIMIZED_{side}") for side in ("HORZ", "VERT")]


def _numbers(display: Any, window: Any, hint: str) -> list[int]:
    """What a window's hint says; nothing if it has none, or has just closed."""
    with contextlib.suppress(XError):
        value = window.get_full_property(display.intern_atom(hint), 0)  # 0: of any type
        return list(value.value) if value else []
    return []
