"""A computer with a screen that is not there: X server, window manager and editor."""

import time
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
from mss import MSS

from demo.programs import Program, ProgramEnded, Programs

Picture = npt.NDArray[np.uint8]

HERE = Path(__file__).parent
POSTER = HERE / "poster.svg"
START_S = 90.0  # Inkscape's first start builds font caches
STILL_S = 1.5


class VirtualScreen:
    """An X server of its own."""

    def __init__(self, programs: Programs, name: str, width: int, height: int) -> None:
        """Start it. Args: name: for its log. width, height: in pixels."""
        size = f"{width}x{height}x24"
        # A server that resets when its last program leaves throws out those that are just coming.
        command = ["Xvfb", "-displayfd", "1", "-screen", "0", size, "-nolisten", "tcp", "-noreset"]
        server = programs.start(name, command, {"PATH": "/usr/bin:/bin"})
        number = ""
        while not number.isdigit():  # warnings come first
            number = server.wait_for("", START_S)
        self.display = f":{number}"

    def screenshot(self) -> Picture:
        """All of it: (H, W, 3) uint8, RGB."""
        with MSS(display=self.display) as screen:
            grabbed = screen.grab(screen.monitors[0])
            bgra = np.frombuffer(grabbed.bgra, np.uint8).reshape(grabbed.height, grabbed.width, 4)
            return np.ascontiguousarray(bgra[:, :, 2::-1])

    def wait_until_drawn(self, program: Program) -> Picture:
        """The screenshot once something is on it and it stands still.

        Raises:
            ProgramEnded: the program that should draw has ended, or never drew.
        """
        deadline_s = time.monotonic() + START_S
        last, still_since_s = self.screenshot(), time.monotonic()
        while time.monotonic() < deadline_s:
            if program.process.poll() is not None:
                program.wait_for("never printed", 1.0)  # raises with what it did print
            time.sleep(0.2)
            current = self.screenshot()
            if cv2.absdiff(last, current).any():
                still_since_s = time.monotonic()
            elif current.std() > 10 and time.monotonic() - still_since_s > STILL_S:
                return current
            last = current
        raise ProgramEnded(f"{program.name} drew nothing in {START_S:.0f} s.")


class Desktop:
    """A virtual screen with a window manager and, in a window as large as the screen, Inkscape with a poster."""

    def __init__(self, programs: Programs, home: Path, width: int = 1280, height: int = 800) -> None:
        """Start all of it and wait until it has drawn.

        Args:
            programs: what ends it.
            home: an empty folder; a profile of its own keeps dialogs of earlier runs away.
            width: of the screen, in pixels.
            height: likewise.
        """
        self.screen = VirtualScreen(programs, "desktop screen", width, height)
        self.environment = environment(home, self.screen.display)
        programs.start("window manager", ["openbox", "--config-file", str(HERE / "openbox.xml")], self.environment)
        document = home / "poster.svg"
        document.write_bytes(POSTER.read_bytes())
        self.editor = programs.start("inkscape", ["inkscape", str(document)], self.environment)
        self.screen.wait_until_drawn(self.editor)


def environment(home: Path, display: str) -> dict[str, str]:
    """What a program is told that runs on a virtual screen: nothing of ours but where programs are."""
    import os

    home.mkdir(parents=True, exist_ok=True)
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "XDG_RUNTIME_DIR": str(home),
        "DISPLAY": display,
        "LANG": "C.UTF-8",
        "PYTHONUNBUFFERED": "1",
    }
