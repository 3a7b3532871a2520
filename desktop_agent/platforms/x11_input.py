"""Linux with X11: the keyboard and the pointer, through the XTEST extension."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from protocol.errors import DesktopUnavailable
from protocol.geometry import ScreenPoint

KEYSYMS = {"ctrl": "Control_L", "alt": "Alt_L", "shift": "Shift_L", "enter": "Return", "esc": "Escape"}
CAPS_LOCK = 1  # of the eight modifiers: it is a state, and nobody holds it
DRAG_STEPS = 12  # programs that follow a drag want to see it on its way
DRAG_STEP_S = 0.012
CLICK_S = 0.03


class X11Input:
    """The keyboard and the pointer of a display."""

    command_key = "ctrl"

    def __init__(self, display: Any) -> None:
        """Args: display: of Xlib.

        Raises:
            DesktopUnavailable: it lets no program press keys.
        """
        self._display = display
        self._root = display.screen().root
        if not display.has_extension("XTEST"):
            raise DesktopUnavailable("Its X server lacks the XTEST extension.")

    def press(self, *keys: str) -> None:
        """Press keys together."""
        from Xlib import X

        codes = [self._code(key) for key in keys]
        with self._without_modifiers():
            for code in codes:
                self._send(X.KeyPress, code)
            for code in reversed(codes):
                self._send(X.KeyRelease, code)

    def pointer(self) -> ScreenPoint:
        """Where the pointer is."""
        place = self._root.query_pointer()
        return ScreenPoint(place.root_x, place.root_y)

    def move_pointer(self, point: ScreenPoint) -> None:
        """Let it hover there."""
        from Xlib import X
        from Xlib.ext import xtest

        xtest.fake_input(self._display, X.MotionNotify, x=round(point.x), y=round(point.y))
        self._display.sync()

    def click(self, point: ScreenPoint) -> None:
        """Click once, with the left button."""
        from Xlib import X

        self.move_pointer(point)
        with self._without_modifiers():
            self._send(X.ButtonPress, 1)
            time.sleep(CLICK_S)
            self._send(X.ButtonRelease, 1)

    def drag(self, start: ScreenPoint, end: ScreenPoint) -> None:
        """Drag with the left button, slowly enough for every editor to follow."""
        from Xlib import X

        self.move_pointer(start)
        with self._without_modifiers():
            time.sleep(CLICK_S)
            self._send(X.ButtonPress, 1)
            for step in range(1, DRAG_STEPS + 1):
                time.sleep(DRAG_STEP_S)
                share = step / DRAG_STEPS
                self.move_pointer(ScreenPoint(start.x + share * (end.x - start.x), start.y + share * (end.y - start.y)))
            time.sleep(CLICK_S)
            self._send(X.ButtonRelease, 1)

    @contextmanager
    def _without_modifiers(self) -> Iterator[None]:
        """Let go of the modifiers that the user holds, and hold them again afterwards."""
        from Xlib import X

        held = self._held_modifiers()
        for code in held:
            self._send(X.KeyRelease, code)
        try:
            yield
        finally:
            for code in held:
                self._send(X.KeyPress, code)

    def _held_modifiers(self) -> list[int]:
        down = self._display.query_keymap()  # a bit for each key
        modifiers = self._display.get_modifier_mapping()
        codes = {code for index, row in enumerate(modifiers) if index != CAPS_LOCK for code in row if code}
        return [code for code in sorted(codes) if down[code // 8] >> (code % 8) & 1]

    def _code(self, key: str) -> int:
        from Xlib import XK

        keysym = XK.string_to_keysym(KEYSYMS.get(key, key if len(key) == 1 else key.capitalize()))
        codes = list(self._display.keysym_to_keycodes(keysym))
        if not codes:
            raise DesktopUnavailable(f'This keyboard layout has no key "{key}".')
        return int(codes[0][0])

    def _send(self, event: int, detail: int) -> None:
        from Xlib.ext import xtest

        xtest.fake_input(self._display, event, detail)
        self._display.sync()
