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


@pytest.fixture(scope="package")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    if not all(shutil.which(program) for program in ("Xvfb", "openbox", "dbus-daemon", "xclip")):
        pytest.skip("`make test` installs Xvfb, Openbox, dbus-daemon and xclip")
    folder = tmp_path_factory.mktemp("desk")
    with Programs(folder) as programs:
        yield Desk(programs, folder)


@pytest.fixture(scope="module")
def opened(
    request: pytest.FixtureRequest, desk: Desk, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[OpenEditor]:
    """The editor named by the parameter, with a textured document."""
    editor = EDITORS_BY_NAME[request.param]
    if not request.config.getoption("--all-editors", default=False):
        if editor.name not in ALWAYS:
            pytest.skip(f"`make test-editors` opens {editor.name}")
        if shutil.which(editor.command[0]) is None:
            pytest.skip(f"`make test` installs {editor.package}")
    with open_editor(editor, desk, tmp_path_factory.mktemp(editor.name), is_blank=False) as opened:
        yield opened


@pytest.fixture
def agent(opened: OpenEditor, tmp_path: Path) -> Iterator[AimedAgent]:
    """The agent of the desk that the editor is open on."""
    with opened.desk.as_own():
        yield AimedAgent(tmp_path)
