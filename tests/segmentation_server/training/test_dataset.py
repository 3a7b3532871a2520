"""Pairs are read from folders and zips alike, and some are held back for good."""

import zipfile
from pathlib import Path

import pytest

pytest.importorskip("torch", reason="training needs PyTorch: pip install 'ar-copy-paste[torch]'")

import cv2
import numpy as np

from protocol.errors import SettingsInvalid
from segmentation_server.training.dataset import is_held_back, read_pairs, soften
from tests.segmentation_server.training.conftest import COUNT


def everything(name: str) -> bool:
    return True


def test_each_photo_lies_beside_its_truth_as_a_square(dataset: Path) -> None:
    pairs = read_pairs([dataset], 16, everything)

    assert len(pairs) == len(pairs.names) == COUNT
    assert pairs.photos.shape == (COUNT, 3, 16, 16)
    assert pairs.truths.shape == (COUNT, 1, 16, 16)
    red, _, blue = pairs.photos.float().unbind(1)
    is_disc = pairs.truths[:, 0] == 255
    assert (red - blue)[is_disc].mean() > 80
    assert abs((red - blue)[pairs.truths[:, 0] == 0].mean()) < 5


def test_a_folder_gives_what_its_zip_gives(dataset: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(dataset) as archive:
        archive.extractall(tmp_path)

    folder, zipped = read_pairs([tmp_path], 16, everything), read_pairs([dataset], 16, everything)

    assert folder.names == zipped.names
    assert folder.hash == zipped.hash
    assert folder.photos.equal(zipped.photos)
    assert folder.truths.equal(zipped.truths)


def test_what_is_held_back_follows_from_the_name_alone(dataset: Path) -> None:
    held_back = read_pairs([dataset], 16, is_held_back)
    rest = read_pairs([dataset], 16, lambda name: not is_held_back(name))

    assert set(held_back.names).isdisjoint(rest.names)
    assert len(held_back) + len(rest) == COUNT
    assert held_back.hash != rest.hash
    names = [f"photo {number}" for number in range(3200)]
    assert sum(map(is_held_back, names)) == pytest.approx(100, abs=30)
    assert held_back.names == ("disc_26", "disc_27")  # others would have old weights judged by what they have seen


def test_a_teachers_masks_are_mixed_into_the_truths(dataset: Path, tmp_path: Path) -> None:
    pairs = read_pairs([dataset], 16, is_held_back)
    for name in pairs.names:
        cv2.imwrite(str(tmp_path / f"{name}.png"), np.full((32, 48), 51, np.uint8))

    softened = soften(pairs, tmp_path, 0.5)

    assert set(softened.truths[pairs.truths == 255].tolist()) == {153}
    assert set(softened.truths[pairs.truths == 0].tolist()) in ({25}, {26})
    assert softened.hash != pairs.hash


def test_a_teacher_who_lacks_a_mask_is_refused_in_words(dataset: Path, tmp_path: Path) -> None:
    with pytest.raises(SettingsInvalid, match=r"lacks disc_26\.png"):
        soften(read_pairs([dataset], 16, is_held_back), tmp_path, 0.5)


def test_a_photo_without_truth_is_left_out(tmp_path: Path, dataset: Path) -> None:
    with zipfile.ZipFile(dataset) as archive:
        archive.extractall(tmp_path)
    (tmp_path / "mask" / "disc_7.png").unlink()

    assert "disc_7" not in read_pairs([tmp_path], 16, everything).names


def test_a_data_set_that_is_none_is_refused_in_words(tmp_path: Path) -> None:
    broken = tmp_path / "broken.zip"
    broken.write_bytes(b"PK")
    (tmp_path / "image").mkdir()

    for source, fact in ((tmp_path / "nowhere", "no data set at"), (broken, "as a zip"), (tmp_path, "No pairs")):
        with pytest.raises(SettingsInvalid, match=fact):
            read_pairs([source], 16, everything)


def test_a_damaged_photo_is_named(tmp_path: Path, dataset: Path) -> None:
    with zipfile.ZipFile(dataset) as archive:
        archive.extractall(tmp_path)
    (tmp_path / "image" / "disc_3.webp").write_bytes(b"RIFF")

    with pytest.raises(SettingsInvalid, match="disc_3 is damaged"):
        read_pairs([tmp_path], 16, everything)
