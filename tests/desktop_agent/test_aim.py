"""What the views of a phone that aims, one after the other, say together."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pytest

from desktop_agent.aim import FORGOTTEN_S, Aims
from desktop_agent.locate import FoundPoint, Sighting
from desktop_agent.pictures import Picture
from desktop_agent.ready_screen import ReadyScreen
from desktop_agent.screenshot import Screenshot
from protocol.errors import CopyPasteError, ScreenDiffers, ScreenNotInView
from protocol.geometry import ScreenPoint

MONITOR = Screenshot(np.zeros((800, 1280, 3), np.uint8), 0, 0)
VIEW = np.zeros((480, 640, 3), np.uint8)
FOUND = FoundPoint(
    screen_point=ScreenPoint(600, 300),
    scale=1.0,
    turn_deg=0.0,
    radius_95=1.0,
    probability=0.8,
    agreement=0.8,
    monitor=MONITOR,
    screen_from_view=np.eye(3),
    view_size=(640, 480),
)


@dataclass
class Finder:
    """Sees what it is told to, and remembers near what it was to look."""

    point: FoundPoint | None = FOUND
    refusal: CopyPasteError | None = None
    asked: list[FoundPoint | None] = field(default_factory=list)

    def __call__(self, view: Picture, screens: Sequence[ReadyScreen], near: FoundPoint | None) -> Sighting:
        self.asked.append(near)
        return Sighting(self.point, self.refusal)


@dataclass
class Clock:
    now_s: float = 50.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def finder() -> Finder:
    return Finder()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def aims(finder: Finder, clock: Clock) -> Aims:
    return Aims(finder, clock)


def test_the_second_view_is_looked_for_near_the_first(aims: Aims, finder: Finder) -> None:
    aims.follow("ada", VIEW, [])
    aims.follow("ada", VIEW, [])
    assert finder.asked == [None, FOUND]


def test_phones_do_not_lead_each_other_astray(aims: Aims, finder: Finder) -> None:
    aims.follow("ada", VIEW, [])
    aims.follow("bea", VIEW, [])
    assert finder.asked == [None, None]


def test_an_aim_of_long_ago_leads_nowhere(aims: Aims, finder: Finder, clock: Clock) -> None:
    aims.follow("ada", VIEW, [])
    clock.now_s += FORGOTTEN_S + 0.1
    aims.follow("ada", VIEW, [])
    aims.find(VIEW, [])
    assert finder.asked == [None, None, FOUND]
    clock.now_s += FORGOTTEN_S + 0.1
    aims.find(VIEW, [])
    assert finder.asked[-1] is None


def test_a_paste_is_looked_for_near_the_last_aim_of_all(aims: Aims, finder: Finder, clock: Clock) -> None:
    aims.follow("ada", VIEW, [])
    clock.now_s += 1
    finder.point = replace(FOUND, scale=2.0)
    last = aims.follow("bea", VIEW, [])
    aims.find(VIEW, [])
    assert finder.asked[-1] == last


def test_a_view_in_which_nothing_is_found_changes_nothing(aims: Aims, finder: Finder) -> None:
    aims.follow("ada", VIEW, [])
    finder.point, finder.refusal = None, ScreenNotInView()
    with pytest.raises(ScreenNotInView):
        aims.follow("ada", VIEW, [])
    finder.point, finder.refusal = FOUND, None
    aims.follow("ada", VIEW, [])
    assert finder.asked[-1] == FOUND


def test_a_point_in_doubt_is_refused_and_remembered_for_the_next_view_and_the_paste(aims: Aims, finder: Finder) -> None:
    finder.refusal = ScreenDiffers()
    with pytest.raises(ScreenDiffers):
        aims.follow("ada", VIEW, [])
    finder.refusal = None
    aims.follow("ada", VIEW, [])
    aims.find(VIEW, [])
    assert finder.asked == [None, FOUND, FOUND]
