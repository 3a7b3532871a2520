import cv2
import numpy as np
import pytest

from demo.monitor_camera import Pose, photograph
from desktop_agent.locate import find_screen_point
from desktop_agent.pictures import Picture
from desktop_agent.ready_screen import ReadyScreen, make_ready
from desktop_agent.screenshot import Screenshot
from protocol.errors import AimBesideScreen, CopyPasteError, ScreenTooPlain, ViewTooBlurred
from protocol.geometry import ScreenPoint
from tests.conftest import draw_screen

VIEW_SIZE = (960, 720)


@pytest.fixture(scope="module")
def ready(screen: Picture) -> ReadyScreen:
    return make_ready(Screenshot(screen, 0, 0))


def take_view(screen: Picture, aim: ScreenPoint, pose: Pose = Pose()) -> Picture:  # noqa: B008  # it is frozen
    return photograph(screen, aim, VIEW_SIZE, pose, seed=3)


@pytest.mark.parametrize("aim", [ScreenPoint(300, 250), ScreenPoint(640, 400), ScreenPoint(1000, 600)])
def test_the_point_under_the_camera_is_found_within_a_pixel_and_a_half(
    screen: Picture, ready: ReadyScreen, aim: ScreenPoint
) -> None:
    found = find_screen_point(take_view(screen, aim), [ready])
    assert found.screen_point.distance_to(aim) < 1.5


@pytest.mark.parametrize("roll_deg", [90.0, 180.0, -90.0])
def test_a_phone_may_be_held_any_way_up(screen: Picture, ready: ReadyScreen, roll_deg: float) -> None:
    aim = ScreenPoint(600, 380)
    view = take_view(screen, aim, Pose(roll_deg=roll_deg))
    assert find_screen_point(view, [ready]).screen_point.distance_to(aim) < 1.5


def test_the_scale_is_the_screen_pixels_in_a_view_pixel(screen: Picture, ready: ReadyScreen) -> None:
    aim = ScreenPoint(640, 400)
    view = take_view(screen, aim, Pose(yaw_deg=0, pitch_deg=0, roll_deg=0, screen_in_view=0.75))
    found = find_screen_point(view, [ready])
    assert found.scale == pytest.approx(0.75 * 1280 / 960, rel=0.01)


def test_a_large_view_has_its_scale_in_its_own_pixels(screen: Picture, ready: ReadyScreen) -> None:
    view = take_view(screen, ScreenPoint(640, 400))
    large = np.asarray(cv2.resize(view, None, fx=2, fy=2), np.uint8)
    small_found, large_found = (find_screen_point(each, [ready]) for each in (view, large))
    assert large_found.scale == pytest.approx(small_found.scale / 2, rel=0.02)


def test_the_right_one_of_two_monitors_is_found_wherever_it_lies(screen: Picture, ready: ReadyScreen) -> None:
    left_of_it = Screenshot(draw_screen(seed=2), -1280, 0)
    aim_on_left = ScreenPoint(500, 300)
    found = find_screen_point(take_view(left_of_it.pixels, aim_on_left), [ready, make_ready(left_of_it)])
    assert found.screen_point.distance_to(ScreenPoint(500 - 1280, 300)) < 1.5


def test_another_screen_is_refused(screen: Picture, ready: ReadyScreen) -> None:
    view = take_view(draw_screen(seed=3), ScreenPoint(640, 400))
    with pytest.raises(CopyPasteError) as refusal:
        find_screen_point(view, [ready])
    assert refusal.value.code in {"screen_not_in_view", "screen_differs"}


def test_a_wall_is_refused() -> None:
    wall = np.random.default_rng(0).integers(120, 140, (720, 960, 3)).astype(np.uint8)
    with pytest.raises(CopyPasteError) as refusal:
        find_screen_point(wall, [make_ready(Screenshot(draw_screen(seed=1), 0, 0))])
    assert refusal.value.status == 422


def test_an_aim_beside_the_screen_is_refused(screen: Picture, ready: ReadyScreen) -> None:
    view = take_view(screen, ScreenPoint(-40, 400))
    with pytest.raises(AimBesideScreen):
        find_screen_point(view, [ready])


def test_a_blurred_view_is_refused_as_such(screen: Picture, ready: ReadyScreen) -> None:
    view = np.asarray(cv2.GaussianBlur(take_view(screen, ScreenPoint(640, 400)), (0, 0), 14), np.uint8)
    with pytest.raises(ViewTooBlurred):
        find_screen_point(view, [ready])


def test_a_blank_screen_is_refused_as_such(screen: Picture) -> None:
    blank = np.full_like(screen, 255)
    view = take_view(screen, ScreenPoint(640, 400))
    with pytest.raises(ScreenTooPlain):
        find_screen_point(view, [make_ready(Screenshot(blank, 0, 0))])


@pytest.mark.parametrize("roll_deg", [0.0, 90.0, -120.0])
def test_the_turn_is_how_far_what_is_upright_in_the_view_is_turned_on_the_screen(
    screen: Picture, ready: ReadyScreen, roll_deg: float
) -> None:
    view = take_view(screen, ScreenPoint(600, 380), Pose(yaw_deg=0, pitch_deg=0, roll_deg=roll_deg))
    found = find_screen_point(view, [ready])
    assert found.turn_deg == pytest.approx(-roll_deg, abs=0.5)


def test_what_was_found_a_moment_ago_leads_to_the_next_point(screen: Picture, ready: ReadyScreen) -> None:
    before = find_screen_point(take_view(screen, ScreenPoint(600, 380)), [ready])
    aim = ScreenPoint(610, 372)
    found = find_screen_point(take_view(screen, aim), [ready], near=before)
    assert found.screen_point.distance_to(aim) < 1.5


def test_what_was_found_a_moment_ago_need_not_hold_any_more(screen: Picture, ready: ReadyScreen) -> None:
    before = find_screen_point(take_view(screen, ScreenPoint(300, 250)), [ready])
    aim = ScreenPoint(1000, 600)
    found = find_screen_point(take_view(screen, aim, Pose(roll_deg=90)), [ready], near=before)
    assert found.screen_point.distance_to(aim) < 1.5
