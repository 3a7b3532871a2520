"""The control window, looked at with a camera's eyes and clicked with the X server's own pointer."""

import importlib.util
import json
import os
import queue
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from Xlib import X
from Xlib.ext import xtest

from demo.desktop import VirtualScreen, environment
from demo.phone import open_display
from demo.programs import Programs
from desktop_agent.control import Control
from desktop_agent.control_message import PAIR, PAUSE, UNPAIR, ControlView, ShownPaste, Wish
from desktop_agent.control_window import AMBER, BUTTON, GREEN, RED, TITLE, ControlWindow
from desktop_agent.devices import PairedDevices
from desktop_agent.oversight import THUMBNAIL_PX, draw_thumbnail
from desktop_agent.pictures import Picture
from mobile_client.clients import AgentClient
from mobile_client.pairing import read_code
from protocol.errors import AgentPaused, NotAuthorised, NothingToUndo
from protocol.pairing import PairingLink, new_token

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("_tkinter") is None or shutil.which("Xvfb") is None or shutil.which("openbox") is None,
    reason="the window needs tkinter, and its test a virtual screen",
)
GIVE_UP_S = 20.0
ICONIC = 3  # as the window manager notes it (ICCCM 4.1.3.1)
LINK = PairingLink("192.168.1.20", 8765, "ab" * 32, new_token()).to_uri()
PINK = (250, 20, 200)
PHONES = {"hash a": "Ada's phone", "hash b": "Bea's phone"}


def view(link: str | None = None, phones: dict[str, str] = PHONES, **pastes: ShownPaste) -> ControlView:
    return ControlView("studio", link, is_paused=False, phones=phones, pastes=pastes)


def pink_paste() -> ShownPaste:
    cutout = np.full((300, 300, 4), (*PINK, 255), np.uint8)
    return ShownPaste("14:05", "Pasted into Inkscape", is_error=False, thumbnail=draw_thumbnail(cutout))


def coloured(screenshot: Picture, colour: tuple[int, ...]) -> Picture:
    return np.asarray((screenshot == colour).all(axis=2), np.uint8)


def rgb(colour: str) -> tuple[int, ...]:
    return tuple(bytes.fromhex(colour[1:]))


class Desk:
    """A screen with a window manager, a control window on it, and the one who uses it."""

    def __init__(self, programs: Programs, screen: VirtualScreen) -> None:
        self.programs, self.screen = programs, screen
        self.view = view()
        self.wishes: list[Wish] = []
        self.control = Control(lambda: self.view, self.wishes.append)

    def show(self, view: ControlView) -> None:
        self.view = view
        self.control.open()

    def show_in_front(self, view: ControlView) -> None:
        """Show it in a window that a user has opened, not in the task bar."""
        self.show(replace(view, phones={}))
        self.wait_for(lambda screenshot: not is_empty(screenshot))
        self.show(view)

    def wait_for(self, is_so: Callable[[Picture], bool]) -> Picture:
        """What the screen shows once it is as wanted."""
        deadline_s = time.monotonic() + GIVE_UP_S
        screenshot = self.screen.screenshot()
        while not is_so(screenshot):
            assert time.monotonic() < deadline_s
            time.sleep(0.1)
            screenshot = self.screen.screenshot()
        return screenshot

    def press(self, number: int, of: int) -> None:
        """Click a button, counted from the top, and move the pointer away."""
        buttons = buttons_of(self.wait_for(lambda screenshot: len(buttons_of(screenshot)) == of))
        display = open_display(self.screen.display)
        x, y = buttons[number]
        for event, detail in ((X.MotionNotify, 0), (X.ButtonPress, 1), (X.ButtonRelease, 1)):
            xtest.fake_input(display, event, detail, x=x, y=y)
            display.sync()
            time.sleep(0.1)
        xtest.fake_input(display, X.MotionNotify, x=0, y=0)  # a button under the pointer has another colour
        display.sync()
        display.close()

    def turn_wheel(self, clicks: int) -> None:
        """Over the middle of the screen, downwards."""
        display = open_display(self.screen.display)
        xtest.fake_input(display, X.MotionNotify, x=400, y=320)
        for _click in range(clicks):
            xtest.fake_input(display, X.ButtonPress, 5)
            xtest.fake_input(display, X.ButtonRelease, 5)
        display.sync()
        display.close()

    def wish_of(self, number: int, of: int) -> Wish:
        """What the agent is told of a click."""
        self.press(number, of)
        self.wait_for(lambda _screenshot: bool(self.wishes))
        return self.wishes.pop()

    def bring_back(self) -> None:
        """Click the window in the task bar."""
        display = open_display(self.screen.display)
        self.wait_for(lambda _screenshot: bool(in_task_bar(display)))
        for window in in_task_bar(display):
            window.map()
        display.sync()
        display.close()


def in_task_bar(display: Any) -> list[Any]:
    state_of = display.intern_atom("WM_STATE")
    windows = [window for window in windows_below(display.screen().root) if window.get_wm_name() == TITLE]
    states = [window.get_full_property(state_of, X.AnyPropertyType) for window in windows]
    return [window for window, state in zip(windows, states, strict=True) if state and state.value[0] == ICONIC]


def windows_below(window: Any) -> Iterator[Any]:
    for child in window.query_tree().children:
        yield child
        yield from windows_below(child)


def buttons_of(screenshot: Picture) -> list[tuple[int, int]]:
    """The middles of all buttons, from the top down."""
    over_letters = np.ones((1, 15), np.uint8)
    filled = cv2.morphologyEx(coloured(screenshot, rgb(BUTTON)), cv2.MORPH_CLOSE, over_letters)
    _count, _labels, stats, middles = cv2.connectedComponentsWithStats(filled)
    return sorted(
        ((int(x), int(y)) for (x, y), row in zip(middles[1:], stats[1:], strict=True) if row[4] > 500),
        key=lambda middle: middle[1],
    )


def has(screenshot: Picture, colour: tuple[int, ...]) -> bool:
    return bool(coloured(screenshot, colour).any())


def is_empty(screenshot: Picture) -> bool:
    return not has(screenshot, rgb(BUTTON))


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    with Programs(tmp_path) as programs:
        screen = VirtualScreen(programs, "screen", 800, 640)
        known = environment(tmp_path / "home", screen.display)
        for name, value in known.items():
            monkeypatch.setenv(name, value)
        stays = open_display(screen.display)  # an X server that loses its last client starts anew
        programs.start("window manager", ["openbox"], known)
        desk = Desk(programs, screen)
        is_managed = stays.intern_atom("_NET_SUPPORTING_WM_CHECK")
        desk.wait_for(lambda _screenshot: bool(stays.screen().root.get_full_property(is_managed, X.AnyPropertyType)))
        yield desk
        desk.control.close()
        stays.close()


def test_a_camera_reads_the_code_until_it_was_used_and_then_the_window_makes_way(desk: Desk) -> None:
    desk.show(view(LINK, phones={}))
    desk.wait_for(lambda screenshot: read_code(screenshot) == LINK)
    desk.show(view())
    desk.wait_for(is_empty)
    desk.show(view(LINK))
    desk.wait_for(lambda screenshot: read_code(screenshot) == LINK)


def test_where_phones_are_paired_already_the_window_waits_in_the_task_bar(desk: Desk) -> None:
    desk.show(view())
    desk.bring_back()
    desk.wait_for(lambda screenshot: not is_empty(screenshot))


def test_the_last_pastes_are_shown_with_thumbnails_and_what_failed_in_red(desk: Desk) -> None:
    failed = ShownPaste("14:04", "Nothing changed on the screen.", is_error=True, thumbnail="")
    desk.show_in_front(view(a=pink_paste(), b=failed))
    shown = desk.wait_for(lambda screenshot: has(screenshot, rgb(RED)) and has(screenshot, PINK))
    assert coloured(shown, PINK).sum() == THUMBNAIL_PX**2
    pink_rows, red_rows = (np.flatnonzero(coloured(shown, colour).any(axis=1)) for colour in (PINK, rgb(RED)))
    assert pink_rows[-1] < red_rows[0]


def test_phones_are_said_to_paste_only_once_one_is_paired(desk: Desk) -> None:
    desk.show(view(phones={}))
    shown = desk.wait_for(lambda screenshot: len(buttons_of(screenshot)) == 2)
    assert not has(shown, rgb(GREEN))
    desk.show(view())
    shown = desk.wait_for(lambda screenshot: len(buttons_of(screenshot)) == 4)
    assert has(shown, rgb(GREEN))


def test_what_is_taller_than_the_screen_scrolls(desk: Desk) -> None:
    phones = {f"hash {number}": f"Phone {number}" for number in range(9)}
    failed = ShownPaste("14:04", " ".join(["The editor did not take the cutout."] * 9), is_error=True, thumbnail="")
    desk.show_in_front(view(phones=phones, a=failed, b=failed, c=pink_paste()))
    shown = desk.wait_for(lambda screenshot: len(buttons_of(screenshot)) > 8)
    assert not has(shown, PINK)
    assert not (shown[-30:] == 255).all(axis=2).any()  # the screen's lower edge is free
    desk.turn_wheel(clicks=40)
    desk.wait_for(lambda screenshot: coloured(screenshot, PINK).sum() == THUMBNAIL_PX**2)


def test_pause_unpair_and_pair_are_told_to_the_agent(desk: Desk) -> None:
    desk.show_in_front(view())
    assert desk.wish_of(0, of=4) == Wish(PAUSE)
    assert desk.wish_of(2, of=4) == Wish(UNPAIR, "hash b")
    assert desk.wish_of(3, of=4) == Wish(PAIR)


def test_a_phone_that_was_unpaired_is_gone_from_the_window(desk: Desk) -> None:
    desk.show_in_front(view())
    desk.wait_for(lambda screenshot: len(buttons_of(screenshot)) == 4)
    desk.view = view(phones={"hash a": "Ada's phone"})
    desk.control.refresh()
    desk.wait_for(lambda screenshot: len(buttons_of(screenshot)) == 3)


def test_a_closed_window_can_be_opened_again_and_nothing_waits_for_it(desk: Desk) -> None:
    desk.show_in_front(view())
    desk.wait_for(lambda screenshot: not is_empty(screenshot))
    assert desk.control._program is not None
    desk.control._program.kill()
    desk.wait_for(is_empty)
    desk.control.refresh()
    desk.show(view(LINK))
    desk.wait_for(lambda screenshot: read_code(screenshot) == LINK)


def test_what_was_shown_before_is_not_kept(desk: Desk) -> None:
    import tkinter

    root = tkinter.Tk()
    window = ControlWindow(root, queue.Queue())
    for _paste in range(3):
        window._show(view())
    assert len(window._canvas.find_all()) == 1
    root.destroy()


def test_the_window_ends_with_its_agent(desk: Desk) -> None:
    command = [sys.executable, "-m", "desktop_agent.control_window"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, text=True) as program:
        assert program.stdin is not None
        program.stdin.write(json.dumps(view(phones={}).to_wire()) + "\n")
        program.stdin.flush()
        desk.wait_for(lambda screenshot: not is_empty(screenshot))
        program.stdin.close()
        assert program.wait(timeout=GIVE_UP_S) == 0


def test_a_real_agent_does_what_is_clicked(desk: Desk, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "desktop_agent", "--port", "0", "--server-url", "http://127.0.0.1:1"]
    desk.programs.start("agent", [*command, "--data-dir", str(tmp_path / "data")], os.environ)
    link = PairingLink.from_uri(read_code(desk.wait_for(lambda screenshot: bool(read_code(screenshot)))) or "")
    stranger = AgentClient(link.agent_url, link.certificate_sha256)
    device_key = stranger.pair(link.token, "Ada's phone").device_key
    phone = AgentClient(link.agent_url, link.certificate_sha256, device_key)
    desk.wait_for(is_empty)
    desk.bring_back()

    with pytest.raises(NothingToUndo):
        phone.undo()
    desk.press(0, of=3)  # Pause
    desk.wait_for(lambda screenshot: has(screenshot, rgb(AMBER)))
    with pytest.raises(AgentPaused):
        phone.undo()
    desk.press(0, of=3)  # Resume
    desk.wait_for(lambda screenshot: not has(screenshot, rgb(AMBER)))
    with pytest.raises(NothingToUndo):
        phone.undo()
    desk.press(1, of=3)  # Unpair
    desk.wait_for(lambda screenshot: len(buttons_of(screenshot)) == 2)
    with pytest.raises(NotAuthorised):
        phone.status()
    desk.press(1, of=2)  # Pair a phone
    desk.wait_for(lambda screenshot: read_code(screenshot) not in (None, link.to_uri()))


def test_an_agent_that_knows_a_phone_offers_no_code_until_it_is_asked_for_one(desk: Desk, tmp_path: Path) -> None:
    devices = PairedDevices(tmp_path / "data" / "devices.json")
    devices.pair(devices.offer_token(), "Ada's phone")
    command = [sys.executable, "-m", "desktop_agent", "--port", "0", "--server-url", "http://127.0.0.1:1"]
    agent = desk.programs.start("agent", [*command, "--data-dir", str(tmp_path / "data")], os.environ)
    agent.wait_for("Paired with Ada's phone. Press Enter", GIVE_UP_S)
    desk.bring_back()
    desk.press(2, of=3)  # Pair a phone
    desk.wait_for(lambda screenshot: bool(read_code(screenshot)))
    agent.wait_for("arpaste:", GIVE_UP_S)


@pytest.mark.parametrize("display", ["", ":9999"], ids=["none", "nobody's"])
def test_without_a_screen_there_is_no_window_and_no_harm(monkeypatch: pytest.MonkeyPatch, display: str) -> None:
    monkeypatch.setenv("DISPLAY", display)
    control = Control(view, lambda _wish: None)
    for _time in range(2):
        control.open()
        control.refresh()
    control.close()
