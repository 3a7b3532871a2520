"""view + what was found in it -> a picture that shows why: for whoever wonders."""

import textwrap

import cv2
import numpy as np

from desktop_agent.features import Points
from desktop_agent.homography import apply
from desktop_agent.locate import Answer
from desktop_agent.mapping import scaling
from desktop_agent.pictures import Picture
from desktop_agent.search import CLOSE_PX

HEIGHT_PX = 900
GAP_PX = 8
LETTER_PX, LINE_PX = 15, 36
GREEN, RED, BLUE, YELLOW = (40, 200, 60), (230, 50, 50), (60, 120, 255), (255, 210, 0)
MOST_LINES = 60


def draw_debug_picture(view: Picture, answer: Answer | None, told: str = "") -> Picture:
    """View and screenshot side by side, with the patches that were followed, the screen's outline and the point.

    Green is where the mapping says, red where not; a line joins the two places of some of the green ones.

    Args:
        view: (H, W, 3) uint8, RGB.
        answer: what was found in it, right or wrong; without it, only the view is drawn.
        told: a sentence to write below.

    Returns:
        (900, W, 3) uint8, RGB.
    """
    picture = _draw_answer(view, answer) if answer else _scale(view)[0]
    lines = textwrap.wrap(told, picture.shape[1] // LETTER_PX)
    for index, line in enumerate(lines):
        place = (GAP_PX, HEIGHT_PX - LINE_PX * (len(lines) - index) + LINE_PX // 2)
        for colour, thickness in (((0, 0, 0), 5), (YELLOW, 2)):
            cv2.putText(picture, line, place, cv2.FONT_HERSHEY_SIMPLEX, 0.8, colour, thickness, cv2.LINE_AA)
    return picture


def _draw_answer(view: Picture, answer: Answer) -> Picture:
    screenshot = answer.candidate.screen.screenshot.pixels
    mapping, followed = answer.refined.mapping, answer.candidate.followed
    left, left_from_view = _scale(view)
    right, right_from_screen = _scale(screenshot)
    left_from_mapping = left_from_view @ scaling(mapping.size, (view.shape[1], view.shape[0]))
    small = answer.candidate.fit.mapping.size
    left_from_small = left_from_view @ scaling(small, (view.shape[1], view.shape[0]))
    outline = apply(left_from_mapping, mapping.to_view(_outline(screenshot.shape[1], screenshot.shape[0])))
    cv2.polylines(left, [_whole(outline)], True, BLUE, 2, cv2.LINE_AA)
    seen = apply(right_from_screen, mapping.to_screen(_outline(*mapping.size)))
    cv2.polylines(right, [_whole(seen)], True, BLUE, 2, cv2.LINE_AA)
    points_left = apply(left_from_small, followed.points_view)
    points_right = apply(right_from_screen, followed.points_screen)
    is_inlier = answer.candidate.fit.residuals_px < CLOSE_PX
    for point_left, point_right, is_good in zip(_whole(points_left), _whole(points_right), is_inlier, strict=True):
        colour = GREEN if is_good else RED
        cv2.circle(left, point_left.tolist(), 2, colour, -1, cv2.LINE_AA)
        cv2.circle(right, point_right.tolist(), 2, colour, -1, cv2.LINE_AA)
    _mark(left, apply(left_from_view, np.array([[(view.shape[1] - 1) / 2, (view.shape[0] - 1) / 2]])))
    _mark(right, apply(right_from_screen, np.array([mapping.at_centre()])))
    both = np.hstack([left, np.full((HEIGHT_PX, GAP_PX, 3), 255, np.uint8), right])
    inliers = np.flatnonzero(is_inlier)
    for index in inliers[:: max(1, len(inliers) // MOST_LINES)]:
        begin, end = _whole(points_left[index]), _whole(points_right[index] + [left.shape[1] + GAP_PX, 0])
        cv2.line(both, begin.tolist(), end.tolist(), GREEN, 1, cv2.LINE_AA)
    return np.asarray(both, np.uint8)


def _scale(picture: Picture) -> tuple[Picture, np.ndarray]:
    """To HEIGHT_PX, and the mapping into that."""
    size = (round(picture.shape[1] * HEIGHT_PX / picture.shape[0]), HEIGHT_PX)
    scaled = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
    return np.asarray(scaled, np.uint8), scaling((picture.shape[1], picture.shape[0]), size)


def _outline(width: int, height: int) -> Points:
    """Points along a picture's edge: (N, 2); more than its corners, because lenses bend straight lines."""
    share = np.linspace(0, 1, 20)[:-1]
    zero, one = np.zeros_like(share), np.ones_like(share)
    around = [(share, zero), (one, share), (1 - share, one), (zero, 1 - share)]
    return np.concatenate([np.stack(side, axis=1) for side in around]) * (width, height) - 0.5


def _whole(points: Points) -> np.ndarray:
    """Where to draw; far away at most as far as can be drawn."""
    return np.rint(np.clip(np.nan_to_num(points), -20000, 20000)).astype(np.int32)


def _mark(picture: Picture, point: Points) -> None:
    place = _whole(point[0]).tolist()
    cv2.circle(picture, place, 13, (0, 0, 0), 5, cv2.LINE_AA)
    cv2.circle(picture, place, 13, YELLOW, 3, cv2.LINE_AA)
    cv2.drawMarker(picture, place, YELLOW, cv2.MARKER_CROSS, 40, 2)
