import cv2
import numpy as np
import pytest

from desktop_agent.look import find_at_scale, find_changed, find_changes, find_expected, find_landing, find_near
from desktop_agent.pictures import Picture
from protocol.geometry import Box
from real_editors.card import draw_card


def lay(screen: Picture, cutout: Picture, centre: tuple[float, float], scale: float = 1.0) -> Picture:
    """A screenshot with the cutout on it, blended by its alpha."""
    height, width = screen.shape[:2]
    x, y = centre[0] - scale * (cutout.shape[1] - 1) / 2, centre[1] - scale * (cutout.shape[0] - 1) / 2
    screen_from_cutout = np.array([[scale, 0, x], [0, scale, y]])
    laid = cv2.warpAffine(cutout, screen_from_cutout, (width, height), flags=cv2.INTER_LINEAR).astype(np.float32)
    alpha = laid[:, :, 3:] / 255
    return np.asarray(np.rint(screen * (1 - alpha) + laid[:, :, :3] * alpha), np.uint8)


def draw_handles(screen: Picture, box: tuple[int, int, int, int]) -> None:
    """What an editor draws around something selected."""
    left, top, right, bottom = box
    cv2.rectangle(screen, (left, top), (right, bottom), (80, 80, 220), 1)
    for x in (left, (left + right) // 2, right):
        for y in (top, (top + bottom) // 2, bottom):
            cv2.rectangle(screen, (x - 6, y - 6), (x + 6, y + 6), (0, 0, 0), -1)


def make_room(screen: Picture) -> Picture:
    """A screenshot after text has moved down."""
    after = screen.copy()
    after[350:, 200:1100] = np.roll(screen, 150, axis=0)[350:, 200:1100]
    return after


@pytest.mark.parametrize("scale", [0.4, 1.0, 1.7])
def test_a_cutout_is_found_at_any_size(screen: Picture, cutout: Picture, scale: float) -> None:
    landing = find_landing(screen, lay(screen, cutout, (500, 300), scale), cutout)
    assert landing is not None
    assert (landing.x, landing.y) == pytest.approx((500, 300), abs=1.5)
    assert landing.scale == pytest.approx(scale, rel=0.02)


def test_handles_around_it_do_not_move_it(screen: Picture, cutout: Picture) -> None:
    after = lay(screen, cutout, (500, 300))
    draw_handles(after, (395, 225, 605, 375))
    landing = find_landing(screen, after, cutout)
    assert landing is not None
    assert (landing.x, landing.y) == pytest.approx((500, 300), abs=1.5)


def test_a_cutout_half_hidden_by_the_editors_frame_is_found(screen: Picture, cutout: Picture) -> None:
    after = lay(screen, cutout, (500, 300))
    after[:, 520:] = screen[:, 520:]
    landing = find_landing(screen, after, cutout)
    assert landing is not None
    assert (landing.x, landing.y) == pytest.approx((500, 300), abs=4)


def test_changes_elsewhere_do_not_hide_it(screen: Picture, cutout: Picture) -> None:
    after = lay(screen, cutout, (500, 300))
    after[600:640, 100:900] = 30
    landing = find_landing(screen, after, cutout)
    assert landing is not None
    assert (landing.x, landing.y) == pytest.approx((500, 300), abs=1.5)


def test_the_same_cutout_pasted_before_and_now_let_go_of_is_not_taken_for_the_new_one(
    screen: Picture, cutout: Picture
) -> None:
    pasted_before = lay(screen, cutout, (300, 500))
    before = pasted_before.copy()
    draw_handles(before, (195, 425, 405, 575))
    after = lay(pasted_before, cutout, (700, 300))
    draw_handles(after, (595, 225, 805, 375))
    landing = find_landing(before, after, cutout)
    assert landing is not None
    assert (landing.x, landing.y) == pytest.approx((700, 300), abs=1.5)


def test_a_small_preview_of_the_page_is_not_taken_for_the_cutout(screen: Picture, cutout: Picture) -> None:
    after = lay(lay(screen, cutout, (700, 300), 2.0), cutout, (100, 500), 0.35)
    landing = find_landing(screen, after, cutout)
    assert landing is not None
    assert (landing.x, landing.y) == pytest.approx((700, 300), abs=1.5)


def test_a_cutout_for_which_all_the_text_below_has_made_room_is_found(screen: Picture, cutout: Picture) -> None:
    after = lay(make_room(screen), cutout, (420, 420))
    landing = find_landing(screen, after, cutout, 1.0)
    assert landing is not None
    assert (landing.x, landing.y) == pytest.approx((420, 420), abs=1.5)


@pytest.mark.parametrize("scale", [0.6, 1.0, 1.7])
@pytest.mark.parametrize("makes_room", [True, False])
def test_a_cutout_of_a_known_size_is_found_wherever_text_has_taken_it(
    screen: Picture, cutout: Picture, scale: float, *, makes_room: bool
) -> None:
    after = lay(make_room(screen) if makes_room else screen, cutout, (420, 450), scale)
    landing = find_at_scale(screen, after, cutout, scale)
    assert landing is not None
    assert (landing.x, landing.y) == pytest.approx((420, 450), abs=0.5)
    assert find_at_scale(screen, after, cutout, 1.3 * scale) is None


def test_text_that_has_moved_is_no_cutout(screen: Picture, cutout: Picture) -> None:
    assert find_at_scale(screen, make_room(screen), cutout, 1.0) is None


@pytest.mark.parametrize("scale", [0.883, 1.66, 2.153])
def test_the_size_of_a_large_cutout_is_told_to_a_few_thousandths(screen: Picture, scale: float) -> None:
    landing = find_near(screen, lay(screen, draw_card(), (640, 400), scale), draw_card(), 640, 400)
    assert landing is not None
    assert landing.scale == pytest.approx(scale, rel=0.002)


@pytest.mark.parametrize("scale", [0.5, 1.0, 1.7])
def test_a_cutout_is_found_at_any_size_near_a_place(screen: Picture, cutout: Picture, scale: float) -> None:
    after = lay(screen, cutout, (500, 300), scale)
    width, height = round(90 * scale) + 8, round(60 * scale) + 8
    draw_handles(after, (500 - width, 300 - height, 500 + width, 300 + height))
    landing = find_near(screen, after, cutout, 504, 297)
    assert landing is not None
    assert (landing.x, landing.y) == pytest.approx((500, 300), abs=1)
    assert landing.scale == pytest.approx(scale, rel=0.02)
    assert find_near(screen, after, cutout, 560, 300) is None


@pytest.mark.parametrize("scale", [0.5, 1.0, 1.5])
def test_a_cutout_is_found_to_a_fraction_of_a_pixel_where_it_is_expected(
    screen: Picture, cutout: Picture, scale: float
) -> None:
    after = lay(screen, cutout, (500.3, 300.6), scale)
    landing = find_expected(screen, after, cutout, 505, 294, scale)
    assert landing is not None
    assert (landing.x, landing.y) == pytest.approx((500.3, 300.6), abs=0.4)


def test_a_cutout_of_another_size_is_not_what_was_expected(screen: Picture, cutout: Picture) -> None:
    assert find_expected(screen, lay(screen, cutout, (500, 300), 1.3), cutout, 500, 300, 1.0) is None


def test_a_cutout_that_was_there_before_is_not_what_was_expected(screen: Picture, cutout: Picture) -> None:
    pasted = lay(screen, cutout, (500, 300))
    assert find_expected(pasted, pasted, cutout, 500, 300, 1.0) is None


def test_a_dialog_is_no_cutout(screen: Picture, cutout: Picture) -> None:
    after = screen.copy()
    cv2.rectangle(after, (400, 250), (700, 420), (240, 240, 240), -1)
    cv2.putText(after, "Missing colour profile", (420, 300), cv2.FONT_HERSHEY_SIMPLEX, 0.6, (20, 20, 20))
    cv2.rectangle(after, (600, 380), (680, 405), (60, 120, 220), -1)
    assert find_landing(screen, after, cutout) is None


def test_a_still_screen_has_no_landing_and_no_change(screen: Picture, cutout: Picture) -> None:
    assert find_landing(screen, screen, cutout) is None
    assert find_changes(find_changed(screen, screen)) == []


def test_changes_at_the_edges_of_the_screen_are_told_with_their_places() -> None:
    changed = np.zeros((800, 1280), np.bool_)
    changed[:20, :30] = changed[-40:, -50:] = True
    assert find_changes(changed) == [Box(1230, 760, 50, 40), Box(0, 0, 30, 20)]


def test_a_blinking_cursor_is_no_change(screen: Picture) -> None:
    after = screen.copy()
    after[300:318, 400:402] ^= 255
    assert find_changes(find_changed(screen, after)) == []


def test_a_cutout_like_a_breath_cannot_be_recognised(screen: Picture, cutout: Picture) -> None:
    faint = cutout.copy()
    faint[:, :, 3] //= 2
    assert find_landing(screen, lay(screen, faint, (500, 300)), faint) is None
