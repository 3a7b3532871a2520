import socket
import sys
import threading
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from PIL import Image

from desktop_agent.editors import libre_office, libre_office_script
from desktop_agent.editors.libre_office import LibreOffice, ask_over_uno, listens
from desktop_agent.editors.libre_office_script import prepare
from desktop_agent.pictures import Cutout
from desktop_agent.platforms import Window
from protocol.errors import EditorRefused, NoEditorThere
from protocol.geometry import ScreenPoint
from tests.desktop_agent.editors.fake_uno import Uno, View

TITLE = "cat - LibreOffice Draw"
AIM = ScreenPoint(699.5, 349.5)  # in the middle of the fake's view
INSERT = ("2002", "insert", TITLE, "96", "48")
FAKE_UNO = f"""
import sys
sys.path.insert(0, {str(Path.cwd())!r})
from tests.desktop_agent.editors.fake_uno import Uno, View
_uno = Uno(View())
getComponentContext, systemPathToFileUrl, createUnoStruct = (
    _uno.getComponentContext, _uno.systemPathToFileUrl, _uno.createUnoStruct
)
"""
MOVE = ("2002", "move", TITLE, "96", "48")


def obey(uno: Uno, *words: str) -> bool:
    change = prepare(uno, *words)
    return change is not None and change()


class TestScript:
    def test_the_middle_of_a_picture_lies_under_the_point_in_the_size_of_its_pixels(self) -> None:
        view = View()
        assert obey(Uno(view), *INSERT, "299.5", "199.5", "/cat.png")
        (shape,) = view.page
        assert shape.url == "file:///cat.png"
        assert (shape.Size.Width, shape.Size.Height) == (2540, 1270)
        assert (shape.Position.X, shape.Position.Y) == (-1000 + 2000 - 1270, 500 + 2000 - 635)

    def test_where_the_view_does_not_say_where_it_is_its_own_middle_will_do(self) -> None:
        view = View(tells_place=False)
        assert obey(Uno(view), *INSERT, "299.5", "199.5", "/cat.png")
        assert (view.page[0].Position.X, view.page[0].Position.Y) == (9000 - 1270, 5500 - 635)

    def test_where_the_place_cannot_be_found_nothing_is_inserted(self) -> None:
        view = View()
        del view.VisibleArea
        with pytest.raises(AttributeError):
            prepare(Uno(view), *INSERT, "299.5", "199.5", "/cat.png")
        assert not view.page

    def test_a_picture_that_is_selected_is_not_replaced(self) -> None:
        view = View(selected=[SimpleNamespace()])
        assert obey(Uno(view), *INSERT, "299.5", "199.5", "/cat.png")

    def test_the_shape_is_asked_for_once_because_two_that_are_the_same_spoil_each_other(self) -> None:
        view = View()
        obey(Uno(view), *INSERT, "299.5", "199.5", "/cat.png")
        assert view.times_asked == 1

    def test_what_was_inserted_is_moved_by_pixels(self) -> None:
        view = View()
        obey(Uno(view), *INSERT, "299.5", "199.5", "/cat.png")
        before = view.page[0].Position
        assert obey(Uno(view), *MOVE, "9.6", "-4.8")
        assert view.page[0].Position == SimpleNamespace(X=before.X + 254, Y=before.Y - 127)

    def test_what_the_user_has_selected_since_stays_where_it_is(self) -> None:
        other = SimpleNamespace(Size=SimpleNamespace(Width=2540, Height=99), Position=SimpleNamespace(X=1, Y=2))
        assert not obey(Uno(View(selected=[other])), *MOVE, "9.6", "-4.8")
        assert not obey(Uno(View()), *MOVE, "9.6", "-4.8")
        assert other.Position == SimpleNamespace(X=1, Y=2)

    @pytest.mark.parametrize(
        "view",
        [
            pytest.param(View(title="dog - LibreOffice Draw"), id="another window"),
            pytest.param(View(kind="com.sun.star.text.TextDocument"), id="a text"),
            pytest.param(View(is_read_only=True), id="read-only"),
            pytest.param(
                View(page=[SimpleNamespace(IsEmptyPresentationObject=True, ShapeType="outline")]), id="an empty box"
            ),
        ],
    )
    def test_what_would_take_no_picture_or_lose_something_to_it_is_left_alone(self, view: View) -> None:
        before = list(view.page)
        assert not obey(Uno(view), *INSERT, "299.5", "199.5", "/cat.png")
        assert view.page == before

    def test_of_two_windows_with_that_title_neither_is_written_on(self) -> None:
        views = View(), View()
        assert not obey(Uno(*views), *INSERT, "299.5", "199.5", "/cat.png")
        assert [view.page for view in views] == [[], []]

    def test_an_empty_title_is_no_obstacle(self) -> None:
        title = SimpleNamespace(IsEmptyPresentationObject=True, ShapeType="com.sun.star.presentation.TitleTextShape")
        assert obey(Uno(View(page=[title])), *INSERT, "299.5", "199.5", "/cat.png")


class Office:
    """LibreOffice as it is asked; and the windows, and the other way to paste into it."""

    name, strategy = "LibreOffice", "another way"

    def __init__(self, *, listens: bool = True, does: bool = True) -> None:
        self.listens = listens
        self.does = does
        self.answers = True
        self.asked: list[tuple[Any, ...]] = []
        self.pictures: list[Cutout] = []
        self.pasted: list[Cutout] = []

    def ask(self, *words: Any) -> bool:
        self.asked.append(words)
        if words[0] == "insert":
            self.pictures.append(np.asarray(Image.open(words[-1])))
        if not self.answers:
            raise EditorRefused
        return self.does

    def at(self, point: ScreenPoint) -> Window:
        if point.x < 0:
            raise NoEditorThere
        return Window(1, "libreoffice-draw", title=TITLE)

    def insert(self, cutout: Cutout, point: ScreenPoint) -> None:
        self.pasted.append(cutout)

    def lands_at(self, point: ScreenPoint) -> ScreenPoint:
        return ScreenPoint(1, 2)

    def move(self, start: ScreenPoint, end: ScreenPoint, zoom: float) -> bool:
        return False

    def learn(self, landed: ScreenPoint, zoom: float) -> bool:
        return True


def editor_of(office: Any) -> LibreOffice:
    return LibreOffice(office, office, lambda: office.listens, office.ask)


class TestEditor:
    def test_a_cutout_is_inserted_with_its_alpha_into_the_window_of_that_title(self, cutout: Cutout) -> None:
        office = Office()
        editor = editor_of(office)
        editor.insert(cutout, AIM)
        assert office.asked[0][:-1] == ("insert", TITLE, 180, 120, AIM.x, AIM.y)
        assert np.array_equal(office.pictures[0], cutout)
        assert not office.asked[0][-1].exists()  # any more
        assert not office.pasted
        assert editor.lands_at(AIM) == AIM

    def test_it_is_moved_by_pixels_of_the_cutout_and_nothing_is_learnt(self, cutout: Cutout) -> None:
        office = Office()
        editor = editor_of(office)
        editor.insert(cutout, AIM)
        assert editor.move(ScreenPoint(100, 100), ScreenPoint(104, 90), zoom=0.5)
        assert office.asked[1] == ("move", TITLE, 180, 120, 8, -20)
        assert not editor.learn(AIM, 0.5)

    def test_what_is_there_and_cannot_be_moved_is_not_taken_for_refused(self, cutout: Cutout) -> None:
        office = Office()
        editor = editor_of(office)
        editor.insert(cutout, AIM)
        office.answers = False
        assert not editor.move(ScreenPoint(100, 100), ScreenPoint(104, 90), zoom=0.5)

    def test_what_may_be_there_already_is_not_pasted_in_the_other_way(self, cutout: Cutout) -> None:
        office = Office()
        office.answers = False
        with pytest.raises(EditorRefused):
            editor_of(office).insert(cutout, AIM)
        assert not office.pasted

    @pytest.mark.parametrize("office", [Office(listens=False), Office(does=False)], ids=["deaf", "another window"])
    def test_where_it_is_not_done_it_is_pasted_in_the_other_way(self, office: Office, cutout: Cutout) -> None:
        editor = editor_of(office)
        editor.insert(cutout, ScreenPoint(-1, 0))
        assert len(office.asked) == office.listens
        assert len(office.pasted) == 1
        assert editor.strategy == "another way"
        assert editor.lands_at(AIM) == ScreenPoint(1, 2)
        assert not editor.move(AIM, AIM, 1.0)
        assert editor.learn(AIM, 1.0)


@pytest.fixture
def script(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What is run in the place of the real script."""
    file = tmp_path / "script.py"
    monkeypatch.setattr(libre_office, "SCRIPT", file)
    return file


class TestAsking:
    def test_what_listens_and_speaks_first_is_taken_for_libreoffice(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            port = listener.getsockname()[1]
            threading.Thread(target=lambda: listener.accept()[0].sendall(b"hello")).start()
            assert listens(port)
        assert not listens(port)

    def test_what_listens_and_stays_silent_costs_half_a_second(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            start_s = time.monotonic()
            assert not listens(listener.getsockname()[1])
            assert time.monotonic() - start_s < 1.0

    def test_the_words_reach_the_script_and_its_verdict_comes_back(
        self, script: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("PYTHONHOME", "/of/another/python")
        script.write_text("import sys\nif sys.argv[3:] == ['move', 'a b', '1.5']: print('asked\\ndone')")
        assert ask_over_uno("move", "a b", 1.5, python=sys.executable)
        assert not ask_over_uno("move", "a", "b", 1.5, python=sys.executable)

    def test_what_was_begun_and_not_done_is_told_and_not_done_again_in_another_way(self, script: Path) -> None:
        script.write_text("print('asked', flush=True)\nraise OSError")
        with pytest.raises(EditorRefused, match="Look whether the cutout is there"):
            ask_over_uno("insert", python=sys.executable)

    def test_the_script_says_when_it_begins_and_when_it_is_done(self, script: Path) -> None:
        script.write_text(Path(libre_office_script.__file__).read_text())
        script.with_name("uno.py").write_text(FAKE_UNO)
        assert ask_over_uno(*INSERT[1:], 299.5, 199.5, "/cat.png", python=sys.executable)
        with pytest.raises(EditorRefused):
            ask_over_uno(*MOVE[1:], 9.6, -4.8, python=sys.executable)  # nothing is selected in a new one

    def test_a_python_without_uno_is_told_to_who_reads_the_log(self, caplog: pytest.LogCaptureFixture) -> None:
        assert not ask_over_uno(*INSERT[1:], 1, 2, "/cat.png", python=sys.executable)
        assert "LibreOffice listens, but: ModuleNotFoundError: No module named 'uno'" in caplog.text

    @pytest.mark.parametrize("python", ["/there/is/no/such/python", str(Path(__file__).parent)])
    def test_where_there_is_no_such_python_nothing_is_done(self, python: str) -> None:
        assert not ask_over_uno("insert", python=python)

    def test_a_libreoffice_that_does_not_answer_any_more_is_told(
        self, script: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        script.write_text("import time\nprint('asked', flush=True)\ntime.sleep(60)")
        monkeypatch.setattr(libre_office, "ANSWER_S", 2.0)
        with pytest.raises(EditorRefused, match="may still appear"):
            ask_over_uno("insert", python=sys.executable)

    def test_what_greets_and_then_stays_silent_is_soon_taken_for_something_else(
        self, script: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        script.write_text(Path(libre_office_script.__file__).read_text())
        script.with_name("uno.py").write_text("import time\ndef getComponentContext(): time.sleep(60)")
        monkeypatch.setattr(libre_office, "READY_S", 0.2)
        assert not ask_over_uno(*INSERT[1:], 1, 2, "/cat.png", python=sys.executable)

    def test_where_not_even_that_is_told_nothing_was_done(self, script: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        script.write_text("import time\ntime.sleep(60)")
        monkeypatch.setattr(libre_office, "ANSWER_S", 0.3)
        assert not ask_over_uno("insert", python=sys.executable)
