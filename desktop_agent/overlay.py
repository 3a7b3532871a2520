"""What the agent itself shows on the screen, for moments, and takes out of its own screenshots."""

import contextlib
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from desktop_agent.overlay_message import SHOWN, OverlayMessage, Patch
from desktop_agent.screenshot import Screenshot, TakeScreenshots

PROGRAM = (sys.executable, "-m", "desktop_agent.overlay_window")
ANSWER_S = 10.0  # for the program of the windows to show something; it starts within
END_S = 2.0  # for it to end
REDRAWN_S = 0.3  # after which other programs have redrawn what had been covered


class Overlay:
    """Patches over the desktop that take no input; see overlay_window.py."""

    def __init__(self, take_screenshots: TakeScreenshots, command: Sequence[str] | None = PROGRAM) -> None:
        """Nothing is shown, and nothing started, before the first patch.

        Args:
            take_screenshots: of the desktop as it is, patches and all.
            command: the program of the windows; None where there is none, or none is wanted.
        """
        self._take_screenshots = take_screenshots
        self._command = command
        self._turn = threading.RLock()  # nothing changes while a screenshot is taken
        self._program: subprocess.Popen[bytes] | None = None
        self._is_broken = command is None
        self._covers: list[tuple[Patch, float]] = []  # and until when, by time.monotonic(), it is in screenshots
        self._clean: Sequence[Screenshot] = ()  # the last one; none while nothing is covered

    def prepare(self) -> None:
        """Start the program of the windows, so that the first patch need not wait for it."""
        with self._turn:
            if self._command and self._program is None and not self._is_broken:
                try:
                    self._program = subprocess.Popen(self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
                except OSError:
                    self._is_broken = True

    def show(self, patches: Sequence[Patch], shows_s: float) -> bool:
        """Show these instead of those before; they go by themselves after `shows_s`. False if that cannot be."""
        with self._turn:
            self.prepare()
            if self._program is None or self._is_broken:
                return False
            self._forget_what_is_gone()
            if not self._covers:
                self._clean = self._take_screenshots()
            now_s = time.monotonic()
            going = [(patch, min(until_s, now_s + REDRAWN_S)) for patch, until_s in self._covers]
            self._covers = going + [(patch, now_s + shows_s + REDRAWN_S) for patch in patches]
            return self._tell(OverlayMessage(patches, shows_s))

    def hide(self) -> None:
        """Show nothing."""
        with self._turn:
            if self._covers:
                self.show([], 0.0)

    def take_clean_screenshots(self) -> Sequence[Screenshot]:
        """Screenshots without the patches: there, what was seen before they came."""
        with self._turn:
            screenshots = self._take_screenshots()
            self._forget_what_is_gone()
            if self._covers:
                screenshots = self._clean = [self._clean_up(screenshot) for screenshot in screenshots]
            return screenshots

    def close(self) -> None:
        """Hide everything and end the program of the windows."""
        with self._turn:
            if self._program and self._program.stdin:
                with contextlib.suppress(OSError):
                    self._program.stdin.close()
                try:
                    self._program.wait(timeout=END_S)
                except subprocess.TimeoutExpired:
                    self._program.kill()
            self._program, self._is_broken = None, True

    def _forget_what_is_gone(self) -> None:
        now_s = time.monotonic()
        self._covers = [(patch, until_s) for patch, until_s in self._covers if until_s > now_s]
        if not self._covers:
            self._clean = ()

    def _clean_up(self, screenshot: Screenshot) -> Screenshot:
        """The screenshot without the patches, in a copy: others hold it, too. The last one if nothing has changed."""
        for clean in self._clean:
            if clean.is_of_same_monitor(screenshot):
                cleaned = replace(screenshot, pixels=screenshot.pixels.copy())
                for patch, _until_s in self._covers:
                    _lay(clean.pixels, cleaned, patch)
                return clean if np.array_equal(clean.pixels, cleaned.pixels) else cleaned
        return screenshot

    def _tell(self, message: OverlayMessage) -> bool:
        """Send a message and wait until it is on the screen; a program that fails once is not tried again."""
        assert self._program and self._program.stdin and self._program.stdout
        end_of_patience = threading.Timer(ANSWER_S, self._program.kill)  # whereupon it says no more
        end_of_patience.start()
        try:
            message.write(self._program.stdin)  # type: ignore[arg-type]  # typeshed: IO[bytes], which it is a kind of
            self._is_broken = self._program.stdout.readline() != SHOWN
        except OSError:
            self._is_broken = True
        finally:
            end_of_patience.cancel()
        return not self._is_broken


def _lay(clean: npt.NDArray[np.uint8], screenshot: Screenshot, patch: Patch) -> None:
    """Replace what a patch covers of a screenshot by the same pixels of a clean one."""
    height, width = screenshot.pixels.shape[:2]
    left, top = (round(offset * screenshot.scale) for offset in (patch.x - screenshot.left, patch.y - screenshot.top))
    rows = slice(max(0, top), max(0, min(height, top + patch.pixels.shape[0])))
    columns = slice(max(0, left), max(0, min(width, left + patch.pixels.shape[1])))
    covers = patch.pixels[rows.start - top : rows.stop - top, columns.start - left : columns.stop - left, 3] > 0
    if covers.size:
        screenshot.pixels[rows, columns][covers] = clean[rows, columns][covers]
