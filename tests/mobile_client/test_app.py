"""The real window, drawn off-screen and touched, with real HTTP to servers that say what a test wants."""

import cmath
import dataclasses
import io
import json
import math
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from http_server.listener import Listener
from mobile_client.__main__ import configure_kivy
from mobile_client.camera import FileCamera
from mobile_client.clients import CopiedThing, Picture
from mobile_client.flow import PARTLY_OUTSIDE
from mobile_client.pairing import Pairing, PairingFile
from protocol.errors import (
    AgentUnreachable,
    CopyPasteError,
    NotAuthorised,
    NothingToCut,
    PairingLinkInvalid,
    ScreenNotInView,
    SecondViewWanted,
    ServerUnreachable,
    TokenInvalid,
)
from protocol.geometry import Box, ScreenPoint
from protocol.messages import (
    AimAnswer,
    AimRequest,
    ErrorAnswer,
    FoundObject,
    HealthAnswer,
    PairAnswer,
    PasteAnswer,
    PasteRequest,
    ServerAddress,
    UndoAnswer,
)
from protocol.messages import StatusAnswer as Status
from protocol.pairing import PairingLink
from protocol.routes import AIM, CUTOUT, HEALTHZ, PAIR, PASTE, STATUS, UNDO
from tests.mobile_client.fakes import Answer, FakeServer, png
from tests.mobile_client.test_clients import parts_of

WOOD, CUP = (150, 90, 50), (20, 60, 220)
KEY_ENTER, KEY_SPACE, KEY_BACK = 13, 32, 27
PAIR_BUTTON = (216, 58)  # from the window's lower left corner
UNDO_BUTTON = (216, 120)
GIVE_UP_S = 40.0  # on a busy computer; nothing waits that long unless it fails


def as_json(message: Any, status: int = 200) -> Answer:
    return Answer(json.dumps(message.to_wire()).encode(), status=status)


def as_error(error: CopyPasteError) -> Answer:
    return as_json(ErrorAnswer.of(error), error.status)


def cutout_of_photo(top: int = 100) -> Answer:
    """A cup of 96 x 120 pixels in a photo of 216 x 384: what the window shows of a camera of 600 x 384."""
    cutout = np.zeros((384, 216, 4), np.uint8)
    cutout[top : top + 120, 40:136] = (*CUP, 255)
    return Answer(png(cutout), headers=FoundObject(0.9, Box(40, top, 96, 120)).to_headers())


def aim_of(probability: float) -> AimAnswer:
    return AimAnswer(ScreenPoint(5, 5), 1.0, probability, "Inkscape")


def block(width: int, height: int) -> CopiedThing:
    return CopiedThing(np.full((height, width, 4), 255, np.uint8), is_whole=True)


def as_point(number: complex) -> tuple[float, float]:
    return number.real, number.imag


class Driver:
    """Touches the app as a user would and looks at what it shows."""

    def __init__(self, folder: Path, segmentation: FakeServer, agent: FakeServer, pin: str) -> None:
        from mobile_client.app import PhoneApp

        self.segmentation, self.agent, self.pin = segmentation, agent, pin
        self.picture = folder / "camera.png"
        self.show(WOOD)
        self.answers = {
            CUTOUT: cutout_of_photo(),
            STATUS: as_json(Status("desk", 1, 5.5)),
            HEALTHZ: as_json(HealthAnswer(True, "BASNet")),
            PAIR: as_json(self.pair_answer),
            AIM: as_json(aim_of(0.5)),
            UNDO: as_json(UndoAnswer("Inkscape", verified=True)),
            PASTE: as_json(PasteAnswer("Inkscape", "drop", ScreenPoint(5, 5), ScreenPoint(5, 6), 180.0, 1.0, True, {})),
        }
        segmentation.answer = agent.answer = lambda request: self.answers[request.path]
        self.pairing_file = PairingFile(folder)
        self.lines: list[str] = []
        self.app = PhoneApp(FileCamera(self.picture), self.pairing_file, say=self.lines.append)

    @property
    def pair_answer(self) -> PairAnswer:
        return PairAnswer("key", "desk", ServerAddress(self.segmentation.url, None, None))

    @property
    def link(self) -> str:
        return PairingLink("127.0.0.1", self.agent.server_port, self.pin, "token").to_uri()

    @property
    def sheet(self) -> Any:
        return self.app.root.ids.sheet_place.children[0]

    def paths(self) -> list[str]:
        """What the servers were asked."""
        return [request.path for request in [*self.segmentation.requests, *self.agent.requests]]

    def start(self, *, is_paired: bool = True) -> None:
        from kivy.base import EventLoop, runTouchApp

        if is_paired:
            self.pairing_file.save(Pairing(self.agent.url, self.pin, self.pair_answer))
        self.app._run_prepare()
        if EventLoop.status != "started":
            runTouchApp(embedded=True)
        self.wait_for("Phone app ready")

    def stop(self) -> None:
        from kivy.core.window import Window
        from kivy.lang import Builder

        self.app.dispatch("on_pause")  # a phone hides an app before it ends it
        self.app.dispatch("on_stop")
        Window.remove_widget(self.app.root)
        Builder.unload_file(self.app.kv_file)

    def show(self, colour: tuple[int, int, int]) -> None:
        """Point the camera elsewhere."""
        fresh = self.picture.with_name("fresh.png")
        Image.new("RGB", (600, 384), colour).save(fresh)
        fresh.replace(self.picture)

    def pump(self, is_done: Callable[[], bool]) -> None:
        """Let the app run until something is so."""
        from kivy.base import EventLoop

        give_up = time.monotonic() + GIVE_UP_S
        while not is_done():
            assert time.monotonic() < give_up, f"It never came to that. So far: {self.lines}"
            EventLoop.idle()

    def wait_for(self, line: str) -> None:
        self.pump(lambda: line in self.lines)

    def tap(self, x: float = 216, y: float = 300, *, wander: float = 0) -> None:
        """Touch the window at (x, y) from its lower left corner; `wander` pixels are dragged before letting go."""
        from kivy.tests.common import UnitTestTouch

        touch = UnitTestTouch(x, y)
        touch.touch_down()
        touch.touch_move(x + wander, y)
        touch.touch_up()
        self.draw()

    def pinch(self, *, factor: float = 1.0, clockwise_deg: float = 0.0) -> None:
        """Put two fingers left and right of the middle, move them apart and around it, and lift them."""
        from kivy.tests.common import UnitTestTouch

        middle, reach = complex(216, 300), 60.0
        arms = [cmath.rect(reach, 0), cmath.rect(reach, math.pi)]
        fingers = [UnitTestTouch(*as_point(middle + arm)) for arm in arms]
        for finger in fingers:
            finger.touch_down()
        for step in (0.25, 0.5, 0.75, 1.0):
            stretch = cmath.rect(1 + (factor - 1) * step, -math.radians(clockwise_deg * step))
            for finger, arm in zip(fingers, arms, strict=True):
                finger.touch_move(*as_point(middle + arm * stretch))
        for finger in fingers:
            finger.touch_up()
        self.draw()

    def roll(self, way: str) -> None:
        """Turn a mouse's wheel by a notch."""
        from kivy.tests.common import UnitTestTouch

        wheel = UnitTestTouch(216, 300)
        wheel.profile = ["pos", "button"]
        wheel.button = way
        wheel.touch_down()
        wheel.touch_up()
        self.draw()

    def last_paste(self) -> PasteRequest:
        """What the agent was asked at last."""
        request = [request for request in self.agent.requests if request.path == PASTE][-1]
        return PasteRequest.from_wire(json.loads(parts_of(request)["paste"]))

    def press(self, key: int) -> bool:
        from kivy.core.window import Window

        return bool(Window.dispatch("on_keyboard", key, 0, None, []))

    def draw(self) -> None:
        """One frame; what background threads have handed over is delivered before it."""
        from kivy.base import EventLoop

        EventLoop.idle()

    def draw_for(self, duration_s: float) -> None:
        """Frame after frame."""
        until_s = time.monotonic() + duration_s
        self.pump(lambda: time.monotonic() > until_s)

    def settle(self) -> None:
        """Wait until everything that was asked is answered, and the answers are delivered."""
        self.pump(lambda: "question" not in [thread.name for thread in threading.enumerate()])
        self.draw()

    def wait_for_pixel(self, x: int, y: int, colour: Any, *, tolerance: float = 3) -> None:
        self.pump(lambda: np.allclose(self.pixel(x, y), colour, atol=tolerance))

    def pixel(self, x: int, y: int) -> tuple[int, ...]:
        """The colour at (x, y) from the window's upper left corner."""
        from kivy.core.window import Window

        path = Path(Window.screenshot(str(self.picture.with_name("shot.png"))))
        with Image.open(path) as shot:
            colour = shot.convert("RGB").getpixel((x, y))
        assert isinstance(colour, tuple)
        return colour

    def copy(self) -> None:
        self.tap()
        self.wait_for("state: holding")


@pytest.fixture(scope="module", autouse=True)
def window(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Kivy, told to draw off-screen; it can be imported only once."""
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("SDL_VIDEODRIVER", "offscreen")
        environment.delenv("DISPLAY", raising=False)
        environment.delenv("KIVY_HOME", raising=False)
        configure_kivy(tmp_path_factory.mktemp("kivy"), 432, 768)
        yield
    for name in [name for name in os.environ if name.startswith("KIVY_")]:
        del os.environ[name]


@pytest.fixture
def unpaired(
    tmp_path: Path, server: FakeServer, tls_server: FakeServer, certificate: tuple[Path, str]
) -> Iterator[Driver]:
    driver = Driver(tmp_path, server, tls_server, certificate[1])
    driver.start(is_paired=False)
    yield driver
    driver.stop()


@pytest.fixture
def phone(
    tmp_path: Path, server: FakeServer, tls_server: FakeServer, certificate: tuple[Path, str]
) -> Iterator[Driver]:
    driver = Driver(tmp_path, server, tls_server, certificate[1])
    driver.start()
    yield driver
    driver.stop()


def test_two_taps_copy_and_paste(phone: Driver) -> None:
    phone.tap()
    phone.wait_for("state: holding")
    phone.tap()
    phone.wait_for("message: Pasted into Inkscape, 1 px from the aim.")
    assert phone.lines == [
        "Phone app ready",
        "state: copying",
        "state: holding",
        "state: pasting",
        "state: aiming",
        "message: Pasted into Inkscape, 1 px from the aim.",
    ]


def test_the_window_shows_what_the_camera_sees(phone: Driver) -> None:
    phone.wait_for_pixel(100, 200, WOOD)
    phone.show((10, 200, 10))
    phone.wait_for_pixel(100, 200, (10, 200, 10))


def test_the_photo_is_what_the_window_shows(phone: Driver) -> None:
    phone.copy()
    [request] = [request for request in phone.segmentation.requests if request.path == CUTOUT]
    photo = parts_of(request)["photo"]
    (phone.picture.parent / "photo.jpg").write_bytes(photo)
    assert Image.open(phone.picture.parent / "photo.jpg").size == (216, 384)


def test_the_view_is_all_that_the_camera_sees_and_the_cutout_as_wide_as_it_floats(phone: Driver) -> None:
    phone.copy()
    phone.tap()
    phone.wait_for("state: aiming")
    [request] = [request for request in phone.agent.requests if request.path == PASTE]
    parts = parts_of(request)
    (phone.picture.parent / "view.jpg").write_bytes(parts["view"])
    assert Image.open(phone.picture.parent / "view.jpg").size == (600, 384)
    # 96 of 216 pixels wide, lifted to 0.92 of that; the window shows each pixel of the camera twice as large
    assert PasteRequest.from_wire(json.loads(parts["paste"])).width_view == pytest.approx(96 * 0.92)


def test_the_cutout_floats_over_the_camera_and_under_the_reticle(phone: Driver) -> None:
    phone.copy()
    phone.pump(lambda: phone.app.root.ids.cutout.lift == 1)
    phone.wait_for_pixel(216 + 50, 384 + 60, 0.85 * np.array(CUP) + 0.15 * np.array(WOOD), tolerance=4)
    assert min(phone.pixel(216, 384)) > 200


def test_a_drag_is_no_tap(phone: Driver) -> None:
    phone.tap(wander=60)
    assert phone.lines == ["Phone app ready"]


@pytest.mark.parametrize("key", [KEY_ENTER, KEY_SPACE])
def test_a_key_taps_too(phone: Driver, key: int) -> None:
    assert phone.press(key)
    phone.wait_for("state: holding")


def test_the_back_button_lets_go_and_then_leaves(phone: Driver) -> None:
    phone.copy()
    assert phone.press(KEY_BACK)
    phone.wait_for("state: aiming")
    assert not phone.press(KEY_BACK)


def test_the_cross_lets_go(phone: Driver) -> None:
    phone.copy()
    phone.tap(432 - 40, 768 - 48)
    assert phone.lines[-1] == "state: aiming"


def test_without_anything_to_let_go_of_the_place_of_the_cross_is_a_place_to_tap(phone: Driver) -> None:
    phone.tap(432 - 40, 768 - 48)
    phone.wait_for("state: copying")


def test_the_late_answer_of_a_cancelled_copy_is_dropped(phone: Driver) -> None:
    may_answer = threading.Event()
    phone.answers[CUTOUT].before = may_answer.wait
    phone.tap()
    phone.press(KEY_BACK)
    may_answer.set()
    phone.settle()
    assert CUTOUT in phone.paths()
    assert phone.lines == ["Phone app ready", "state: copying", "state: aiming"]


def test_a_photo_without_an_object_says_so(phone: Driver) -> None:
    phone.answers[CUTOUT] = as_error(NothingToCut())
    phone.tap()
    phone.wait_for(f"message: {NothingToCut().sentence}")
    assert phone.app.root.ids.toast.text == NothingToCut().sentence


def test_a_failed_paste_keeps_the_cutout_and_can_be_tried_again(phone: Driver) -> None:
    phone.copy()
    pasted, phone.answers[PASTE] = phone.answers[PASTE], as_error(ScreenNotInView())
    phone.tap()
    phone.wait_for(f"message: {ScreenNotInView().sentence}")
    assert phone.app.root.ids.cutout.texture is not None
    phone.answers[PASTE] = pasted
    phone.tap()
    phone.wait_for("state: aiming")


def test_a_plain_screen_that_shows_marks_is_looked_at_again(phone: Driver) -> None:
    phone.copy()
    pasted, phone.answers[PASTE] = phone.answers[PASTE], as_error(SecondViewWanted())
    phone.tap()
    phone.wait_for(f"message: {SecondViewWanted().sentence}")
    phone.answers[PASTE] = pasted
    phone.wait_for("state: aiming")
    pastes = [parts_of(request)["paste"] for request in phone.agent.requests if request.path == PASTE]
    assert [PasteRequest.from_wire(json.loads(paste)).is_second_view for paste in pastes] == [False, True]


def test_a_reticle_over_an_editor_locks_and_names_it(phone: Driver) -> None:
    phone.answers[AIM] = as_json(aim_of(0.97))
    phone.copy()
    phone.wait_for("aim: Inkscape")
    assert phone.app.hint == "Tap to paste into Inkscape"
    phone.wait_for_pixel(216 + 17, 384, (122, 230, 194), tolerance=40)
    phone.press(KEY_BACK)
    assert phone.app.hint == "Tap to copy what you see"
    assert not phone.app.is_locked


def test_what_a_held_cutout_is_aimed_at_is_asked_with_a_small_view(phone: Driver) -> None:
    phone.copy()
    phone.pump(lambda: AIM in phone.paths())
    [request] = [request for request in phone.agent.requests if request.path == AIM][:1]
    assert AimRequest.from_wire(json.loads(parts_of(request)["aim"])).width_view == pytest.approx(96 * 0.92)


def test_what_is_in_the_way_of_a_paste_is_the_hint(phone: Driver) -> None:
    phone.answers[AIM] = as_error(ScreenNotInView())
    phone.copy()
    phone.pump(lambda: phone.app.hint == ScreenNotInView().sentence)
    assert phone.app.root.ids.toast.text == ""


def test_nothing_is_aimed_while_nothing_is_held(phone: Driver) -> None:
    phone.copy()
    phone.pump(lambda: AIM in phone.paths())
    phone.press(KEY_BACK)
    phone.settle()
    asked = phone.paths().count(AIM)
    phone.draw_for(1.0)
    assert phone.paths().count(AIM) == asked


def test_an_app_behind_others_does_not_aim(phone: Driver) -> None:
    phone.copy()
    phone.app.on_pause()
    phone.settle()
    asked = phone.paths().count(AIM)
    phone.draw_for(1.0)
    assert phone.paths().count(AIM) == asked
    phone.app.on_resume()
    phone.pump(lambda: phone.paths().count(AIM) > asked)


def test_two_fingers_scale_and_turn_what_is_pasted(phone: Driver) -> None:
    phone.copy()
    phone.pinch(factor=1.5, clockwise_deg=40)
    phone.tap()
    phone.wait_for("state: aiming")
    assert phone.last_paste().width_view == pytest.approx(1.5 * 96 * 0.92)
    assert phone.last_paste().turn_deg == pytest.approx(40)


def test_the_floating_cutout_is_as_large_and_as_turned_as_it_is_pasted(phone: Driver) -> None:
    phone.copy()
    phone.pump(lambda: phone.app.root.ids.cutout.lift == 1)
    in_cup = 0.85 * np.array(CUP) + 0.15 * np.array(WOOD)
    # It floats 177 wide and 221 high: a point left of the middle is on it only when it lies on its side.
    phone.wait_for_pixel(216 - 100, 384, WOOD, tolerance=40)
    phone.pinch(clockwise_deg=90)
    phone.wait_for_pixel(216 - 100, 384, in_cup, tolerance=4)
    phone.pinch(factor=0.5)
    phone.wait_for_pixel(216 - 40, 384, in_cup, tolerance=4)
    phone.wait_for_pixel(216 - 100, 384, WOOD, tolerance=4)


def test_a_cutout_turned_clockwise_has_its_left_side_up(phone: Driver) -> None:
    photo = np.array(Image.open(io.BytesIO(phone.answers[CUTOUT].body)))
    photo[100:220, 40:60, :3] = (250, 250, 0)
    phone.answers[CUTOUT].body = png(photo)
    phone.copy()
    phone.pinch(clockwise_deg=90)
    phone.wait_for_pixel(216, 384 - 78, 0.85 * np.array((250, 250, 0)) + 0.15 * np.array(WOOD), tolerance=6)


def test_a_pinch_is_no_tap_even_if_no_finger_moves(phone: Driver) -> None:
    phone.copy()
    phone.pinch()
    assert phone.lines[-1] == "state: holding"
    phone.tap()
    phone.wait_for("state: pasting")


def test_a_pinch_while_nothing_is_held_does_nothing(phone: Driver) -> None:
    phone.pinch(factor=2)
    phone.copy()
    phone.tap()
    phone.wait_for("state: aiming")
    assert phone.last_paste().width_view == pytest.approx(96 * 0.92)


def test_a_failed_paste_keeps_size_and_turn_and_the_next_thing_floats_upright(phone: Driver) -> None:
    pasted, phone.answers[PASTE] = phone.answers[PASTE], as_error(ScreenNotInView())
    phone.copy()
    phone.pinch(factor=1.5, clockwise_deg=40)
    phone.tap()
    phone.wait_for(f"message: {ScreenNotInView().sentence}")
    phone.answers[PASTE] = pasted
    phone.tap()
    phone.wait_for("state: aiming")
    assert phone.last_paste().turn_deg == pytest.approx(40)
    phone.tap()
    phone.pump(lambda: phone.lines[-1] == "state: holding")
    assert phone.app.root.ids.cutout.turn_deg == 0


def test_a_wheel_scales_and_taps_nothing(phone: Driver) -> None:
    phone.copy()
    before = phone.app.root.ids.cutout.float_size[0]
    phone.roll("scrolldown")
    assert phone.app.root.ids.cutout.float_size[0] > before
    phone.roll("scrollup")
    assert phone.app.root.ids.cutout.float_size[0] == pytest.approx(before)
    assert phone.lines[-1] == "state: holding"


def test_a_wheel_with_shift_turns(phone: Driver, monkeypatch: pytest.MonkeyPatch) -> None:
    from kivy.core.window import Window

    phone.copy()
    monkeypatch.setattr(Window, "_modifiers", ["shift"])
    phone.roll("scrollup")
    assert phone.app.root.ids.cutout.turn_deg == 5


def test_fingers_that_were_down_when_the_app_was_hidden_are_forgotten(phone: Driver) -> None:
    from kivy.tests.common import UnitTestTouch

    phone.copy()
    UnitTestTouch(100, 300).touch_down()
    phone.app.on_pause()
    phone.app.on_resume()
    phone.tap()
    phone.wait_for("state: pasting")


def test_the_undo_button_brings_back_what_was_pasted_as_it_was_held(phone: Driver) -> None:
    phone.copy()
    phone.pinch(factor=1.5, clockwise_deg=40)
    phone.tap()
    phone.wait_for("state: aiming")
    phone.tap(*UNDO_BUTTON)
    phone.wait_for("message: Undone in Inkscape.")
    floating = phone.app.root.ids.cutout
    assert floating.texture is not None
    assert (floating.float_size[0], floating.turn_deg) == (pytest.approx(1.5 * 2 * 96 * 0.92), pytest.approx(40))


def test_without_anything_to_undo_the_place_of_the_button_is_a_place_to_tap(phone: Driver) -> None:
    phone.tap(*UNDO_BUTTON)
    phone.wait_for("state: copying")


def test_a_toast_does_not_take_taps(phone: Driver) -> None:
    phone.answers[CUTOUT] = as_error(NothingToCut())
    phone.tap()
    phone.wait_for(f"message: {NothingToCut().sentence}")
    phone.tap(216, 768 - 100)
    assert phone.lines.count("state: copying") == 2


def test_a_server_that_is_gone_is_told_and_the_app_lives(phone: Driver) -> None:
    phone.segmentation.go_away()
    phone.tap()
    phone.wait_for("state: aiming")
    assert phone.lines[-1] == f"message: {ServerUnreachable().sentence}"


def test_the_chip_says_which_computer_and_whether_it_answers(phone: Driver) -> None:
    phone.pump(lambda: phone.app.chip_colour[1] > 0.85)
    assert phone.app.chip == "desk"
    phone.answers[STATUS] = as_error(ScreenNotInView())
    phone.app.on_resume()
    phone.pump(lambda: phone.app.chip == "desk, no answer")


def test_the_chip_says_when_the_computer_has_unpaired_this_phone(phone: Driver) -> None:
    phone.answers[STATUS] = as_error(NotAuthorised())
    phone.app.on_resume()
    phone.pump(lambda: phone.app.chip == "desk, no longer paired")


def test_without_a_pairing_a_tap_copies_nothing(unpaired: Driver) -> None:
    unpaired.tap(216, 600)
    assert unpaired.app.chip == "Not paired"
    assert unpaired.lines == ["Phone app ready"]


def test_a_typed_link_pairs(unpaired: Driver) -> None:
    unpaired.sheet.ids.link.text = unpaired.link
    unpaired.tap(*PAIR_BUTTON)
    unpaired.wait_for("message: Paired with desk.")
    assert unpaired.pairing_file.load() == Pairing(unpaired.agent.url, unpaired.pin, unpaired.pair_answer)
    unpaired.copy()


def test_a_used_code_says_so_and_the_sheet_stays(unpaired: Driver) -> None:
    unpaired.answers[PAIR] = as_error(TokenInvalid())
    unpaired.app.pair(unpaired.link)
    unpaired.wait_for(f"message: {TokenInvalid().sentence}")
    assert unpaired.app.is_pairing


def test_a_code_held_before_the_camera_pairs(unpaired: Driver) -> None:
    import segno

    segno.make(unpaired.link).save(str(unpaired.picture), kind="png", scale=8)
    unpaired.wait_for("message: Paired with desk.")


def test_a_link_from_outside_pairs_only_once_the_user_taps(phone: Driver) -> None:
    phone.app.open_link(phone.link)
    phone.draw()
    assert phone.sheet.ids.question.text == "Pair with 127.0.0.1?"
    assert phone.sheet.ids.link.text == phone.link
    phone.settle()
    assert PAIR not in phone.paths()
    phone.tap(*PAIR_BUTTON)
    phone.wait_for("message: Paired with desk.")


def test_a_link_from_outside_can_be_declined(phone: Driver) -> None:
    phone.app.open_link(phone.link)
    assert phone.press(KEY_BACK)
    assert not phone.app.is_pairing
    phone.settle()
    assert PAIR not in phone.paths()


def test_a_link_from_outside_is_asked_about_even_while_a_cutout_is_held(phone: Driver) -> None:
    phone.copy()
    phone.app.open_link(phone.link)
    phone.tap()
    assert phone.app.is_pairing
    assert phone.lines[-1] == "state: holding"


def test_a_link_from_outside_that_is_none_of_ours_says_so(phone: Driver) -> None:
    phone.app.open_link("arpaste://192.168.1.20/nonsense")
    phone.wait_for(f"message: {PairingLinkInvalid().sentence}")
    assert not phone.app.is_pairing


def test_a_half_typed_link_asks_about_no_computer(unpaired: Driver) -> None:
    unpaired.sheet.ids.link.text = unpaired.link[:30]
    assert unpaired.sheet.ids.question.text == "Pair with your computer"


def test_pressing_pair_twice_pairs_once(unpaired: Driver) -> None:
    may_answer = threading.Event()
    unpaired.answers[PAIR].before = may_answer.wait
    unpaired.sheet.ids.link.text = unpaired.link
    unpaired.tap(*PAIR_BUTTON)
    unpaired.pump(lambda: PAIR in unpaired.paths())
    unpaired.tap(*PAIR_BUTTON)
    may_answer.set()
    unpaired.wait_for("message: Paired with desk.")
    unpaired.settle()
    assert unpaired.paths().count(PAIR) == 1


def test_after_a_failed_try_pair_can_be_pressed_again(unpaired: Driver) -> None:
    paired, unpaired.answers[PAIR] = unpaired.answers[PAIR], as_error(TokenInvalid())
    unpaired.app.pair(unpaired.link)
    unpaired.wait_for(f"message: {TokenInvalid().sentence}")
    unpaired.answers[PAIR] = paired
    unpaired.app.pair(unpaired.link)
    unpaired.wait_for("message: Paired with desk.")


def test_a_scanned_code_that_found_no_network_is_tried_again(unpaired: Driver) -> None:
    import segno

    unpaired.answers[PAIR].cut_short = True
    segno.make(unpaired.link).save(str(unpaired.picture), kind="png", scale=8)
    unpaired.wait_for(f"message: {AgentUnreachable().sentence}")
    unpaired.answers[PAIR].cut_short = False
    unpaired.wait_for("message: Paired with desk.")


def test_a_scanned_code_that_was_refused_is_not_tried_again(unpaired: Driver, monkeypatch: pytest.MonkeyPatch) -> None:
    scans = []

    def see_the_code(_frame: Picture) -> str:
        scans.append(unpaired.link)
        return unpaired.link

    monkeypatch.setattr("mobile_client.app.read_code", see_the_code)
    unpaired.answers[PAIR] = as_error(TokenInvalid())
    unpaired.wait_for(f"message: {TokenInvalid().sentence}")
    unpaired.pump(lambda: len(scans) >= 3)
    unpaired.settle()
    assert unpaired.paths().count(PAIR) == 1


def test_both_servers_are_asked_for_a_sign_of_life_on_start_and_resume(phone: Driver) -> None:
    phone.pump(lambda: sorted(phone.paths()) == sorted([HEALTHZ, STATUS]))
    phone.app.on_resume()
    phone.pump(lambda: sorted(phone.paths()) == sorted([HEALTHZ, HEALTHZ, STATUS, STATUS]))


def test_the_agents_clock_is_asked_for_once_more_before_views_are_sent(phone: Driver) -> None:
    phone.pump(lambda: STATUS in phone.paths())
    phone.settle()
    phone.copy()
    phone.pump(lambda: phone.paths().count(STATUS) == 2)


def test_the_servers_do_not_close_a_connection_between_two_signs_of_life() -> None:
    from mobile_client.app import PING_PERIOD_S

    assert Listener.timeout - PING_PERIOD_S >= 2


def test_a_photo_goes_over_the_connection_of_the_last_sign_of_life(phone: Driver) -> None:
    phone.pump(lambda: HEALTHZ in phone.paths())
    phone.settle()
    phone.copy()
    assert phone.segmentation.connections == 1


def test_the_chip_opens_the_sheet_and_the_back_button_closes_it(phone: Driver) -> None:
    phone.tap(50, 768 - 48)
    assert phone.app.is_pairing
    assert phone.press(KEY_BACK)
    assert not phone.app.is_pairing


def test_the_arc_keeps_turning_until_the_answer_comes(phone: Driver) -> None:
    may_answer = threading.Event()
    phone.answers[CUTOUT].before = may_answer.wait
    arc = phone.app.root.ids.busy_arc
    phone.tap()
    phone.pump(lambda: arc.angle > 180)
    phone.pump(lambda: arc.angle < 180)
    may_answer.set()
    phone.wait_for("state: holding")


@pytest.mark.parametrize(("width", "height"), [(8, 300), (300, 8), (1000, 700), (30, 30)])
def test_the_shadow_ends_within_its_texture(width: int, height: int) -> None:
    from mobile_client.held_cutout import hold

    opacity = hold(block(width, height), 1000).halo[..., 3]
    assert opacity.max() > 200
    assert np.concatenate([opacity[0], opacity[-1], opacity[:, 0], opacity[:, -1]]).max() == 0


def test_the_shadow_of_a_thing_is_as_large_however_many_pixels_it_has() -> None:
    from mobile_client.held_cutout import hold

    few, many = (hold(block(side, side), 1000).halo for side in (20, 900))
    assert few.shape == many.shape


def test_a_cutout_floats_at_most_three_times_as_large_as_its_pixels() -> None:
    from mobile_client.held_cutout import float_size, hold

    held = hold(block(10, 20), 20)
    assert float_size(held, (1000, 1000)) == (30, 60)


def test_a_thing_that_was_partly_outside_the_picture_says_so_and_can_be_pasted(phone: Driver) -> None:
    phone.answers[CUTOUT] = cutout_of_photo(top=0)
    phone.copy()
    phone.wait_for(f"message: {PARTLY_OUTSIDE}")
    phone.tap()
    phone.wait_for("message: Pasted into Inkscape, 1 px from the aim.")


def test_while_a_pairing_is_under_way_the_button_says_so_and_cannot_be_pressed(unpaired: Driver) -> None:
    may_answer = threading.Event()
    unpaired.answers[PAIR] = dataclasses.replace(as_error(TokenInvalid()), before=may_answer.wait)
    button = unpaired.sheet.ids.button
    assert (button.text, button.disabled) == ("Pair", False)
    unpaired.sheet.ids.link.text = unpaired.link
    unpaired.tap(*PAIR_BUTTON)
    assert (button.text, button.disabled) == ("Pairing …", True)
    may_answer.set()
    unpaired.wait_for(f"message: {TokenInvalid().sentence}")
    assert (button.text, button.disabled) == ("Pair", False)


def test_an_app_that_reads_codes_asks_to_be_held_to_one(unpaired: Driver) -> None:
    assert unpaired.sheet.ids.how.text.endswith("hold this camera to the code.")


def test_an_app_that_cannot_read_codes_asks_for_the_phones_camera_app(
    unpaired: Driver, monkeypatch: pytest.MonkeyPatch
) -> None:
    from mobile_client.widgets import PairingSheet

    monkeypatch.setitem(sys.modules, "cv2", None)
    assert PairingSheet().ids.how.text.endswith("scan the code with the phone's camera app.")
