"""Whether what markers add to finding the screen point is measured by views that show them."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from benchmarks.second_view import main, try_case

SIMULATOR = """
import cv2

def make_cases(seed, count, refusals):
    return [dict(id=group, group=group, photo_of="blank.png", screenshot="blank.png", out=[960, 600])
            for group in ("lowtexture", "neg_other", "neg_offscreen") for _ in range(count)]

def render(case, photo_screen):
    truth = dict(x=None, y=None) if case["group"].startswith("neg") else dict(x=639.5, y=399.5)
    return cv2.resize(photo_screen, case["out"], interpolation=cv2.INTER_AREA), truth
"""


@pytest.fixture
def simulator(tmp_path: Path) -> Path:
    """Of a camera that looks straight at a blank screen and sees all of it, exactly; what is to be refused, too."""
    (tmp_path / "screens").mkdir()
    Image.fromarray(np.full((800, 1280, 3), 235, np.uint8)).save(tmp_path / "screens" / "blank.png")
    (tmp_path / "sim.py").write_text(SIMULATOR)
    return tmp_path


def test_a_blank_page_is_found_in_the_second_view_alone(simulator: Path) -> None:
    case = {
        "id": "lowtexture",
        "group": "lowtexture",
        "photo_of": "blank.png",
        "screenshot": "blank.png",
        "out": [960, 600],
    }
    tried = try_case(case, simulator)
    assert tried.first_px == np.inf
    assert tried.last_px < 1.0
    assert tried.failure is None


def test_the_table_tells_what_was_found_and_what_was_accepted_falsely(
    simulator: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--simulator", str(simulator), "--cases", "1", "--jobs", "1"]) == 0
    printed = capsys.readouterr().out
    assert "falsely accepted: 1 of 2" in printed
    assert "failed: neg_offscreen, second view: falsely accepted" in printed
    assert "100 %" in printed
