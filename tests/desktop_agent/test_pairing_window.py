import importlib.util
import shutil
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from demo.desktop import VirtualScreen, environment
from demo.programs import Programs
from desktop_agent.pairing_offer import PairingOffer
from mobile_client.pairing import read_code
from protocol.pairing import PairingLink, new_token

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("_tkinter") is None or shutil.which("Xvfb") is None,
    reason="the window needs tkinter, and its test a virtual screen",
)
SHOWN_S = 20.0


@pytest.fixture
def screen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[VirtualScreen]:
    with Programs(tmp_path) as programs:
        screen = VirtualScreen(programs, "screen", 800, 600)
        for name, value in environment(tmp_path / "home", screen.display).items():
            monkeypatch.setenv(name, value)
        yield screen


def wait_for_code(screen: VirtualScreen, code: str | None) -> bool:
    deadline_s = time.monotonic() + SHOWN_S
    while time.monotonic() < deadline_s:
        if read_code(screen.screenshot()) == code:
            return True
        time.sleep(0.2)
    return False


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the virtual screen is an X server")
def test_a_camera_reads_the_link_from_the_window_until_it_is_withdrawn(screen: VirtualScreen, tmp_path: Path) -> None:
    first, second = (PairingLink("192.168.1.20", 8765, "ab" * 32, new_token()) for _ in range(2))
    with (tmp_path / "terminal").open("w") as terminal:
        offer = PairingOffer(terminal, shows_window=True)
        offer.show(first)
        assert wait_for_code(screen, first.to_uri())
        offer.show(second)
        assert wait_for_code(screen, second.to_uri())
        offer.withdraw()
    assert wait_for_code(screen, None)
