"""view + screen + rough mapping -> the mapping to a fraction of a pixel.

The screen is laid into the view as the rough mapping says, and small patches of it are followed to where they really
are (Lucas and Kanade 1981; in pyramids, Bouguet 2000).
"""

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from desktop_agent.features import Grey, Points
from desktop_agent.homography import Matrix, apply
from desktop_agent.mapping import Fit, Mapping, Reals, fit
from desktop_agent.ready_screen import FRAME_GREY, FRAME_PX, ReadyScreen
from protocol.errors import ScreenNotInView

FARTHEST_PX = 1e5  # from the screen that a place is told
SEEN_FRAME_PX = 12  # of the frame around a screen: no monitor's is narrower
GRID_PX = 16  # side of the cells in whose centres the mapping is worked out; between them it is as good as straight
AVERAGED = 0.45  # of a view pixel's footprint: the deviation of the smoothing that does the same
GAMMA = 2.2  # of screens and photos: what blurs, blurs light, and would shift edges of grey levels
CONTRAST_PX = 25  # side of the squares over which brightness and contrast are evened out
LIGHT = (255 * (np.arange(256, dtype=np.float32) / 255) ** GAMMA).astype(np.float32)
CONTRAST_FLOOR = 5.0  # grey levels: noise that is not to be brought up
PATCH_PX = 21
PATCHES_APART_PX = 9.0
MOST_PATCHES = 400
WEAKEST_CORNER = 0.0005  # of the strongest
ENOUGH_CORNERS = 150  # no edges are needed then
EDGE_CELL_PX = 20  # one edge in each cell of a grid
EDGE_STRAIGHT = 0.05  # of the stronger eigenvalue of the structure tensor: the weaker one of a straight edge
EDGE_STRENGTH = 5e-4  # the stronger eigenvalue, of black and white 1 apart
EDGE_BLOCK_PX = 9  # side of the squares whose structure is one
EDGE_PX, EDGE_SEARCH_PX, EDGE_ALONG_PX = 8, 6, 8  # compared across it, searched, and averaged along it, to each side
EDGE_SAY = 0.3  # beside that of a corner: blur shifts edges towards their dark side, all of them alike
EDGE_ALIKE = 0.85  # correlation of two profiles of the same edge
BACK_PX = 0.7  # a patch followed there and back must return so near
FEWEST_PATCHES = 12

Box = tuple[int, int, int, int]  # left, top, width, height, in a view's pixels
Corners = npt.NDArray[np.float32]  # (N, 1, 2), as OpenCV likes them
Mask = npt.NDArray[np.uint8]  # (H, W), 0 or 255
Plane = npt.NDArray[np.float32]  # (H, W)


@dataclass(frozen=True)
class Followed:
    """Patches of the screen, and where they were found in the view; corners first, then stretches of straight edges."""

    points_screen: Points  # (N, 2)
    points_view: Points  # (N, 2)
    knowing: Reals  # (N, 2, 2): projects a residual onto the directions that the patch knows: an edge, across itself

    @property
    def is_corner(self) -> npt.NDArray[np.bool_]:
        """Which of them know both directions: (N,)."""
        return np.asarray(np.trace(self.knowing, axis1=1, axis2=2) > 1.5)

    def moved(self, view_from_here: Matrix) -> "Followed":
        """The same, in the pixels of the same view in another size."""
        return Followed(self.points_screen, apply(view_from_here, self.points_view), self.knowing)

    def joined(self, other: "Followed") -> "Followed":
        """These and others."""
        return Followed(
            np.concatenate([self.points_screen, other.points_screen]),
            np.concatenate([self.points_view, other.points_view]),
            np.concatenate([self.knowing, other.knowing]),
        )


def lay_into_view(screen: ReadyScreen, mapping: Mapping, box: Box) -> tuple[Grey, Mask]:
    """What the view should show inside the box, and where that is screen or the frame around it: two (h, w)."""
    coarse = _places(mapping, box)
    steps = np.hypot(*np.diff(coarse, axis=1).reshape(-1, 2).T)
    step = float(np.median(steps[steps > 0])) / GRID_PX if steps.any() else 0.0  # screen pixels in a view's
    height, width = screen.framed.shape
    low = np.clip(coarse.min(axis=(0, 1)) - 8, 0, (width - 2, height - 2)).astype(int)
    high = np.clip(coarse.max(axis=(0, 1)) + 9, low + 2, (width, height)).astype(int)
    part, shrink = np.asarray(screen.framed[low[1] : high[1], low[0] : high[0]]), 1.0
    while step / shrink > 2 and min(part.shape) > 2:
        part, shrink = _halve(part), 2 * shrink
    if step / shrink > 0.8:
        part = np.asarray(cv2.GaussianBlur(part, (0, 0), AVERAGED * step / shrink), np.uint8)
    x, y = (_enlarge(places, box) for places in np.moveaxis((coarse - low + 0.5) / shrink - 0.5, 2, 0))
    laid = cv2.remap(part, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT, borderValue=FRAME_GREY)
    hidden = FRAME_PX - SEEN_FRAME_PX
    (left, top), (right, bottom) = (hidden - low) / shrink, ((width - hidden, height - hidden) - low) / shrink
    is_seen = cv2.bitwise_and(cv2.inRange(x, left, right), cv2.inRange(y, top, bottom))
    return np.asarray(laid, np.uint8), np.asarray(is_seen, np.uint8)


def _halve(grey: Grey) -> Grey:
    return np.asarray(cv2.resize(grey, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA), np.uint8)


def _places(mapping: Mapping, box: Box) -> npt.NDArray[np.float64]:
    """For the centres of GRID_PX x GRID_PX cells over the box and around it, their places on the framed screen.

    Returns:
        (rows, columns, 2).
    """
    left, top, width, height = box
    x = left + GRID_PX * (np.arange(-1, -(-width // GRID_PX) + 1) + 0.5) - 0.5
    y = top + GRID_PX * (np.arange(-1, -(-height // GRID_PX) + 1) + 0.5) - 0.5
    grid = np.stack(np.meshgrid(x, y), axis=-1)
    points = grid.reshape(-1, 2)
    places = np.where(mapping.is_below_horizon(points)[:, None], mapping.to_screen(points) + FRAME_PX, FARTHEST_PX)
    return np.asarray(np.clip(places, -FARTHEST_PX, FARTHEST_PX)).reshape(grid.shape)


def _enlarge(of_cells: npt.NDArray[np.float64], box: Box) -> npt.NDArray[np.float32]:
    """From a value for each cell to one for each pixel of the box: (h, w)."""
    of_pixels = cv2.resize(of_cells.astype(np.float32), None, fx=GRID_PX, fy=GRID_PX, interpolation=cv2.INTER_LINEAR)
    return np.ascontiguousarray(of_pixels[GRID_PX : GRID_PX + box[3], GRID_PX : GRID_PX + box[2]], np.float32)


def even_out(grey: Grey) -> Grey:
    """The same picture with brightness and contrast the same everywhere, so that light and exposure do not matter."""
    light = cv2.LUT(grey, LIGHT)
    mean = cv2.blur(light, (CONTRAST_PX, CONTRAST_PX))
    variance = cv2.blur(light * light, (CONTRAST_PX, CONTRAST_PX)) - mean * mean
    deviation = cv2.sqrt(np.maximum(variance, 0)) + CONTRAST_FLOOR
    return np.asarray(np.clip((light - mean) / deviation * 48 + 128, 0, 255), np.uint8)


def follow(grey_view: Grey, screen: ReadyScreen, mapping: Mapping, levels: int, box: Box | None = None) -> Followed:
    """Find patches of the screen in the view, near where the mapping says.

    Args:
        grey_view: (H, W) uint8, of the mapping's size.
        screen: the screen.
        mapping: wrong by no more than a patch and 2^levels can bridge.
        levels: of the pyramid, beside the picture itself.
        box: the part of the view to look at; without one, all of it.
    """
    left, top, width, height = box = box or (0, 0, *mapping.size)
    laid, is_seen = lay_into_view(screen, mapping, box)
    expected, seen = even_out(laid), even_out(grey_view[top : top + height, left : left + width])
    mask = np.asarray(cv2.erode(is_seen, np.ones((9, 9), np.uint8)), np.uint8)
    corners_here, corners_there = _follow_corners(expected, seen, mask, levels)
    offset = np.array([left, top], np.float64)
    both_ways = np.tile(np.eye(2), (len(corners_here), 1, 1))
    corners = Followed(mapping.to_screen(corners_here + offset), corners_there + offset, both_ways)
    if len(corners_here) >= ENOUGH_CORNERS:
        return corners
    edges_here, shifts, normals = _follow_edges(expected, seen, mask)
    edges_there = edges_here + shifts[:, None] * normals
    across = EDGE_SAY * normals[:, :, None] * normals[:, None, :]
    return corners.joined(Followed(mapping.to_screen(edges_here + offset), edges_there + offset, across))


def shift(grey_view: Grey, screen: ReadyScreen, mapping: Mapping) -> tuple[Mapping, float]:
    """Move a mapping by as much as the view has moved as a whole (phase correlation, Kuglin and Hines 1975).

    Args:
        grey_view: (H, W) uint8, of the mapping's size.
        screen: the screen.
        mapping: of the view before.

    Returns:
        The mapping, and how alike the two are then: 1 for the same picture, near 0 for another; what is blank is alike.
    """
    if min(mapping.size) < 2:
        return mapping, 0.0  # nothing can be seen to move
    laid, _ = lay_into_view(screen, mapping, (0, 0, *mapping.size))
    expected, seen = (even_out(picture).astype(np.float32) for picture in (laid, grey_view))
    window = cv2.createHanningWindow((expected.shape[1], expected.shape[0]), cv2.CV_32F)
    (x, y), alike = cv2.phaseCorrelate(expected, seen, window)
    moved = np.array([[1.0, 0, x], [0, 1.0, y], [0, 0, 1.0]])
    return Mapping(moved @ mapping.view_from_screen, mapping.bend, mapping.size), alike


def _follow_corners(expected: Grey, seen: Grey, mask: Mask, levels: int) -> tuple[Points, Points]:
    """Where patches that are distinct in every direction are, and where they were found."""
    chosen = cv2.goodFeaturesToTrack(expected, MOST_PATCHES, WEAKEST_CORNER, PATCHES_APART_PX, mask=mask, blockSize=7)
    if chosen is None:
        return np.empty((0, 2)), np.empty((0, 2))
    corners = np.asarray(chosen, np.float32)
    found, is_found = _track(expected, seen, corners, corners, levels)
    back, is_back = _track(seen, expected, found, corners, 0)
    good = is_found & is_back & (np.hypot(*(back - corners)[:, 0].T) < BACK_PX)
    return corners[good, 0].astype(np.float64), found[good, 0].astype(np.float64)


def _follow_edges(expected: Grey, seen: Grey, mask: Mask) -> tuple[Points, Reals, Points]:
    """Where stretches of straight edges are, how far across themselves they were found, and which way that is."""
    points, normals = _choose_edges(expected, mask)
    if not len(points):
        return points, np.empty(0), normals
    here = _profiles(expected, points, normals, EDGE_PX)
    there = _profiles(seen, points, normals, EDGE_PX + EDGE_SEARCH_PX)
    alike = np.stack([_zncc(here, there[:, s : s + here.shape[1]]) for s in range(2 * EDGE_SEARCH_PX + 1)], axis=1)
    best = alike.argmax(axis=1)
    is_inside = (best > 0) & (best < 2 * EDGE_SEARCH_PX)
    good = np.flatnonzero(is_inside & (alike.max(axis=1) > EDGE_ALIKE))
    before, at, after = (alike[good, best[good] + d] for d in (-1, 0, 1))
    shifts = best[good] - EDGE_SEARCH_PX + 0.5 * (before - after) / np.minimum(before - 2 * at + after, -1e-9)
    return points[good], shifts, normals[good]


def _choose_edges(picture: Grey, mask: Mask) -> tuple[Points, Points]:
    """The strongest straight edge of each cell of a grid: its place and its normal, two (N, 2)."""
    xx, yy, xy = _tensor(picture)
    mean, spread = (xx + yy) / 2, cv2.magnitude((xx - yy) / 2, xy)
    strength = np.where((mean - spread < EDGE_STRAIGHT * (mean + spread)) & (mask > 0), mean + spread, 0)
    rows, columns = strength.shape[0] // EDGE_CELL_PX, strength.shape[1] // EDGE_CELL_PX
    whole = strength[: rows * EDGE_CELL_PX, : columns * EDGE_CELL_PX]
    by_cell = whole.reshape(rows, EDGE_CELL_PX, columns, EDGE_CELL_PX).swapaxes(1, 2)
    cells = by_cell.reshape(rows * columns, -1)
    within = cells.argmax(axis=1)
    index = np.flatnonzero(cells.max(axis=1) > EDGE_STRENGTH)
    y = index // columns * EDGE_CELL_PX + within[index] // EDGE_CELL_PX
    x = index % columns * EDGE_CELL_PX + within[index] % EDGE_CELL_PX
    angle = np.arctan2(2 * xy[y, x], xx[y, x] - yy[y, x]) / 2  # of the stronger direction
    return np.stack([x, y], axis=1).astype(np.float64), np.stack([np.cos(angle), np.sin(angle)], axis=1)


def _tensor(picture: Grey) -> tuple[Plane, Plane, Plane]:
    """The structure tensor around each pixel, three (H, W): its xx, yy and xy."""
    dx, dy = (cv2.Sobel(picture, cv2.CV_32F, x, y, ksize=3, scale=1 / (8 * 255)) for x, y in ((1, 0), (0, 1)))
    xx, yy, xy = (cv2.blur(product, (EDGE_BLOCK_PX, EDGE_BLOCK_PX)) for product in (dx * dx, dy * dy, dx * dy))
    return np.asarray(xx), np.asarray(yy), np.asarray(xy)


def _profiles(picture: Grey, points: Points, normals: Points, reach: int) -> Reals:
    """Grey levels across each edge, averaged along it: (N, 2 reach + 1)."""
    tangents = np.stack([-normals[:, 1], normals[:, 0]], axis=1)
    across = np.arange(-reach, reach + 1)[None, None, :, None] * normals[:, None, None, :]
    along = np.arange(-EDGE_ALONG_PX, EDGE_ALONG_PX + 1, 2)[None, :, None, None] * tangents[:, None, None, :]
    places = (points[:, None, None, :] + across + along).astype(np.float32)
    flat = places.reshape(len(points), -1, 2)
    sampled = cv2.remap(picture, flat[..., 0], flat[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(np.asarray(sampled).reshape(places.shape[:3]).mean(axis=1))


def _zncc(one: Reals, other: Reals) -> Reals:
    one, other = one - one.mean(axis=1, keepdims=True), other - other.mean(axis=1, keepdims=True)
    return np.asarray((one * other).sum(axis=1) / np.sqrt((one**2).sum(axis=1) * (other**2).sum(axis=1) + 1e-6))


def _track(
    one: Grey, other: Grey, corners: Corners, guess: Corners, levels: int
) -> tuple[Corners, npt.NDArray[np.bool_]]:
    """Where patches of the one picture are in the other, and which of them were found."""
    flags, until = cv2.OPTFLOW_USE_INITIAL_FLOW, (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, 20, 0.01)
    found, is_found, _errors = cv2.calcOpticalFlowPyrLK(
        one, other, corners, guess.copy(), winSize=(PATCH_PX, PATCH_PX), maxLevel=levels, criteria=until, flags=flags
    )
    return np.asarray(found, np.float32), is_found.ravel() > 0


def align(
    grey_view: Grey, screen: ReadyScreen, mapping: Mapping, levels: int, outlier_px: float
) -> tuple[Fit, Followed]:
    """Follow, then fit.

    Raises:
        ScreenNotInView: too few patches were found.
    """
    followed = follow(grey_view, screen, mapping, levels)
    if followed.is_corner.sum() < FEWEST_PATCHES:
        raise ScreenNotInView
    return fit(mapping, followed.points_view, followed.points_screen, followed.knowing, outlier_px), followed
