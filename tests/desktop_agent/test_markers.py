"""Whether a plain screen is found by the markers that it shows for a moment."""

from collections.abc import Sequence

import cv2
import numpy as np
import pytest

from demo.monitor_camera import Pose, photograph
from desktop_agent.mapping import Fit, Mapping
from desktop_agent.markers import (
    COLUMNS,
    FEWEST_MARKERS,
    IN_CELL,
    ROWS,
    Agreed,
    choose,
    draw_markers,
    find_point_by_markers,
    place_markers,
)
from desktop_agent.overlay_message import Patch
from desktop_agent.pictures import Picture
from desktop_agent.screenshot import Screenshot
from protocol.errors import AimBesideScreen, ScreenNotInView
from protocol.geometry import ScreenPoint
from tests.conftest import draw_screen

AIM = ScreenPoint(700, 330)
SIZE = (960, 720)


def plain(level: int = 255, width: int = 1280, height: int = 800) -> Picture:
    return np.full((height, width, 3), level, np.uint8)


def lay(screenshot: Screenshot, patches: Sequence[Patch]) -> Picture:
    """What the screen shows with patches over it."""
    shown = screenshot.pixels.copy()
    for patch in patches:
        height, width = patch.pixels.shape[:2]
        left, top = round((patch.x - screenshot.left) * patch.scale), round((patch.y - screenshot.top) * patch.scale)
        shown[top : top + height, left : left + width] = patch.pixels[:, :, :3]
    return shown


def with_markers(screenshots: Sequence[Screenshot], index: int = 0) -> Picture:
    return lay(screenshots[index], draw_markers(screenshots[index], place_markers(screenshots)[index]))


def bend(view: Picture, share: float) -> Picture:
    """The same view through a lens that bends what is half a long side from the middle by that share of it."""
    height, width = view.shape[:2]
    middle, reach = ((width - 1) / 2, (height - 1) / 2), max(width, height) / 2
    y, x = np.mgrid[:height, :width].astype(np.float32)
    u, v = (x - middle[0]) / reach, (y - middle[1]) / reach
    stretch = 1 + share * (u**2 + v**2)
    bent = cv2.remap(view, u * stretch * reach + middle[0], v * stretch * reach + middle[1], cv2.INTER_LINEAR)
    return np.asarray(bent, np.uint8)


def find(view: Picture, screenshots: Sequence[Screenshot]) -> ScreenPoint:
    return find_point_by_markers(view, screenshots, place_markers(screenshots)).screen_point


@pytest.mark.parametrize(("level", "roll_deg"), [(255, 4.0), (128, 94.0), (30, 180.0), (0, -20.0)])
def test_an_empty_page_is_found_by_its_markers(level: int, roll_deg: float) -> None:
    screenshots = [Screenshot(plain(level), 0, 0)]
    view = photograph(with_markers(screenshots), AIM, SIZE, Pose(roll_deg=roll_deg), seed=3)
    assert find(view, screenshots).distance_to(AIM) < 1.0


@pytest.mark.parametrize("share", [0.18, 0.4, 2.2])
def test_markers_are_found_near_and_far(share: float) -> None:
    screenshots = [Screenshot(plain(), 0, 0)]
    view = photograph(with_markers(screenshots), AIM, SIZE, Pose(screen_in_view=share), seed=3)
    assert find(view, screenshots).distance_to(AIM) < 1.0


def test_markers_are_found_in_a_shaken_view() -> None:
    screenshots = [Screenshot(plain(), 0, 0)]
    view = photograph(with_markers(screenshots), AIM, SIZE, Pose(), seed=3)
    shaken = np.asarray(cv2.blur(view, (13, 5)), np.uint8)
    assert find(shaken, screenshots).distance_to(AIM) < 2.0


@pytest.mark.parametrize(("shaken_px", "off_px"), [(21, 0.3), (27, 1.5)])
def test_markers_whose_corners_are_smeared_are_found_exactly(shaken_px: int, off_px: float) -> None:
    screenshots = [Screenshot(plain(), 0, 0)]
    view = photograph(with_markers(screenshots), AIM, (1600, 1200), Pose(screen_in_view=0.6), seed=3)
    shaken = np.asarray(cv2.filter2D(view, -1, np.eye(shaken_px) / shaken_px), np.uint8)
    assert find(shaken, screenshots).distance_to(AIM) < off_px


def test_a_lens_that_bends_makes_markers_no_less_exact() -> None:
    screenshots = [Screenshot(plain(), 0, 0)]
    view = bend(photograph(with_markers(screenshots), AIM, SIZE, Pose(screen_in_view=0.9), seed=3), 0.025)
    found = find_point_by_markers(view, screenshots, place_markers(screenshots))
    assert found.screen_point.distance_to(AIM) < 0.5
    assert found.radius_95 < 1.0


def test_lines_below_a_marker_do_not_hide_it() -> None:
    sheet = plain()
    sheet[::20] = 190
    sheet[:, ::64] = 190
    screenshots = [Screenshot(sheet, 0, 0)]
    view = photograph(with_markers(screenshots), AIM, SIZE, Pose(), seed=3)
    assert find(view, screenshots).distance_to(AIM) < 1.0


def test_markers_say_which_of_two_equal_monitors_it_is() -> None:
    screenshots = [Screenshot(plain(), 0, 0), Screenshot(plain(), 1280, 0)]
    view = photograph(with_markers(screenshots, 1), AIM, SIZE, Pose(), seed=3)
    assert find(view, screenshots).distance_to(ScreenPoint(1280 + AIM.x, AIM.y)) < 1.0


def test_strays_that_happen_to_fit_well_on_another_monitor_are_outvoted() -> None:
    screenshots = [Screenshot(plain(), 0, 0), Screenshot(plain(), 1280, 0)]
    mapping = Mapping(np.eye(3), 0.0, (1, 1))
    strays, rough, close = (
        Agreed(Fit(mapping, np.zeros(8), np.eye(2) * spread_px), count, (), screenshots[index])
        for spread_px, count, index in ((0.01, FEWEST_MARKERS, 1), (9.0, 7, 0), (1.0, 6, 0))
    )
    assert choose([strays, rough, close]) is close


def test_scale_and_turn_are_found_too() -> None:
    screenshots = [Screenshot(plain(), 0, 0)]
    pose = Pose(yaw_deg=0, pitch_deg=0, roll_deg=20, screen_in_view=0.6)
    view = photograph(with_markers(screenshots), AIM, SIZE, pose, seed=3)
    found = find_point_by_markers(view, screenshots, place_markers(screenshots))
    assert found.scale == pytest.approx(0.6 * 1280 / 960, rel=0.01)
    assert found.turn_deg == pytest.approx(-20, abs=0.5)
    assert found.probability > 0.99


def test_a_screen_without_markers_is_not_found_by_them() -> None:
    screenshots = [Screenshot(draw_screen(seed=4), 0, 0)]
    view = photograph(screenshots[0].pixels, AIM, SIZE, Pose(), seed=3)
    with pytest.raises(ScreenNotInView):
        find(view, screenshots)


def test_one_marker_is_no_evidence() -> None:
    screenshots = [Screenshot(plain(), 0, 0)]
    marker = place_markers(screenshots)[0][:1]
    view = photograph(lay(screenshots[0], draw_markers(screenshots[0], marker)), ScreenPoint(90, 90), SIZE, Pose(), 3)
    with pytest.raises(ScreenNotInView):
        find(view, screenshots)


def test_markers_in_other_places_than_these_are_no_evidence() -> None:
    screenshots = [Screenshot(plain(), 0, 0)]
    placed = place_markers(screenshots)[0]
    shuffled = [
        Patch(there.x, there.y, here.pixels)
        for here, there in zip(
            draw_markers(screenshots[0], placed), reversed(draw_markers(screenshots[0], placed)), strict=True
        )
    ]
    view = photograph(lay(screenshots[0], shuffled), AIM, SIZE, Pose(), seed=3)
    with pytest.raises(ScreenNotInView):
        find(view, screenshots)


def test_a_centre_beside_the_screen_is_refused() -> None:
    screenshots = [Screenshot(plain(), 0, 0)]
    view = photograph(with_markers(screenshots), ScreenPoint(-60, 300), SIZE, Pose(), seed=3)
    with pytest.raises(AimBesideScreen):
        find(view, screenshots)


def test_no_two_monitors_share_a_marker_and_a_monitor_too_many_has_none() -> None:
    placed = place_markers([Screenshot(plain(), 1280 * index, 0) for index in range(9)])
    numbers = [marker.number for markers in placed.values() for marker in markers]
    assert len(set(numbers)) == len(numbers) == COLUMNS * ROWS * IN_CELL * len(placed)
    assert len(placed) == 7


def test_markers_lie_within_a_monitor_that_stands_upright() -> None:
    screenshot = Screenshot(plain(width=1080, height=1920), 0, 0)
    corners = np.concatenate([marker.corners for marker in place_markers([screenshot])[0]])
    assert corners.min() > 0
    assert corners[:, 0].max() < 1080
    assert corners[:, 1].max() < 1920


def test_markers_are_faint() -> None:
    screenshot = Screenshot(plain(240), 0, 0)
    assert np.abs(with_markers([screenshot]).astype(int) - 240).max() < 45
