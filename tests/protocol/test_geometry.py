from protocol.geometry import ScreenPoint, ViewPoint, view_centre


def test_the_centre_of_a_view_lies_between_its_middle_pixels() -> None:
    assert view_centre(4, 3) == ViewPoint(1.5, 1.0)


def test_distance_is_in_pixels_of_the_screen() -> None:
    assert ScreenPoint(1, 2).distance_to(ScreenPoint(4, 6)) == 5.0
