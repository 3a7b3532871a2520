"""The phone app: camera, flow and clients tied to the widgets of app.kv."""

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from kivy.app import App
from kivy.clock import Clock
from kivy.core.window import Window
from kivy.properties import BooleanProperty, ColorProperty, StringProperty

from mobile_client.camera import Camera, Shot, crop_to_aspect
from mobile_client.clients import PHOTO_LONG_SIDE, AimedView, Picture, SegmentationClient, fit_within
from mobile_client.flow import Flow, Notice, State, StateName
from mobile_client.held_cutout import Grip, HeldCutout, float_size, hold, zoom_limits
from mobile_client.live_aim import LiveAim, Sight
from mobile_client.pairing import Pairing, PairingFile, host_of, pair, read_code
from mobile_client.widgets import PairingSheet, PhoneScreen, cover_scale, texture_of
from protocol.errors import AgentUnreachable, CopyPasteError, NotAuthorised, NotPaired, PairingLinkInvalid
from protocol.messages import AimAnswer, PasteAnswer, StatusAnswer, UndoAnswer

AnswerT = TypeVar("AnswerT")

FRAMES_PER_S = 30
SCAN_PERIOD_S = 0.5  # a QR code takes 85 ms to find
PING_PERIOD_S = 8.0  # keeps the chip honest and the connections warm: the servers close one that is idle for 10 s
KEY_ENTER, KEY_KEYPAD_ENTER, KEY_SPACE, KEY_BACK = 13, 271, 32, 27  # Android's back button is Escape

HINTS = {
    StateName.AIMING: "Tap to copy what you see",
    StateName.COPYING: "Cutting it out …",
    StateName.HOLDING: "Aim at a screen, tap to paste",
    StateName.PASTING: "Pasting …",
    StateName.UNDOING: "Undoing …",
}
MINT, CORAL, AMBER, GREY = (0.48, 0.90, 0.76, 1), (1, 0.52, 0.45, 1), (1, 0.76, 0.35, 1), (0.62, 0.65, 0.70, 1)


class PhoneApp(App):  # type: ignore[misc]  # Kivy has no types
    """The window. What a tap does is decided in flow.py."""

    title = "AR Copy & Paste"
    kv_file = str(Path(__file__).with_name("app.kv"))
    hint = StringProperty(HINTS[StateName.AIMING])
    chip = StringProperty("")
    chip_colour = ColorProperty(GREY)
    is_advice = BooleanProperty(False)  # the hint says what is in the way
    is_locked = BooleanProperty(False)  # a tap would paste where the reticle is
    is_busy = BooleanProperty(False)
    can_undo = BooleanProperty(False)  # what was just pasted
    can_cancel = BooleanProperty(False)
    is_pairing = BooleanProperty(False)  # the sheet is shown
    is_asking_to_pair = BooleanProperty(False)  # a computer, which has not answered yet

    def __init__(self, camera: Camera, pairing_file: PairingFile, *, say: Callable[[str], None]) -> None:
        """Build the app; `run` opens its window.

        Args:
            camera: started and stopped by the app.
            pairing_file: where the pairing is kept.
            say: told one line for each thing that happens, for whoever follows from outside.
        """
        super().__init__()
        self.camera = camera
        self.flow: Flow[Picture, HeldCutout, AimedView] = Flow(
            self, run_in_background=run_in_background, run_on_ui=run_on_ui, observe=self._observe
        )
        self._live_aim: LiveAim[AimedView] = LiveAim(
            self, run_in_background=run_in_background, run_on_ui=run_on_ui, observe=self._see
        )
        self._sight = Sight()
        self._is_hidden = False  # behind other apps
        self._grip = Grip()
        self._gripped: HeldCutout | None = None  # the cutout that the grip is of
        self._shot: Shot | None = None  # the frame on the screen
        self._pairing_file = pairing_file
        self._pairing: Pairing | None = None
        self._say = say
        self.tick: Callable[[], None] = lambda: None  # lets the user feel a tap, on phones that can
        self._shown: State[HeldCutout] = State()
        self._sheet: PairingSheet | None = None
        self._tried: str | None = None  # the link, lest a scanned code that fails is tried twice a second
        self._is_scanning = False

    # --- Kivy's side ------------------------------------------------------------------------------------------------

    def build(self) -> Any:
        """Kivy asks for the widgets."""
        return PhoneScreen(tap=self.tap, pinch=self.pinch)

    def on_start(self) -> None:
        """Kivy is about to draw for the first time."""
        self.camera.start()
        self._refresh(0)
        self._use(self._pairing_file.load())
        Window.bind(on_keyboard=self._press_key, on_flip=self._first_frame)
        Window.softinput_mode = "below_target"
        self._clocks = [
            Clock.schedule_interval(self._refresh, 1 / FRAMES_PER_S),
            Clock.schedule_interval(self._scan, SCAN_PERIOD_S),
            Clock.schedule_interval(self._ping, PING_PERIOD_S),
        ]

    def on_pause(self) -> bool:
        """Android hides the app: others may use the camera."""
        self.camera.stop()
        self.root.forget_fingers()
        self._is_hidden = True
        self._update()
        return True

    def on_resume(self) -> None:
        """Android shows the app again."""
        self._is_hidden = False
        self._update()
        try:
            self.camera.start()
        except CopyPasteError as error:
            self._inform(error)
        self._ping(0)

    def on_stop(self) -> None:
        """The window closes."""
        self.camera.stop()
        Window.unbind(on_keyboard=self._press_key)
        for clock in self._clocks:
            clock.cancel()

    def open_settings(self, *_arguments: Any) -> None:
        """Kivy's own settings are not for users."""

    def _first_frame(self, _window: Any) -> None:
        Window.unbind(on_flip=self._first_frame)
        Clock.schedule_once(lambda _elapsed_s: self._say("Phone app ready"))

    def _press_key(self, _window: Any, key: int, *_more: Any) -> bool:
        if key == KEY_BACK:
            return self.cancel()
        if key in (KEY_ENTER, KEY_KEYPAD_ENTER, KEY_SPACE) and self._sheet is None:
            self.tap()
            return True
        return False

    def _refresh(self, _elapsed_s: float) -> None:
        self._shot = self.camera.frame()
        self.root.ids.preview.show(self._shot.picture if self._shot else None)

    # --- What the user does -----------------------------------------------------------------------------------------

    def tap(self) -> None:
        """Copy or paste."""
        self.tick()
        self.flow.tap()

    def pinch(self, factor: float, twist_deg: float) -> None:
        """Make what is held so many times larger and turn it clockwise; what was asked for already stays as it is."""
        held = self.flow.state.cutout
        if held is not None and self.flow.state.name is StateName.HOLDING:
            self._grip = self._grip.pinched(factor, twist_deg, zoom_limits(held, Window.size))
            self.root.ids.cutout.float_at(self._float_size(held), self._grip.turn_deg)

    def cancel(self) -> bool:
        """Close the pairing sheet, or let go. False if there was neither to do."""
        if self._sheet is None:
            return self.flow.cancel()
        if self._pairing is None:
            return False
        self._hide_pairing()
        return True

    def pair(self, link: str) -> None:
        """Pair with the computer that shows this link, unless an answer to an earlier try is awaited."""
        if not self.is_asking_to_pair:
            self.is_asking_to_pair = True
            self._tried = link
            ask(lambda: pair(link), self._paired)

    def open_link(self, link: str) -> None:
        """Ask the user whether to pair with a link that came from outside, perhaps from somebody else's web page."""
        if not host_of(link):
            self._inform(PairingLinkInvalid())
            return
        self._hide_pairing()
        self._show_sheet(PairingSheet(pair=self.pair, link=link))

    def show_pairing(self) -> None:
        """Say how to pair."""
        if self._sheet is None and self.flow.state.name is StateName.AIMING:
            self._show_sheet(PairingSheet(pair=self.pair))

    # --- What the flow asks for (flow.Phone) ------------------------------------------------------------------------

    def take_photo(self) -> Picture:
        """The part of the camera's picture that the window shows."""
        photo = crop_to_aspect(self.camera.take_photo().picture, Window.width / Window.height)
        self.root.ids.flash.fire()
        return photo

    def take_view(self) -> AimedView:
        """The camera's whole picture: its centre lies under the reticle."""
        return self._aimed(self.camera.take_photo())

    def _aimed(self, shot: Shot) -> AimedView:
        height, width = shot.picture.shape[:2]
        scale = cover_scale((width, height), Window.size)
        floating = self.root.ids.cutout
        return AimedView(shot.picture, shot.taken_s, floating.float_size[0] / scale, floating.turn_deg)

    def copy(self, photo: Picture) -> HeldCutout:
        """Ask the segmentation server; runs in the background."""
        photo = fit_within(photo, PHOTO_LONG_SIDE)
        if self._pairing is None:
            raise NotPaired
        return hold(self._segmentation.cut_out(photo), photo.shape[1])

    def is_whole(self, held: HeldCutout) -> bool:
        """Whether all of the thing was in the photo."""
        return held.is_whole

    def paste(self, held: HeldCutout, aimed: AimedView, *, is_second_view: bool) -> PasteAnswer:
        """Ask the agent; runs in the background."""
        if self._pairing is None:
            raise NotPaired
        return self._agent.paste(held.cutout, aimed, is_second_view=is_second_view)

    def undo(self) -> UndoAnswer:
        """Ask the agent; runs in the background."""
        return self._agent.undo()

    # --- What live aim asks for (live_aim.Aim) ----------------------------------------------------------------------

    def take_small_view(self) -> AimedView | None:
        """The frame on the screen."""
        return self._aimed(self._shot) if self._shot else None

    def aim(self, aimed: AimedView) -> AimAnswer:
        """Ask the agent; runs in the background."""
        return self._agent.aim(aimed)

    # --- What the user sees -----------------------------------------------------------------------------------------

    def _observe(self, state: State[HeldCutout]) -> None:
        if state.name is not self._shown.name:
            self._say(f"state: {state.name}")
            if state.name is StateName.HOLDING:
                self._ping(0)  # over a warm connection the agent's clock is told precisely
        if state.cutout is not self._shown.cutout:
            self._show_cutout(state.cutout)
        if state.notice:
            self._say(f"message: {' '.join(state.notice.text.split())}")
            self.root.ids.toast.say(state.notice.text, CORAL if state.notice.is_error else MINT)
        self._shown = state
        self._update()

    def _update(self) -> None:
        name = self.flow.state.name
        self.is_pairing = self._sheet is not None
        self.is_busy = name in (StateName.COPYING, StateName.PASTING, StateName.UNDOING)
        self.can_undo = self.flow.state.pasted is not None and not self.is_pairing
        self.can_cancel = name is not StateName.AIMING or (self.is_pairing and self._pairing is not None)
        if name is StateName.HOLDING and self._pairing and not (self.is_pairing or self._is_hidden):
            self._live_aim.start()
        else:
            self._live_aim.stop()
        self._show_hint()

    def _see(self, sight: Sight) -> None:
        self._sight = sight
        if sight.editor:
            self._say(f"aim: {sight.editor}")
        self._show_hint()

    def _show_hint(self) -> None:
        sight = self._sight
        self.is_locked, self.is_advice = sight.editor is not None, bool(sight.advice)
        to_paste = f"Tap to paste into {sight.editor}" if sight.editor else sight.advice
        self.hint = to_paste or HINTS[self.flow.state.name]

    def _show_cutout(self, held: HeldCutout | None) -> None:
        floating = self.root.ids.cutout
        if held is None:
            floating.drop()
            return
        if held is not self._gripped:
            self._grip, self._gripped = Grip(), held
        floating.float_at(self._float_size(held), self._grip.turn_deg)
        floating.pick_up(texture_of(held.floating, mipmap=True), texture_of(held.halo))

    def _float_size(self, held: HeldCutout) -> tuple[float, float]:
        width, height = float_size(held, Window.size)
        return width * self._grip.zoom, height * self._grip.zoom

    def _inform(self, error: CopyPasteError) -> None:
        self.flow.inform(Notice(error.sentence, is_error=True))

    # --- The computer -----------------------------------------------------------------------------------------------

    def _use(self, pairing: Pairing | None) -> None:
        self._pairing = pairing
        self.chip = pairing.answer.computer_name if pairing else "Not paired"
        self.chip_colour = GREY
        if pairing is None:
            self.show_pairing()
            return
        self._agent = pairing.agent
        self._segmentation = SegmentationClient(pairing.answer.server)
        self._hide_pairing()
        self._ping(0)

    def _paired(self, answer: Pairing | CopyPasteError) -> None:
        self.is_asking_to_pair = False
        if isinstance(answer, CopyPasteError):
            if isinstance(answer, AgentUnreachable):
                self._tried = None  # the network may come back
            self._inform(answer)
            return
        self._pairing_file.save(answer)
        self._use(answer)
        self.flow.inform(Notice(f"Paired with {answer.answer.computer_name}."))

    def _show_sheet(self, sheet: PairingSheet) -> None:
        self._sheet = sheet
        self.root.ids.sheet_place.add_widget(sheet)
        self._update()

    def _hide_pairing(self) -> None:
        if self._sheet is not None:
            self.root.ids.sheet_place.remove_widget(self._sheet)
            self._sheet = None
            self._update()

    def _ping(self, _elapsed_s: float) -> None:
        if self._pairing is not None:
            ask(self._agent.status, self._pinged)
            ask(self._segmentation.health, lambda _answer: None)  # its silence is told when it matters

    def _pinged(self, answer: StatusAnswer | CopyPasteError) -> None:
        if self._pairing is not None:
            trouble = {StatusAnswer: "", NotAuthorised: ", no longer paired"}.get(type(answer), ", no answer")
            self.chip = self._pairing.answer.computer_name + trouble
            self.chip_colour = AMBER if trouble else MINT

    def _scan(self, _elapsed_s: float) -> None:
        shot = self._shot
        if self._sheet is not None and shot is not None and not self._is_scanning:
            self._is_scanning = True
            ask(lambda: read_code(shot.picture), self._code_read)

    def _code_read(self, code: str | CopyPasteError | None) -> None:
        self._is_scanning = False
        if isinstance(code, str) and code != self._tried:
            self.pair(code)


def run_in_background(work: Callable[[], None]) -> None:
    """Run in a thread of its own, which does not keep the app alive."""
    threading.Thread(target=work, name="question", daemon=True).start()


def run_on_ui(work: Callable[[], None], delay_s: float = 0.0) -> None:
    """Run in Kivy's thread, before its next frame or so much later."""
    Clock.schedule_once(lambda _elapsed_s: work(), delay_s)


def ask(question: Callable[[], AnswerT], settle: Callable[[AnswerT | CopyPasteError], None]) -> None:
    """Ask in the background, settle on the UI thread with the answer or the error."""

    def work() -> None:
        answer: AnswerT | CopyPasteError = CopyPasteError()  # if the question itself breaks
        try:
            answer = question()
        except CopyPasteError as error:
            answer = error
        finally:
            run_on_ui(lambda: settle(answer))

    run_in_background(work)
