"""Pasting into the real programs, looked at from outside the agent."""

from collections.abc import Sequence

import pytest

from real_editors.agent import AimedAgent
from real_editors.editors import EDITORS, Places
from real_editors.opened import OpenEditor
from real_editors.trial import Trial, aims, try_paste

FARTHEST_PX = 2.0
pytestmark = pytest.mark.timeout(300)


def names(places: Places) -> list[str]:
    return [editor.name for editor in EDITORS if editor.places is places]


def paste_twice(opened: OpenEditor, agent: AimedAgent) -> Sequence[Trial]:
    """As the editor has opened its document; and zoomed and scrolled."""
    first = try_paste(opened, agent, "as opened", aims(opened, 1, seed=1)[0])
    opened.zoom()
    opened.scroll()
    return first, try_paste(opened, agent, "zoomed, scrolled", aims(opened, 1, seed=2)[0])


@pytest.mark.parametrize("opened", names(Places.FREELY), indirect=True)
def test_a_cutout_lands_at_the_aim_with_its_alpha_and_can_be_taken_back(opened: OpenEditor, agent: AimedAgent) -> None:
    for trial in paste_twice(opened, agent):
        assert trial.refusal is None, trial.sentence
        assert trial.is_honest
        assert trial.error_px is not None
        assert trial.error_px <= FARTHEST_PX
        assert trial.keeps_alpha
        assert trial.undone
        assert_the_users_things_are_as_they_were(trial)


@pytest.mark.parametrize("opened", names(Places.AT_CARET), indirect=True)
def test_a_cutout_lands_in_the_text_and_can_be_taken_back(opened: OpenEditor, agent: AimedAgent) -> None:
    for trial in paste_twice(opened, agent):
        assert trial.refusal is None, trial.sentence
        assert trial.is_honest
        assert trial.undone
        assert_the_users_things_are_as_they_were(trial)


@pytest.mark.parametrize("opened", names(Places.NOWHERE), indirect=True)
def test_a_program_that_takes_no_pictures_is_refused_with_its_document_untouched(
    opened: OpenEditor, agent: AimedAgent
) -> None:
    for trial in paste_twice(opened, agent):
        assert trial.refusal == opened.editor.refusal
        assert trial.is_honest
        assert_the_users_things_are_as_they_were(trial)


def assert_the_users_things_are_as_they_were(trial: Trial) -> None:
    assert trial.clipboard_kept
    assert trial.pointer_kept
    assert trial.focus_kept
