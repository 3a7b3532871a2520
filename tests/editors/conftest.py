"""A virtual desk with real editors. `make test` opens two of them; `make test-editors` opens all."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from demo.programs import Programs
from real_editors.agent import AimedAgent
from real_editors.desk import Desk
from real_editors.editors import EDITORS_BY_NAME
from real_editors.opened import OpenEditor, open_editor

ALWAYS = ("inkscape", "kolourpaint")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--all-editors", action="store_true", help="open every editor, and fail if one is not installed")


def check_installed(*programs: str) -> None:
    """Fail if a program is missing: tests that are skipped wherever one is would be missed by nobody."""
    if missing := [program for program in programs if shutil.which(program) is None]:
        pytest.fail(f"Not installed: {', '.join(missing)}. `make test` does that on Debian; elsewhere, do it yourself.")


@pytest.fixture(scope="package")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    check_installed("Xvfb", "openbox", "dbus-daemon", "xclip")
    folder = tmp_path_factory.mktemp("desk")
    with Programs(folder) as programs:
        yield Desk(programs, folder)


@pytest.fixture(scope="module")
def opened(
    request: pytest.FixtureRequest, desk: Desk, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[OpenEditor]:
    """The editor named by the parameter, with a textured document."""
    editor = EDITORS_BY_NAME[request.param]
    if editor.name not in ALWAYS and not request.config.getoption("--all-editors", default=False):
        pytest.skip(f"`make test-editors` opens {editor.name}")
    check_installed(editor.command[0])
    with open_editor(editor, desk, tmp_path_factory.mktemp(editor.name), is_blank=False) as opened:
        yield opened


@pytest.fixture
def agent(opened: OpenEditor, tmp_path: Path) -> Iterator[AimedAgent]:
    """The agent of the desk that the editor is open on."""
    with opened.desk.as_own():
        yield AimedAgent(tmp_path)
