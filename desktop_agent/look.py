"""The second look: screenshot before + screenshot after -> where the cutout landed."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
import numpy.typing as npt

from desktop_agent.pictures import Cutout, Picture
from protocol.geometry import Box

Changed = npt.NDArray[np.bool_]  # (H, W): where two screenshots differ
Plane = npt.NDArray[np.float32]  # (H, W), or (H, W, 3) for colours
Corners = tuple[tuple[int, int], tuple[int, int]]  # the first and the last (x, y) of a search

CHANGED_LEVELS = 12  # of 255: more than a screenshot of a still screen ever differs
HANDLES_PX = 15  # gaps between a pasted object and the selection handles around it are closed up to this
MARGIN_PX = 60  # the most that handles and dashes add to the size of what was pasted
SMALLEST_CHANGE_PX = 12  # sides of a change that can be a cutout, and is no cursor
SMALLEST_CUTOUT_PX = 24  # long side; less shows nothing to recognise
MOST_CHANGES = 4  # that are searched for the cutout, the largest first
OPAQUE = 230  # of 255: alpha of pixels that show the cutout's own colour
COARSE_PX = 160  # long side of the change in the first, coarse search
FINE_PX = 400
SMOOTHING_PX = 1.0  # of both, because every editor resamples fine patterns in its own way
LEAST_SEEN = 0.3  # share of the cutout that must have appeared; the rest may be hidden under the editor's frame
HIDDEN_LEVELS = 35.0  # what a pixel counts as differing by where it did not appear; else any repeating part would do
LARGEST_RMS = 30.0  # grey levels between the cutout and what appeared; a dialog differs by about 100
HOPELESS_RMS = 60.0  # of a coarse search: a fine one will not find the cutout there
SHARE_OF_CONTRAST = 0.6  # what may be left unexplained of a cutout's contrast; a plain patch leaves all of it
SAME_RMS = 1.0  # that the same place may differ more by when it is cut out and shrunk anew; what is hidden adds more
PLAIN_RMS = 20.0  # for cutouts without contrast
EXPECTED_PX = 20  # from where a cutout is expected, along each side, in a look for it there
FINE_SCALES = (0.985, 0.9925, 1.0, 1.0075, 1.015)  # of a scale that is known to a step of the search
REFINED_PX = 4  # from where a search found it, along each side
OTHER_SCALES = (0.97, 1.03)  # of the one expected; if one of them fits better, nobody knows how far off it is


@dataclass(frozen=True)
class Landing:
    """Where a cutout appeared on a screenshot."""

    x: float  # its centre, in pixels of the screenshot
    y: float
    width: float  # in pixels of the screenshot
    height: float
    scale: float  # screenshot pixels in a cutout pixel
    rms: float  # root mean square difference from the cutout, in grey levels of 255
    contrast: float  # standard deviation of the cutout's own colours at that scale, likewise

    def around(self) -> tuple[slice, slice]:
        """The rows and columns of the screenshot that it covers."""
        top, left = round(self.y - self.height / 2), round(self.x - self.width / 2)
        bottom, right = round(self.y + self.height / 2), round(self.x + self.width / 2)
        return slice(max(0, top), max(1, bottom)), slice(max(0, left), max(1, right))

    def is_convincing(self) -> bool:
        """Whether this is the cutout, rather than any patch of its average colour."""
        return self.rms < min(LARGEST_RMS, max(SHARE_OF_CONTRAST * self.contrast, PLAIN_RMS))


def find_changed(before: Picture, after: Picture) -> Changed:
    """Where two screenshots of one monitor differ.

    Args:
        before: (H, W, 3) uint8, RGB.
        after: (H, W, 3) uint8, RGB.

    Returns:
        (H, W) bool.
    """
    red, green, blue = cv2.split(cv2.absdiff(before, after))
    return np.asarray(cv2.max(cv2.max(red, green), blue) > CHANGED_LEVELS)


def find_landing(before: Picture, after: Picture, cutout: Cutout, scale: float = 1.0) -> Landing | None:
    """Find the cutout in what changed between two screenshots of one monitor.

    Args:
        before: (H, W, 3) uint8, RGB.
        after: (H, W, 3) uint8, RGB.
        cutout: (h, w, 4) uint8, RGBA, straight alpha. It may appear at any size that fits a change,
        scale: and at this one in the midst of a larger change, as when text makes room for it.

    Returns:
        Where it appeared; None if nothing of what changed looks like it.
    """
    changed = find_changed(before, after)
    for visible in (np.ones_like(changed), changed):  # all of it in sight; or partly hidden under the editor's frame
        changes = find_changes(changed)
        landings = [_search(after, changed, visible, change, cutout) for change in changes]
        landings += [_search_at(after, changed, visible, change, cutout, scale) for change in changes]
        convincing = [landing for landing in landings if landing and landing.is_convincing()]
        if convincing:  # the largest: editors show small previews of pages and layers as well
            return _refine(before, after, cutout, max(convincing, key=lambda landing: landing.scale))
    return None


def find_near(before: Picture, after: Picture, cutout: Cutout, x: float, y: float) -> Landing | None:
    """Find the cutout at any size, but only around one place; ten times faster than find_landing.

    Args:
        before: (H, W, 3) uint8, RGB.
        after: (H, W, 3) uint8, RGB.
        cutout: (h, w, 4) uint8, RGBA, straight alpha.
        x: where its centre should be, in pixels of the screenshots.
        y: likewise.

    Returns:
        Where it appeared; None if it is not there.
    """
    changed = find_changed(before, after)
    for change in find_changes(changed):
        landing = _search(after, changed, np.ones_like(changed), change, cutout, (x, y))
        if landing and landing.is_convincing():
            return _refine(before, after, cutout, landing)
    return None


def find_at_scale(before: Picture, after: Picture, cutout: Cutout, scale: float) -> Landing | None:
    """Find the cutout anywhere, but at one size only; as fast as find_near.

    Args:
        before: (H, W, 3) uint8, RGB.
        after: (H, W, 3) uint8, RGB.
        cutout: (h, w, 4) uint8, RGBA, straight alpha.
        scale: screenshot pixels in a cutout pixel.

    Returns:
        Where it appeared, to a fraction of a pixel; None if it did not appear at about that size.
    """
    changed = find_changed(before, after)
    for change in find_changes(changed):
        landing = _Region.of(after, changed, np.ones_like(changed), change, FINE_PX).place(cutout, scale)
        if landing and (found := find_expected(before, after, cutout, landing.x, landing.y, scale)):
            return found
    return None


def find_expected(before: Picture, after: Picture, cutout: Cutout, x: float, y: float, scale: float) -> Landing | None:
    """Look for the cutout only where it is expected; faster still.

    Args:
        before: (H, W, 3) uint8, RGB.
        after: (H, W, 3) uint8, RGB.
        cutout: (h, w, 4) uint8, RGBA, straight alpha.
        x: where its centre should be, in pixels of the screenshots.
        y: likewise.
        scale: screenshot pixels in a cutout pixel.

    Returns:
        Where it appeared, to a fraction of a pixel; None if it did not appear there, at about that size.
    """
    (landing,) = _place_at_scales(before, after, cutout, (x, y), (scale,), EXPECTED_PX) or (None,)
    if landing is None or not landing.is_convincing():
        return None
    scales = [scale * share for share in OTHER_SCALES]
    others = _place_at_scales(before, after, cutout, (landing.x, landing.y), scales, REFINED_PX)
    return landing if _best([landing, *others]) is landing else None


def _refine(before: Picture, after: Picture, cutout: Cutout, landing: Landing) -> Landing:
    """The same to a fraction of a pixel, unless the cutout is partly hidden."""
    near = (landing.x, landing.y)
    scales = [landing.scale * share for share in FINE_SCALES]
    landings = [found for found in _place_at_scales(before, after, cutout, near, scales, REFINED_PX) if found]
    best = _best(landings)
    return _between(best, landings, cutout) if best and best.rms < landing.rms + SAME_RMS else landing


def _between(best: Landing, landings: Sequence[Landing], cutout: Cutout) -> Landing:
    """The best of some landings at the size where it would differ least, by the parabola nearest to them all."""
    sizes = np.sqrt([landing.width * landing.height for landing in landings])  # in whole pixels, unlike the scales
    if len(np.unique(sizes)) < 3:
        return best
    middle = float(np.sqrt(best.width * best.height))
    bend, slope, _ = np.polyfit(sizes - middle, [landing.rms**2 for landing in landings], 2)
    size = float(np.clip(middle - slope / (2 * bend), min(sizes), max(sizes))) if bend > 0 else middle
    scale = size / float(np.sqrt(cutout.shape[0] * cutout.shape[1]))
    return replace(best, scale=scale, width=scale * cutout.shape[1], height=scale * cutout.shape[0])


def _place_at_scales(
    before: Picture,
    after: Picture,
    cutout: Cutout,
    near: tuple[float, float],
    scales: Sequence[float],
    reach_px: int,
) -> list[Landing | None]:
    """The best place within reach of a point at each scale; nothing if nothing changed there."""
    around = _around(before, cutout, near, max(scales))
    if around is None:
        return []
    rows, columns = slice(around.y, around.y + around.height), slice(around.x, around.x + around.width)
    changed = np.zeros(before.shape[:2], np.bool_)
    changed[rows, columns] = find_changed(before[rows, columns], after[rows, columns])
    if not changed[rows, columns].any():
        return []
    region = _Region.of(after, changed, np.ones_like(changed), around, FINE_PX)
    reach = max(1, round(reach_px * region.shrink))
    return [region.place(cutout, scale, near, reach) for scale in scales]


def _around(screen: Picture, cutout: Cutout, centre: tuple[float, float], scale: float) -> Box | None:
    """What a cutout may cover that is expected there; None if that is beyond the screen."""
    height, width = (scale * side / 2 + EXPECTED_PX for side in cutout.shape[:2])
    left, right = max(0, round(centre[0] - width)), min(int(screen.shape[1]), round(centre[0] + width) + 1)
    top, bottom = max(0, round(centre[1] - height)), min(int(screen.shape[0]), round(centre[1] + height) + 1)
    return Box(left, top, right - left, bottom - top) if right > left and bottom > top else None


def find_changes(changed: Changed) -> list[Box]:
    """The largest connected changes, largest first, gaps up to HANDLES_PX closed; specks are left out.

    Args:
        changed: (H, W) bool.

    Returns:
        At most MOST_CHANGES boxes, in pixels of the screenshot.
    """
    x, y, width, height = cv2.boundingRect(changed.view(np.uint8))
    if not width:
        return []
    left, top = max(0, x - HANDLES_PX), max(0, y - HANDLES_PX)
    part = changed[top : y + height + HANDLES_PX, left : x + width + HANDLES_PX].astype(np.uint8)
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (HANDLES_PX, HANDLES_PX))
    _, _, stats, _ = cv2.connectedComponentsWithStats(cv2.morphologyEx(part, cv2.MORPH_CLOSE, kernel))
    boxes = [Box(int(row[0]) + left, int(row[1]) + top, int(row[2]), int(row[3])) for row in stats[1:]]
    large = [box for box in boxes if min(box.width, box.height) >= SMALLEST_CHANGE_PX]
    return sorted(large, key=lambda box: box.width * box.height, reverse=True)[:MOST_CHANGES]


def _search(
    after: Picture,
    changed: Changed,
    visible: Changed,
    change: Box,
    cutout: Cutout,
    near: tuple[float, float] | None = None,
) -> Landing | None:
    """The best place and scale of the cutout within one change: a coarse search of all scales, then a fine one."""
    coarse = _Region.of(after, changed, visible, change, COARSE_PX)
    reach = max(2, round(EXPECTED_PX * coarse.shrink))
    landing = _best(coarse.place(cutout, scale, near, reach) for scale in _scales(change, cutout))
    if landing is None or landing.rms > HOPELESS_RMS:
        return None
    fine = _Region.of(after, changed, visible, change, FINE_PX)
    there, reach = (landing.x, landing.y), round(2 * FINE_PX / COARSE_PX) + 2
    return _best(fine.place(cutout, scale, there, reach) for scale in _scales_around(landing, fine.shrink, cutout))


def _search_at(
    after: Picture, changed: Changed, visible: Changed, change: Box, cutout: Cutout, scale: float
) -> Landing | None:
    """The best place of the cutout within one change, at a known scale."""
    if scale * cutout.shape[1] > change.width or scale * cutout.shape[0] > change.height:
        return None  # it is no larger change, and all its scales are searched anyhow
    return _Region.of(after, changed, visible, change, FINE_PX).place(cutout, scale)


def _best(landings: Iterable[Landing | None]) -> Landing | None:
    return min((landing for landing in landings if landing), key=lambda landing: landing.rms, default=None)


def _scales(change: Box, cutout: Cutout) -> Iterator[float]:
    """Every scale at which the cutout may fill this change, in steps of 3 %: less handles, or partly hidden."""
    fits = sorted((change.width / cutout.shape[1], change.height / cutout.shape[0]))
    without_handles = min((change.width - MARGIN_PX) / cutout.shape[1], (change.height - MARGIN_PX) / cutout.shape[0])
    smallest = max(without_handles, 0.5 * fits[0], SMALLEST_CUTOUT_PX / max(cutout.shape[:2]))
    count = max(1, int(np.ceil(np.log(1.05 * max(fits[1], smallest) / smallest) / np.log(1.03))))
    yield from smallest * 1.03 ** np.arange(count + 1)


def _scales_around(landing: Landing, shrink: float, cutout: Cutout) -> Iterator[float]:
    """Scales within 3 % of a coarse landing's, in steps of a pixel of the cutout's long side."""
    step = max(1 / (shrink * max(cutout.shape[:2])), 0.0075 * landing.scale)
    yield from np.arange(landing.scale - 4 * step, landing.scale + 4.5 * step, step)


@dataclass(frozen=True)
class _Region:
    """One change on the second screenshot, shrunk for a search."""

    pixels: Plane  # (H, W, 3), 0 to 255
    changed: Plane  # (H, W), 0 to 1: how much of each pixel has changed
    visible: Plane  # (H, W), 0 to 1: how much of each pixel can show the cutout
    change: Box
    shrink: float  # pixels of this region in a pixel of the screenshot

    @classmethod
    def of(cls, after: Picture, changed: Changed, visible: Changed, change: Box, longest_px: int) -> "_Region":
        rows = slice(change.y, change.y + change.height)
        columns = slice(change.x, change.x + change.width)
        shrink = min(1.0, longest_px / max(change.width, change.height))
        size = (max(1, round(change.width * shrink)), max(1, round(change.height * shrink)))
        planes = [
            np.asarray(
                cv2.resize(plane[rows, columns].astype(np.float32), size, interpolation=cv2.INTER_AREA), np.float32
            )
            for plane in (after, changed, visible)
        ]
        smooth = np.asarray(cv2.GaussianBlur(planes[0], (0, 0), SMOOTHING_PX), np.float32)
        return cls(smooth, planes[1], planes[2], change, shrink)

    def place(
        self, cutout: Cutout, scale: float, near: tuple[float, float] | None = None, reach: int = 0
    ) -> Landing | None:
        """Where the cutout at one scale differs least from what changed.

        Args:
            cutout: (h, w, 4) uint8, RGBA.
            scale: screenshot pixels in a cutout pixel.
            near: (x, y) on the screenshot that spare the search of places farther away; None to search everywhere.
            reach: how far from there, in pixels of this region.
        """
        width, height = (max(2, round(side * scale * self.shrink)) for side in (cutout.shape[1], cutout.shape[0]))
        interpolation = cv2.INTER_AREA if scale * self.shrink < 1 else cv2.INTER_LINEAR
        sharp = cv2.resize(cutout, (width, height), interpolation=interpolation)
        template = np.asarray(cv2.GaussianBlur(sharp, (0, 0), SMOOTHING_PX), np.uint8)
        shown = template[template[:, :, 3] >= OPAQUE][:, :3]
        if not len(shown):
            return None
        corner_from, corner_to = self._corners(width, height, near, reach)
        rms = self._rms_everywhere(template, (corner_from, corner_to))
        row, column = np.unravel_index(int(np.argmin(rms)), rms.shape)
        if not np.isfinite(rms[row, column]):
            return None
        right, down = _lowest_beside(rms[row, :], int(column)), _lowest_beside(rms[:, column], int(row))
        x = (corner_from[0] + column + right + width / 2) / self.shrink - 0.5 + self.change.x
        y = (corner_from[1] + row + down + height / 2) / self.shrink - 0.5 + self.change.y
        return Landing(
            x=float(x),
            y=float(y),
            width=width / self.shrink,
            height=height / self.shrink,
            scale=float(scale),
            rms=float(rms[row, column]),
            contrast=float(shown.std(axis=0).mean()),
        )

    def _corners(self, width: int, height: int, near: tuple[float, float] | None, reach: int) -> Corners:
        """The first and last (x, y) in this region at which the template's top-left pixel is tried."""
        if near is None:
            return (-width // 2, -height // 2), (self.pixels.shape[1] - width // 2, self.pixels.shape[0] - height // 2)
        x = round((near[0] + 0.5 - self.change.x) * self.shrink - width / 2)
        y = round((near[1] + 0.5 - self.change.y) * self.shrink - height / 2)
        return (x - reach, y - reach), (x + reach, y + reach)

    def _rms_everywhere(self, template: Cutout, corners: Corners) -> Plane:
        """Root mean square difference between the opaque part of a template and this region, for every place.

        Args:
            template: (h, w, 4) uint8, RGBA.
            corners: the first and the last (x, y) of the template's top-left pixel; may lie beyond the region.

        Returns:
            (rows, columns), one entry a place; pixels out of sight differ by HIDDEN_LEVELS; inf where less than
            LEAST_SEEN of the template lies on what has changed.
        """
        visible = _window(self.visible, template, corners)
        opaque = (template[:, :, 3] >= OPAQUE).astype(np.float32)
        whole = max(float(opaque.sum()), 1.0)
        squares = HIDDEN_LEVELS**2 * 3 * np.maximum(whole - _correlate(visible, opaque), 0)
        colours = _window(self.pixels, template, corners)
        own = template[:, :, :3].astype(np.float32) * opaque[:, :, None]
        squares += _correlate(visible * np.square(colours).sum(axis=2), opaque)
        squares -= 2 * _correlate(visible[:, :, None] * colours, own)
        squares += _correlate(visible, (own * template[:, :, :3]).sum(axis=2))
        appeared = _correlate(_window(self.changed, template, corners), opaque)
        rms = np.sqrt(np.maximum(squares, 0) / (3 * whole))
        return np.asarray(np.where(appeared >= LEAST_SEEN * whole, rms, np.inf), np.float32)


def _lowest_beside(values: Plane, index: int) -> float:
    """How far from its lowest value a row of values is lowest, by the parabola through its neighbours; -0.5 to 0.5."""
    if not 0 < index < len(values) - 1:
        return 0.0
    left, middle, right = (float(value) ** 2 for value in values[index - 1 : index + 2])
    bend = left - 2 * middle + right
    return 0.5 * (left - right) / bend if np.isfinite(bend) and bend > 0 else 0.0


def _window(plane: Plane, template: Cutout, corners: Corners) -> Plane:
    """What the template can lie on when its corner runs over these places; zeros beyond the plane."""
    (x_from, y_from), (x_to, y_to) = corners
    x_end, y_end = x_to + template.shape[1], y_to + template.shape[0]
    top, left = max(0, -y_from), max(0, -x_from)
    inside = plane[max(0, y_from) : max(0, y_end), max(0, x_from) : max(0, x_end)]
    window = np.zeros((y_end - y_from, x_end - x_from, *plane.shape[2:]), np.float32)
    window[top : top + inside.shape[0], left : left + inside.shape[1]] = inside
    return window


def _correlate(picture: Plane, template: Plane) -> Plane:
    return np.asarray(cv2.matchTemplate(picture.astype(np.float32), template, cv2.TM_CCORR), np.float32)
