import threading
import time
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from demo.monitor_camera import Pose, photograph
from desktop_agent.journal import Journal
from desktop_agent.locate import FoundPoint, find_screen_point
from desktop_agent.paste import Desktop, Paster
from desktop_agent.pictures import Picture
from desktop_agent.platforms import Platform, Window
from desktop_agent.ready_screen import make_ready
from desktop_agent.screenshot import Screenshot
from protocol.errors import (
    DesktopUnavailable,
    DialogInFront,
    EditorNotReached,
    NothingToUndo,
    PasteMisplaced,
    PasteNotSeen,
    ScreenLocked,
    SomethingElseAppeared,
    WindowChanged,
)
from protocol.geometry import Box, ScreenPoint
from protocol.messages import PasteRequest, UndoAnswer
from real_editors.documents import draw_texture
from tests.desktop_agent.test_look import lay

AIM = ScreenPoint(600, 350)


WINDOW = Window(1, "Drawn", title="A drawing", box=Box(0, 0, 1280, 800))
DIALOG = Window(2, "Drawn", title="Missing colour profile", is_dialog=True)
TERMINAL = Window(3, "Terminal")


@dataclass
class DrawnEditor:
    """A desktop with one editor, which draws into a picture of it, and the ways in which editors misbehave."""

    screen: Picture
    offset: float = 0.0  # how far to the right of the pointer it pastes
    offset_down: float = 0.0
    zoom: float = 1.0
    takes_pictures: bool = True
    takes_another_way: bool = False  # that is tried second
    tries: int = 0  # of that way
    tries_s: float = 0.0  # that each takes
    takes_s: float = 0.0  # after its status line has changed at once
    has_status_line: bool = True
    dialog: Picture | None = None  # what pops up instead
    dialog_window: Window | None = None  # as what it takes the front
    can_be_reached: bool = True
    can_move: bool = False
    learns_place: bool = False
    loses_the_front: bool = False  # after the paste
    undoes: bool = True
    front: Window = WINDOW
    window: Window = WINDOW  # the one under every point
    name: str = "Drawn"
    strategy: str = "drawing"
    can_insert_again: bool = True
    puts_at_caret: bool = False
    steps: list[Picture] = field(default_factory=list)
    given: list[Picture] = field(default_factory=list)
    place: ScreenPoint = AIM  # of the pointer
    clipboard: object = "what the user copied"
    undo_count: int = 0
    forgotten: int = 0

    def approach(self, point: ScreenPoint) -> None:
        self.place = point

    def lands_at(self, point: ScreenPoint) -> ScreenPoint:
        return point

    def insert(self, cutout: Picture, point: ScreenPoint) -> None:
        self.steps.append(self.screen.copy())
        self.given.append(cutout)
        self.clipboard = cutout
        if self.has_status_line:
            self.screen[780:796, 20:300] = 90
        if self.loses_the_front:
            self.front = TERMINAL
        if self.dialog is not None:
            height, width = self.dialog.shape[:2]
            self.screen[200 : 200 + height, 300 : 300 + width] = self.dialog
            self.front = self.dialog_window or self.front
        elif self.takes_pictures:
            threading.Timer(
                self.takes_s, self._draw, (cutout, (point.x + self.offset, point.y + self.offset_down))
            ).start()
        else:
            self.screen[:] = self.steps.pop()

    def insert_otherwise(self, cutout: Picture, point: ScreenPoint) -> bool:
        self.tries += 1
        time.sleep(self.tries_s)
        if self.takes_another_way:
            self.steps.append(self.screen.copy())
            self._draw(cutout, (point.x, point.y))
        return self.takes_another_way

    def check(self) -> None:
        pass

    def _draw(self, cutout: Picture, centre: tuple[float, float]) -> None:
        self.screen[:] = lay(self.screen, cutout, centre, self.zoom)

    def move(self, start: ScreenPoint, end: ScreenPoint, zoom: float) -> bool:
        if self.can_move:
            self.screen[:] = self.steps[-1]
            self._draw(self.given[-1], (end.x, end.y))
        return self.can_move

    def learn(self, landed: ScreenPoint, zoom: float) -> bool:
        is_far = self.offset != 0
        self.offset = 0.0 if self.learns_place else self.offset
        return self.learns_place and is_far

    def forget(self) -> None:
        self.forgotten += 1

    def undo(self) -> None:
        self.undo_count += 1
        if self.undoes:
            self.screen[:] = self.steps.pop()

    # What the desktop is asked.

    def take_screenshots(self) -> list[Screenshot]:
        return [Screenshot(self.screen.copy(), 0, 0)]

    def at(self, point: ScreenPoint) -> Window:
        return self.window

    def focused(self) -> Window:
        return self.front

    def focus(self, window: Window) -> None:
        self.front = window if self.can_be_reached else self.front

    def pointer(self) -> ScreenPoint:
        return self.place

    def move_pointer(self, point: ScreenPoint) -> None:
        self.place = point

    def save(self) -> object:
        return self.clipboard

    def restore(self, saved: object) -> None:
        self.clipboard = saved


def desktop_of(editor: DrawnEditor) -> Desktop:
    fake: Any = editor
    return Desktop(Platform("drawn", fake, editor.take_screenshots, fake, fake), lambda window: fake)


FOUND = FoundPoint(
    screen_point=AIM,
    scale=0.8,
    turn_deg=0.0,
    radius_95=1.0,
    probability=1.0,
    agreement=1.0,
    monitor=Screenshot(np.zeros((800, 1280, 3), np.uint8), 0, 0),
    screen_from_view=np.eye(3),
    view_size=(1, 1),
)
VIEW = np.zeros((1, 1, 3), np.uint8)  # nobody looks at it


def paster_for(editor: DrawnEditor, longest_wait_s: float = 6.0, **options: Any) -> Paster:
    return Paster(desktop_of(editor), lambda view, request: FOUND, longest_wait_s=longest_wait_s, **options)


def test_a_cutout_is_pasted_where_the_camera_points_and_seen_there(screen: Picture, cutout: Picture) -> None:
    editor = DrawnEditor(screen.copy())

    def find_point(view: Picture, request: PasteRequest) -> FoundPoint:
        return find_screen_point(view, [make_ready(screenshot) for screenshot in editor.take_screenshots()])

    view = photograph(screen, AIM, (960, 720), Pose(), seed=1)
    answer = Paster(desktop_of(editor), find_point).paste(cutout, view, PasteRequest(width_view=180))
    assert answer.aim.distance_to(AIM) < 1.5
    assert answer.landed is not None and answer.landed.distance_to(AIM) < 3
    assert (answer.editor, answer.strategy, answer.verified) == ("Drawn", "drawing", True)
    screen_pixels_in_a_view_pixel = Pose().screen_in_view * screen.shape[1] / 960
    assert answer.landed_width == pytest.approx(180 * screen_pixels_in_a_view_pixel, rel=0.05)
    assert set(answer.stages_s) == {"screenshot", "locate", "paste", "look"}


def test_nothing_is_undone_when_nothing_was_pasted(screen: Picture, cutout: Picture) -> None:
    editor = DrawnEditor(screen.copy(), takes_pictures=False)
    with pytest.raises(PasteNotSeen):
        paster_for(editor, longest_wait_s=2.0).paste(cutout, VIEW, PasteRequest(180))
    assert editor.undo_count == 0


def test_a_second_way_is_tried_where_the_first_has_changed_nothing(screen: Picture, cutout: Picture) -> None:
    editor = DrawnEditor(screen.copy(), takes_pictures=False, takes_another_way=True)
    assert paster_for(editor).paste(cutout, VIEW, PasteRequest(180)).verified
    assert len(editor.steps) == 1


def test_a_second_way_that_takes_long_is_looked_for_as_long_as_the_first(
    screen: Picture, cutout: Picture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("desktop_agent.watch.IGNORED_S", 0.1)
    editor = DrawnEditor(screen.copy(), takes_pictures=False, takes_another_way=True, tries_s=2.2)
    assert paster_for(editor, longest_wait_s=1.0).paste(cutout, VIEW, PasteRequest(180)).verified


def test_no_second_way_is_tried_where_the_first_is_merely_slow(screen: Picture, cutout: Picture) -> None:
    editor = DrawnEditor(screen.copy(), takes_s=1.6, has_status_line=False, takes_another_way=True)
    assert paster_for(editor).paste(cutout, VIEW, PasteRequest(180)).verified
    assert editor.tries == 0


def test_a_misplaced_cutout_is_undone_once(screen: Picture, cutout: Picture) -> None:
    editor = DrawnEditor(screen.copy(), offset=150)
    with pytest.raises(PasteMisplaced, match="It was undone"):
        paster_for(editor).paste(cutout, VIEW, PasteRequest(180))
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
        paster_for(editor).paste(cutout, VIEW, PasteRequest(120))


def test_an_undo_that_did_nothing_is_not_claimed(screen: Picture, cutout: Picture) -> None:
    editor = DrawnEditor(screen.copy(), offset=250, undoes=False)
    with pytest.raises(PasteMisplaced, match="look at the editor before you undo"):
        paster_for(editor).paste(cutout, VIEW, PasteRequest(120))


def test_a_dialog_is_reported_with_its_title_and_no_key_is_pressed_at_it(screen: Picture, cutout: Picture) -> None:
    dialog = np.full((200, 400, 3), 235, np.uint8)
    editor = DrawnEditor(screen.copy(), dialog=dialog, dialog_window=DIALOG)
    with pytest.raises(DialogInFront, match="Missing colour profile"):
        paster_for(editor).paste(cutout, VIEW, PasteRequest(180))
    assert editor.undo_count == 0


def test_a_tooltip_at_the_aim_is_no_reason_to_undo(screen: Picture, cutout: Picture) -> None:
    editor = DrawnEditor(screen.copy(), dialog=np.full((300, 600, 3), 250, np.uint8))
    with pytest.raises(SomethingElseAppeared):
        paster_for(editor, longest_wait_s=2.0).paste(cutout, VIEW, PasteRequest(180))
    assert editor.undo_count == 0


def test_a_cutout_that_appears_after_something_else_is_found(screen: Picture, cutout: Picture) -> None:
    editor = DrawnEditor(screen.copy(), takes_s=2.0)
    answer = paster_for(editor, longest_wait_s=20.0).paste(cutout, VIEW, PasteRequest(180))
    assert answer.landed is not None and answer.landed.distance_to(AIM) < 3


def test_no_key_is_pressed_when_the_editor_does_not_come_to_the_front(screen: Picture, cutout: Picture) -> None:
    editor = DrawnEditor(screen.copy(), can_be_reached=False, front=TERMINAL)
    with pytest.raises(EditorNotReached):
        paster_for(editor).paste(cutout, VIEW, PasteRequest(180))
    assert not editor.steps


def test_a_misplaced_cutout_is_left_alone_behind_another_window(screen: Picture, cutout: Picture) -> None:
    editor = DrawnEditor(screen.copy(), offset=150, loses_the_front=True)
    with pytest.raises(PasteMisplaced, match="not undone"):
        paster_for(editor).paste(cutout, VIEW, PasteRequest(180))
    assert editor.undo_count == 0


def test_a_monitor_that_changes_meanwhile_is_one_sentence(screen: Picture, cutout: Picture) -> None:
    editor = DrawnEditor(screen.copy())
    shots = iter([screen, screen, screen, screen[:600]])
    fake: Any = editor
    platform = Platform("drawn", fake, lambda: [Screenshot(next(shots), 0, 0)], fake, fake)
    desktop = Desktop(platform, lambda window: fake)
    with pytest.raises(DesktopUnavailable, match="changed"):
        Paster(desktop, lambda view, request: FOUND).paste(cutout, VIEW, PasteRequest(180))
    assert not editor.steps


def test_two_phones_paste_one_after_the_other(screen: Picture, cutout: Picture) -> None:
    editor = DrawnEditor(screen.copy())
    paster = paster_for(editor)
    answers = []
    phones = [
        threading.Thread(target=lambda width=width: answers.append(paster.paste(cutout, VIEW, PasteRequest(width))))
        for width in (180.0, 90.0)
    ]
    for phone in phones:
        phone.start()
    for phone in phones:
        phone.join()
    assert len(answers) == 2
    assert len(editor.steps) == 2


def test_an_editor_that_can_move_is_asked_to(screen: Picture, cutout: Picture) -> None:
    editor = DrawnEditor(screen.copy(), offset=150, can_move=True)
    answer = paster_for(editor).paste(cutout, VIEW, PasteRequest(180))
    assert answer.error_px is not None and answer.error_px < 1.5
    assert len(editor.steps) == 1


def test_an_editor_with_a_place_of_its_own_learns_it_and_leaves_one_step(screen: Picture, cutout: Picture) -> None:
    editor = DrawnEditor(screen.copy(), offset=150, learns_place=True)
    answer = paster_for(editor).paste(cutout, VIEW, PasteRequest(180))
    assert answer.error_px is not None and answer.error_px < 1.5
    assert (len(editor.steps), editor.undo_count) == (1, 1)


def test_what_was_learnt_of_a_view_is_forgotten_when_it_looks_different(screen: Picture, cutout: Picture) -> None:
    editor = DrawnEditor(screen.copy())
    paster = paster_for(editor)
    paster.paste(cutout, VIEW, PasteRequest(180))
    paster.undo()
    editor.screen[770:776, 20:170] = 200  # the status line
    paster.paste(cutout, VIEW, PasteRequest(180))
    assert editor.forgotten == 1  # of the time before the first paste
    editor.screen[100:300, 900:1200] = 40
    paster.paste(cutout, VIEW, PasteRequest(90))
    assert editor.forgotten == 2


def test_after_a_paste_that_was_not_seen_nothing_is_held_for_true(screen: Picture, cutout: Picture) -> None:
    editor = DrawnEditor(screen.copy(), zoom=0.5)
    paster = paster_for(editor, longest_wait_s=3.0)
    paster.paste(cutout, VIEW, PasteRequest(180))
    paster.undo()
    editor.takes_pictures = False
    with pytest.raises(PasteNotSeen):
        paster.paste(cutout, VIEW, PasteRequest(180))
    with pytest.raises(PasteNotSeen):
        paster.paste(cutout, VIEW, PasteRequest(180))
    assert editor.given[-1].shape[1] == round(180 * FOUND.scale)
    assert editor.forgotten == 2


def test_in_a_zoomed_editor_the_cutout_is_as_wide_as_it_floated_and_leaves_one_step(
    screen: Picture, cutout: Picture
) -> None:
    editor = DrawnEditor(screen.copy(), zoom=0.5)
    paster = paster_for(editor)
    answer = paster.paste(cutout, VIEW, PasteRequest(180))
    assert answer.landed_width == pytest.approx(180 * FOUND.scale, rel=0.05)
    assert (len(editor.steps), editor.undo_count) == (1, 1)


def test_a_zoom_that_the_document_shows_is_not_learnt_by_pasting_twice(cutout: Picture) -> None:
    sheet = np.ascontiguousarray(draw_texture()[:800, :1280])
    editor = DrawnEditor(sheet.copy())
    paster = paster_for(editor)
    paster.paste(cutout, VIEW, PasteRequest(180))
    paster.undo()
    editor.screen, editor.zoom = sheet[:400, :640].repeat(2, axis=0).repeat(2, axis=1), 2.0
    answer = paster.paste(cutout, VIEW, PasteRequest(180))
    assert answer.landed_width == pytest.approx(180 * FOUND.scale, rel=0.05)
    assert len(editor.given) == 2


def test_a_zoom_is_reckoned_once_though_the_paste_after_it_failed(cutout: Picture) -> None:
    sheet = np.ascontiguousarray(draw_texture()[:800, :1280])
    editor = DrawnEditor(sheet.copy())
    paster = paster_for(editor)
    paster.paste(cutout, VIEW, PasteRequest(180))
    paster.undo()
    editor.screen, editor.zoom = sheet[:400, :640].repeat(2, axis=0).repeat(2, axis=1), 2.0
    editor.offset_down = 200
    with pytest.raises(PasteMisplaced):
        paster.paste(cutout, VIEW, PasteRequest(180))
    editor.offset_down = 0
    paster.paste(cutout, VIEW, PasteRequest(180))
    assert [given.shape[1] for given in editor.given[1:]] == [editor.given[0].shape[1] // 2] * 2


def test_the_zoom_of_another_window_beside_it_is_not_taken_for_its_own(cutout: Picture) -> None:
    sheet = np.ascontiguousarray(draw_texture()[:800, :1280])
    editor = DrawnEditor(sheet.copy(), window=replace(WINDOW, box=Box(400, 200, 400, 300)))
    paster = paster_for(editor)
    paster.paste(cutout, VIEW, PasteRequest(180))
    paster.undo()
    editor.screen[500:] = sheet[:150, :640].repeat(2, axis=0).repeat(2, axis=1)
    answer = paster.paste(cutout, VIEW, PasteRequest(180))
    assert answer.landed_width == pytest.approx(180 * FOUND.scale, rel=0.05)
    assert len(editor.given) == 2


def test_in_a_zoomed_editor_that_undoes_nothing_the_cutout_stays_and_its_size_is_told(
    screen: Picture, cutout: Picture
) -> None:
    editor = DrawnEditor(screen.copy(), zoom=0.5, undoes=False)
    answer = paster_for(editor, longest_wait_s=3.0).paste(cutout, VIEW, PasteRequest(180))
    assert answer.landed_width == pytest.approx(0.5 * 180 * FOUND.scale, rel=0.05)
    assert len(editor.given) == 1


def test_the_zoom_of_a_window_is_learnt_once(screen: Picture, cutout: Picture) -> None:
    editor = DrawnEditor(screen.copy(), zoom=0.5)
    paster = paster_for(editor)
    paster.paste(cutout, VIEW, PasteRequest(180))
    paster.undo()
    answer = paster.paste(cutout, VIEW, PasteRequest(180))
    assert answer.landed_width == pytest.approx(180 * FOUND.scale, rel=0.05)
    assert len(editor.given) == 3


def test_a_cutout_lands_as_turned_as_it_floated(screen: Picture, cutout: Picture) -> None:
    editor = DrawnEditor(screen.copy())
    answer = paster_for(editor).paste(cutout, VIEW, PasteRequest(180, turn_deg=90.0))
    assert answer.landed_width == pytest.approx(180 * FOUND.scale, rel=0.05)
    given = editor.given[0]
    assert given.shape[0] > given.shape[1]


def test_a_line_of_text_takes_a_cutout_wherever_its_words_end(screen: Picture, cutout: Picture) -> None:
    editor = DrawnEditor(screen.copy(), offset=-250, offset_down=60, puts_at_caret=True)
    answer = paster_for(editor).paste(cutout, VIEW, PasteRequest(180))
    assert answer.error_px == pytest.approx(257, abs=1.5)
    assert editor.undo_count == 0


def test_another_line_of_text_than_the_one_at_the_aim_is_misplaced(screen: Picture, cutout: Picture) -> None:
    editor = DrawnEditor(screen.copy(), offset_down=200, puts_at_caret=True)
    with pytest.raises(PasteMisplaced, match="It was undone"):
        paster_for(editor).paste(cutout, VIEW, PasteRequest(180))


def test_what_the_user_copied_where_he_pointed_and_worked_is_put_back(screen: Picture, cutout: Picture) -> None:
    editor = DrawnEditor(screen.copy(), front=TERMINAL, place=ScreenPoint(7, 9))
    paster_for(editor).paste(cutout, VIEW, PasteRequest(180))
    assert editor.clipboard == "what the user copied"
    assert editor.place == ScreenPoint(7, 9)
    assert editor.front == TERMINAL


def test_a_window_that_moved_meanwhile_is_not_pasted_into(screen: Picture, cutout: Picture) -> None:
    editor = DrawnEditor(screen.copy())

    def approach(point: ScreenPoint) -> None:
        editor.window = Window(1, "Drawn", box=Box(40, 0, 1280, 800))

    editor.approach = approach  # type: ignore[method-assign]  # the fake's own trick
    with pytest.raises(WindowChanged):
        paster_for(editor).paste(cutout, VIEW, PasteRequest(180))
    assert not editor.steps


def test_a_dialog_under_the_aim_is_not_pasted_into(screen: Picture, cutout: Picture) -> None:
    editor = DrawnEditor(screen.copy(), window=DIALOG)
    with pytest.raises(DialogInFront, match="Missing colour profile"):
        paster_for(editor).paste(cutout, VIEW, PasteRequest(180))
    assert not editor.steps


def test_an_aim_at_a_dialog_is_refused_as_a_paste_would_be(screen: Picture) -> None:
    desktop = desktop_of(DrawnEditor(screen.copy(), window=DIALOG))
    with pytest.raises(DialogInFront, match="Missing colour profile"):
        desktop.editor_at(AIM)


def test_a_black_screen_is_said_to_be_locked(screen: Picture, cutout: Picture) -> None:
    editor = DrawnEditor(np.zeros_like(screen))
    with pytest.raises(ScreenLocked):
        paster_for(editor).paste(cutout, VIEW, PasteRequest(180))


def test_a_dry_run_pastes_nothing(screen: Picture, cutout: Picture) -> None:
    editor = DrawnEditor(screen.copy())
    answer = paster_for(editor).paste(cutout, VIEW, PasteRequest(180, is_dry_run=True))
    assert answer.aim.distance_to(AIM) < 1.5
    assert (answer.editor, answer.landed, answer.error_px, answer.verified) == ("Drawn", None, None, False)
    assert not editor.steps


def test_a_cutout_that_no_editor_took_is_saved_and_the_sentence_names_the_file(
    screen: Picture, cutout: Picture, tmp_path: Path
) -> None:
    editor = DrawnEditor(screen.copy(), takes_pictures=False)
    notified: list[str] = []

    def notify(sentence: str) -> bool:
        notified.append(sentence)
        return True

    with pytest.raises(PasteNotSeen) as refusal:
        paster_for(editor, longest_wait_s=2.0, pictures_dir=tmp_path, notify=notify).paste(
            cutout, VIEW, PasteRequest(180)
        )
    (file,) = tmp_path.glob("*.png")
    assert str(file) in refusal.value.sentence
    assert np.array_equal(np.asarray(Image.open(file)), cutout)
    assert notified == [refusal.value.sentence]


def test_the_last_paste_is_taken_back_once(screen: Picture, cutout: Picture) -> None:
    editor = DrawnEditor(screen.copy())
    paster = paster_for(editor)
    paster.paste(cutout, VIEW, PasteRequest(180))
    assert paster.undo() == UndoAnswer("Drawn", verified=True)
    assert np.array_equal(editor.screen, screen)
    with pytest.raises(NothingToUndo):
        paster.undo()
    assert editor.undo_count == 1


def test_a_paste_that_the_user_has_moved_or_undone_is_not_undone(screen: Picture, cutout: Picture) -> None:
    editor = DrawnEditor(screen.copy())
    paster = paster_for(editor)
    paster.paste(cutout, VIEW, PasteRequest(180))
    editor.screen[:] = editor.steps.pop()
    with pytest.raises(NothingToUndo):
        paster.undo()
    assert editor.undo_count == 0


def test_a_failed_paste_may_be_the_last_step_so_the_one_before_is_not_undone(screen: Picture, cutout: Picture) -> None:
    editor = DrawnEditor(screen.copy())
    paster = paster_for(editor, longest_wait_s=1.0)
    paster.paste(cutout, VIEW, PasteRequest(180))
    editor.takes_pictures = False
    with pytest.raises(PasteNotSeen):
        paster.paste(cutout, VIEW, PasteRequest(180))
    with pytest.raises(NothingToUndo):
        paster.undo()
    assert editor.undo_count == 0


def test_a_paste_that_was_refused_before_any_key_leaves_the_one_before_to_undo(
    screen: Picture, cutout: Picture
) -> None:
    editor = DrawnEditor(screen.copy())
    paster = paster_for(editor)
    paster.paste(cutout, VIEW, PasteRequest(180))
    editor.front, editor.can_be_reached = TERMINAL, False
    with pytest.raises(EditorNotReached):
        paster.paste(cutout, VIEW, PasteRequest(180))
    editor.can_be_reached = True
    assert paster.undo() == UndoAnswer("Drawn", verified=True)


def test_a_paste_whose_window_is_covered_is_not_undone(screen: Picture, cutout: Picture) -> None:
    editor = DrawnEditor(screen.copy())
    paster = paster_for(editor)
    paster.paste(cutout, VIEW, PasteRequest(180))
    editor.window = TERMINAL
    with pytest.raises(NothingToUndo, match="covered"):
        paster.undo()
    assert editor.undo_count == 0


def test_a_dialog_is_in_the_way_of_an_undo_only_until_it_is_answered(screen: Picture, cutout: Picture) -> None:
    editor = DrawnEditor(screen.copy())
    paster = paster_for(editor)
    paster.paste(cutout, VIEW, PasteRequest(180))
    editor.window = editor.front = DIALOG
    with pytest.raises(DialogInFront, match="Missing colour profile"):
        paster.undo()
    editor.window = editor.front = WINDOW
    assert paster.undo() == UndoAnswer("Drawn", verified=True)


def test_another_window_of_the_editor_in_front_is_no_dialog_to_answer(screen: Picture, cutout: Picture) -> None:
    editor = DrawnEditor(screen.copy())
    paster = paster_for(editor)
    paster.paste(cutout, VIEW, PasteRequest(180))
    editor.window = editor.front = replace(WINDOW, number=7)
    with pytest.raises(NothingToUndo, match="closed"):
        paster.undo()


def test_a_window_that_is_uncovered_again_lets_its_paste_be_undone(screen: Picture, cutout: Picture) -> None:
    editor = DrawnEditor(screen.copy())
    paster = paster_for(editor)
    paster.paste(cutout, VIEW, PasteRequest(180))
    editor.window = TERMINAL
    with pytest.raises(NothingToUndo, match="covered"):
        paster.undo()
    editor.window, editor.front, editor.can_be_reached = WINDOW, TERMINAL, False
    with pytest.raises(EditorNotReached):
        paster.undo()
    editor.can_be_reached = True
    assert paster.undo() == UndoAnswer("Drawn", verified=True)
    assert editor.undo_count == 1


def test_an_agent_that_was_killed_while_it_pasted_says_what_it_does_not_know(
    screen: Picture, cutout: Picture, tmp_path: Path
) -> None:
    journal = Journal(tmp_path / "pasting.json")
    editor = DrawnEditor(screen.copy(), takes_s=1.0)
    noted = tmp_path / "as it was when the agent was killed"

    insert = editor.insert

    def insert_and_keep_the_journal(given: Picture, point: ScreenPoint) -> None:
        insert(given, point)
        noted.write_bytes((tmp_path / "pasting.json").read_bytes())

    editor.insert = insert_and_keep_the_journal  # type: ignore[assignment]  # the fake's own trick
    paster_for(editor, journal=journal).paste(cutout, VIEW, PasteRequest(180))
    assert journal.tell_unknown() is None
    told = Journal(noted).tell_unknown()
    assert told is not None and "Drawn" in told
    assert Journal(noted).tell_unknown() is None
