import re

import pytest

from protocol.errors import (
    AgentUnreachable,
    CopyPasteError,
    DesktopUnavailable,
    NothingToCut,
    NotPaired,
    ServerUnreachable,
    TooManyPixels,
    error_class,
)


def all_classes(root: type[CopyPasteError]) -> list[type[CopyPasteError]]:
    return [root, *(each for child in root.__subclasses__() for each in all_classes(child))]


CLASSES = all_classes(CopyPasteError)


def test_every_error_has_a_code_of_its_own() -> None:
    codes = [error.code for error in CLASSES]
    assert len(set(codes)) == len(codes)


@pytest.mark.parametrize("error", CLASSES, ids=lambda error: error.code)
def test_every_error_is_a_sentence_a_status_and_a_stable_code(error: type[CopyPasteError]) -> None:
    assert re.fullmatch(r"[A-Z].*[.?]", error().sentence)
    assert "\n" not in error().sentence
    assert 400 <= error.status <= 503
    assert re.fullmatch(r"[a-z_]+", error.code)


@pytest.mark.parametrize(
    "error", [ServerUnreachable(), AgentUnreachable(), DesktopUnavailable(), NotPaired()], ids=lambda error: error.code
)
def test_a_user_of_the_app_need_not_know_what_its_parts_are_called(error: CopyPasteError) -> None:
    assert not re.search(r"segmentation|server|agent|phone", error.sentence)


def test_a_fact_of_the_moment_follows_the_sentence() -> None:
    assert TooManyPixels("It has 80 megapixels.").sentence.endswith("smaller one. It has 80 megapixels.")


def test_a_code_leads_back_to_its_class() -> None:
    assert error_class("nothing_to_cut") is NothingToCut


def test_a_code_of_a_newer_version_is_still_an_error() -> None:
    assert error_class("from_the_future") is CopyPasteError
