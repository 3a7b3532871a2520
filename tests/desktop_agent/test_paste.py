import threading
from dataclasses import dataclass, field

import numpy as np
import pytest

from demo.monitor_camera import Pose, photograph
from desktop_agent.locate import find_screen_point
from desktop_agent.paste import Desktop, Paster, resize_cutout
from desktop_agent.pictures import Picture
from desktop_agent.ready_screen import make_ready
from desktop_agent.screenshot import Screenshot
from protocol.errors import DesktopUnavailable, EditorNotReached, PasteMisplaced, PasteNotSeen, SomethingElseAppeared
from protocol.geometry import ScreenPoint
from protocol.messages import PasteRequest
from tests.desktop_agent.test_look import lay

AIM = ScreenPoint(600, 350)


@dataclass
class DrawnEditor:
    """An editor that draws into a picture of the desktop, and the ways in which editors misbehave."""

    screen: Picture
    offset: float = 0.0  # how far from the pointer it pastes
    takes_pictures: bool = True
    takes_s: float = 0.0  # after its status line has changed at once
    dialog: Picture | None = None  # what pops up instead
    takes_the_front: bool = True  # that dialog
    can_be_reached: bool = True
    loses_the_front: bool = False  # after the paste
    name: str = "Drawn"
    strategy: str = "drawing"
    steps: list[Picture] = field(default_factory=list)
    pointer: ScreenPoint = AIM
    undo_count: int = 0

    def approach(self, point: ScreenPoint) -> None:
        self.pointer = point

    def paste(self, cutout: Picture) -> None:
        self.steps.append(self.screen.copy())
        self.screen[780:796, 20:300] = 90  # the status line
        if self.dialog is not None:
            height, width = self.dialog.shape[:2]
            self.screen[200 : 200 + height, 300 : 300 + width] = self.dialog
        elif self.takes_pictures:
            threading.Timer(self.takes_s, self._draw, (cutout,)).start()
        else:
            self.screen[:] = self.steps.pop()

    def _draw(self, cutout: Picture) -> None:
        self.screen[:] = lay(self.screen, cutout, (self.pointer.x + self.offset, self.pointer.y))

    def undo(self) -> None:
        self.undo_count += 1
        self.screen[:] = self.steps.pop()

    def is_in_front(self) -> bool:
        has_dialog = self.dialog is not None and self.takes_the_front and bool(self.steps)
        return self.can_be_reached and not has_dialog and not (self.loses_the_front and self.steps)


def paster_for(editor: DrawnEditor) -> Paster:
    def take_screenshots() -> list[Screenshot]:
        return [Screenshot(editor.screen.copy(), 0, 0)]

    desktop = Desktop(take_screenshots, lambda point: editor)
    return Paster(
        desktop,
        lambda view, request: find_screen_point(view, [make_ready(s) for s in take_screenshots()]),
        longest_wait_s=4.0,
    )


def view_of(screen: Picture) -> Picture:
    return photograph(screen, AIM, (960, 720), Pose(), seed=1)


def answer_scale(screen: Picture) -> float:
    """Screen pixels in a view pixel of view_of(screen)."""
    return Pose().screen_in_view * float(screen.shape[1]) / 960


def test_a_cutout_is_pasted_where_the_camera_points_and_seen_there(screen: Picture, cutout: Picture) -> None:
    editor = DrawnEditor(screen.copy())
    answer = paster_for(editor).paste(cutout, view_of(screen), PasteRequest(width_view=180))
    assert answer.aim.distance_to(AIM) < 1.5
    assert answer.landed is not None and answer.landed.distance_to(AIM) < 3
    assert (answer.editor, answer.strategy, answer.verified) == ("Drawn", "drawing", True)
    assert answer.landed_width == pytest.approx(180 * answer_scale(screen), rel=0.05)
    assert set(answer.stages_s) == {"screenshot", "locate", "paste", "look"}


def test_nothing_is_undone_when_nothing_was_pasted(screen: Picture, cutout: Picture) -> None:
    editor = DrawnEditor(screen.copy(), takes_pictures=False)
    with pytest.raises(PasteNotSeen):
        paster_for(editor).paste(cutout, view_of(screen), PasteRequest(180))
    assert editor.undo_count == 0


def test_a_misplaced_cutout_is_undone_once(screen: Picture, cutout: Picture) -> None:
    editor = DrawnEditor(screen.copy(), offset=150)
    with pytest.raises(PasteMisplaced, match="It was undone"):
        paster_for(editor).paste(cutout, view_of(screen), PasteRequest(180))
    assert editor.undo_count == 1
    assert np.array_equal(editor.screen, screen)


def test_a_tooltip_after_an_undo_is_no_reason_to_ask_for_another(screen: Picture, cutout: Picture) -> None:
    editor = DrawnEditor(screen.copy(), offset=250)
    undo = editor.undo

    def undo_and_hint() -> None:
        undo()
        editor.screen[330:360, 560:760] = (255, 255, 220)

    editor.undo = undo_and_hint  # type: ignore[method-assign]  # the fake's own trick
    with pytest.raises(PasteMisplaced, match="It was undone"):
        paster_for(editor).paste(cutout, view_of(screen), PasteRequest(120))


def test_an_undo_that_did_nothing_is_not_claimed(screen: Picture, cutout: Picture) -> None:
    editor = DrawnEditor(screen.copy(), offset=250)
    editor.undo = lambda: None  # type: ignore[method-assign]  # the fake's own trick
    with pytest.raises(PasteMisplaced, match="look at the editor before you undo"):
        paster_for(editor).paste(cutout, view_of(screen), PasteRequest(120))


def test_a_dialog_is_reported_and_no_key_is_pressed_at_it(screen: Picture, cutout: Picture) -> None:
    editor = DrawnEditor(screen.copy(), dialog=np.full((200, 400, 3), 235, np.uint8))
    with pytest.raises(SomethingElseAppeared):
        paster_for(editor).paste(cutout, view_of(screen), PasteRequest(180))
    assert editor.undo_count == 0


def test_a_tooltip_at_the_aim_is_no_reason_to_undo(screen: Picture, cutout: Picture) -> None:
    editor = DrawnEditor(screen.copy(), dialog=np.full((300, 600, 3), 250, np.uint8), takes_the_front=False)
    with pytest.raises(SomethingElseAppeared):
        paster_for(editor).paste(cutout, view_of(screen), PasteRequest(180))
    assert editor.undo_count == 0


def test_a_cutout_that_appears_after_something_else_is_found(screen: Picture, cutout: Picture) -> None:
    editor = DrawnEditor(screen.copy(), takes_s=2.0)
    answer = paster_for(editor).paste(cutout, view_of(screen), PasteRequest(180))
    assert answer.landed is not None and answer.landed.distance_to(AIM) < 3


def test_no_key_is_pressed_when_the_editor_does_not_come_to_the_front(screen: Picture, cutout: Picture) -> None:
    editor = DrawnEditor(screen.copy(), can_be_reached=False)
    with pytest.raises(EditorNotReached):
        paster_for(editor).paste(cutout, view_of(screen), PasteRequest(180))
    assert not editor.steps


def test_a_misplaced_cutout_is_left_alone_behind_a_dialog(screen: Picture, cutout: Picture) -> None:
    editor = DrawnEditor(screen.copy(), offset=150, loses_the_front=True)
    with pytest.raises(PasteMisplaced, match="not undone"):
        paster_for(editor).paste(cutout, view_of(screen), PasteRequest(180))
    assert editor.undo_count == 0


def test_a_monitor_that_changes_meanwhile_is_one_sentence(screen: Picture, cutout: Picture) -> None:
    editor = DrawnEditor(screen.copy())
    shots = iter([screen, screen, screen[:600]])

    def take_screenshots() -> list[Screenshot]:
        return [Screenshot(next(shots), 0, 0)]

    paster = Paster(
        Desktop(take_screenshots, lambda point: editor),
        lambda view, _: find_screen_point(view, [make_ready(s) for s in take_screenshots()]),
    )
    with pytest.raises(DesktopUnavailable, match="changed"):
        paster.paste(cutout, view_of(screen), PasteRequest(180))
    assert not editor.steps


def test_two_phones_paste_one_after_the_other(screen: Picture, cutout: Picture) -> None:
    editor = DrawnEditor(screen.copy())
    paster = paster_for(editor)
    view, answers = view_of(screen), []
    phones = [
        threading.Thread(target=lambda width=width: answers.append(paster.paste(cutout, view, PasteRequest(width))))
        for width in (180.0, 90.0)
    ]
    for phone in phones:
        phone.start()
    for phone in phones:
        phone.join()
    assert len(answers) == 2
    assert len(editor.steps) == 2


def test_a_cutout_lands_as_wide_as_it_floated(screen: Picture, cutout: Picture) -> None:
    resized = resize_cutout(cutout, 90.0, Screenshot(screen, 0, 0))
    assert resized.shape == (60, 90, 4)


def test_a_cutout_is_never_more_blur_than_picture_nor_larger_than_the_monitor(screen: Picture, cutout: Picture) -> None:
    assert resize_cutout(cutout, 5000.0, Screenshot(screen, 0, 0)).shape == (360, 540, 4)
    huge = np.repeat(np.repeat(cutout, 12, axis=0), 12, axis=1)
    assert resize_cutout(huge, 9000.0, Screenshot(screen, 0, 0)).shape[0] <= 0.9 * 800


def test_what_lies_under_transparent_pixels_does_not_bleed_into_the_edge(screen: Picture) -> None:
    cutout = np.zeros((100, 100, 4), np.uint8)
    cutout[:, :, 1] = 255  # hidden green
    cutout[30:71, 30:71] = (200, 0, 0, 255)
    resized = resize_cutout(cutout, 37.0, Screenshot(screen, 0, 0))
    visible = resized[:, :, 3] > 20
    assert resized[visible][:, 1].max() <= 2
    assert resized[visible][:, 0].min() >= 195
