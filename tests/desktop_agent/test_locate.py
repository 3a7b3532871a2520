import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from demo.monitor_camera import Pose, photograph, view_from_screen
from desktop_agent.locate import find_screen_point, is_likely, look, see
from desktop_agent.locate.debug_picture import draw_debug_picture
from desktop_agent.mapping import Mapping
from desktop_agent.pictures import Picture
from desktop_agent.ready_screen import ReadyScreen, make_ready
from desktop_agent.screenshot import Screenshot
from protocol.errors import (
    AimBesideScreen,
    CameraTooClose,
    CopyPasteError,
    ScreenAmbiguous,
    ScreenDiffers,
    ScreenNotInView,
    ScreenTooPlain,
    ViewTooBlurred,
    ViewTooDark,
)
from protocol.geometry import ScreenPoint
from tests.conftest import draw_screen
from tests.desktop_agent.rooms import draw_room, view_in_a_room

VIEW_SIZE = (960, 720)
AIM = ScreenPoint(600, 380)
WEAK_SEEDS = (0, 2)


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


def test_a_screen_is_found_in_a_view_that_reaches_beyond_its_horizon(screen: Picture, ready: ReadyScreen) -> None:
    from_the_edge = Pose(yaw_deg=-55, pitch_deg=-42)
    corner = np.array([[VIEW_SIZE[0] - 1.0, 0.0]])
    assert not Mapping(view_from_screen(screen, AIM, VIEW_SIZE, from_the_edge), 0.0, VIEW_SIZE).is_below_horizon(corner)
    found = find_screen_point(take_view(screen, AIM, from_the_edge), [ready])
    assert found.screen_point.distance_to(AIM) < 1.5


def test_what_reaches_beyond_the_horizon_has_no_corners_to_be_steady_by(screen: Picture, ready: ReadyScreen) -> None:
    found, from_the_edge = (
        find_screen_point(take_view(screen, AIM, pose), [ready]) for pose in (Pose(), Pose(yaw_deg=-55, pitch_deg=-42))
    )
    assert (found.reaches_horizon, from_the_edge.reaches_horizon) == (False, True)


@pytest.mark.parametrize("size", [(1, 1), (640, 1), (640, 3), (1, 640), (160, 1), (1280, 8), (2000, 3)])
def test_a_view_of_next_to_nothing_is_refused_while_aiming_too(
    screen: Picture, ready: ReadyScreen, size: tuple[int, int]
) -> None:
    before = find_screen_point(take_view(screen, AIM), [ready])
    view = np.random.default_rng(0).integers(0, 255, (size[1], size[0], 3), np.uint8)
    with pytest.raises(CopyPasteError):
        find_screen_point(view, [ready], near=before)


@pytest.mark.parametrize("size", [(720, 960), (4032, 3024)])
def test_a_view_may_be_upright_and_of_twelve_megapixels(
    screen: Picture, ready: ReadyScreen, size: tuple[int, int]
) -> None:
    aim = ScreenPoint(600, 380)
    view = photograph(screen, aim, size, Pose(), seed=3)
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


@pytest.mark.parametrize(
    ("radius_95", "probability", "expected"),
    [(0.5, 0.8, True), (0.5, 0.7, False), (1.9, 0.94, False), (1.9, 0.98, True), (3.0, 0.94, False), (3.0, 0.98, True)],
)
def test_a_point_that_is_not_exact_must_be_likelier(
    screen: Picture, ready: ReadyScreen, radius_95: float, probability: float, expected: bool
) -> None:
    found = find_screen_point(take_view(screen, ScreenPoint(600, 380)), [ready])
    assert is_likely(replace(found, radius_95=radius_95, probability=probability)) is expected


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


def test_a_point_that_is_likely_but_vague_is_searched_for_to_the_end(screen: Picture) -> None:
    page = np.full_like(screen, 255)
    page[:60] = screen[100:160]
    view = take_view(page, ScreenPoint(640, 480), Pose(screen_in_view=0.9))
    outcome = look(view, [make_ready(Screenshot(page, 0, 0))])
    assert outcome.answers[0].found.probability > 0.9
    assert outcome.answers[0].found.radius_95 > 5
    assert "search finely" in outcome.stages_s


def test_a_sharp_view_of_the_edge_of_a_blank_page_is_not_called_blurred(ready: ReadyScreen) -> None:
    page = np.full((VIEW_SIZE[1], VIEW_SIZE[0], 3), 220, np.uint8)
    page[:, :200] = 120
    with pytest.raises(CameraTooClose):
        find_screen_point(np.asarray(cv2.GaussianBlur(page, (0, 0), 0.7), np.uint8), [ready])


@pytest.mark.parametrize("grey", [255, 30])
def test_a_blank_screen_is_refused_as_such(screen: Picture, grey: int) -> None:
    blank = np.full_like(screen, grey)
    with pytest.raises(ScreenTooPlain):
        find_screen_point(view_in_a_room(blank), [make_ready(Screenshot(blank, 0, 0))])


def test_a_blank_sheet_beside_which_nothing_is_recognised_is_refused_as_too_plain(
    screen: Picture, ready: ReadyScreen
) -> None:
    with pytest.raises(ScreenTooPlain):
        find_screen_point(view_in_a_room(np.full_like(screen, 235)), [ready])


def test_a_room_is_told_to_show_no_screen_whatever_the_screen_shows(screen: Picture, ready: ReadyScreen) -> None:
    for shown in (ready, make_ready(Screenshot(np.full_like(screen, 255), 0, 0))):
        with pytest.raises(CopyPasteError) as refusal:
            find_screen_point(draw_room(), [shown])
        assert type(refusal.value) is ScreenNotInView


@pytest.mark.parametrize("roll_deg", [0.0, 90.0, -120.0])
def test_the_turn_is_how_far_what_is_upright_in_the_view_is_turned_on_the_screen(
    screen: Picture, ready: ReadyScreen, roll_deg: float
) -> None:
    view = take_view(screen, ScreenPoint(600, 380), Pose(yaw_deg=0, pitch_deg=0, roll_deg=roll_deg))
    found = find_screen_point(view, [ready])
    assert found.turn_deg == pytest.approx(-roll_deg, abs=0.5)


def test_views_of_which_none_is_certain_enough_add_up_if_nothing_speaks_against_them(screen: Picture) -> None:
    page = np.full_like(screen, 250)
    page[350:450, 570:710] = screen[300:400, 200:340]  # beside the aim: enough to find it by, not to be sure
    ready, aim = make_ready(Screenshot(page, 0, 0)), ScreenPoint(780, 470)
    first, second = (photograph(page, aim, VIEW_SIZE, Pose(), seed) for seed in WEAK_SEEDS)
    said = see(first, [ready], None)
    assert type(said.refusal) is type(see(second, [ready], None).refusal) is ScreenDiffers
    assert see(second, [ready], said.point).found.screen_point.distance_to(aim) < 3


def test_views_of_another_document_in_the_same_program_do_not_add_up(screen: Picture) -> None:
    other = screen.copy()
    other[200:600, 300:1000] = draw_screen(seed=9)[200:600, 300:1000]
    ready, view = make_ready(Screenshot(other, 0, 0)), take_view(screen, ScreenPoint(640, 400))
    before = find_screen_point(take_view(other, ScreenPoint(640, 400)), [ready])
    assert look(view, [ready], near=before).best is not None
    with pytest.raises(ScreenDiffers):
        find_screen_point(view, [ready], near=before)


def test_a_view_of_another_place_counts_alone(screen: Picture, ready: ReadyScreen) -> None:
    here = find_screen_point(take_view(screen, AIM), [ready])
    elsewhere = take_view(screen, ScreenPoint(960, 600), Pose(roll_deg=90))  # so that the one before leads nowhere
    alone, again = (find_screen_point(elsewhere, [ready], near=near) for near in (None, here))
    assert again.probability == pytest.approx(alone.probability)


def test_what_was_found_a_moment_ago_leads_to_the_next_point(screen: Picture, ready: ReadyScreen) -> None:
    before = find_screen_point(take_view(screen, ScreenPoint(600, 380)), [ready])
    aim = ScreenPoint(610, 372)
    found = find_screen_point(take_view(screen, aim), [ready], near=before)
    assert found.screen_point.distance_to(aim) < 1.5


@pytest.mark.parametrize("size", [(640, 480), VIEW_SIZE])
@pytest.mark.parametrize("pose", [Pose(), Pose(yaw_deg=10, roll_deg=7, screen_in_view=0.9)])
def test_it_leads_there_without_a_search_though_the_phone_was_moved_by_a_fifth_of_the_view(
    screen: Picture, ready: ReadyScreen, size: tuple[int, int], pose: Pose
) -> None:
    before = find_screen_point(take_view(screen, AIM), [ready])
    aim = ScreenPoint(AIM.x + 240, AIM.y - 90)
    found = find_screen_point(photograph(screen, aim, size, pose, seed=3), [ready], near=before)
    assert found.screen_point.distance_to(aim) < 1.5
    assert "track" in found.stages_s
    assert "glance" not in found.stages_s


def draw_table(cell: tuple[int, int]) -> Picture:
    """A sheet of numbers under a bar."""
    random = np.random.default_rng(0)
    sheet = np.full((800, 1280, 3), 250, np.uint8)
    sheet[:60] = (60, 90, 70)
    sheet[60 :: cell[1]] = 190
    sheet[60:, :: cell[0]] = 190
    for x, y in np.ndindex(1280 // cell[0], 740 // cell[1]):
        place = (cell[0] * x + 8, 60 + cell[1] * (y + 1) - 6)
        cv2.putText(sheet, str(random.integers(100, 999)), place, 0, 0.45, (30, 30, 30), 1, cv2.LINE_AA)
    return sheet


@pytest.mark.parametrize("size", [(640, 480), (1280, 960)])
@pytest.mark.parametrize("cell", [(64, 24), (100, 40), (160, 60)])
def test_a_hand_that_moves_by_a_cell_of_a_table_has_moved(cell: tuple[int, int], size: tuple[int, int]) -> None:
    table, close = draw_table(cell), Pose(screen_in_view=0.35)
    ready = make_ready(Screenshot(table, 0, 0))
    before = find_screen_point(photograph(table, ScreenPoint(640, 400), (1280, 960), close, seed=1), [ready])
    aim = ScreenPoint(640 + cell[0], 400 + cell[1])
    found = find_screen_point(photograph(table, aim, size, close, seed=3), [ready], near=before)
    assert found.screen_point.distance_to(aim) < 1.5


def test_what_was_found_a_moment_ago_need_not_hold_any_more(screen: Picture, ready: ReadyScreen) -> None:
    before = find_screen_point(take_view(screen, ScreenPoint(300, 250)), [ready])
    aim = ScreenPoint(1000, 600)
    found = find_screen_point(take_view(screen, aim, Pose(roll_deg=90)), [ready], near=before)
    assert found.screen_point.distance_to(aim) < 1.5


def test_the_same_wallpaper_on_two_monitors_is_ambiguous(screen: Picture, ready: ReadyScreen) -> None:
    twin = make_ready(Screenshot(screen.copy(), 1280, 0))
    with pytest.raises(ScreenAmbiguous):
        find_screen_point(take_view(screen, ScreenPoint(640, 400)), [ready, twin])


def test_of_two_monitors_with_the_same_wallpaper_a_window_tells_which(screen: Picture, ready: ReadyScreen) -> None:
    twin = screen.copy()
    twin[150:650, 350:1000] = draw_screen(seed=9)[150:650, 350:1000]
    aim = ScreenPoint(640, 400)
    found = find_screen_point(take_view(twin, aim), [ready, make_ready(Screenshot(twin, 1280, 0))])
    assert found.screen_point.distance_to(ScreenPoint(640 + 1280, 400)) < 1.5


@pytest.fixture(scope="module")
def twins(screen: Picture) -> Picture:
    """A desktop with the same window twice, and a few icons between and around them."""
    desktop = np.full((800, 1920, 3), (70, 90, 120), np.uint8)
    for x, y in np.random.default_rng(5).integers((0, 660), (1900, 790), (60, 2)).tolist():
        cv2.circle(desktop, (x, y), 4 + x % 8, (x % 256, y % 256, 200), -1)
    for left in (60, 1050):
        desktop[40:640, left : left + 800] = screen[100:700, 240:1040]
    return desktop


@pytest.mark.parametrize("left", [60, 1050])
def test_two_equal_windows_of_one_screen_are_ambiguous_if_nothing_around_them_is_in_view(
    twins: Picture, left: int
) -> None:
    view = take_view(twins, ScreenPoint(left + 400, 340), Pose(screen_in_view=0.25))
    with pytest.raises(ScreenAmbiguous):
        find_screen_point(view, [make_ready(Screenshot(twins, 0, 0))])


@pytest.mark.parametrize("size", [(640, 480), VIEW_SIZE])
def test_where_a_window_gets_a_twin_a_view_of_it_is_ambiguous_wherever_the_one_before_pointed(
    twins: Picture, size: tuple[int, int]
) -> None:
    aim, close = ScreenPoint(460, 340), Pose(screen_in_view=0.25)
    alone = twins.copy()
    alone[:, 1000:] = (70, 90, 120)
    before = find_screen_point(take_view(alone, aim, close), [make_ready(Screenshot(alone, 0, 0))])
    view = photograph(twins, aim, size, close, seed=3)
    with pytest.raises(ScreenAmbiguous):
        find_screen_point(view, [make_ready(Screenshot(twins, 0, 0))], near=before)


@pytest.mark.parametrize("left", [60, 1050])
def test_what_lies_around_two_equal_windows_tells_which_it_is(twins: Picture, left: int) -> None:
    aim = ScreenPoint(left + 400, 340)
    found = find_screen_point(take_view(twins, aim, Pose(screen_in_view=0.6)), [make_ready(Screenshot(twins, 0, 0))])
    assert found.screen_point.distance_to(aim) < 1.5


def test_while_aiming_the_monitor_of_before_is_not_ambiguous(screen: Picture, ready: ReadyScreen) -> None:
    twin = make_ready(Screenshot(screen.copy(), 1280, 0))
    before = find_screen_point(take_view(screen, ScreenPoint(640, 400)), [ready])
    found = find_screen_point(take_view(screen, ScreenPoint(646, 404)), [ready, twin], near=before)
    assert found.screen_point.distance_to(ScreenPoint(646, 404)) < 1.5


def test_a_view_without_light_is_refused_as_such(screen: Picture, ready: ReadyScreen) -> None:
    dark = (take_view(screen, ScreenPoint(640, 400)) * 0.06).astype(np.uint8)
    with pytest.raises(ViewTooDark):
        find_screen_point(dark, [ready])


def test_a_view_of_a_blank_part_is_too_close(ready: ReadyScreen) -> None:
    blank = np.random.default_rng(1).normal(180, 1, (720, 960, 3)).astype(np.uint8)
    with pytest.raises(CameraTooClose):
        find_screen_point(blank, [ready])


def test_a_window_that_opened_beside_the_aim_does_not_matter(screen: Picture) -> None:
    changed = screen.copy()
    changed[60:260, 850:1200] = draw_screen(seed=7)[60:260, 850:1200]
    aim = ScreenPoint(560, 420)
    found = find_screen_point(take_view(screen, aim), [make_ready(Screenshot(changed, 0, 0))])
    assert found.screen_point.distance_to(aim) < 1.5


def test_the_lens_may_bend(screen: Picture, ready: ReadyScreen) -> None:
    aim = ScreenPoint(600, 380)
    straight = take_view(screen, aim)
    y, x = np.mgrid[: VIEW_SIZE[1], : VIEW_SIZE[0]].astype(np.float32)
    u, v = (x - 479.5) / 480, (y - 359.5) / 480
    stretch = 1 + 0.02 * (u**2 + v**2)
    bent = cv2.remap(straight, u * stretch * 480 + 479.5, v * stretch * 480 + 359.5, cv2.INTER_LINEAR)
    found = find_screen_point(np.asarray(bent, np.uint8), [ready])
    assert found.screen_point.distance_to(aim) < 1.0


def test_every_stage_is_timed(screen: Picture, ready: ReadyScreen) -> None:
    found = find_screen_point(take_view(screen, ScreenPoint(600, 380)), [ready])
    assert found.stages_s.keys() >= {"shrink", "glance"}
    assert all(seconds >= 0 for seconds in found.stages_s.values())


def test_what_was_considered_can_be_looked_at(screen: Picture, ready: ReadyScreen) -> None:
    view = take_view(screen, ScreenPoint(-40, 400))
    outcome = look(view, [ready])
    assert isinstance(outcome.refusal, AimBesideScreen)
    assert outcome.best is not None
    picture = draw_debug_picture(view, outcome.best)
    assert picture.shape[0] == 900
    assert picture.shape[1] > 900 * (4 / 3 + 1.6)


def run_locate(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "desktop_agent.locate", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_the_command_tells_the_point_to_programs_and_draws_why(screen: Picture, tmp_path: Path) -> None:
    Image.fromarray(screen).save(tmp_path / "screen.png")
    Image.fromarray(take_view(screen, ScreenPoint(600, 380))).save(tmp_path / "view.jpg", quality=92)
    told = run_locate(tmp_path / "view.jpg", tmp_path / "screen.png", "--json", "--debug", tmp_path / "why.png")
    answer = json.loads(told.stdout)
    assert told.returncode == 0
    assert np.hypot(answer["x"] - 600, answer["y"] - 380) < 1.5
    assert answer["screenshot"] == str(tmp_path / "screen.png")
    assert Image.open(tmp_path / "why.png").height == 900


def test_the_command_tells_a_person_why_there_is_no_point(tmp_path: Path) -> None:
    Image.fromarray(draw_screen(seed=1)).save(tmp_path / "screen.png")
    Image.fromarray(np.zeros((480, 640, 3), np.uint8)).save(tmp_path / "view.png")
    told = run_locate(tmp_path / "view.png", tmp_path / "screen.png")
    assert (told.returncode, told.stdout.strip()) == (1, ViewTooDark.__doc__)


def test_the_command_says_which_file_is_missing(tmp_path: Path) -> None:
    told = run_locate(tmp_path / "nowhere.jpg", tmp_path / "screen.png")
    assert told.returncode == 2
    assert "nowhere.jpg" in told.stderr


@pytest.fixture(scope="module")
def pictures(screen: Picture, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a screen, another one, a view of the first and one without light."""
    folder = tmp_path_factory.mktemp("pictures")
    Image.fromarray(screen).save(folder / "screen.png")
    Image.fromarray(draw_screen(seed=2)).save(folder / "other.png")
    Image.fromarray(take_view(screen, ScreenPoint(600, 380))).save(folder / "view.jpg", quality=92)
    Image.fromarray(np.zeros((480, 640, 3), np.uint8)).save(folder / "dark.png")
    return folder


def test_the_command_takes_screenshots_for_monitors_side_by_side(pictures: Path) -> None:
    other, screen = pictures / "other.png", pictures / "screen.png"
    answer = json.loads(run_locate(pictures / "view.jpg", other, screen, "--json").stdout)
    assert answer["screenshot"] == str(screen)
    assert np.hypot(answer["x"] - 600, answer["y"] - 380) < 1.5
    twice = run_locate(pictures / "view.jpg", screen, screen, "--json")
    refused = json.loads(twice.stdout)
    assert (twice.returncode, refused["refused"]) == (1, "screen_ambiguous")
    assert refused["stages_s"]["glance"] > 0
    assert np.hypot(refused["guess"]["x"] - 600, refused["guess"]["y"] - 380) < 1.5


def test_the_command_draws_a_view_in_which_nothing_was_found(pictures: Path, tmp_path: Path) -> None:
    run_locate(pictures / "dark.png", pictures / "screen.png", "--debug", tmp_path / "why.png")
    drawn = np.asarray(Image.open(tmp_path / "why.png"))
    assert drawn.shape == (900, 1200, 3)
    assert drawn[800:].any()


@pytest.mark.parametrize("name", ["nowhere/why.png", "why.foo"])
def test_the_command_says_in_one_line_that_it_cannot_draw(pictures: Path, tmp_path: Path, name: str) -> None:
    arguments = (pictures / "dark.png", pictures / "screen.png", "--debug", tmp_path / name)
    told, told_in_json = run_locate(*arguments), run_locate(*arguments, "--json")
    assert (told.returncode, told_in_json.returncode) == (2, 2)
    assert told.stderr.count("\n") == 1
    assert json.loads(told_in_json.stdout)["error"] == told.stderr.strip()
