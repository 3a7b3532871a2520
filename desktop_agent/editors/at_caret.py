"""Browsers: a page of text takes a cutout at its caret, a page to draw on at the pointer; its shape tells which."""

import time
from collections.abc import Callable

from desktop_agent.editors.by_clipboard import ByClipboard, Keys
from desktop_agent.platforms import Clipboard, Input
from protocol.geometry import ScreenPoint

SHAPE_S = 0.2  # for a program to change the pointer's shape
POLL_S = 0.02


class AtCaretInText(ByClipboard):
    """Pastes under the pointer; over text, where a click is sure to follow no link, at a caret set there."""

    def __init__(
        self, name: str, hands: Input, clipboard: Clipboard, paste_keys: Keys, is_over_text: Callable[[], bool]
    ) -> None:
        """Args: is_over_text: whether the pointer is over text. The others: as for any ByClipboard."""
        super().__init__(name, hands, clipboard, paste_keys)
        self._is_over_text = is_over_text

    def approach(self, point: ScreenPoint) -> None:
        """Let the pointer hover over the spot, and set the caret if there is text."""
        super().approach(point)
        self.puts_at_caret = self._becomes_text()
        self.strategy = "paste at the caret" if self.puts_at_caret else "paste under the pointer"
        if self.puts_at_caret:
            self._hands.click(point)

    def _becomes_text(self) -> bool:
        deadline_s = time.monotonic() + SHAPE_S
        while not self._is_over_text() and time.monotonic() < deadline_s:
            time.sleep(POLL_S)
        return self._is_over_text()
