from dataclasses import dataclass, field

import numpy as np
import pytest

from desktop_agent.editors.by_clipboard import CORNER, MIDDLE, WhereItPleases
from desktop_agent.pictures import Picture
from protocol.geometry import ScreenPoint

PLACE = ScreenPoint(400, 300)


@dataclass
class View:
    """Keyboard, clipboard and an editor in one, which puts the corner or the middle of what is pasted to PLACE."""

    part: float
    zoom: float = 1.0
    given: list[Picture] = field(default_factory=list)
    command_key: str = "ctrl"

    def press(self, *keys: str) -> None:
        pass

    def copy(self, cutout: Picture) -> None:
        self.given.append(cutout)

    def landed(self) -> ScreenPoint:
        """The centre of what can be seen of the last picture."""
        alpha = self.given[-1][:, :, 3]
        rows, columns = np.flatnonzero(alpha.max(axis=1)), np.flatnonzero(alpha.max(axis=0))
        x = (columns[0] + columns[-1] + 1) / 2 - self.part * alpha.shape[1]
        y = (rows[0] + rows[-1] + 1) / 2 - self.part * alpha.shape[0]
        return ScreenPoint(PLACE.x + self.zoom * x, PLACE.y + self.zoom * y)


def paste_until_learnt(view: View, cutout: Picture, aim: ScreenPoint) -> ScreenPoint:
    """What the Paster does, at most three times."""
    editor = WhereItPleases("fake", view, view, ("ctrl", "v"))  # type: ignore[arg-type]  # of both it uses one method
    for _ in range(3):
        editor.insert(cutout, aim)
        if not editor.learn(view.landed(), view.zoom):
            break
    return view.landed()


@pytest.mark.parametrize("part", [CORNER, MIDDLE])
@pytest.mark.parametrize("zoom", [0.5, 1.0, 2.0])
def test_transparent_pixels_bring_a_cutout_to_the_aim(cutout: Picture, part: float, zoom: float) -> None:
    cutout[:, :, 3] = 255
    aim = ScreenPoint(730, 590)
    assert paste_until_learnt(View(part, zoom), cutout, aim).distance_to(aim) <= 1.5 * zoom


def test_from_the_middle_every_direction_can_be_reached(cutout: Picture) -> None:
    cutout[:, :, 3] = 255
    aim = ScreenPoint(250, 420)
    assert paste_until_learnt(View(MIDDLE), cutout, aim).distance_to(aim) <= 1.5


def test_a_place_that_was_learnt_needs_no_second_paste(cutout: Picture) -> None:
    cutout[:, :, 3] = 255
    view = View(CORNER)
    editor = WhereItPleases("fake", view, view, ("ctrl", "v"))  # type: ignore[arg-type]  # of both it uses one method
    for aim in (ScreenPoint(730, 590), ScreenPoint(730, 590), ScreenPoint(600, 500)):
        editor.insert(cutout, aim)
        is_better_next_time = editor.learn(view.landed(), view.zoom)
    assert not is_better_next_time
    assert view.landed().distance_to(ScreenPoint(600, 500)) <= 1.5


def test_what_lands_at_the_aim_by_itself_is_not_padded(cutout: Picture) -> None:
    cutout[:, :, 3] = 255
    view = View(MIDDLE)
    assert paste_until_learnt(view, cutout, PLACE) == PLACE
    assert view.given[-1].shape == cutout.shape


def test_a_program_that_pastes_under_the_pointer_is_not_thought_to_have_a_place_of_its_own(cutout: Picture) -> None:
    view = View(MIDDLE)
    editor = WhereItPleases("fake", view, view, ("ctrl", "v"))  # type: ignore[arg-type]  # of both it uses one method
    for aim in (ScreenPoint(730, 590), ScreenPoint(200, 100)):
        editor.insert(cutout, aim)
        editor.learn(aim, 1.0)
    assert all(given.shape == cutout.shape for given in view.given)


def test_a_place_that_was_forgotten_is_learnt_anew(cutout: Picture) -> None:
    cutout[:, :, 3] = 255
    view = View(CORNER)
    editor = WhereItPleases("fake", view, view, ("ctrl", "v"))  # type: ignore[arg-type]  # of both it uses one method
    editor.insert(cutout, ScreenPoint(730, 590))
    editor.learn(view.landed(), 1.0)
    editor.forget()
    editor.insert(cutout, ScreenPoint(730, 590))
    assert view.given[-1].shape == cutout.shape


def test_a_cutout_is_not_padded_beyond_what_an_editor_could_hold(cutout: Picture) -> None:
    cutout[:, :, 3] = 255
    view = View(CORNER, zoom=0.1)
    paste_until_learnt(view, cutout, ScreenPoint(1900, 300))
    assert max(view.given[-1].shape) <= 6000
