"""The windows of the overlay on Windows and macOS, on fakes of what they are made with; they were not run there."""

import io
import os
import subprocess
import sys
import threading
from collections.abc import Sequence
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from desktop_agent.overlay_macos import MacWindows
from desktop_agent.overlay_message import SHOWN, OverlayMessage, Patch
from desktop_agent.overlay_win32 import LayeredWindows
from desktop_agent.overlay_window import show_messages
from tests.desktop_agent.platforms.fake_overlays import OverlayAppKit, OverlayLibraries

PATIENCE_S = 20.0
FAIL = """
import sys
from desktop_agent import overlay_window


class FailingWindows:
    attends_every_s = None

    def show(self, patches):
        raise OSError("the desktop has gone")


overlay_window.open_windows = FailingWindows
sys.exit(overlay_window.main())
"""

# What a fake asserts within a call from C would otherwise go unnoticed.
pytestmark = pytest.mark.filterwarnings("error::pytest.PytestUnraisableExceptionWarning")


def ring(x: float = -300.0, y: float = 40.0, scale: float = 1.0) -> Patch:
    """Three rows of four pixels; the middle is a hole."""
    pixels = np.full((3, 4, 4), (10, 20, 30, 255), np.uint8)
    pixels[1, 1:3, 3] = 0
    return Patch(x, y, pixels, scale)


class TestWindows:
    def test_a_patch_is_a_window_with_holes_that_takes_no_input_and_is_in_no_screenshot(self) -> None:
        fake = OverlayLibraries()
        LayeredWindows(fake.library).show([ring()])
        (window,) = fake.windows.values()
        # WS_EX_ TOPMOST, TRANSPARENT, TOOLWINDOW, LAYERED, NOACTIVATE; WDA_EXCLUDEFROMCAPTURE; SW_SHOWNOACTIVATE
        assert (window["style"], window["affinity"], window["shown"]) == (0x80800A8, 0x11, 4)
        assert (window["box"], window["place"]) == ((-300, 40, 4, 3), (-300, 40))
        assert window["picture"][0, 0].tolist() == [30, 20, 10, 255]
        assert window["picture"][1, 1].tolist() == [0, 0, 0, 0]
        assert fake.flushed == 1

    def test_the_patches_before_go_and_nothing_is_left_in_memory(self) -> None:
        fake = OverlayLibraries()
        windows = LayeredWindows(fake.library)
        windows.show([ring(), ring(5)])
        windows.show([])
        assert [window["shown"] for window in fake.windows.values()] == [None, None]
        assert not fake.bitmaps
        assert not fake.contexts

    def test_what_windows_asks_is_answered(self) -> None:
        fake = OverlayLibraries()
        LayeredWindows(fake.library).attend()
        assert fake.waiting == -1

    def test_a_window_that_does_not_open_is_said(self) -> None:
        fake = OverlayLibraries()
        fake.opens = False
        with pytest.raises(OSError, match="no window"):
            LayeredWindows(fake.library).show([ring()])

    def test_a_window_that_is_not_painted_is_said_and_nothing_is_left_in_memory(self) -> None:
        fake = OverlayLibraries()
        fake.paints = False
        with pytest.raises(OSError, match="paints no window"):
            LayeredWindows(fake.library).show([ring()])
        assert not fake.bitmaps
        assert not fake.contexts

    def test_a_windows_without_a_function_is_said_to_be_too_old(self) -> None:
        with pytest.raises(OSError, match="too old"):
            LayeredWindows(lambda name: SimpleNamespace())


class TestMacos:
    def test_a_patch_is_a_window_that_takes_no_input_and_is_in_no_screenshot(self) -> None:
        fake = OverlayAppKit()
        MacWindows(fake).show([ring(scale=2.0)])
        (window,) = fake.windows
        assert window.told["setIgnoresMouseEvents_"] is True
        assert window.told["setSharingType_"] == 0
        assert window.told["setLevel_"] == 1000
        assert (window.told["setOpaque_"], window.told["setHasShadow_"]) == (False, False)
        assert window.told["orderFrontRegardless"]
        assert fake.application.told["setActivationPolicy_"] == 1

    def test_it_lies_where_its_pixels_do_on_a_screen_with_two_to_a_point(self) -> None:
        fake = OverlayAppKit()
        MacWindows(fake).show([ring(scale=2.0)])
        (window,) = fake.windows
        assert window.told["rect"] == (-300, 900 - 40 - 1.5, 2, 1.5)  # y goes up
        picture = window.told["setContentView_"].told["picture"]
        assert picture.told["setSize_"] == (2, 1.5)
        assert np.array_equal(np.asarray(Image.open(io.BytesIO(picture.told["data"]))), ring().pixels)

    def test_the_patches_before_go_and_what_macos_asks_is_answered(self) -> None:
        fake = OverlayAppKit()
        windows = MacWindows(fake)
        windows.show([ring()])
        windows.show([])
        assert "orderOut_" in fake.windows[0].told
        assert fake.application.told["sendEvent_"] == "an event"


class Attended:
    """Windows that need attention."""

    attends_every_s: float | None = 0.01

    def __init__(self) -> None:
        self.shown: list[int] = []
        self.attended = 0
        self.is_hidden = threading.Event()

    def show(self, patches: Sequence[Patch]) -> None:
        self.shown.append(len(patches))
        if not patches:
            self.is_hidden.set()

    def attend(self) -> None:
        self.attended += 1


def test_windows_are_attended_to_between_messages_and_hidden_in_time() -> None:
    windows, answers = Attended(), io.BytesIO()
    reading, writing = os.pipe()
    source, agent = os.fdopen(reading, "rb"), os.fdopen(writing, "wb")

    def send_and_wait() -> None:
        OverlayMessage([ring()], 0.05).write(agent)
        windows.is_hidden.wait(PATIENCE_S)
        agent.close()

    sender = threading.Thread(target=send_and_wait)
    sender.start()
    show_messages(windows, source, answers)
    sender.join()
    assert windows.shown == [1, 0]
    assert windows.attended >= 1
    assert answers.getvalue() == SHOWN


def test_a_program_whose_windows_fail_ends_though_its_input_goes_on() -> None:
    with subprocess.Popen([sys.executable, "-c", FAIL], stdin=subprocess.PIPE, stderr=subprocess.PIPE) as program:
        assert program.stdin
        assert program.stderr
        OverlayMessage([ring()], 1.0).write(program.stdin)  # type: ignore[arg-type]  # typeshed: IO[bytes], as it is
        assert program.wait(timeout=PATIENCE_S) == 1
        assert b"the desktop has gone" in program.stderr.read()
