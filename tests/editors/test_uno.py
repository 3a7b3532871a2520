"""LibreOffice Draw and Impress that the user has let listen."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from desktop_agent.editors.libre_office import PORT
from real_editors.agent import AimedAgent
from real_editors.desk import Desk
from real_editors.editors import EDITORS_BY_NAME
from real_editors.opened import OpenEditor, open_editor
from real_editors.trial import Trial, aims, try_paste

LISTEN = f"--accept=socket,host=localhost,port={PORT};urp;"
FARTHEST_PX = 0.8  # pictures are drawn on whole pixels: half a one either way
pytestmark = pytest.mark.timeout(300)


@pytest.fixture(scope="module", params=["draw", "impress"])
def opened(
    request: pytest.FixtureRequest, desk: Desk, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[OpenEditor]:
    """Either, listening."""
    if not request.config.getoption("--all-editors", default=False):
        pytest.skip("`make test-editors` opens LibreOffice")
    editor = EDITORS_BY_NAME[request.param]
    listening = replace(editor, command=(*editor.command, LISTEN))
    with open_editor(listening, desk, tmp_path_factory.mktemp(editor.name), is_blank=False) as opened:
        yield opened


def test_a_cutout_lands_on_the_nearest_pixel_and_one_undo_takes_it_back(opened: OpenEditor, agent: AimedAgent) -> None:
    assert_lands_and_goes(try_paste(opened, agent, "as opened", aims(opened, 1, seed=1)[0]))
    opened.zoom()
    opened.scroll()
    assert_lands_and_goes(try_paste(opened, agent, "zoomed, scrolled", aims(opened, 1, seed=2)[0]))


def assert_lands_and_goes(trial: Trial) -> None:
    assert trial.refusal is None, trial.sentence
    assert trial.way == "insert over UNO"
    assert trial.error_px is not None
    assert trial.error_px <= FARTHEST_PX
    assert trial.keeps_alpha
    assert trial.undone
    assert trial.clipboard_kept
    assert trial.pointer_kept
    assert trial.focus_kept
