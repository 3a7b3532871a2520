from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pytest

from desktop_agent.editors.at_caret import AtCaretInText
from desktop_agent.pictures import Cutout
from desktop_agent.platforms.x11_cursor import is_bar
from protocol.geometry import ScreenPoint

Shape = npt.NDArray[np.bool_]

SPOT = ScreenPoint(300, 200)


@dataclass
class Hands:
    """Input that notes what it is told."""

    done: list[tuple[str, object]] = field(default_factory=list)
    command_key: str = "ctrl"

    def press(self, *keys: str) -> None:
        self.done.append(("press", keys))

    def pointer(self) -> ScreenPoint | None:
        return None

    def move_pointer(self, point: ScreenPoint) -> None:
        self.done.append(("move", point))

    def click(self, point: ScreenPoint) -> None:
        self.done.append(("click", point))

    def drag(self, start: ScreenPoint, end: ScreenPoint) -> None:
        self.done.append(("drag", (start, end)))


class NoClipboard:
    def copy(self, cutout: Cutout) -> None: ...

    def save(self) -> None: ...

    def restore(self, saved: object) -> None: ...


def test_in_text_the_caret_is_set_with_one_click() -> None:
    shapes = iter([False, True, True])  # the program takes a moment
    hands = Hands()
    page = AtCaretInText("Browser", hands, NoClipboard(), ("ctrl", "v"), lambda: next(shapes))
    page.approach(SPOT)
    assert hands.done == [("move", SPOT), ("click", SPOT)]
    assert page.puts_at_caret


def test_elsewhere_nothing_is_clicked() -> None:
    hands = Hands()
    page = AtCaretInText("Browser", hands, NoClipboard(), ("ctrl", "v"), lambda: False)
    page.approach(SPOT)
    assert hands.done == [("move", SPOT)]
    assert not page.puts_at_caret


def draw_arrow() -> Shape:
    return np.tri(20, 14, dtype=bool)


def draw_bar() -> Shape:
    shape = np.zeros((24, 24), bool)
    shape[3:23, 10:12] = True
    shape[3:5, 7:15] = shape[21:23, 7:15] = True
    return shape


def draw_cross() -> Shape:
    shape = np.zeros((24, 24), bool)
    shape[12] = shape[:, 12] = True
    return shape


@pytest.mark.parametrize(
    ("shape", "hot_row", "is_one"),
    [
        pytest.param(draw_bar(), 12, True, id="bar"),
        pytest.param(draw_arrow(), 0, False, id="arrow"),
        pytest.param(draw_cross(), 12, False, id="cross"),
        pytest.param(np.zeros((24, 24), bool), 0, False, id="hidden"),
    ],
)
def test_a_bar_to_write_with_is_slender_and_points_with_its_middle(shape: Shape, hot_row: int, is_one: bool) -> None:
    assert is_bar(shape, hot_row) is is_one
