"""On a real X server, with no window manager and no editor."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from Xlib import Xatom
from Xlib.error import ConnectionClosedError

from demo.desktop import VirtualScreen
from demo.programs import Programs
from desktop_agent.pictures import Picture
from desktop_agent.platforms.x11 import X11Windows
from desktop_agent.platforms.x11_clipboard import X11Clipboard
from desktop_agent.platforms.x11_drop import X11Drop
from desktop_agent.platforms.x11_input import X11Input
from desktop_agent.platforms.x11_selection import MOST_NAMES, Asker, Form, Offer, open_display
from protocol.geometry import ScreenPoint

TEXT = Form("UTF8_STRING", 8, "grüße".encode())
LONG_HTML = Form("text/html", 8, b"<b>long</b>" * 30_000)  # handed over in pieces


@pytest.fixture(scope="module", autouse=True)
def screen_number(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with Programs(tmp_path_factory.mktemp("logs")) as programs, pytest.MonkeyPatch.context() as patch:
        screen = VirtualScreen(programs, "x11 screen", 640, 480)
        patch.setenv("DISPLAY", screen.display)
        yield


def offered() -> dict[str, Form]:
    """What any program would find on the clipboard."""
    asker = Asker(open_display(), "CLIPBOARD")
    deadline_s = time.monotonic() + 5
    names = [name for name in asker.names(deadline_s) if name != "TARGETS"]
    forms = {name: asker.fetch(name, deadline_s, 10**8) for name in names}
    return {name: form for name, form in forms.items() if form}


def picture_of(form: Form, folder: Path) -> Picture:
    file = folder / "offered.png"
    file.write_bytes(form.content)
    return np.asarray(Image.open(file))


def test_a_cutout_on_the_clipboard_is_read_by_other_programs_to_the_pixel(cutout: Picture, tmp_path: Path) -> None:
    clipboard = X11Clipboard()
    clipboard.copy(cutout)
    assert np.array_equal(picture_of(offered()["image/png"], tmp_path), cutout)


def test_a_large_cutout_is_handed_over_in_pieces(tmp_path: Path) -> None:
    noise = np.random.default_rng(1).integers(0, 256, (700, 900, 4)).astype(np.uint8)
    clipboard = X11Clipboard()
    clipboard.copy(noise)
    assert np.array_equal(picture_of(offered()["image/png"], tmp_path), noise)


def test_what_another_program_had_copied_is_there_again_in_every_form(cutout: Picture) -> None:
    before = {"UTF8_STRING": TEXT, "text/html": LONG_HTML}
    Offer("CLIPBOARD", before, open_display())
    clipboard = X11Clipboard()
    saved = clipboard.save()
    clipboard.copy(cutout)
    clipboard.restore(saved)
    assert offered() == before


def test_forms_that_nobody_listed_are_there_again_too(cutout: Picture) -> None:
    before = {name: Form(name, 8, name.encode()) for name in ("image/jpeg", "image/bmp", "application/x-krita-node")}
    Offer("CLIPBOARD", before, open_display())
    clipboard = X11Clipboard()
    saved = clipboard.save()
    clipboard.copy(cutout)
    clipboard.restore(saved)
    assert offered() == before


class SilentAbout(Offer):
    """Offers one form that it does not hand over, and notes what it is asked for."""

    silent = "image/tiff"

    def _hand_over(self, request: Any) -> None:
        name = self.display.get_atom_name(request.target)
        self.asked_for = [*getattr(self, "asked_for", []), name]
        if name != self.silent:
            super()._hand_over(request)


def test_a_rare_form_that_does_not_come_costs_none_of_the_common_ones() -> None:
    before = {"image/tiff": Form("image/tiff", 8, b"slow"), "UTF8_STRING": TEXT, "text/html": LONG_HTML}
    SilentAbout("CLIPBOARD", before, open_display())
    assert X11Clipboard().save().forms == {"UTF8_STRING": TEXT, "text/html": LONG_HTML}


def test_what_is_no_form_is_not_asked_for() -> None:
    names = ("DELETE", "INSERT_SELECTION", "INSERT_PROPERTY", "TIMESTAMP", "MULTIPLE", "SAVE_TARGETS")
    offer = SilentAbout("CLIPBOARD", {name: Form("NULL", 32, b"") for name in names}, open_display())
    assert X11Clipboard().save().forms == {}
    assert offer.asked_for == ["TARGETS"]


def test_a_form_that_is_too_large_spoils_none_that_comes_after_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("desktop_agent.platforms.x11_clipboard.MOST_SAVED_BYTES", 200_000)
    after = {f"image/x-{number}": Form("image/x", 8, bytes([number]) * 1000) for number in range(8)}
    Offer("CLIPBOARD", {"text/html": LONG_HTML, **after}, open_display())
    assert X11Clipboard().save().forms == after


class SlowAbout(SilentAbout):
    """Takes a while to make each form."""

    silent = ""

    def _hand_over(self, request: Any) -> None:
        time.sleep(0.3)
        super()._hand_over(request)


def test_no_form_is_asked_for_once_the_time_is_over() -> None:
    forms = {f"image/x-{number}": Form("image/x", 8, b"slow") for number in range(12)}
    offer = SlowAbout("CLIPBOARD", forms, open_display())
    X11Clipboard().save()
    time.sleep(1.0)  # for what else was asked for
    assert len(offer.asked_for) <= 3


def test_no_more_forms_are_asked_for_than_a_program_may_reasonably_have() -> None:
    forms = {f"image/x-{number}": Form("image/x", 8, b"small") for number in range(MOST_NAMES + 10)}
    Offer("CLIPBOARD", forms, open_display())
    assert len(Asker(open_display(), "CLIPBOARD").names(time.monotonic() + 5)) == MOST_NAMES


def test_what_was_copied_meanwhile_is_left_there(cutout: Picture) -> None:
    clipboard = X11Clipboard()
    saved = clipboard.save()
    clipboard.copy(cutout)
    newer = {"UTF8_STRING": Form("UTF8_STRING", 8, b"newer")}
    Offer("CLIPBOARD", newer, open_display())
    time.sleep(0.3)  # for the news to arrive
    clipboard.restore(saved)
    assert offered() == newer


def test_asking_leaves_no_connection_behind() -> None:
    display = open_display()
    Asker(display, "CLIPBOARD").close()
    with pytest.raises(ConnectionClosedError):
        display.sync()


def test_an_empty_clipboard_is_empty_again(cutout: Picture) -> None:
    emptied = Offer("CLIPBOARD", {}, open_display())
    emptied.withdraw()
    clipboard = X11Clipboard()
    saved = clipboard.save()
    clipboard.copy(cutout)
    clipboard.restore(saved)
    assert offered() == {}


def test_a_program_that_does_not_answer_costs_half_a_second() -> None:
    from Xlib import X

    display = open_display()
    window = display.screen().root.create_window(0, 0, 1, 1, 0, X.CopyFromParent)
    window.set_selection_owner(display.intern_atom("CLIPBOARD"), X.CurrentTime)
    display.sync()
    start_s = time.monotonic()
    assert X11Clipboard().save().forms == {}
    assert time.monotonic() - start_s < 2


def keys_down(display: Any) -> set[int]:
    bits = display.query_keymap()
    return {code for code in range(256) if bits[code // 8] >> (code % 8) & 1}


def test_a_modifier_that_the_user_holds_does_not_count_and_is_held_afterwards() -> None:
    from Xlib import XK, X
    from Xlib.ext import xtest

    display = open_display()
    shift, key = (display.keysym_to_keycode(XK.string_to_keysym(name)) for name in ("Shift_L", "v"))
    window = display.screen().root.create_window(0, 0, 640, 480, 0, X.CopyFromParent, event_mask=X.KeyPressMask)
    window.map()
    display.sync()
    window.set_input_focus(X.RevertToParent, X.CurrentTime)
    xtest.fake_input(display, X.KeyPress, shift)
    display.sync()
    X11Input(open_display()).press("ctrl", "v")
    time.sleep(0.3)
    presses = [display.next_event() for _ in range(display.pending_events())]
    states = [press.state for press in presses if press.type == X.KeyPress and press.detail == key]
    assert states == [X.ControlMask]
    assert keys_down(display) == {shift}
    xtest.fake_input(display, X.KeyRelease, shift)
    display.sync()


def test_the_pointer_hovers_where_it_is_sent() -> None:
    hands = X11Input(open_display())
    hands.move_pointer(ScreenPoint(123.4, 45.6))
    assert hands.pointer() == ScreenPoint(123, 46)


def test_a_window_that_takes_no_drops_gets_none(tmp_path: Path) -> None:
    assert not X11Drop().drop(tmp_path, ScreenPoint(100, 100))


def test_several_phones_may_ask_for_windows_at_once() -> None:
    display = open_display()
    root = display.screen().root
    client = root.create_window(0, 0, 200, 100, 0, display.screen().root_depth)
    client.set_wm_class("drawn", "Drawn")
    client.map()
    root.change_property(display.intern_atom("_NET_CLIENT_LIST_STACKING"), Xatom.WINDOW, 32, [client.id])
    root.change_property(display.intern_atom("_NET_ACTIVE_WINDOW"), Xatom.WINDOW, 32, [client.id])
    display.sync()
    windows = X11Windows()

    def ask(number: int) -> str:
        asked = windows.focused() if number % 2 else windows.at(ScreenPoint(20, 30))
        return asked.program if asked else ""

    with ThreadPoolExecutor(8) as phones:
        assert set(phones.map(ask, range(400))) == {"Drawn"}
    client.destroy()
    root.delete_property(display.intern_atom("_NET_CLIENT_LIST_STACKING"))
    root.delete_property(display.intern_atom("_NET_ACTIVE_WINDOW"))
    display.sync()
