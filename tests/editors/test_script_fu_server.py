"""GIMP where no message bus reaches it, but the user has started its Script-Fu server."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from desktop_agent.editors.gimp import SERVER_PORT, run_by_bus, run_by_server
from real_editors.agent import AimedAgent
from real_editors.desk import Desk
from real_editors.editors import EDITORS_BY_NAME
from real_editors.opened import OpenEditor, open_editor
from real_editors.trial import aims, try_paste

START = f'(plug-in-script-fu-server RUN-NONINTERACTIVE "127.0.0.1" {SERVER_PORT} "")'
GIMP = ("env", "DBUS_SESSION_BUS_ADDRESS=disabled:", "gimp", "-b", START)
MANY = 50  # its verdicts come byte by byte, sometimes slowly
FARTHEST_PX = 2.0
pytestmark = pytest.mark.timeout(300)


@pytest.fixture(scope="module")
def opened(pytestconfig: pytest.Config, desk: Desk, tmp_path_factory: pytest.TempPathFactory) -> Iterator[OpenEditor]:
    """GIMP with its server."""
    if not pytestconfig.getoption("--all-editors", default=False):
        pytest.skip("`make test-editors` opens GIMP")
    editor = replace(EDITORS_BY_NAME["gimp"], command=GIMP)
    with open_editor(editor, desk, tmp_path_factory.mktemp("gimp"), is_blank=False) as opened:
        yield opened


def test_a_layer_is_moved_by_the_server_and_one_undo_takes_it_back(opened: OpenEditor, agent: AimedAgent) -> None:
    assert not run_by_bus("1")
    for seed in (1, 2):
        trial = try_paste(opened, agent, "", aims(opened, 1, seed)[0])
        assert trial.refusal is None, trial.sentence
        assert trial.error_px is not None
        assert trial.error_px <= FARTHEST_PX
        assert trial.undone


def test_the_server_says_of_every_script_whether_it_was_taken(opened: OpenEditor) -> None:
    assert [run_by_server("(car (gimp-version))") for _ in range(MANY)] == [True] * MANY
    assert not run_by_server("(a-procedure-that-is-not)")
