"""The whole chain: the real phone app, server and agent as processes, a real editor on a virtual screen."""

import os
import shutil
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
import requests
from PIL import Image

from demo.desktop import Picture
from demo.monitor_camera import Pose, photograph
from demo.picture import draw
from demo.programs import Program, Programs
from demo.story import AIM, PHOTO, VIEW_SIZE, Cast, copy_and_paste, start_all
from protocol import routes
from protocol.errors import AgentUnreachable, SecondViewWanted, ServerUnreachable
from protocol.geometry import ScreenPoint

pytestmark = [
    pytest.mark.skipif(shutil.which("inkscape") is None, reason="`make test` installs Inkscape"),
    pytest.mark.timeout(240),
]
TOOLS = ScreenPoint(650, 107)  # a tool bar of Inkscape
POSTER_RIGHT = slice(330, 600), slice(760, 940)  # rows and columns amid what was pasted; no handles, no tooltip
CAMERA_S = 0.5
MARK_S = 20.0  # at most, for an aim that is under way to be answered, and its mark to go
ANSWER_S = 60.0


@pytest.fixture
def cast(tmp_path: Path) -> Iterator[Cast]:
    with Programs(tmp_path) as programs:
        yield start_all(programs, tmp_path, say=lambda what: None)


def point_at_the_thing(cast: Cast) -> None:
    cast.phone.point_at(Image.open(PHOTO).convert("RGB"))
    time.sleep(CAMERA_S)


def copy(cast: Cast) -> None:
    point_at_the_thing(cast)
    cast.phone.tap()
    cast.phone.wait_for_state("holding", ANSWER_S)


def point_at_the_screen(cast: Cast, aim: ScreenPoint = AIM) -> None:
    view = photograph(cast.desktop.screen.screenshot(), aim, VIEW_SIZE, Pose(), seed=1)
    cast.phone.point_at(Image.fromarray(view))
    time.sleep(CAMERA_S)


@contextmanager
def filming_a_plain_spot(cast: Cast) -> Iterator[None]:
    """The camera sees what is around the aim, live and from so near that there is nothing to recognise it by."""
    is_over = threading.Event()

    def film() -> None:
        rows, columns = (slice(round(at) - half, round(at) + half + 1) for at, half in ((AIM.y, 133), (AIM.x, 200)))
        while not is_over.wait(0.05):
            seen = cast.desktop.screen.screenshot()[rows, columns]
            cast.phone.point_at(Image.fromarray(seen).resize((600, 400)))

    camera = threading.Thread(target=film)
    camera.start()
    try:
        time.sleep(CAMERA_S)
        yield
    finally:
        is_over.set()
        camera.join()


def comes_back(cast: Cast, before: Picture) -> bool:
    """Whether the screen soon looks where the cutout lay as it did before."""
    deadline_s = time.monotonic() + MARK_S
    while not (is_back := np.array_equal(cast.desktop.screen.screenshot()[POSTER_RIGHT], before[POSTER_RIGHT])):
        if time.monotonic() > deadline_s:
            break
        time.sleep(CAMERA_S)
    return is_back


def freeze(program: Program) -> None:
    os.kill(program.process.pid, signal.SIGSTOP)


def kill(program: Program) -> None:
    os.kill(program.process.pid, signal.SIGKILL)
    program.process.wait(timeout=10)


def is_running(program: Program) -> bool:
    return program.process.poll() is None


def assert_server_works(cast: Cast) -> None:
    answer = requests.post(
        cast.server_url + routes.CUTOUT, files={routes.PHOTO_PART: PHOTO.read_bytes()}, timeout=ANSWER_S
    )
    assert answer.status_code == 200


def assert_agent_works(cast: Cast) -> None:
    answer = requests.get(cast.agent_url + routes.HEALTHZ, timeout=10, verify=False)  # pinning has tests of its own
    assert answer.status_code == 200


@pytest.mark.filterwarnings("ignore:Unverified HTTPS request")
class TestFlow:
    def test_two_taps_copy_a_real_thing_into_a_real_editor_at_the_spot_aimed_at(self, cast: Cast) -> None:
        story = copy_and_paste(cast, say=lambda what: None)
        assert story.message.startswith("Pasted into Inkscape")
        assert story.distance_px <= 3
        assert np.abs(story.screen_after.astype(int) - story.screen_before).max() > 100
        assert draw(story).size[0] > 1000

    def test_a_paste_at_the_tools_is_undone_and_what_was_pasted_before_stays(self, cast: Cast) -> None:
        copy_and_paste(cast, say=lambda what: None)
        copy(cast)
        before = cast.desktop.screen.screenshot()
        point_at_the_screen(cast, TOOLS)
        cast.phone.tap()
        cast.phone.wait_for_state("holding", ANSWER_S)
        assert "It was undone." in cast.phone.wait_for_message(ANSWER_S)
        assert np.array_equal(cast.desktop.screen.screenshot()[POSTER_RIGHT], before[POSTER_RIGHT])

    def test_the_reticle_locks_on_the_editor_and_an_undo_takes_the_paste_back(self, cast: Cast) -> None:
        copy(cast)
        before = cast.desktop.screen.screenshot()
        point_at_the_screen(cast)
        assert cast.phone.wait_for_aim(ANSWER_S) == "Inkscape"
        cast.phone.tap()
        assert cast.phone.wait_for_message(ANSWER_S).startswith("Pasted into Inkscape")
        assert np.abs(cast.desktop.screen.screenshot()[POSTER_RIGHT].astype(int) - before[POSTER_RIGHT]).mean() > 20
        cast.phone.undo()
        cast.phone.wait_for_state("holding", ANSWER_S)
        assert cast.phone.wait_for_message(ANSWER_S) == "Undone in Inkscape."
        cast.phone.point_at(Image.new("RGB", VIEW_SIZE))  # else the spot is marked again
        assert comes_back(cast, before)

    def test_a_plain_spot_is_found_by_the_markers_that_the_screen_shows(self, cast: Cast) -> None:
        copy(cast)
        with filming_a_plain_spot(cast):
            cast.phone.tap()
            assert cast.phone.wait_for_message(ANSWER_S) == SecondViewWanted().sentence
            assert cast.phone.wait_for_message(ANSWER_S).startswith("Pasted into Inkscape")

    def test_a_server_killed_during_a_copy_leaves_a_phone_that_says_so(self, cast: Cast) -> None:
        point_at_the_thing(cast)
        freeze(cast.server)
        cast.phone.tap()
        cast.phone.wait_for_state("copying", ANSWER_S)
        kill(cast.server)
        cast.phone.wait_for_state("aiming", ANSWER_S)
        assert ServerUnreachable().sentence in cast.phone.wait_for_message(ANSWER_S)
        assert is_running(cast.phone.app)
        assert_agent_works(cast)

    def test_an_agent_killed_during_a_paste_leaves_the_cutout_on_the_phone(self, cast: Cast) -> None:
        copy(cast)
        point_at_the_screen(cast)
        freeze(cast.agent)
        cast.phone.tap()
        cast.phone.wait_for_state("pasting", ANSWER_S)
        kill(cast.agent)
        cast.phone.wait_for_state("holding", ANSWER_S)
        assert AgentUnreachable().sentence in cast.phone.wait_for_message(ANSWER_S)
        assert is_running(cast.phone.app)
        assert_server_works(cast)

    def test_a_phone_killed_during_a_copy_leaves_both_servers_at_work(self, cast: Cast) -> None:
        point_at_the_thing(cast)
        freeze(cast.server)
        cast.phone.tap()
        cast.phone.wait_for_state("copying", ANSWER_S)
        kill(cast.phone.app)
        os.kill(cast.server.process.pid, signal.SIGCONT)
        assert_server_works(cast)
        assert_agent_works(cast)

    def test_nothing_outlives_the_programs(self, tmp_path: Path) -> None:
        with Programs(tmp_path) as programs:
            cast = start_all(programs, tmp_path, say=lambda what: None)
            running = [cast.server, cast.agent, cast.phone.app, cast.desktop.editor]
            assert all(is_running(program) for program in running)
        assert not any(is_running(program) for program in running)
