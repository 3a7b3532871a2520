"""A virtual screen of 1920 x 1080 with a window manager, and a hand that works the programs on it."""

import contextlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from Xlib import X, Xutil
from Xlib.display import Display
from Xlib.error import XError
from Xlib.protocol.event import ClientMessage

from demo.desktop import Picture, VirtualScreen, environment
from demo.programs import Program, Programs
from protocol.geometry import Box
from real_editors.hand import Hand

WIDTH, HEIGHT = 1920, 1080
OPENBOX = Path(__file__).parents[1] / "demo" / "openbox.xml"
START_S = 10.0
REMOVE, ADD = 0, 1  # _NET_WM_STATE's verbs
MAXIMISED = ("_NET_WM_STATE_MAXIMIZED_HORZ", "_NET_WM_STATE_MAXIMIZED_VERT")
NO_WINDOW = 0
XWindow = Any  # Xlib ships no types


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
        with self.as_own():
            self._display, self.hand = Display(), Hand(Display())
        self._root = self._display.screen().root

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
        numbers = self._numbers(self._root, "_NET_ACTIVE_WINDOW")
        return numbers[0] if numbers and numbers[0] else None

    def is_maximised(self) -> bool:
        """Whether the active window is as large as the screen."""
        states = {self._display.intern_atom(name) for name in MAXIMISED}
        number = self.active_window()
        return number is not None and states <= set(self._numbers(self._window(number), "_NET_WM_STATE"))

    def maximise(self) -> None:
        """Make the active window as large as the screen, if there is one."""
        self._change_state(ADD, MAXIMISED)

    def move(self, box: Box) -> None:
        """Move the active window, and make it no longer as large as the screen."""
        self._change_state(REMOVE, MAXIMISED)
        self._window(self.active_window()).configure(x=box.x, y=box.y, width=box.width, height=box.height)
        self._display.sync()

    def minimise(self) -> None:
        """Put the active window out of sight."""
        self._ask(self.active_window(), "WM_CHANGE_STATE", Xutil.IconicState)

    def activate(self, number: int) -> None:
        """Bring a window to the front."""
        self._ask(number, "_NET_ACTIVE_WINDOW", 2)  # on behalf of the user

    def close(self) -> None:
        """Close the active window, as its button does."""
        self._ask(self.active_window(), "_NET_CLOSE_WINDOW")

    @contextmanager
    def another_window(self, box: Box, *, locks: bool = False) -> Iterator[int]:
        """A window of another program, black all over, with the keyboard; its number.

        Args:
            box: where it is.
            locks: whether it lies over all others without asking the window manager, as a locked screen does.
        """
        with self.as_own():
            display = Display()
        window = display.screen().root.create_window(
            box.x, box.y, box.width, box.height, 0, X.CopyFromParent, background_pixel=0, override_redirect=locks
        )
        window.set_wm_class("another", "Another")
        utility = display.intern_atom("_NET_WM_WINDOW_TYPE_UTILITY")  # is not made as large as the screen
        window.change_property(display.intern_atom("_NET_WM_WINDOW_TYPE"), display.intern_atom("ATOM"), 32, [utility])
        window.map()
        display.sync()
        try:
            yield int(window.id)
        finally:
            display.close()

    def _change_state(self, verb: int, names: tuple[str, str]) -> None:
        states = [self._display.intern_atom(name) for name in names]
        self._ask(self.active_window(), "_NET_WM_STATE", verb, *states, 1)

    def _ask(self, number: int | None, what: str, *numbers: int) -> None:
        """Ask the window manager, as a task bar would."""
        message = ClientMessage(
            window=self._window(number),
            client_type=self._display.intern_atom(what),
            data=(32, [*numbers, *[0] * (5 - len(numbers))]),
        )
        self._root.send_event(message, event_mask=X.SubstructureRedirectMask | X.SubstructureNotifyMask)
        self._display.sync()

    def _window(self, number: int | None) -> XWindow:
        return self._display.create_resource_object("window", number or NO_WINDOW)

    def _numbers(self, window: XWindow, hint: str) -> list[int]:
        """What a window's hint says; nothing if it has none, or has just closed."""
        with contextlib.suppress(XError):
            value = window.get_full_property(self._display.intern_atom(hint), X.AnyPropertyType)
            return list(value.value) if value else []
        return []

    def _addresses(self) -> dict[str, str]:
        return {
            "DISPLAY": self.screen.display,
            "DBUS_SESSION_BUS_ADDRESS": self._bus_address,
            "XAUTHORITY": os.devnull,  # old releases of Xlib miss the file, which this display does not need
        }
