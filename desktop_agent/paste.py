"""view + cutout -> the cutout in the editor, under the camera's centre, seen to be there."""

import contextlib
import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from desktop_agent.editors import Editor
from desktop_agent.fit import fit_cutout, fitted_size
from desktop_agent.journal import Journal
from desktop_agent.locate import FoundPoint
from desktop_agent.look import Landing, find_changed, find_expected
from desktop_agent.pictures import Cutout, Picture
from desktop_agent.platforms import Platform, Window
from desktop_agent.rescale import find_rescaling
from desktop_agent.saved_cutouts import save_cutout
from desktop_agent.screenshot import Screenshot
from desktop_agent.watch import LONGEST_WAIT_S, Expected, Watch, differ
from protocol.errors import (
    CopyPasteError,
    DialogInFront,
    EditorNotReached,
    EditorRefused,
    EditorTakesNoPictures,
    NoEditorThere,
    NothingToUndo,
    PasteMisplaced,
    PasteNotSeen,
    ScreenLocked,
    SomethingElseAppeared,
    WindowChanged,
)
from protocol.geometry import ScreenPoint
from protocol.messages import PasteAnswer, PasteRequest, UndoAnswer

FARTHEST_PX = 16.0  # from the aim: what snapping to a grid may do, and no more
LINE_PX = 40.0  # of text, and the gap to the next: how far from the aim a caret may be
CLOSE_PX = 1.0  # to the aim: nothing to correct
OTHER_SIZE = 0.04  # of the size wanted: the editor is zoomed, and what it is given must be another size
NO_ZOOM = 0.02  # from a zoom of 1: within what a look can tell
OTHER_VIEW = 0.001  # of the monitor's pixels: scroll bars of another zoom differ by more, a status line by less
MOST_INSERTIONS = 3  # each but the last undone: one to learn the zoom, one to learn the place
FRONT_S = 2.0  # for the window manager to bring a window to the front
BLACK_LEVEL = 8  # of 255: no screen that is on is as dark as this all over

NOT_SURELY_UNDONE = "It may not have been undone: look at the editor before you undo anything."

FindPoint = Callable[[Picture, PasteRequest], FoundPoint]
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Desktop:
    """What pasting needs of the desktop."""

    platform: Platform
    editor_of: Callable[[Window], Editor]  # raises EditorTakesNoPictures

    def editor_at(self, point: ScreenPoint) -> Editor:
        """The editor whose window lies under a point.

        Raises:
            NoEditorThere: the point lies on the bare desktop.
            DesktopUnavailable: this desktop's windows cannot be asked about.
            EditorTakesNoPictures, DialogInFront: see `editor_in`.
        """
        return self.editor_in(self.platform.windows.at(point))

    def editor_in(self, window: Window) -> Editor:
        """The editor that a window belongs to.

        Raises:
            EditorTakesNoPictures: its program is no editor for pictures.
            DialogInFront: it is a dialog of an editor.
        """
        editor = self.editor_of(window)
        if window.is_dialog:
            raise DialogInFront(_title_of(window))
        return editor


@dataclass
class Stopwatch:
    """Seconds that each stage of a paste took."""

    stages_s: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Time what happens inside; a stage may come more than once."""
        start_s = time.monotonic()
        yield
        self.stages_s[name] = round(self.stages_s.get(name, 0.0) + time.monotonic() - start_s, 3)


@dataclass(frozen=True)
class Target:
    """What is pasted where."""

    cutout: Cutout
    aim: ScreenPoint
    width_px: float  # on the screen, in its pixels, before it is turned
    turn_deg: float
    window: Window
    editor: Editor


@dataclass(frozen=True)
class Pasted:
    """What was pasted and seen."""

    target: Target
    given: Cutout  # to the editor
    given_width: int  # before it was turned
    before: Screenshot
    after: Screenshot
    landing: Landing

    @property
    def landed(self) -> ScreenPoint:
        """The centre of the cutout."""
        return self.before.to_desktop(self.landing.x, self.landing.y)

    @property
    def zoom(self) -> float:
        """Screen pixels in a pixel of what the editor was given; exactly 1 where no look could tell it from that."""
        return 1.0 if abs(self.landing.scale - 1) < NO_ZOOM else self.landing.scale

    @property
    def zoom_in_points(self) -> float:
        """Points of the desktop in a pixel of what the editor was given."""
        return self.zoom / self.before.scale

    @property
    def error_px(self) -> float:
        """From the aim, in pixels of the screen."""
        return self.landed.distance_to(self.target.aim) * self.before.scale

    @property
    def is_there(self) -> bool:
        """Whether it is as near to the aim as this editor can put it."""
        if not self.target.editor.puts_at_caret:
            return self.error_px <= FARTHEST_PX
        _, y = self.before.from_desktop(self.target.aim)  # where in its line it goes is up to the text
        return abs(y - self.landing.y) <= self.landing.height / 2 + LINE_PX


@dataclass(frozen=True)
class KnownView:
    """What a window showed last, and at which zoom."""

    view: Screenshot
    zoom: float  # screen pixels in a pixel of what its editor is given


class Paster:
    """Pastes cutouts one after the other: there is one pointer and one keyboard."""

    def __init__(
        self,
        desktop: Desktop,
        find_point: FindPoint,
        *,
        journal: Journal | None = None,
        pictures_dir: Path | None = None,
        notify: Callable[[str], bool] | None = None,
        longest_wait_s: float = LONGEST_WAIT_S,
    ) -> None:
        """Set up.

        Args:
            desktop: the one that is pasted into.
            find_point: the screen point under the centre of a view; raises what find_screen_point does.
            journal: where it is noted that a paste is under way.
            pictures_dir: where cutouts are saved that no editor took.
            notify: shows the user of this computer that one was saved.
            longest_wait_s: for an editor to show what was pasted.
        """
        self._desktop = desktop
        self._windows = desktop.platform.windows
        self._find_point = find_point
        self._journal = journal
        self._pictures_dir = pictures_dir
        self._notify = notify
        self._watch = Watch(desktop.platform.take_screenshots, longest_wait_s)
        self._known: dict[int, KnownView] = {}  # of windows, by their numbers
        self._last: Pasted | None = None
        self._turn = threading.Lock()

    def paste(self, cutout: Cutout, view: Picture, request: PasteRequest) -> PasteAnswer:
        """Paste a cutout where the centre of the view points to, and look whether it is there.

        Args:
            cutout: (h, w, 4) uint8, RGBA, straight alpha.
            view: (H, W, 3) uint8, RGB: the phone's picture of the screen.
            request: how the cutout floats over the view.

        Raises:
            ScreenNotInView and the others of find_screen_point: there is no such point.
            ScreenLocked, NoEditorThere, EditorTakesNoPictures, EditorNotReached, DialogInFront, WindowChanged:
            nothing was pasted.
            EditorRefused, PasteNotSeen, SomethingElseAppeared: nothing is known to be pasted.
            PasteMisplaced: it was pasted elsewhere, and undone if the editor was still in front.
        """
        with self._turn:
            try:
                return self._paste(cutout, view, request)
            except (EditorTakesNoPictures, EditorRefused, PasteNotSeen, SomethingElseAppeared, PasteMisplaced) as error:
                if request.is_dry_run:
                    raise
                raise self._with_saved_cutout(error, cutout) from error

    def undo(self) -> UndoAnswer:
        """Take back the last paste, if it is still the last thing that was done there.

        It is forgotten once a key was pressed, by the next paste too, or the cutout is gone; whatever else is in the
        way may pass.

        Raises:
            NothingToUndo: nothing was pasted, another paste came after it, or its window or its surroundings are not
            as they were.
            EditorNotReached, DialogInFront: no key was pressed.
        """
        with self._turn:
            pasted = self._last
            if pasted is None:
                raise NothingToUndo
            target = pasted.target
            if not self._is_where_it_was(target.window, pasted.landed):
                focused = self._windows.focused()
                if focused and focused.is_dialog:
                    raise DialogInFront(_title_of(focused))
                raise NothingToUndo("Its window was moved, covered or closed.")
            with self._keeping_what_is_the_users(target):
                self._bring_to_front(target.window)
                now = self._watch.calm(pasted.before)
                self._last = None
                if not self._is_still_there(pasted, now):
                    raise NothingToUndo("The cutout is not where it was any more.")
                is_undone = self._take_back(pasted)
                self._known[target.window.number] = KnownView(self._watch.calm(pasted.before), pasted.zoom)
                return UndoAnswer(target.editor.name, is_undone)

    def _paste(self, cutout: Cutout, view: Picture, request: PasteRequest) -> PasteAnswer:
        stopwatch = Stopwatch()
        with stopwatch.stage("screenshot"):
            if all(_is_black(screenshot) for screenshot in self._desktop.platform.take_screenshots()):
                raise ScreenLocked
        with stopwatch.stage("locate"):
            found = self._find_point(view, request)
        window = self._windows.at(found.screen_point)
        target = Target(
            cutout=cutout,
            aim=found.screen_point,
            width_px=request.width_view * found.scale,
            turn_deg=found.turn_deg + request.turn_deg,
            window=window,
            editor=self._desktop.editor_in(window),
        )
        if request.is_dry_run:
            return _answer(target, stopwatch)
        with self._keeping_what_is_the_users(target):
            self._last = self._insert_until_right(target, stopwatch)
        return _answer(target, stopwatch, self._last)

    def _insert_until_right(self, target: Target, stopwatch: Stopwatch) -> Pasted:
        """Insert, look, and correct; what is left to undo is one step."""
        for insertion in range(1, MOST_INSERTIONS + 1):
            pasted = self._insert(target, stopwatch)
            is_right_size = target.editor.puts_at_caret or not self._has_better_size(pasted)
            if is_right_size:
                pasted = self._move(pasted, stopwatch)
            learns_place = target.editor.learn(pasted.landed, pasted.zoom_in_points)
            self._known[target.window.number] = KnownView(pasted.before, pasted.zoom)
            can_go_on = target.editor.can_insert_again and insertion < MOST_INSERTIONS
            if not can_go_on or (is_right_size and not learns_place):
                break
            with stopwatch.stage("undo"):
                if self._take_back(pasted):
                    continue
                if self._is_still_there(pasted, self._watch.again(pasted.before)):
                    break  # an editor that undoes nothing, such as a page to draw on; it stays as it is
                raise PasteMisplaced(NOT_SURELY_UNDONE)
        if pasted.is_there:
            self._known[target.window.number] = KnownView(pasted.after, pasted.zoom)
            return pasted
        with stopwatch.stage("undo"):
            raise PasteMisplaced(self._undo_misplaced(pasted))

    def _insert(self, target: Target, stopwatch: Stopwatch) -> Pasted:
        """Insert once, and see where it landed."""
        with stopwatch.stage("paste"):
            before = self._approach(target)
            zoom = self._zoom_of(target, before)
        given = fit_cutout(target.cutout, target.width_px, target.turn_deg, _size(before), zoom)
        self._last = None  # from here on another step may come after it
        with self._journal.noting(target.editor.name) if self._journal else contextlib.nullcontext():
            with stopwatch.stage("paste"):
                target.editor.insert(given, target.aim)
            with stopwatch.stage("look"):
                expected = Expected(
                    given, target.editor.lands_at(target.aim), zoom, is_in_text=target.editor.puts_at_caret
                )
                after, landing = self._watch.wait_for(
                    before,
                    expected,
                    lambda: self._check_document(target),
                    lambda: target.editor.insert_otherwise(given, target.aim),
                )
            target.editor.check()
        if landing is None:
            self._known.pop(target.window.number, None)
            # Nothing is known to be pasted, so an undo might take back the user's own last step.
            raise SomethingElseAppeared if differ(before, after) else PasteNotSeen
        given_width, _ = fitted_size(target.cutout, target.width_px, _size(before), zoom)
        return Pasted(target, given, given_width, before, after, landing)

    def _approach(self, target: Target) -> Screenshot:
        """Make all ready for an insertion; what the monitor shows then."""
        self._check_place(target)
        self._bring_to_front(target.window)
        target.editor.approach(target.aim)
        before = self._watch.calm(self._watch.monitor_with(target.aim))
        self._check_place(target)
        self._check_front(target.window)
        return before

    def _has_better_size(self, pasted: Pasted) -> bool:
        """Whether the cutout would be nearer to the size wanted if it was inserted anew, now that the zoom is known."""
        target = pasted.target
        better_width, _ = fitted_size(target.cutout, target.width_px, _size(pasted.before), pasted.zoom)
        return abs(better_width / pasted.given_width - 1) > OTHER_SIZE

    def _move(self, pasted: Pasted, stopwatch: Stopwatch) -> Pasted:
        """The same after it was moved to the aim, if this editor's way can do that and it is not there."""
        target = pasted.target
        if pasted.error_px <= CLOSE_PX:
            return pasted
        if not target.editor.move(pasted.landed, target.aim, pasted.zoom_in_points):
            return pasted
        with stopwatch.stage("look"):
            self._watch.wait_for_change(pasted.after)
            expected = Expected(pasted.given, target.aim, pasted.zoom)
            after, landing = self._watch.wait_for(pasted.before, expected, lambda: self._check_document(target))
        return replace(pasted, after=after, landing=landing) if landing else pasted

    def _undo_misplaced(self, pasted: Pasted) -> str:
        """Take back what was seen to be pasted, once; what to tell of it."""
        if self._windows.focused() != pasted.target.window:
            return "Another window has come to the front, so it was not undone."
        if self._take_back(pasted):
            return "It was undone."
        return NOT_SURELY_UNDONE

    def _take_back(self, pasted: Pasted) -> bool:
        """Undo once; whether the cutout was seen to go."""
        pasted.target.editor.undo()
        return self._watch.wait_until_gone(pasted.before, pasted.landing.around())

    def _bring_to_front(self, window: Window) -> None:
        """Give the window the keyboard.

        Raises:
            DialogInFront: a dialog of the same program takes it.
            EditorNotReached: the window does not get it.
        """
        deadline_s = time.monotonic() + FRONT_S
        if self._windows.focused() != window:
            self._windows.focus(window)
        while self._windows.focused() != window and time.monotonic() < deadline_s:
            time.sleep(0.02)
        self._check_front(window)

    def _check_front(self, window: Window) -> None:
        self._check_no_dialog(window)
        if self._windows.focused() != window:
            raise EditorNotReached

    def _check_document(self, target: Target) -> None:
        """What may have come up in place of it."""
        self._check_no_dialog(target.window)
        target.editor.check()

    def _check_no_dialog(self, window: Window) -> None:
        focused = self._windows.focused()
        if focused and focused != window and (focused.is_dialog or focused.program == window.program):
            raise DialogInFront(_title_of(focused))

    def _zoom_of(self, target: Target, now: Screenshot) -> float:
        """The zoom of what a window shows now; 1 where nothing is known of it.

        What the editor has learnt holds for as long as its window looks the same.
        """
        known = self._known.get(target.window.number)
        if known is None:
            target.editor.forget()
            return 1.0
        rescaling = None
        if known.view.is_of_same_monitor(now):
            if _share_changed(known.view, now) <= OTHER_VIEW:
                return known.zoom
            rescaling = find_rescaling(_shown(target.window, known.view), _shown(target.window, now))
        target.editor.forget()
        return known.zoom * (rescaling or 1.0)

    def _check_place(self, target: Target) -> None:
        if not self._is_where_it_was(target.window, target.aim):
            self._check_no_dialog(target.window)
            raise WindowChanged

    def _is_where_it_was(self, window: Window, point: ScreenPoint) -> bool:
        try:
            there = self._windows.at(point)
        except NoEditorThere:
            return False
        return there == window and there.box == window.box

    def _is_still_there(self, pasted: Pasted, now: Screenshot) -> bool:
        landing = pasted.landing
        seen = find_expected(pasted.before.pixels, now.pixels, pasted.given, landing.x, landing.y, landing.scale)
        return seen is not None

    @contextmanager
    def _keeping_what_is_the_users(self, target: Target) -> Iterator[None]:
        """Clipboard, pointer and the window in front are put back, unless a dialog came up."""
        platform = self._desktop.platform
        front, pointer, clipboard = self._windows.focused(), platform.input.pointer(), platform.clipboard.save()
        try:
            yield
        finally:
            with contextlib.suppress(CopyPasteError):  # what it happened in is told; this is only courtesy
                platform.clipboard.restore(clipboard)
                if pointer:
                    platform.input.move_pointer(pointer)
                if front and front != target.window and self._windows.focused() == target.window:
                    self._windows.focus(front)

    def _with_saved_cutout(self, error: CopyPasteError, cutout: Cutout) -> CopyPasteError:
        """The same error; its sentence names the file that the cutout was saved as."""
        if self._pictures_dir is None:
            return error
        try:
            file = save_cutout(cutout, self._pictures_dir)
        except OSError as reason:
            log.warning("The cutout was not saved: %s", reason)
            return error
        told = type(error)(f"{error.fact} The cutout was saved as {file}.".strip())
        if self._notify:
            self._notify(told.sentence)
        return told


def _answer(target: Target, stopwatch: Stopwatch, pasted: Pasted | None = None) -> PasteAnswer:
    return PasteAnswer(
        editor=target.editor.name,
        strategy=target.editor.strategy,
        aim=target.aim,
        landed=pasted.landed if pasted else None,
        landed_width=round(pasted.landing.scale * pasted.given_width, 1) if pasted else None,
        error_px=round(pasted.error_px, 2) if pasted else None,
        verified=pasted is not None,
        stages_s=stopwatch.stages_s,
    )


def _shown(window: Window, screenshot: Screenshot) -> Picture:
    """What a window shows; its whole monitor where nobody can say which part that is."""
    box = window.box
    if box is None:
        return screenshot.pixels
    left, top = screenshot.from_desktop(ScreenPoint(box.x, box.y))
    right, bottom = screenshot.from_desktop(ScreenPoint(box.x + box.width, box.y + box.height))
    return screenshot.pixels[max(0, round(top)) : max(0, round(bottom)), max(0, round(left)) : max(0, round(right))]


def _share_changed(one: Screenshot, other: Screenshot) -> float:
    return float(find_changed(one.pixels, other.pixels).mean())


def _size(screenshot: Screenshot) -> tuple[int, int]:
    return int(screenshot.pixels.shape[0]), int(screenshot.pixels.shape[1])


def _is_black(screenshot: Screenshot) -> bool:
    return int(np.max(screenshot.pixels)) <= BLACK_LEVEL


def _title_of(window: Window) -> str:
    return f'Its title is "{window.title}".' if window.title else ""
