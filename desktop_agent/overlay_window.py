"""patches from standard input -> small windows on top of all others that take no input.

A program of its own (`python -m desktop_agent.overlay_window`): its windows are gone as soon as the input ends, also
when the agent is killed, and after the time that each message says, also when the agent hangs.
"""

import queue
import signal
import sys
import threading
import time
from collections.abc import Sequence
from typing import BinaryIO, Protocol

from desktop_agent.overlay_message import SHOWN, OverlayMessage, Patch


class OverlayWindows(Protocol):
    """The windows, one for each patch. Its methods raise OSError once the desktop has gone."""

    attends_every_s: float | None  # how often `attend` is to be called, if it needs to be

    def show(self, patches: Sequence[Patch]) -> None:
        """Show these instead of those before; returns once they are on the screen."""
        ...

    def attend(self) -> None:
        """Answer what the desktop asks of every program with windows."""
        ...


def main() -> int:
    """Show what each message says; end with the input. 1 if this display cannot have such windows, or has gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl+C is for the agent, which then closes the input
    try:
        # Never closed, and not Python's own: at the end, nobody waits for the thread that waits for it.
        source = open(sys.stdin.fileno(), "rb", closefd=False)  # noqa: SIM115
        show_messages(open_windows(), source, sys.stdout.buffer)
    except (ImportError, OSError, ValueError) as reason:
        print(f"Nothing can be marked on this screen ({reason}).", file=sys.stderr)
        return 1
    return 0


def open_windows() -> OverlayWindows:
    """This system's, each imported only where it is. Raises OSError or ValueError if it has none."""
    if sys.platform == "win32":
        from desktop_agent import overlay_win32

        return overlay_win32.open_windows()
    if sys.platform == "darwin":
        from desktop_agent import overlay_macos

        return overlay_macos.open_windows()
    from desktop_agent import overlay_x11

    return overlay_x11.open_windows()


def show_messages(windows: OverlayWindows, source: BinaryIO, answers: BinaryIO) -> None:
    """Show what comes from `source` until that ends; tell of each."""
    messages: queue.Queue[OverlayMessage | None] = queue.Queue()
    threading.Thread(target=_read, args=(source, messages), daemon=True).start()
    hides_at_s: float | None = None
    while True:
        waits_s = [] if hides_at_s is None else [max(0.0, hides_at_s - time.monotonic())]
        waits_s += [] if windows.attends_every_s is None else [windows.attends_every_s]
        try:
            message = messages.get(timeout=min(waits_s, default=None))
        except queue.Empty:
            windows.attend()
            if hides_at_s is not None and time.monotonic() >= hides_at_s:
                windows.show([])
                hides_at_s = None
            continue
        if message is None:
            return
        windows.show(message.patches)
        hides_at_s = time.monotonic() + message.shows_s if message.patches else None
        answers.write(SHOWN)
        answers.flush()


def _read(source: BinaryIO, messages: "queue.Queue[OverlayMessage | None]") -> None:
    try:
        while message := OverlayMessage.read(source):
            messages.put(message)
    finally:
        messages.put(None)


if __name__ == "__main__":
    sys.exit(main())
