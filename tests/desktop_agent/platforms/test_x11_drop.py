"""On a real X server, over a window that answers as Chromium was seen to."""

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from Xlib import X, Xatom
from Xlib.protocol.event import ClientMessage

from demo.desktop import VirtualScreen
from demo.programs import Programs
from desktop_agent.platforms.x11_drop import X11Drop
from desktop_agent.platforms.x11_selection import open_display
from protocol.geometry import ScreenPoint

SPOT = ScreenPoint(100, 100)
FILE, PNG, HTML = "text/uri-list", "image/png", "text/html"
COPY = "XdndActionCopy"
END = "END_OF_TEST"


@pytest.fixture(scope="module", autouse=True)
def screen_number(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with Programs(tmp_path_factory.mktemp("logs")) as programs, pytest.MonkeyPatch.context() as patch:
        screen = VirtualScreen(programs, "screen to drop on", 640, 480)
        patch.setenv("DISPLAY", screen.display)
        yield


class Browser:
    """Its page is asked only after the first position of a drag was answered, as Chromium does."""

    def __init__(self, page: dict[str, str], answers_s: float = 0.0) -> None:
        """Set up.

        Args:
            page: the action that the page proposes for what is moved over it, by its form; no drops of others.
            answers_s: that each answer takes.
        """
        self._answers_s = answers_s
        self.heard: list[str] = []
        self._page = page
        self._form, self._positions = "", 0
        self._display = open_display()
        root = self._display.screen().root
        self._window = root.create_window(0, 0, 640, 480, 0, X.CopyFromParent)
        self._window.change_property(self._atom("XdndAware"), Xatom.ATOM, 32, [5])
        self._window.map()
        self._display.sync()
        self._thread = threading.Thread(target=self._serve)

    def __enter__(self) -> "Browser":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        display = open_display()
        window = display.create_resource_object("window", self._window.id)
        window.send_event(ClientMessage(window=window, client_type=display.intern_atom(END), data=(32, [0] * 5)))
        display.sync()
        display.close()
        self._thread.join()
        self._display.close()

    def _serve(self) -> None:
        while END not in self.heard:
            event = self._display.next_event()
            if event.type == X.ClientMessage:
                self._answer(self._name(event.client_type), [int(number) for number in event.data[1]])

    def _answer(self, message: str, numbers: list[int]) -> None:
        self.heard.append(message)
        if message == "XdndEnter":
            self._form, self._positions = self._name(numbers[2]), 0
        if message == "XdndPosition":
            self._positions += 1
            time.sleep(self._answers_s)
            action = self._choose(self._name(numbers[4])) if self._positions > 1 else None
            self._tell(numbers[0], "XdndStatus", int(action is not None), 0, 0, self._atom(action) if action else 0)
        if message == "XdndDrop":
            self._tell(numbers[0], "XdndFinished", 1, self._atom(COPY), 0, 0)

    def _choose(self, proposed: str) -> str | None:
        opens = COPY if self._form == FILE else None
        chosen = self._page.get(self._form)
        return (proposed if chosen == "any" else chosen) if chosen else opens

    def _tell(self, number: int, message: str, *numbers: int) -> None:
        source = self._display.create_resource_object("window", number)
        content = (32, [int(self._window.id), *numbers])
        source.send_event(ClientMessage(window=source, client_type=self._atom(message), data=content))
        self._display.flush()

    def _atom(self, name: str) -> int:
        return int(self._display.intern_atom(name))

    def _name(self, atom: int) -> str:
        return str(self._display.get_atom_name(atom)) if atom else ""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "Cutout.png"
    path.write_bytes(b"a picture")
    return path


@pytest.mark.parametrize(
    ("page", "is_taken"),
    [
        pytest.param({}, False, id="leaves all to the browser"),
        pytest.param({FILE: "any", PNG: "any"}, True, id="takes all"),
        pytest.param({FILE: COPY, PNG: COPY}, True, id="takes all, as a copy"),
        pytest.param({FILE: "any"}, True, id="takes files only"),
        pytest.param({FILE: COPY}, False, id="cannot be told from the browser"),
    ],
)
def test_a_page_is_asked_whether_it_takes_a_drop_and_gets_none(
    page: dict[str, str], is_taken: bool, file: Path
) -> None:
    with Browser(page) as browser:
        assert X11Drop().is_taken_by_page(file, SPOT) is is_taken
    assert "XdndDrop" not in browser.heard


def test_a_drag_that_was_only_to_ask_has_left_before_the_next_enters(file: Path) -> None:
    with Browser({}) as browser:
        X11Drop().is_taken_by_page(file, SPOT)
        X11Drop().drop(file, SPOT)
    others = [message for message in browser.heard if message not in ("XdndPosition", END)]
    assert others == ["XdndEnter", "XdndLeave"] * 2 + ["XdndEnter", "XdndDrop"]


@pytest.mark.parametrize(("page", "is_taken"), [({HTML: COPY}, True), ({FILE: COPY, PNG: COPY}, False)])
def test_what_is_dropped_into_text_is_no_file(page: dict[str, str], is_taken: bool, file: Path) -> None:
    with Browser(page) as browser:
        assert X11Drop().drop_into_text(file, SPOT) is is_taken
    assert ("XdndDrop" in browser.heard) is is_taken


def test_a_slow_page_is_not_asked_for_longer_than_a_silent_one(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("desktop_agent.platforms.x11_drop.ANSWER_S", 0.5)
    with Browser({}, answers_s=0.3) as browser:
        assert not X11Drop().drop_into_text(file, SPOT)
    assert browser.heard.count("XdndPosition") == 2
