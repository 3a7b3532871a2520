"""A folder and its zip are the same data set; what is wrong with one is told in a sentence."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from protocol.errors import PictureBroken, SettingsInvalid
from segmentation_server.evaluation.dataset import open_dataset
from tests.segmentation_server.evaluation.conftest import NAMES, TRUTHS


@pytest.mark.parametrize("form", ["folder", "packed"])
def test_a_folder_and_its_zip_hold_the_same_pairs(form: str, request: pytest.FixtureRequest) -> None:
    dataset = open_dataset(request.getfixturevalue(form))

    assert dataset.name == "things"
    assert tuple(pair.name for pair in dataset.pairs) == NAMES
    for pair in dataset.pairs:
        np.testing.assert_array_equal(pair.truth(), TRUTHS[pair.name])
        red = pair.photo()[..., 0] > 160
        assert (red == TRUTHS[pair.name]).mean() > 0.95


def test_pictures_know_their_attributes(packed: Path) -> None:
    dataset = open_dataset(packed)

    assert dataset.attributes == ("large", "thin")
    assert [pair.attributes for pair in dataset.pairs] == [(), ("large",), ("thin", "large"), ("thin",)]


def test_without_a_table_there_are_no_attributes(folder: Path) -> None:
    (folder / "attributes.csv").unlink()

    assert open_dataset(folder).attributes == ()


def test_only_the_first_pairs_are_taken_if_so_many_are_enough(folder: Path) -> None:
    assert [pair.name for pair in open_dataset(folder, limit=2).pairs] == ["cup", "disc"]


def lose_a_mask(folder: Path) -> None:
    (folder / "mask" / "disc.png").unlink()


def lose_a_photo(folder: Path) -> None:
    (folder / "image" / "disc.jpg").unlink()


def lose_all_photos(folder: Path) -> None:
    (folder / "image").rename(folder / "photos")


def name_no_attribute(folder: Path) -> None:
    (folder / "attributes.csv").write_text("name,colour\ndisc,red\n")


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        (lose_a_mask, "the first is disc"),
        (lose_a_photo, "the first is disc"),
        (lose_all_photos, "no pictures in a folder called image"),
        (name_no_attribute, "the columns name and attribute"),
    ],
)
def test_a_spoilt_data_set_says_what_is_wrong(folder: Path, spoil: Callable[[Path], None], sentence: str) -> None:
    spoil(folder)

    with pytest.raises(SettingsInvalid, match=sentence):
        open_dataset(folder)


def test_a_damaged_picture_is_named(folder: Path) -> None:
    photo = folder / "image" / "disc.jpg"
    photo.write_bytes(photo.read_bytes()[:300])

    with pytest.raises(PictureBroken) as caught:
        open_dataset(folder).pairs[1].photo()

    assert "disc.jpg" in caught.value.sentence
