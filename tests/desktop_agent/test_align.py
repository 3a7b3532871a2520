import cv2
import numpy as np
import pytest

from demo.monitor_camera import Pose, photograph, view_from_screen
from desktop_agent.agreement import measure_agreement
from desktop_agent.align import EDGE_SAY, align, follow, lay_into_view, shift
from desktop_agent.features import Grey
from desktop_agent.mapping import Mapping
from desktop_agent.pictures import Picture
from desktop_agent.ready_screen import ReadyScreen, make_ready
from desktop_agent.screenshot import Screenshot
from desktop_agent.search import AS_BEFORE
from protocol.errors import ScreenNotInView
from protocol.geometry import ScreenPoint
from tests.conftest import draw_screen
from tests.desktop_agent.rooms import draw_room

SIZE = (640, 480)
AIM = ScreenPoint(600.0, 380.0)
TRUTH = Mapping(view_from_screen(np.zeros((800, 1280, 3), np.uint8), AIM, SIZE, Pose()), 0.0, SIZE)


@pytest.fixture(scope="module")
def ready(screen: Picture) -> ReadyScreen:
    return make_ready(Screenshot(screen, 0, 0))


@pytest.fixture(scope="module")
def grey_view(screen: Picture) -> Grey:
    return np.asarray(cv2.cvtColor(photograph(screen, AIM, SIZE, Pose(), seed=3), cv2.COLOR_RGB2GRAY), np.uint8)


def shifted(x: float, y: float) -> Mapping:
    """The true mapping, wrong by so many view pixels."""
    return Mapping(np.array([[1, 0, x], [0, 1, y], [0, 0, 1]]) @ TRUTH.view_from_screen, 0.0, SIZE)


def test_a_rough_mapping_becomes_exact(ready: ReadyScreen, grey_view: Grey) -> None:
    found, _ = align(grey_view, ready, shifted(9, -7), levels=3, outlier_px=3.0)
    again, _ = align(grey_view, ready, found.mapping, levels=1, outlier_px=1.5)
    assert np.hypot(*np.subtract(again.mapping.at_centre(), (AIM.x, AIM.y))) < 0.3


def test_how_far_the_view_has_moved_as_a_whole_is_seen_at_once(ready: ReadyScreen, grey_view: Grey) -> None:
    moved, alike = shift(grey_view, ready, shifted(110, -70))
    assert np.hypot(*(moved.to_view(np.array([[AIM.x, AIM.y]])) - [319.5, 239.5])[0]) < 2
    assert alike > AS_BEFORE
    room = np.asarray(cv2.cvtColor(cv2.resize(draw_room(), SIZE), cv2.COLOR_RGB2GRAY), np.uint8)
    assert shift(room, ready, TRUTH)[1] < 0.5 * AS_BEFORE


def test_edges_tell_where_a_screen_is_that_has_few_corners(screen: Picture) -> None:
    plain = np.full_like(screen, 225)
    plain[200:600, 380:900] = 120
    plain[320:420, 520:1100] = 60
    ready = make_ready(Screenshot(plain, 0, 0))
    grey_view = np.asarray(cv2.cvtColor(photograph(plain, AIM, SIZE, Pose(), seed=3), cv2.COLOR_RGB2GRAY), np.uint8)
    followed = follow(grey_view, ready, shifted(2, 1), levels=1)
    edges = ~followed.is_corner
    missed_by = TRUTH.to_view(followed.points_screen) - followed.points_view
    across = np.linalg.norm((followed.knowing @ missed_by[:, :, None])[edges, :, 0], axis=1) / EDGE_SAY
    assert edges.sum() > 20
    assert np.median(across) < 0.3


def test_nothing_can_be_followed_on_a_blank_screen(grey_view: Grey) -> None:
    blank = make_ready(Screenshot(np.full((800, 1280, 3), 255, np.uint8), 0, 0))
    with pytest.raises(ScreenNotInView):
        align(np.full_like(grey_view, 128), blank, shifted(0, 0), levels=1, outlier_px=1.0)


def test_beside_the_screen_is_its_frame_and_then_nothing(ready: ReadyScreen) -> None:
    far_left = Mapping(np.array([[1.0, 0, 300], [0, 1.0, 0], [0, 0, 1]]), 0.0, SIZE)  # the screen begins at x = 300
    laid, is_seen = lay_into_view(ready, far_left, (0, 0, *SIZE))
    assert laid[100, 280] < 40
    assert is_seen[100, 294] == 255
    assert is_seen[100, 200] == 0


def test_the_right_place_agrees_and_another_does_not(ready: ReadyScreen, grey_view: Grey) -> None:
    assert measure_agreement(grey_view, ready, TRUTH).share > 0.95
    assert measure_agreement(grey_view, ready, shifted(40, 25)).share < 0.2


def test_another_screen_does_not_agree(grey_view: Grey) -> None:
    other = make_ready(Screenshot(draw_screen(seed=5), 0, 0))
    assert measure_agreement(grey_view, other, TRUTH).share < 0.3


def test_what_the_view_shows_on_a_blank_part_of_the_screen_speaks_against_it(screen: Picture, grey_view: Grey) -> None:
    emptied = screen.copy()
    emptied[200:600, 400:900] = 235
    agreement = measure_agreement(grey_view, make_ready(Screenshot(emptied, 0, 0)), TRUTH)
    assert agreement.share < 0.85
    assert agreement.share_near_aim < agreement.share


def test_what_changed_away_from_the_aim_weighs_less(screen: Picture, grey_view: Grey) -> None:
    changed = screen.copy()
    changed[:, 1000:] = draw_screen(seed=6)[:, 1000:]
    agreement = measure_agreement(grey_view, make_ready(Screenshot(changed, 0, 0)), TRUTH)
    assert agreement.share < agreement.share_near_aim
