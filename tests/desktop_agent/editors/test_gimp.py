import socket
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from desktop_agent.editors.gimp import Gimp, run_by_server
from desktop_agent.pictures import Picture
from desktop_agent.platforms import Window
from protocol.errors import EditorRefused
from protocol.geometry import ScreenPoint

TITLE = "*[document] (imported)-3.0 (RGB color 8-bit gamma integer, GIMP built-in sRGB, 2 layers) 2400x1600 - GIMP"
MIDDLE, AIM = ScreenPoint(800, 500), ScreenPoint(700, 620)


class FakeGimp:
    """Its window, what is dropped on it, and the scripts it is handed."""

    def __init__(self, *, title: str = TITLE, takes_drops: bool = True) -> None:
        self.title = title
        self.takes_drops = takes_drops
        self.files: list[Path] = []
        self.scripts: list[str] = []

    def at(self, point: ScreenPoint) -> Window:
        return Window(1, "Gimp", title=self.title)

    def drop(self, file: Path, point: ScreenPoint) -> bool:
        self.files.append(file)
        return self.takes_drops

    def run(self, script: str) -> bool:
        self.scripts.append(script)
        return True


def editor_for(gimp: Any, folder: Path) -> Gimp:
    return Gimp(gimp, gimp, folder, gimp, run_by=[gimp.run])


def test_the_layer_is_moved_by_pixels_of_the_document_of_the_image_that_the_title_tells(
    cutout: Picture, tmp_path: Path
) -> None:
    gimp = FakeGimp()
    editor = editor_for(gimp, tmp_path)
    editor.insert(cutout, AIM)
    assert editor.move(MIDDLE, AIM, zoom=0.5)
    (script,) = gimp.scripts
    assert "(image 3)" in script
    assert "(+ (car offsets) -200) (+ (cadr offsets) 240)" in script
    assert gimp.files[0].name in script


def test_the_move_leaves_no_step_of_its_own(cutout: Picture, tmp_path: Path) -> None:
    gimp = FakeGimp()
    editor = editor_for(gimp, tmp_path)
    editor.insert(cutout, AIM)
    editor.move(MIDDLE, AIM, zoom=1.0)
    freeze, move, thaw = (gimp.scripts[0].index(word) for word in ("undo-freeze", "set-offsets", "undo-thaw"))
    assert freeze < move < thaw


def test_a_procedure_is_asked_for_in_a_word_that_gimp_2_and_3_share(cutout: Picture, tmp_path: Path) -> None:
    gimp = FakeGimp()
    editor = editor_for(gimp, tmp_path)
    editor.insert(cutout, AIM)
    editor.move(MIDDLE, AIM, zoom=1.0)
    for name in ("gimp-image-get-active-layer", "gimp-drawable-offsets"):  # GIMP 2 alone has these
        assert f"(if (defined? '{name})" in gimp.scripts[0]


def test_the_next_layer_is_looked_for_where_the_last_appeared(cutout: Picture, tmp_path: Path) -> None:
    editor = editor_for(FakeGimp(), tmp_path)
    assert editor.lands_at(AIM) == AIM
    editor.insert(cutout, AIM)
    editor.move(MIDDLE, AIM, zoom=0.5)
    assert editor.lands_at(AIM) == MIDDLE


def test_a_layer_is_not_moved_twice_by_scripts_that_are_slow_to_start(cutout: Picture, tmp_path: Path) -> None:
    gimp = FakeGimp()
    editor = editor_for(gimp, tmp_path)
    editor.insert(cutout, AIM)
    editor.move(MIDDLE, AIM, zoom=1.0)
    name = gimp.files[0].name
    assert f'(gimp-item-get-name layer)) "{name}")' in gimp.scripts[0]
    assert f'(gimp-item-set-name layer "{name.removesuffix(".png")}")' in gimp.scripts[0]


def test_a_title_that_tells_no_image_is_no_reason_to_guess(cutout: Picture, tmp_path: Path) -> None:
    gimp = FakeGimp(title="My own title")
    editor = editor_for(gimp, tmp_path)
    editor.insert(cutout, AIM)
    assert not editor.move(MIDDLE, AIM, zoom=1.0)
    assert not gimp.scripts


def test_a_drop_that_is_refused_is_said(cutout: Picture, tmp_path: Path) -> None:
    with pytest.raises(EditorRefused):
        editor_for(FakeGimp(takes_drops=False), tmp_path).insert(cutout, AIM)


class FakeServer:
    """A Script-Fu server that hears one script and answers as GIMP does: byte by byte."""

    def __init__(self, answer: bytes) -> None:
        self.heard = b""
        self._answer = answer
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self) -> None:
        connection, _ = self._listener.accept()
        with self._listener, connection:
            self.heard = connection.recv(100)
            for byte in self._answer:
                connection.sendall(bytes([byte]))
                time.sleep(0.01)

    def join(self) -> None:
        self._thread.join()


@pytest.mark.parametrize(("answer", "was_taken"), [(b"G\0\0\x02#t", True), (b"G\1\0\x04What", False), (b"", False)])
def test_the_script_fu_server_is_spoken_to_in_its_own_way(answer: bytes, was_taken: bool) -> None:
    server = FakeServer(answer)
    assert run_by_server("(gimp-quit 1)", server.port) is was_taken
    server.join()
    assert server.heard == b"G\0\x0d(gimp-quit 1)"


def test_where_no_script_fu_server_listens_nothing_is_run() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    assert not run_by_server("(gimp-quit 1)", port)
