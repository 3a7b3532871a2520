"""What the agent shows on a real (virtual) screen, and what its own screenshots show of it."""

import io
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from mss import MSS

from demo.desktop import VirtualScreen, environment
from demo.programs import Programs
from desktop_agent import overlay as overlay_module
from desktop_agent.overlay import REDRAWN_S, Overlay
from desktop_agent.overlay_message import OverlayMessage, Patch
from desktop_agent.overlay_x11 import open_windows, rectangles
from desktop_agent.pictures import Picture
from desktop_agent.screenshot import MonitorScreenshots

WIDTH, HEIGHT = 640, 480
RED = (200, 30, 40)
PATIENCE_S = 20.0
FIRST_PORT = 6000  # of X servers: the display's number is added
SHOW_FOREVER = """
import sys, time
import numpy as np
from desktop_agent.overlay import Overlay
from desktop_agent.overlay_message import OverlayMessage, Patch
from desktop_agent.screenshot import take_screenshots

overlay = Overlay(take_screenshots)
assert overlay.show([Patch(100, 80, np.full((40, 60, 4), 255, np.uint8))], 600.0)
print("shown", flush=True)
time.sleep(600)
"""
CLICK = """
import sys
from Xlib import X, display
from Xlib.ext import xtest

desktop = display.Display()
window = desktop.screen().root.create_window(0, 0, 640, 480, 0, X.CopyFromParent, event_mask=X.ButtonPressMask)
window.change_attributes(override_redirect=True)
window.map()
desktop.sync()
print("ready", flush=True)
sys.stdin.readline()
xtest.fake_input(desktop, X.MotionNotify, x=120, y=100)
xtest.fake_input(desktop, X.ButtonPress, 1)
xtest.fake_input(desktop, X.ButtonRelease, 1)
desktop.sync()
print("clicked", desktop.next_event().type == X.ButtonPress, flush=True)
"""


@pytest.fixture
def screen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[VirtualScreen]:
    with Programs(tmp_path) as programs:
        screen = VirtualScreen(programs, "screen", WIDTH, HEIGHT)
        for name, value in environment(tmp_path / "home", screen.display).items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("XAUTHORITY", os.devnull)
        with MSS():  # a server whose last client leaves begins anew
            yield screen


@pytest.fixture
def overlay(screen: VirtualScreen) -> Iterator[Overlay]:
    overlay = Overlay(MonitorScreenshots())
    yield overlay
    overlay.close()


def patch(x: int = 100, y: int = 80) -> Patch:
    return Patch(x, y, np.full((40, 60, 4), (*RED, 255), np.uint8))


def red(picture: Picture) -> int:
    return int((picture == RED).all(axis=2).sum())


def wait_until(is_so: Callable[[], bool]) -> None:
    deadline_s = time.monotonic() + PATIENCE_S
    while not is_so():
        assert time.monotonic() < deadline_s
        time.sleep(0.02)


def wait_for_line(program: "subprocess.Popen[str]", line: str) -> None:
    """Xlib prints remarks before."""
    assert program.stdout
    assert line in iter(program.stdout.readline, "")


def test_a_patch_is_on_the_screen_and_not_in_the_agents_screenshots(screen: VirtualScreen, overlay: Overlay) -> None:
    before = overlay.take_clean_screenshots()[0].pixels
    assert overlay.show([patch()], 30.0)
    assert red(screen.screenshot()[80:120, 100:160]) == 40 * 60
    assert np.array_equal(overlay.take_clean_screenshots()[0].pixels, before)


def test_what_changes_around_a_patch_is_in_the_screenshots(screen: VirtualScreen, overlay: Overlay) -> None:
    overlay.take_clean_screenshots()
    overlay.show([patch()], 30.0)
    assert red(screen.screenshot()) > 0
    other = Overlay(MonitorScreenshots())
    other.show([patch(300, 300)], 30.0)
    assert red(overlay.take_clean_screenshots()[0].pixels) == 40 * 60
    other.close()


def test_what_changed_under_a_patch_is_in_the_screenshots_once_the_patch_is_gone(
    screen: VirtualScreen, overlay: Overlay
) -> None:
    overlay.show([patch()], 30.0)
    other = Overlay(MonitorScreenshots())
    other.show([patch()], 30.0)
    overlay.hide()
    covered = overlay.take_clean_screenshots()[0].pixels
    time.sleep(REDRAWN_S)
    assert (red(covered), red(overlay.take_clean_screenshots()[0].pixels)) == (0, 40 * 60)
    other.close()


def test_a_still_screen_under_a_patch_is_the_same_screenshot(screen: VirtualScreen, overlay: Overlay) -> None:
    before = overlay.take_clean_screenshots()[0]
    overlay.show([patch()], 30.0)
    assert overlay.take_clean_screenshots()[0] is before


def test_a_patch_that_moves_leaves_nothing_behind(screen: VirtualScreen, overlay: Overlay) -> None:
    before = overlay.take_clean_screenshots()[0].pixels
    for x in (100, 130, 600):  # the last reaches over the edge
        overlay.show([patch(x)], 30.0)
        assert np.array_equal(overlay.take_clean_screenshots()[0].pixels, before)
    assert red(screen.screenshot()) == 40 * 40
    overlay.hide()
    assert red(screen.screenshot()) == 0


def test_a_patch_goes_by_itself(screen: VirtualScreen, overlay: Overlay) -> None:
    overlay.show([patch()], 0.4)
    assert red(screen.screenshot()) > 0
    wait_until(lambda: red(screen.screenshot()) == 0)
    time.sleep(REDRAWN_S)
    assert red(overlay.take_clean_screenshots()[0].pixels) == 0


def test_pixels_without_alpha_are_holes(screen: VirtualScreen, overlay: Overlay) -> None:
    ring = patch().pixels.copy()
    ring[10:30, 10:50, 3] = 0
    overlay.show([Patch(100, 80, ring)], 30.0)
    assert red(screen.screenshot()) == 40 * 60 - 20 * 40


def test_clicks_go_through_a_patch(screen: VirtualScreen, overlay: Overlay) -> None:
    below = subprocess.Popen([sys.executable, "-c", CLICK], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert below.stdin
    wait_for_line(below, "ready\n")
    overlay.show([patch()], 30.0)
    assert red(screen.screenshot()) == 40 * 60
    below.stdin.write("click\n")
    below.stdin.flush()
    wait_for_line(below, "clicked True\n")
    below.wait(timeout=PATIENCE_S)


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_an_agent_that_is_killed_leaves_nothing_on_the_screen(screen: VirtualScreen, how: signal.Signals) -> None:
    agent = subprocess.Popen([sys.executable, "-c", SHOW_FOREVER], stdout=subprocess.PIPE, text=True)
    wait_for_line(agent, "shown\n")
    assert screen.screenshot()[80:120, 100:160].min() == 255
    os.kill(agent.pid, how)
    wait_until(lambda: int(screen.screenshot().max()) < 255)
    agent.wait()


def test_a_screen_that_cannot_be_marked_is_no_error(screen: VirtualScreen, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DISPLAY", ":4242")
    overlay = Overlay(list)
    assert not overlay.show([patch()], 1.0)
    overlay.hide()
    overlay.close()


def test_a_display_that_closes_the_connection_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XAUTHORITY", os.devnull)
    with socket.create_server(("127.0.0.1", 0)) as server:
        monkeypatch.setenv("DISPLAY", f"127.0.0.1:{server.getsockname()[1] - FIRST_PORT}")

        def hear_and_close() -> None:
            connection, _ = server.accept()
            connection.recv(12)  # what every client begins with
            connection.close()

        closing = threading.Thread(target=hear_and_close)
        closing.start()
        with pytest.raises(OSError, match="closed"):
            open_windows()
        closing.join()


@pytest.mark.parametrize("kept", [5, -5])
def test_a_message_that_breaks_off_is_the_end(kept: int) -> None:
    whole = io.BytesIO()
    OverlayMessage([patch()], 1.0).write(whole)
    assert OverlayMessage.read(io.BytesIO(whole.getvalue())) is not None
    assert OverlayMessage.read(io.BytesIO(whole.getvalue()[:kept])) is None


def test_a_program_that_does_not_answer_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(overlay_module, "ANSWER_S", 0.3)
    overlay = Overlay(list, [sys.executable, "-c", "import time; time.sleep(600)"])
    assert not overlay.show([patch()], 1.0)
    assert not overlay.show([patch()], 1.0)
    overlay.close()


def test_without_a_program_nothing_is_shown(screen: VirtualScreen) -> None:
    overlay = Overlay(MonitorScreenshots(), command=None)
    assert not overlay.show([patch()], 1.0)
    assert red(screen.screenshot()) == 0
    overlay.close()


def test_a_shape_is_told_stretch_by_stretch() -> None:
    mask = np.array([[0, 1, 1, 0, 1], [0, 1, 1, 0, 1], [0, 0, 0, 0, 0], [1, 1, 1, 1, 1]], bool)
    assert rectangles(mask) == [(1, 0, 2, 2), (4, 0, 1, 2), (0, 3, 5, 1)]
