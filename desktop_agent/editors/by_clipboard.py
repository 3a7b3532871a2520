"""Editors that paste from the clipboard, with a key: under the pointer, or where they please."""

from dataclasses import dataclass

from desktop_agent.fit import LONGEST_PX, pad_cutout
from desktop_agent.pictures import Cutout
from desktop_agent.platforms import Clipboard, Input
from protocol.geometry import ScreenPoint

Keys = tuple[str, ...]
Padding = tuple[int, int, int, int]  # left, top, right, bottom; in pixels of the cutout
CORNER, MIDDLE = 0.0, 0.5  # the part of a picture that an editor puts to a place of its own
SAME_ZOOM = 0.01  # as near as two looks tell it
NEAR_PX = 3.0  # from where the next insertion would land anyhow: there is nothing to learn


@dataclass(frozen=True)
class Sample:
    """What was pasted, and where its cutout's centre landed."""

    size: tuple[int, int]  # (width, height) of the cutout without its padding
    padding: Padding
    landed: ScreenPoint
    zoom: float  # points of the desktop in a pixel of the cutout

    def place_of(self, part: float) -> ScreenPoint:
        """Where on the desktop that part of the padded picture lies."""
        (width, height), (left, top, right, bottom) = self.size, self.padding
        x = part * (left + width + right) - (left + width / 2)
        y = part * (top + height + bottom) - (top + height / 2)
        return ScreenPoint(self.landed.x + self.zoom * x, self.landed.y + self.zoom * y)


@dataclass(frozen=True)
class OwnPlace:
    """Where an editor puts a picture, whatever the pointer does: its view's corner or middle."""

    sample: Sample
    part: float  # CORNER or MIDDLE: what always lies at the same place

    @classmethod
    def learnt(cls, before: "OwnPlace | None", sample: Sample, aim: ScreenPoint) -> "OwnPlace":
        """What a sample tells; together with another of the same zoom, it tells the part as well."""
        if before is None:  # what is wrong about a corner is seen, while a wrong middle would land out of sight
            is_reached_from_corner = aim.x >= sample.landed.x and aim.y >= sample.landed.y
            return cls(sample, CORNER if is_reached_from_corner else MIDDLE)
        if before.sample.padding == sample.padding or abs(before.sample.zoom / sample.zoom - 1) > SAME_ZOOM:
            return cls(sample, before.part)
        parts = (before.part, CORNER, MIDDLE)
        return cls(sample, min(parts, key=lambda part: before.sample.place_of(part).distance_to(sample.place_of(part))))

    def padding(self, size: tuple[int, int], point: ScreenPoint) -> Padding:
        """The transparent pixels around a cutout of that size that bring its centre to a point, as far as they can."""
        place = self.sample.place_of(self.part)
        right, down = (point.x - place.x) / self.sample.zoom, (point.y - place.y) / self.sample.zoom
        if self.part == CORNER:
            return max(0, round(right - size[0] / 2)), max(0, round(down - size[1] / 2)), 0, 0
        return (
            max(0, round(2 * right)),
            max(0, round(2 * down)),
            max(0, round(-2 * right)),
            max(0, round(-2 * down)),
        )


class ByClipboard:
    """Puts the cutout on the clipboard and presses the paste keys while the pointer hovers over the spot."""

    can_insert_again = True
    puts_at_caret = False

    def __init__(self, name: str, hands: Input, clipboard: Clipboard, paste_keys: Keys) -> None:
        """Args: name: of the program. hands, clipboard: the desktop's. paste_keys: what is pressed together."""
        self.name = name
        self.strategy = "paste under the pointer"
        self._hands = hands
        self._clipboard = clipboard
        self._paste_keys = paste_keys

    def approach(self, point: ScreenPoint) -> None:
        """Let the pointer hover over the spot."""
        self._hands.move_pointer(point)

    def lands_at(self, point: ScreenPoint) -> ScreenPoint:
        """At the point itself."""
        return point

    def insert(self, cutout: Cutout, point: ScreenPoint) -> None:  # noqa: ARG002  # the pointer is there
        """Copy and press paste."""
        self._clipboard.copy(cutout)
        self._hands.press(*self._paste_keys)

    def insert_otherwise(self, cutout: Cutout, point: ScreenPoint) -> bool:  # noqa: ARG002
        """There is no second way."""
        return False

    def check(self) -> None:
        """Editors of this kind open nothing."""

    def move(self, start: ScreenPoint, end: ScreenPoint, zoom: float) -> bool:  # noqa: ARG002
        """Editors of this kind have nothing that would move a picture without a step of its own."""
        return False

    def learn(self, landed: ScreenPoint, zoom: float) -> bool:  # noqa: ARG002
        """It goes where the pointer is; nothing else would bring it nearer."""
        return False

    def forget(self) -> None:
        """Nothing: the pointer is enough."""

    def undo(self) -> None:
        """Press undo."""
        self._hands.press(self._hands.command_key, "z")


class WhereItPleases(ByClipboard):
    """The same, for editors that ignore the pointer: transparent pixels around the cutout bring it to the spot."""

    def __init__(self, name: str, hands: Input, clipboard: Clipboard, paste_keys: Keys) -> None:
        """Know no place yet."""
        super().__init__(name, hands, clipboard, paste_keys)
        self.strategy = "paste, with transparent pixels that bring it to the spot"
        self._own_place: OwnPlace | None = None
        self._aim = ScreenPoint(0, 0)
        self._size = (0, 0)
        self._padding: Padding = (0, 0, 0, 0)

    def insert(self, cutout: Cutout, point: ScreenPoint) -> None:
        """Pad, copy and press paste."""
        self._aim, self._size = point, (cutout.shape[1], cutout.shape[0])
        self._padding = self._padding_to(point)
        super().insert(pad_cutout(cutout, *self._padding), point)

    def learn(self, landed: ScreenPoint, zoom: float) -> bool:
        """Remember the place; whether other padding would bring the cutout nearer."""
        is_there = landed.distance_to(self._aim) <= NEAR_PX
        if is_there and not any(self._padding):  # it goes where the pointer is, as far as anyone has seen
            self._own_place = None
            return False
        sample = Sample(self._size, self._padding, landed, zoom)
        self._own_place = OwnPlace.learnt(self._own_place, sample, self._aim)
        return not is_there and self._padding_to(self._aim) != self._padding

    def forget(self) -> None:
        """Padding for another zoom may put the cutout out of sight, where nobody could tell what became of it."""
        self._own_place = None

    def _padding_to(self, point: ScreenPoint) -> Padding:
        padding = self._own_place.padding(self._size, point) if self._own_place else (0, 0, 0, 0)
        is_too_long = max(padding) + max(self._size) > LONGEST_PX
        return (0, 0, 0, 0) if is_too_long else padding
