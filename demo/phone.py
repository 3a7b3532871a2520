"""The phone app in a screen of its own, and the finger that taps on it."""

import contextlib
import io
import os
import sys
import time
from pathlib import Path

import Xlib.display
from PIL import Image
from Xlib import X
from Xlib.ext import xtest

from demo.desktop import Picture, VirtualScreen, environment
from demo.programs import Programs

START_S = 60.0
TAP_S = 0.06  # how long a finger stays down
WIDTH, HEIGHT = 768, 512  # held sideways; as wide for its height as the photo
UNDO_BUTTON = WIDTH // 2, HEIGHT - 120


class Phone:
    """The real app, its camera fed from a file."""

    def __init__(self, programs: Programs, folder: Path, pairing_link: str) -> None:
        """Start it before a black picture and wait for its first frame.

        Args:
            programs: what ends it.
            folder: an empty one for its files.
            pairing_link: what it would read from the QR code.
        """
        home = folder / "phone"
        self.screen = VirtualScreen(programs, "phone screen", WIDTH, HEIGHT)
        self._camera_file = folder / "camera.png"
        self.point_at(Image.new("RGB", (WIDTH, HEIGHT)))
        command = [sys.executable, "-m", "mobile_client", "--camera", f"file:{self._camera_file}"]
        command += ["--pair", pairing_link, "--data-dir", str(home / "data"), "--window", f"{WIDTH}x{HEIGHT}"]
        self.app = programs.start("phone app", command, environment(home, self.screen.display))
        self.app.wait_for("Phone app ready", START_S)

    def point_at(self, sight: Image.Image) -> None:
        """Let the camera see this from now on."""
        fresh = self._camera_file.with_suffix(".new.png")
        sight.save(fresh, compress_level=1)
        fresh.replace(self._camera_file)

    def tap(self, x: int = WIDTH // 2, y: int = HEIGHT // 2) -> None:
        """Touch the window, as the X server's own pointer."""
        display = open_display(self.screen.display)
        xtest.fake_input(display, X.MotionNotify, x=x, y=y)
        for event in (X.ButtonPress, X.ButtonRelease):
            xtest.fake_input(display, event, 1)
            display.sync()
            time.sleep(TAP_S)
        display.close()

    def undo(self) -> None:
        """Touch the button that is offered after a paste."""
        self.tap(*UNDO_BUTTON)

    def wait_for_aim(self, timeout_s: float) -> str:
        """Wait until the reticle locks; the program that a tap would paste into."""
        return self.app.wait_for("aim: ", timeout_s)

    def wait_for_state(self, name: str, timeout_s: float) -> None:
        """Wait until the app says that it is in that state."""
        self.app.wait_for(f"state: {name}", timeout_s)

    def wait_for_message(self, timeout_s: float) -> str:
        """The next message that it shows to the user."""
        return self.app.wait_for("message: ", timeout_s)

    def screenshot(self) -> Picture:
        """What the user sees: (H, W, 3) uint8, RGB."""
        return self.screen.screenshot()


def open_display(name: str) -> Xlib.display.Display:
    """An X display that has no secret; old releases of Xlib want a file of secrets all the same, and complain of it."""
    os.environ.setdefault("XAUTHORITY", os.devnull)
    with contextlib.redirect_stdout(io.StringIO()):
        return Xlib.display.Display(name)
