"""How much a document was zoomed between two looks at its window."""

import cv2
import numpy as np
import pytest

from desktop_agent.pictures import Picture
from desktop_agent.rescale import find_rescaling
from real_editors.documents import draw_blank, draw_texture


def draw_window(document: Picture, zoom: float, left: int, top: int) -> Picture:
    """Tools that look the same at every zoom, over the part of a document that shows then."""
    random = np.random.default_rng(5)
    window = np.full((800, 1280, 3), 220, np.uint8)
    for x, y in random.integers((0, 0), (1250, 70), (60, 2)):
        cv2.rectangle(window, (int(x), int(y)), (int(x) + 14, int(y) + 14), random.integers(0, 255, 3).tolist(), -1)
    shown = cv2.resize(document, None, fx=zoom, fy=zoom, interpolation=cv2.INTER_AREA)[
        top : top + 660, left : left + 1140
    ]
    window[100 : 100 + shown.shape[0], 100 : 100 + shown.shape[1]] = shown
    return window


@pytest.mark.parametrize(("zoom", "zoom_now"), [(1.0, 2.0), (1.0, 0.5), (0.66, 0.75)])
def test_a_zoom_is_told_by_what_the_document_shows(zoom: float, zoom_now: float) -> None:
    before, after = draw_window(draw_texture(), zoom, 100, 80), draw_window(draw_texture(), zoom_now, 130, 190)
    assert find_rescaling(before, after) == pytest.approx(zoom_now / zoom, rel=0.01)


def test_a_scrolled_document_is_shown_as_large_as_before() -> None:
    before, after = draw_window(draw_texture(), 1.0, 100, 80), draw_window(draw_texture(), 1.0, 130, 300)
    assert find_rescaling(before, after) == pytest.approx(1.0, abs=0.002)


@pytest.mark.parametrize("zoom_now", [0.5, 2.0])
def test_the_zoom_of_a_blank_sheet_is_not_guessed_from_the_tools_around_it(zoom_now: float) -> None:
    before, after = draw_window(draw_blank(), 1.0, 100, 80), draw_window(draw_blank(), zoom_now, 0, 0)
    assert find_rescaling(before, after) is None


def test_another_document_tells_no_zoom() -> None:
    other = np.ascontiguousarray(draw_texture()[::-1, ::-1, ::-1])
    before, after = draw_window(draw_texture(), 1.0, 100, 80), draw_window(other, 1.0, 100, 80)
    assert find_rescaling(before, after) is None
