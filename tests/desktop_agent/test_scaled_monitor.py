"""A monitor with two pixels to a point, left of the primary one: a Retina display, or Wayland at 200 %."""

from dataclasses import dataclass
from typing import Any

import pytest

from demo.monitor_camera import Pose, photograph
from desktop_agent.locate import FoundPoint, find_screen_point
from desktop_agent.paste import Paster
from desktop_agent.pictures import Picture
from desktop_agent.ready_screen import make_ready
from desktop_agent.screenshot import Screenshot
from protocol.geometry import ScreenPoint
from protocol.messages import PasteRequest
from tests.desktop_agent.test_paste import DrawnEditor, desktop_of

LEFT, TOP, SCALE = -640, 40, 2.0
AIM_PX = ScreenPoint(601, 351)  # in pixels of the monitor
AIM = ScreenPoint(LEFT + 300.25, TOP + 175.25)  # the same in points: the pixel's centre


@dataclass
class FineEditor(DrawnEditor):
    """It takes points, and shows a pixel of a picture as one of the monitor's."""

    def take_screenshots(self) -> list[Screenshot]:
        return [Screenshot(self.screen.copy(), LEFT, TOP, SCALE)]

    def _draw(self, cutout: Picture, centre: tuple[float, float]) -> None:
        super()._draw(cutout, self.take_screenshots()[0].from_desktop(ScreenPoint(*centre)))


@dataclass
class MovingEditor(FineEditor):
    """One that is told how far to move, in pixels of the picture, rather than where to."""

    can_move: bool = True

    def insert(self, cutout: Picture, point: ScreenPoint) -> None:
        self.centre = ScreenPoint(point.x - 60, point.y + 30)
        super().insert(cutout, self.centre)

    def move(self, start: ScreenPoint, end: ScreenPoint, zoom: float) -> bool:
        right, down = (end.x - start.x) / zoom, (end.y - start.y) / zoom  # pixels of the picture
        shown = self.zoom / SCALE  # points that show one of them
        self.centre = ScreenPoint(self.centre.x + shown * right, self.centre.y + shown * down)
        return super().move(start, self.centre, zoom)


def paste(editor: DrawnEditor, cutout: Picture) -> Any:
    def find_point(view: Picture, request: PasteRequest) -> FoundPoint:
        return find_screen_point(view, [make_ready(screenshot) for screenshot in editor.take_screenshots()])

    view = photograph(editor.screen, AIM_PX, (960, 720), Pose(), seed=1)
    return Paster(desktop_of(editor), find_point).paste(cutout, view, PasteRequest(width_view=180))


@pytest.mark.parametrize(("kind", "zoom"), [(FineEditor, 1.0), (MovingEditor, 0.5)])
def test_a_cutout_lands_at_the_aim_in_the_size_it_floated(
    screen: Picture, cutout: Picture, kind: type[DrawnEditor], zoom: float
) -> None:
    editor = kind(screen.copy(), zoom=zoom)
    answer = paste(editor, cutout)
    assert answer.aim.distance_to(AIM) < 1
    assert answer.landed.distance_to(AIM) < 1
    pixels_in_a_view_pixel = Pose().screen_in_view * screen.shape[1] / 960
    assert answer.landed_width == pytest.approx(180 * pixels_in_a_view_pixel, rel=0.05)
    assert zoom * editor.given[-1].shape[1] == pytest.approx(180 * pixels_in_a_view_pixel, rel=0.05)
