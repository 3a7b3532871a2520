"""view + cutout -> the cutout in the editor, under the camera's centre, seen to be there."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import cv2
import numpy as np

from desktop_agent.editors import Cutout, Editor
from desktop_agent.locate import find_screen_point
from desktop_agent.look import Landing, changed_mask, find_changes, find_landing
from desktop_agent.screenshot import Picture, Screenshot, TakeScreenshots
from protocol.errors import PasteMisplaced, PasteNotSeen, SomethingElseAppeared
from protocol.geometry import ScreenPoint
from protocol.messages import PasteAnswer, PasteRequest

FARTHEST_PX = 16.0  # from the aim: what snapping to a grid may do, and no more
LONGEST_WAIT_S = 8.0  # for an editor to show what was pasted
SETTLED_S = 0.4  # without a change: the editor has finished drawing
POLL_S = 0.1
SMALLEST_CUTOUT_PX = 16
LARGEST_SHARE = 0.9  # of the monitor that a cutout may cover


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

    def __init__(self, desktop: Desktop) -> None:
        """Args: desktop: the one that is pasted into."""
        self._desktop = desktop
        self._turn = threading.Lock()

    def paste(self, cutout: Cutout, view: Picture, request: PasteRequest) -> PasteAnswer:
        """Paste a cutout where the centre of the view points to, and look whether it is there.

        Args:
            cutout: (h, w, 4) uint8, RGBA, straight alpha.
            view: (H, W, 3) uint8, RGB: the phone's picture of the screen.
            request: how the cutout floats over the view.

        Raises:
            CopyPasteError: one of those of find_screen_point; or PasteNotSeen, PasteMisplaced, SomethingElseAppeared
                after the document was put back as it was, if it had changed.
        """
        with self._turn:
            return self._paste(cutout, view, request)

    def _paste(self, cutout: Cutout, view: Picture, request: PasteRequest) -> PasteAnswer:
        stopwatch = Stopwatch()
        with stopwatch.stage("screenshot"):
            screenshots = self._desktop.take_screenshots()
        with stopwatch.stage("locate"):
            found = find_screen_point(view, screenshots)
        aim = found.screen_point
        monitor = next(screenshot for screenshot in screenshots if screenshot.contains(aim))
        with stopwatch.stage("paste"):
            editor = self._desktop.editor_at(aim)
            editor.approach(aim)
            before = self._settled(aim)
            sized = resize_cutout(cutout, request.width_view * found.scale, monitor)
            editor.paste(sized)
        with stopwatch.stage("look"):
            landing = self._look(before, sized, aim, editor)
        landed = before.to_desktop(landing.x, landing.y)
        width = round(landing.scale * sized.shape[1], 1)
        error_px = round(landed.distance_to(aim), 2)
        return PasteAnswer(editor.name, aim, landed, width, error_px, stopwatch.stages_s)

    def _look(self, before: Screenshot, cutout: Cutout, aim: ScreenPoint, editor: Editor) -> Landing:
        """Where on the monitor the cutout appeared; whatever else happened is undone and raised."""
        after = self._settled(aim, since=before)
        landing = find_landing(before.pixels, after.pixels, cutout)
        if landing and before.to_desktop(landing.x, landing.y).distance_to(aim) <= FARTHEST_PX:
            return landing
        changes = find_changes(changed_mask(before.pixels, after.pixels))
        if landing:
            raise PasteMisplaced(self._undo(before, aim, editor))
        if not changes:
            raise PasteNotSeen
        if any(change.contains(aim.x - before.left, aim.y - before.top) for change in changes):
            raise SomethingElseAppeared(self._undo(before, aim, editor))
        raise SomethingElseAppeared("Nothing changed at the aim, so nothing was undone.")

    def _undo(self, before: Screenshot, aim: ScreenPoint, editor: Editor) -> str:
        """Take the paste back, once; what to tell of it. Never to be called if nothing was pasted."""
        if not editor.is_in_front():
            return "Another window has come to the front, so nothing was undone."
        pasted = self._settled(aim)
        editor.undo()
        restored = self._settled(aim, since=pasted)
        # What is selected may differ from before, so some of the screen may, too.
        left_over = changed_mask(before.pixels, restored.pixels).sum()
        is_restored = left_over < changed_mask(before.pixels, pasted.pixels).sum() / 2
        return "It was undone." if is_restored else "Undo it in the editor, please."

    def _settled(self, aim: ScreenPoint, *, since: Screenshot | None = None) -> Screenshot:
        """The monitor's screenshot once it stands still; given `since`, once it has changed from that, too."""
        deadline_s = time.monotonic() + LONGEST_WAIT_S
        last, still_since_s = self._monitor(aim), time.monotonic()
        while time.monotonic() < deadline_s:
            has_changed = since is None or _differ(since, last)
            if has_changed and time.monotonic() - still_since_s >= SETTLED_S:
                break
            time.sleep(POLL_S)
            current = self._monitor(aim)
            if _differ(last, current):
                still_since_s = time.monotonic()
            last = current
        return last

    def _monitor(self, aim: ScreenPoint) -> Screenshot:
        return next(screenshot for screenshot in self._desktop.take_screenshots() if screenshot.contains(aim))


def _differ(one: Screenshot, other: Screenshot) -> bool:
    return bool(find_changes(changed_mask(one.pixels, other.pixels)))


def resize_cutout(cutout: Cutout, width_px: float, monitor: Screenshot) -> Cutout:
    """The cutout as wide on the screen as it floated over the view; never enlarged, never larger than the monitor.

    Args:
        cutout: (h, w, 4) uint8, RGBA, straight alpha.
        width_px: wanted width, in screen pixels.
        monitor: what it is to fit on.

    Returns:
        (h, w, 4) uint8, RGBA, straight alpha.
    """
    height, width = cutout.shape[:2]
    fits = LARGEST_SHARE * min(monitor.pixels.shape[1] / width, monitor.pixels.shape[0] / height)
    scale = min(1.0, fits, max(width_px, SMALLEST_CUTOUT_PX) / width)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    # Colours are averaged by their alpha, so that what lies under transparent pixels does not bleed in.
    alpha = cutout[:, :, 3:].astype(np.float32) / 255
    premultiplied = np.concatenate([cutout[:, :, :3] * alpha, alpha * 255], axis=2)
    small = np.asarray(cv2.resize(premultiplied, size, interpolation=cv2.INTER_AREA))
    colours = small[:, :, :3] / np.maximum(small[:, :, 3:] / 255, 1e-3)
    return np.clip(np.rint(np.dstack([colours, small[:, :, 3]])), 0, 255).astype(np.uint8)
