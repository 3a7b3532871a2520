"""view + cutout -> the cutout in the editor, under the camera's centre, seen to be there."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import cv2
import numpy as np

from desktop_agent.editors import Editor
from desktop_agent.locate import FoundPoint
from desktop_agent.look import Landing, find_changed, find_changes, find_landing
from desktop_agent.pictures import Cutout, Picture
from desktop_agent.screenshot import Screenshot, TakeScreenshots
from protocol.errors import DesktopUnavailable, EditorNotReached, PasteMisplaced, PasteNotSeen, SomethingElseAppeared
from protocol.geometry import ScreenPoint
from protocol.messages import PasteAnswer, PasteRequest

FARTHEST_PX = 16.0  # from the aim: what snapping to a grid may do, and no more
LONGEST_WAIT_S = 8.0  # for an editor to show what was pasted
SETTLED_S = 0.4  # without a change: the editor has finished drawing
POLL_S = 0.1
SMALLEST_CUTOUT_PX = 16
LARGEST_SCALE = 3.0  # beyond this a cutout is more blur than picture
MOST_LEFT_OVER = 0.2  # of the pixels around an undone cutout that may still differ: handles, a tooltip
LARGEST_SHARE = 0.9  # of the monitor that a cutout may cover


FindPoint = Callable[[Picture, PasteRequest], FoundPoint]


@dataclass(frozen=True)
class Desktop:
    """What pasting needs of the desktop."""

    take_screenshots: TakeScreenshots
    editor_at: Callable[[ScreenPoint], Editor]


@dataclass
class Stopwatch:
    """Seconds that each stage of a paste took."""

    stages_s: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Time what happens inside."""
        start_s = time.monotonic()
        yield
        self.stages_s[name] = round(time.monotonic() - start_s, 3)


class Paster:
    """Pastes cutouts one after the other: there is one pointer and one keyboard."""

    def __init__(self, desktop: Desktop, find_point: FindPoint, longest_wait_s: float = LONGEST_WAIT_S) -> None:
        """Set up.

        Args:
            desktop: the one that is pasted into.
            find_point: the screen point under the centre of a view; raises what find_screen_point does.
            longest_wait_s: for an editor to show what was pasted.
        """
        self._desktop = desktop
        self._find_point = find_point
        self._longest_wait_s = longest_wait_s
        self._turn = threading.Lock()

    def paste(self, cutout: Cutout, view: Picture, request: PasteRequest) -> PasteAnswer:
        """Paste a cutout where the centre of the view points to, and look whether it is there.

        Args:
            cutout: (h, w, 4) uint8, RGBA, straight alpha.
            view: (H, W, 3) uint8, RGB: the phone's picture of the screen.
            request: how the cutout floats over the view.

        Raises:
            ScreenNotInView and the others of find_screen_point: there is no such point.
            NoEditorThere, EditorNotReached: nothing was pasted.
            PasteNotSeen, SomethingElseAppeared: nothing is known to be pasted.
            PasteMisplaced: it was pasted elsewhere, and undone if the editor was still in front.
        """
        with self._turn:
            return self._paste(cutout, view, request)

    def _paste(self, cutout: Cutout, view: Picture, request: PasteRequest) -> PasteAnswer:
        stopwatch = Stopwatch()
        with stopwatch.stage("locate"):
            found = self._find_point(view, request)
        aim = found.screen_point
        with stopwatch.stage("screenshot"):
            screenshots = self._desktop.take_screenshots()
            monitor = next((screenshot for screenshot in screenshots if screenshot.contains(aim)), None)
        if monitor is None:
            raise DesktopUnavailable("A monitor was changed or taken away meanwhile.")
        with stopwatch.stage("paste"):
            editor = self._desktop.editor_at(aim)
            editor.approach(aim)
            before = self._settled(monitor, self._deadline_s())
            if not editor.is_in_front():
                raise EditorNotReached
            sized = resize_cutout(cutout, request.width_view * found.scale, monitor)
            editor.paste(sized)
        with stopwatch.stage("look"):
            landing = self._look(before, sized, aim, editor)
        landed = before.to_desktop(landing.x, landing.y)
        width = round(landing.scale * sized.shape[1], 1)
        error_px = round(landed.distance_to(aim), 2)
        return PasteAnswer(
            editor=editor.name,
            strategy=editor.strategy,
            aim=aim,
            landed=landed,
            landed_width=width,
            error_px=error_px,
            verified=True,
            stages_s=stopwatch.stages_s,
        )

    def _look(self, before: Screenshot, cutout: Cutout, aim: ScreenPoint, editor: Editor) -> Landing:
        """Where on the monitor the cutout appeared.

        Editors show a paste in several steps (a status line, a dialog for a moment), so each is looked at.
        """
        deadline_s = self._deadline_s()
        after, landing = before, None
        while landing is None and time.monotonic() < deadline_s:
            after = self._settled(before, deadline_s, since=after)
            landing = find_landing(before.pixels, after.pixels, cutout)
        if landing and before.to_desktop(landing.x, landing.y).distance_to(aim) <= FARTHEST_PX:
            return landing
        if landing:
            raise PasteMisplaced(self._undo(before, after, landing, editor))
        # Nothing is known to be pasted, so an undo might take back the user's own last step.
        raise SomethingElseAppeared if _differ(before, after) else PasteNotSeen

    def _undo(self, before: Screenshot, pasted: Screenshot, landing: Landing, editor: Editor) -> str:
        """Take back what was seen to be pasted, once; what to tell of it."""
        if not editor.is_in_front():
            return "Another window has come to the front, so it was not undone."
        editor.undo()
        restored = self._settled(before, self._deadline_s(), since=pasted)
        # Only where it landed: tooltips and what is selected may differ from before.
        changed = find_changed(before.pixels, restored.pixels)[landing.around()]
        if changed.mean() < MOST_LEFT_OVER:
            return "It was undone."
        return "It may not have been undone: look at the editor before you undo anything."

    def _settled(self, monitor: Screenshot, deadline_s: float, *, since: Screenshot | None = None) -> Screenshot:
        """A monitor's screenshot once it stands still; given `since`, once it has changed from that, too."""
        last, still_since_s = self._take_again(monitor), time.monotonic()
        while time.monotonic() < deadline_s:
            has_changed = since is None or _differ(since, last)
            if has_changed and time.monotonic() - still_since_s >= SETTLED_S:
                break
            time.sleep(POLL_S)
            current = self._take_again(monitor)
            if _differ(last, current):
                still_since_s = time.monotonic()
            last = current
        return last

    def _deadline_s(self) -> float:
        return time.monotonic() + self._longest_wait_s

    def _take_again(self, monitor: Screenshot) -> Screenshot:
        for screenshot in self._desktop.take_screenshots():
            if screenshot.is_of_same_monitor(monitor):
                return screenshot
        raise DesktopUnavailable("A monitor was changed or taken away meanwhile.")


def _differ(one: Screenshot, other: Screenshot) -> bool:
    return bool(find_changes(find_changed(one.pixels, other.pixels)))


def resize_cutout(cutout: Cutout, width_px: float, monitor: Screenshot) -> Cutout:
    """The cutout as wide on the screen as it floated over the view, but within the monitor and LARGEST_SCALE.

    Args:
        cutout: (h, w, 4) uint8, RGBA, straight alpha.
        width_px: wanted width, in screen pixels.
        monitor: what it is to fit on.

    Returns:
        (h, w, 4) uint8, RGBA, straight alpha.
    """
    height, width = cutout.shape[:2]
    fits = LARGEST_SHARE * min(monitor.pixels.shape[1] / width, monitor.pixels.shape[0] / height)
    scale = min(LARGEST_SCALE, fits, max(width_px, SMALLEST_CUTOUT_PX) / width)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    # Colours are averaged by their alpha, so that what lies under transparent pixels does not bleed in.
    alpha = cutout[:, :, 3:].astype(np.float32) / 255
    premultiplied = np.concatenate([cutout[:, :, :3] * alpha, alpha * 255], axis=2)
    interpolation = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    resized = np.asarray(cv2.resize(premultiplied, size, interpolation=interpolation))
    colours = resized[:, :, :3] / np.maximum(resized[:, :, 3:] / 255, 1e-3)
    return np.clip(np.rint(np.dstack([colours, resized[:, :, 3]])), 0, 255).astype(np.uint8)
