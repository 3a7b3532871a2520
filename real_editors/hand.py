"""The user's hand on the desk: pointer, wheel and keys, as the X server takes them for real ones."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from Xlib import XK, X
from Xlib.ext import xtest

from protocol.geometry import ScreenPoint

LEFT, MIDDLE, WHEEL_UP, WHEEL_DOWN = 1, 2, 4, 5  # buttons


class Hand:
    """One pointer, one keyboard."""

    def __init__(self, display: Any) -> None:  # Xlib ships no types
        """Args: display: a connection of its own to the screen."""
        self._display = display

    def position(self) -> ScreenPoint:
        """Where the pointer is."""
        pointer = self._display.screen().root.query_pointer()
        return ScreenPoint(float(pointer.root_x), float(pointer.root_y))

    def move(self, x: int, y: int) -> None:
        """Move the pointer there."""
        self._send(X.MotionNotify, 0, x=x, y=y)

    def click(self, button: int = LEFT) -> None:
        """Click where the pointer is."""
        with self.holding_button(button):
            pass

    def wheel(self, steps: int) -> None:
        """Turn the wheel; up if positive."""
        for _ in range(abs(steps)):
            self.click(WHEEL_UP if steps > 0 else WHEEL_DOWN)

    @contextmanager
    def holding_button(self, button: int) -> Iterator[None]:
        """Keep a button of the mouse down."""
        self._send(X.ButtonPress, button)
        yield
        self._send(X.ButtonRelease, button)

    def press(self, *names: str) -> None:
        """Press keys together, by their X names: "Control_L", "z"."""
        codes = [self._display.keysym_to_keycode(XK.string_to_keysym(name)) for name in names]
        for code in codes:
            self._send(X.KeyPress, code)
        for code in reversed(codes):
            self._send(X.KeyRelease, code)

    @contextmanager
    def holding_key(self, name: str) -> Iterator[None]:
        """Keep a key down."""
        code = self._display.keysym_to_keycode(XK.string_to_keysym(name))
        self._send(X.KeyPress, code)
        yield
        self._send(X.KeyRelease, code)

    def _send(self, event: int, detail: int, x: int = 0, y: int = 0) -> None:
        xtest.fake_input(self._display, event, detail, x=x, y=y)
        self._display.sync()
