"""A real agent on a real (virtual) screen, and a phone that aims at it."""

import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np
import psutil
import pytest

from demo.aiming import VIEW_SIZE, WIDTH_VIEW, AimedScreen, aim_at
from demo.monitor_camera import Pose
from desktop_agent.app import SHORTEST_PAUSE_S
from desktop_agent.pictures import Picture
from mobile_client.clients import AimedView
from protocol.errors import NoEditorThere, SecondViewWanted
from protocol.geometry import ScreenPoint
from protocol.messages import AimAnswer
from tests.conftest import draw_cutout, draw_screen

pytestmark = pytest.mark.skipif(shutil.which("Xvfb") is None, reason="`make test` installs a virtual screen")
AIM = ScreenPoint(600, 350)
WIDTH, HEIGHT = 1280, 800
SCREEN_PX_IN_VIEW_PX = Pose().screen_in_view * WIDTH / VIEW_SIZE[0]
PATIENCE_S = 20.0
MEASURED_S = 4.0
MOST_CPU = 0.08  # of a core, while a phone holds and the screen is still; docs/benchmarks.md has what was measured


@pytest.fixture
def on_desktop(tmp_path: Path) -> Iterator[AimedScreen]:
    with aim_at(draw_screen(seed=1, width=WIDTH, height=HEIGHT), tmp_path) as stage:
        yield stage


@pytest.fixture
def on_blank_page(tmp_path: Path) -> Iterator[AimedScreen]:
    with aim_at(np.full((HEIGHT, WIDTH, 3), 250, np.uint8), tmp_path) as stage:
        yield stage


def changed(stage: AimedScreen, before: Picture) -> Picture:
    """How far each pixel of the screen differs from before: (H, W)."""
    return np.asarray(cv2.absdiff(stage.screen.screenshot(), before).max(axis=2), np.uint8)


def wait_until(is_so: Callable[[], bool]) -> None:
    deadline_s = time.monotonic() + PATIENCE_S
    while not is_so():
        assert time.monotonic() < deadline_s
        time.sleep(0.05)


def aim_as_often_as_allowed(on_desktop: AimedScreen, view: AimedView) -> AimAnswer:
    time.sleep(SHORTEST_PAUSE_S)
    return on_desktop.phone.aim(view)


def test_a_phone_that_aims_is_told_and_shown_where_a_paste_would_land(on_desktop: AimedScreen) -> None:
    before = on_desktop.screen.screenshot()
    views = [on_desktop.view(AIM, seed) for seed in range(3)]  # drawn first, since that takes longer than an aim lasts
    answers = [aim_as_often_as_allowed(on_desktop, view) for view in views]
    shown = changed(on_desktop, before)
    assert max(answer.aim.distance_to(AIM) for answer in answers) < 2
    assert answers[-1].probability > answers[0].probability
    rows, columns = np.nonzero(shown)
    assert ScreenPoint(columns.mean(), rows.mean()).distance_to(answers[-1].aim) < 2
    assert columns.max() - columns.min() == pytest.approx(WIDTH_VIEW * SCREEN_PX_IN_VIEW_PX, rel=0.1)
    wait_until(lambda: not changed(on_desktop, before).any())


def test_an_agent_that_is_killed_leaves_no_mark(on_desktop: AimedScreen) -> None:
    before = on_desktop.screen.screenshot()
    on_desktop.phone.aim(on_desktop.view(AIM, 1))
    assert changed(on_desktop, before).any()
    on_desktop.agent.process.kill()
    wait_until(lambda: not changed(on_desktop, before).any())


def test_a_still_screen_costs_little_while_a_phone_holds(on_desktop: AimedScreen) -> None:
    on_desktop.phone.aim(on_desktop.view(AIM, 1))
    time.sleep(1.0)
    agent = psutil.Process(on_desktop.agent.process.pid)
    before_s = sum(agent.cpu_times()[:2])
    time.sleep(MEASURED_S)
    assert (sum(agent.cpu_times()[:2]) - before_s) / MEASURED_S < MOST_CPU


def test_a_blank_page_is_found_in_a_second_view(on_blank_page: AimedScreen) -> None:
    before = on_blank_page.screen.screenshot()
    with pytest.raises(SecondViewWanted):
        on_blank_page.phone.paste(draw_cutout(), on_blank_page.view(AIM, 1))
    assert changed(on_blank_page, before).any()
    with pytest.raises(NoEditorThere):  # the point was found, but there is no editor on this screen
        on_blank_page.phone.paste(draw_cutout(), on_blank_page.view(AIM, 1), is_second_view=True)
    wait_until(lambda: not changed(on_blank_page, before).any())
