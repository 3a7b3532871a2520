"""The programs that a demo starts; none outlives it."""

import os
import queue
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

END_S = 5.0  # for a program to end by itself


class ProgramEnded(Exception):
    """A program ended, or said nothing, where it should have gone on."""


class Program:
    """One running program, what it prints being read line by line."""

    def __init__(self, name: str, process: "subprocess.Popen[str]", log: Path) -> None:
        """Args: name: for messages. process: with its output piped. log: where its output is kept."""
        self.name = name
        self.process = process
        self._log = log
        self._lines: queue.Queue[str | None] = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()

    def wait_for(self, beginning: str, timeout_s: float) -> str:
        """The rest of the next line that begins so.

        Raises:
            ProgramEnded: it ended, or no such line came in time.
        """
        deadline_s = time.monotonic() + timeout_s
        while True:
            try:
                line = self._lines.get(timeout=max(0.0, deadline_s - time.monotonic()))
            except queue.Empty:
                raise ProgramEnded(
                    f'{self.name} did not say "{beginning}" in {timeout_s:.0f} s.{self._tail()}'
                ) from None
            if line is None:
                raise ProgramEnded(f"{self.name} has ended.{self._tail()}")
            if line.startswith(beginning):
                return line[len(beginning) :].strip()

    def end(self) -> None:
        """Ask the program and all it started to end; then make sure."""
        for signal_number in (signal.SIGTERM, signal.SIGKILL):
            try:
                os.killpg(self.process.pid, signal_number)
                self.process.wait(timeout=END_S)
            except ProcessLookupError:
                break
            except subprocess.TimeoutExpired:
                continue
        self.process.wait()

    def _read(self) -> None:
        assert self.process.stdout
        with self._log.open("a") as log:
            for line in self.process.stdout:
                log.write(line)
                log.flush()
                self._lines.put(line)
        self._lines.put(None)

    def _tail(self) -> str:
        return f" The end of what it printed:\n{self._log.read_text()[-2000:]}" if self._log.exists() else ""


class Programs:
    """Starts programs; all of them end with the `with` block, the last one first."""

    def __init__(self, log_dir: Path) -> None:
        """Args: log_dir: where what they print is kept."""
        self._log_dir = log_dir
        self._running: list[Program] = []

    def start(self, name: str, command: Sequence[str], environment: Mapping[str, str]) -> Program:
        """Start a program in a session of its own, so that Ctrl+C reaches it through us and in order.

        Raises:
            ProgramEnded: there is no such program.
        """
        if shutil.which(command[0]) is None:
            raise ProgramEnded(f"{command[0]} is not installed. `make demo` installs what it needs.")
        process = subprocess.Popen(
            _dies_with_parent(command),
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,
        )
        program = Program(name, process, self._log_dir / f"{name}.log")
        self._running.append(program)
        return program

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        for program in reversed(self._running):
            program.end()


def _dies_with_parent(command: Sequence[str]) -> list[str]:
    """Let the kernel end the program even if we are killed before we can."""
    guard = shutil.which("setpriv")
    return [guard, "--pdeathsig", "KILL", *command] if guard else list(command)
