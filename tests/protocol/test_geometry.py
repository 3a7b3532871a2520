from protocol.geometry import Box, ScreenPoint, ViewPoint, view_centre


def test_the_centre_of_a_view_lies_between_its_middle_pixels() -> None:
    assert view_centre(4, 3) == ViewPoint(1.5, 1.0)


def test_distance_is_in_pixels_of_the_screen() -> None:
    assert ScreenPoint(1, 2).distance_to(ScreenPoint(4, 6)) == 5.0


def test_a_box_reaches_half_a_pixel_beyond_the_centres_of_its_outermost_pixels() -> None:
    box = Box(10, 20, 3, 2)
    assert box.contains(9.5, 19.5)
    assert box.contains(12.4, 21.4)
    assert not box.contains(12.5, 20)
    assert not box.contains(11, 21.5)
