"""The pieces of the screen that need more than a rule in app.kv; they draw and report touches, and decide nothing."""

import cmath
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
from kivy.animation import Animation
from kivy.clock import Clock
from kivy.core.text import Label as TextMeasure
from kivy.core.window import Window
from kivy.graphics.texture import Texture
from kivy.metrics import dp
from kivy.properties import (
    BooleanProperty,
    ColorProperty,
    ListProperty,
    NumericProperty,
    ObjectProperty,
    StringProperty,
)
from kivy.uix.behaviors import ButtonBehavior
from kivy.uix.boxlayout import BoxLayout
from kivy.uix.floatlayout import FloatLayout
from kivy.uix.label import Label
from kivy.uix.widget import Widget

from mobile_client.held_cutout import HALO_MARGIN
from mobile_client.pairing import can_read_codes, host_of

TAP_SLOP_DP = 16  # a finger that wanders further was not tapping
CLOSEST_DP = 8  # two fingers that are closer together tell no angle
WHEEL_FACTOR = 1.06  # each notch of a mouse's wheel; with Shift it turns instead
WHEEL_TWIST_DEG = 5.0
WHEEL = {
    "scrolldown": (WHEEL_FACTOR, -WHEEL_TWIST_DEG),  # away from the user: Kivy's names are those of the page
    "scrollup": (1 / WHEEL_FACTOR, WHEEL_TWIST_DEG),
}
BOB_DP = 3
ROOM_TO_BREAK = 1.15  # between words, in lines of even length
SECONDS_PER_CHARACTER = 0.055  # a calm reader's speed


def texture_of(picture: npt.NDArray[np.uint8], *, mipmap: bool = False) -> Any:
    """A Kivy texture of a (H, W, 3 or 4) uint8 RGB or RGBA picture, straight alpha."""
    height, width, channels = picture.shape
    colour_format = "rgb" if channels == 3 else "rgba"
    texture = Texture.create((width, height), colour_format, mipmap=mipmap)
    if mipmap:
        texture.min_filter = "linear_mipmap_linear"
    blit(texture, picture)
    texture.flip_vertical()
    return texture


def blit(texture: Any, picture: npt.NDArray[np.uint8]) -> None:
    """Upload a picture of the texture's own size. Kivy refuses read-only arrays, hence the copy."""
    texture.blit_buffer(np.array(picture).reshape(-1), colorfmt=texture.colorfmt)


class Preview(Widget):  # type: ignore[misc]  # Kivy has no types
    """The camera's live picture: it covers the widget, its aspect kept, its centre in the centre."""

    texture = ObjectProperty(None, allownone=True)
    shown_size = ListProperty([0, 0])  # of the whole picture, in window pixels

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._frame: npt.NDArray[np.uint8] | None = None
        self.bind(size=self._fit)

    def show(self, frame: npt.NDArray[np.uint8] | None) -> None:
        """Show a (H, W, 3) uint8 RGB frame; the frame that is shown already costs nothing."""
        if frame is self._frame:
            return
        self._frame = frame
        if frame is None:
            self.texture = None
        elif self.texture is not None and self.texture.size == (frame.shape[1], frame.shape[0]):
            blit(self.texture, frame)
            self.canvas.ask_update()
        else:
            self.texture = texture_of(frame)
            self._fit()

    def _fit(self, *_arguments: Any) -> None:
        if self.texture is not None:
            scale = cover_scale(self.texture.size, self.size)
            self.shown_size = [side * scale for side in self.texture.size]


def cover_scale(picture_size: tuple[float, float], window_size: tuple[float, float]) -> float:
    """Window pixels per picture pixel when the picture covers the window; sizes are (width, height)."""
    return max(window_size[0] / picture_size[0], window_size[1] / picture_size[1])


class FloatingCutout(Widget):  # type: ignore[misc]  # Kivy has no types
    """What the user holds: it floats under the reticle, lifted, with a bright rim and a shadow, and bobs."""

    texture = ObjectProperty(None, allownone=True)
    halo = ObjectProperty(None, allownone=True)
    float_size = ListProperty([0, 0])
    lift = NumericProperty(0)  # 0 lies in place, 1 is held
    turn_deg = NumericProperty(0)  # clockwise
    margin = NumericProperty(0)  # how far the halo reaches beyond the cutout, in window pixels
    scale = NumericProperty(1)  # of the floating size; app.kv derives it from the lift
    bob = NumericProperty(0)

    def float_at(self, float_size: tuple[float, float], turn_deg: float) -> None:
        """Float so many window pixels wide and high once it is lifted, and so far turned."""
        self.float_size, self.turn_deg = float_size, turn_deg
        self.margin = HALO_MARGIN * max(float_size)

    def pick_up(self, texture: Any, halo: Any) -> None:
        """Show a cutout where it was and lift it."""
        self.texture, self.halo = texture, halo
        self.lift = 0
        Animation(lift=1, duration=0.28, t="out_back").start(self)
        up = Animation(bob=dp(BOB_DP), duration=1.3, t="in_out_sine", step=1 / 30)
        bobbing = up + Animation(bob=-dp(BOB_DP), duration=1.3, t="in_out_sine", step=1 / 30)
        bobbing.repeat = True
        bobbing.start(self)

    def drop(self) -> None:
        """Show nothing."""
        Animation.cancel_all(self)
        self.texture = None


class Reticle(Widget):  # type: ignore[misc]  # Kivy has no types
    """Where the aim is; it closes in once it is known what lies there."""

    is_locked = BooleanProperty(False)
    lock = NumericProperty(0)  # 0 looks for something, 1 has found it
    radius = NumericProperty(0)  # app.kv derives it from the lock, as the next
    colour = ColorProperty([1, 1, 1, 1])

    def on_is_locked(self, _widget: Any, is_locked: bool) -> None:
        """Close in or open up; Kivy calls this when the property changes."""
        Animation.cancel_all(self)
        Animation(lock=int(is_locked), duration=0.2, t="out_quad").start(self)


class Hint(Label):  # type: ignore[misc]  # Kivy has no types
    """What a tap would do, as wide as its words but no wider than `most_width`."""

    most_width = NumericProperty(0)

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.bind(text=self._fit, most_width=self._fit, font_size=self._fit)

    def _fit(self, *_arguments: Any) -> None:
        words_width, _height = TextMeasure(font_name=self.font_name, font_size=self.font_size).get_extents(self.text)
        roomy_width = words_width * ROOM_TO_BREAK
        lines = math.ceil(roomy_width / max(1, self.most_width))
        self.text_size = (roomy_width / lines if lines > 1 else words_width + 1, None)  # lines of about one length


class BusyArc(Widget):  # type: ignore[misc]  # Kivy has no types
    """An arc that runs around the reticle while a server works."""

    is_running = BooleanProperty(False)
    angle = NumericProperty(0)

    def on_is_running(self, _widget: Any, is_running: bool) -> None:
        """Start or stop; Kivy calls this when the property changes."""
        Animation.cancel_all(self, "angle")
        if is_running:
            self.angle = 0
            turn = Animation(angle=360, duration=1.1, step=1 / 30) + Animation(angle=0, duration=0)
            turn.repeat = True
            turn.start(self)


class Flash(Widget):  # type: ignore[misc]  # Kivy has no types
    """The shutter."""

    strength = NumericProperty(0)

    def fire(self) -> None:
        """Light up and fade."""
        self.strength = 0.75
        Animation(strength=0, duration=0.35, t="out_quad").start(self)


class Toast(BoxLayout):  # type: ignore[misc]  # Kivy has no types
    """One sentence for the user, as long as it takes to read."""

    text = StringProperty("")
    colour = ColorProperty([1, 1, 1, 1])

    def say(self, text: str, colour: tuple[float, ...]) -> None:
        """Show a sentence in place of the one before."""
        Animation.cancel_all(self)
        Clock.unschedule(self._fade)
        self.text, self.colour = text, colour
        Animation(opacity=1, duration=0.18).start(self)
        Clock.schedule_once(self._fade, 2.5 + SECONDS_PER_CHARACTER * len(text))

    def _fade(self, _elapsed_s: float) -> None:
        Animation(opacity=0, duration=0.4).start(self)


class Tappable(ButtonBehavior, Widget):  # type: ignore[misc]  # Kivy has no types
    """Something with a rule in app.kv that can be pressed."""


class Passing(Tappable):
    """One that is there only while it can be pressed."""

    def on_touch_down(self, touch: Any) -> bool:
        """Kivy's disabled widgets would still take the touch."""
        return not self.disabled and bool(super().on_touch_down(touch))


class CancelButton(Passing):
    """The X in its circle."""


class UndoButton(Passing):
    """What was just pasted can be had back."""


class Chip(Tappable):
    """Which computer this phone is paired with."""

    text = StringProperty("")
    colour = ColorProperty([1, 1, 1, 1])


class PairButton(Tappable):
    """The one bright button."""

    text = StringProperty("")


class PairingSheet(FloatLayout):  # type: ignore[misc]  # Kivy has no types
    """How to pair, and a field for the link. It swallows touches, so that nothing behind it is tapped."""

    pair = ObjectProperty(lambda _link: None)
    link = StringProperty("")  # in the field
    host = StringProperty("")  # where the link leads, if it is one
    can_read_codes = BooleanProperty(False)

    def __init__(self, **options: Any) -> None:
        super().__init__(can_read_codes=can_read_codes(), **options)

    def on_link(self, _widget: Any, link: str) -> None:
        """Look where the link leads; Kivy calls this when the property changes."""
        self.host = host_of(link)

    def on_touch_down(self, touch: Any) -> bool:
        """See the class."""
        super().on_touch_down(touch)
        return True


class PhoneScreen(FloatLayout):  # type: ignore[misc]  # Kivy has no types
    """Everything on the screen; whatever is no button takes taps, and pinches and twists of two fingers."""

    tap: Callable[[], object] = ObjectProperty(lambda: None)
    pinch: Callable[[float, float], object] = ObjectProperty(lambda _factor, _twist_deg: None)

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._fingers: list[Any] = []  # those on no button, in the order in which they came down
        self._pinching: set[Any] = set()  # those that are not tapping

    def forget_fingers(self) -> None:
        """No finger is down: a hidden app is not told when they are lifted."""
        self._fingers.clear()
        self._pinching.clear()

    def on_touch_down(self, touch: Any) -> bool:
        """Let the buttons have their touch; keep the others until they end."""
        if super().on_touch_down(touch):
            return True
        if touch.is_mouse_scrolling:
            self._roll(touch.button)
            return True
        touch.grab(self)
        self._fingers.append(touch)
        if len(self._fingers) > 1:
            self._pinching.update(self._fingers)
        return True

    def on_touch_move(self, touch: Any) -> bool:
        """Two fingers scale and turn what is held."""
        if touch.grab_current is not self:
            return bool(super().on_touch_move(touch))
        pair = self._fingers[:2]
        if len(pair) == 2 and touch in pair:
            other = complex(*(pair[1] if touch is pair[0] else pair[0]).pos)
            before, after = complex(*touch.ppos) - other, complex(*touch.pos) - other
            if min(abs(before), abs(after)) > dp(CLOSEST_DP):
                self.pinch(abs(after / before), -math.degrees(cmath.phase(after / before)))  # y runs up here
        return True

    def on_touch_up(self, touch: Any) -> bool:
        """A touch of one finger that ends where it began is a tap."""
        if touch.grab_current is not self:
            return bool(super().on_touch_up(touch))
        touch.ungrab(self)
        is_still = max(abs(touch.x - touch.ox), abs(touch.y - touch.oy)) < dp(TAP_SLOP_DP)
        if touch in self._fingers:
            self._fingers.remove(touch)
            if is_still and touch not in self._pinching:
                self.tap()
        self._pinching.discard(touch)
        return True

    def _roll(self, way: str) -> None:
        """A wheel stands in for two fingers."""
        factor, twist_deg = WHEEL.get(way, (1.0, 0.0))
        if "shift" in Window.modifiers:
            self.pinch(1.0, twist_deg)
        else:
            self.pinch(factor, 0.0)
