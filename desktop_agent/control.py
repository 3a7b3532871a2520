"""The control window from the agent's side: it is told what changed, and what is clicked in it is done."""

import contextlib
import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence

from desktop_agent.control_message import ControlView, Wish
from protocol.messages import parse_json


class Control:
    """The program of the window, which may be closed and opened again at any time, or never be there at all."""

    def __init__(
        self, look: Callable[[], ControlView], act: Callable[[Wish], None], command: Sequence[str] | None = None
    ) -> None:
        """Nothing is started yet.

        Args:
            look: what there is to show now.
            act: does what the user wishes.
            command: the program of the window; this Python's own if None.
        """
        self._look = look
        self._act = act
        self._command = command or [sys.executable, "-m", "desktop_agent.control_window"]
        self._program: subprocess.Popen[str] | None = None
        self._changed = threading.Condition()
        self._changes = 0  # there have been

    def open(self) -> None:
        """Open the window, unless it is open or there is no screen for it."""
        if self._program is None or self._program.poll() is not None:
            if not (os.environ.get("DISPLAY") or sys.platform in ("darwin", "win32")):
                return
            pipe = subprocess.PIPE
            self._program = subprocess.Popen(self._command, stdin=pipe, stdout=pipe, text=True)
            for work in (self._write, self._read):
                threading.Thread(target=work, args=(self._program,), daemon=True).start()
        self.refresh()

    def refresh(self) -> None:
        """What is shown has changed. This never waits for the window."""
        with self._changed:
            self._changes += 1
            self._changed.notify_all()

    def close(self) -> None:
        """Close the window."""
        program, self._program = self._program, None
        if program:
            program.terminate()
            program.wait()

    def _write(self, program: "subprocess.Popen[str]") -> None:
        assert program.stdin
        written = 0
        with contextlib.suppress(OSError):  # the window was closed
            while program.poll() is None:
                with self._changed:
                    self._changed.wait_for(lambda: self._changes > written)  # noqa: B023  # it is called here only
                    written = self._changes
                program.stdin.write(json.dumps(self._look().to_wire()) + "\n")
                program.stdin.flush()

    def _read(self, program: "subprocess.Popen[str]") -> None:
        assert program.stdout
        for line in program.stdout:
            self._act(Wish.from_wire(parse_json(line.encode())))
        self.refresh()  # its writer sees that it is gone
