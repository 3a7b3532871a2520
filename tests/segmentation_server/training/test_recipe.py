"""A recipe is checked when it is read, and says what holds at each step."""

from pathlib import Path

import pytest

pytest.importorskip("torch", reason="training needs PyTorch: pip install 'ar-copy-paste[torch]'")

import dataclasses

from protocol.errors import SettingsInvalid
from segmentation_server.training.__main__ import RECIPES
from segmentation_server.training.recipe import Recipe, read_recipe, recipe_from


@pytest.mark.parametrize("file", sorted(RECIPES.glob("*.toml")), ids=lambda file: file.stem)
def test_each_recipe_can_be_read_and_restored_from_what_is_written_beside_the_weights(file: Path) -> None:
    recipe = read_recipe(file)

    assert recipe_from(dataclasses.asdict(recipe)) == recipe


def test_the_papers_recipe_is_that_of_section_4_1() -> None:
    recipe = read_recipe(RECIPES / "paper.toml")

    assert (recipe.stored_side, recipe.side(0), recipe.batch, recipe.steps) == (320, 288, 8, 400_000)
    assert recipe.augmentation.window == (288 / 320, 288 / 320)
    assert (recipe.rate, recipe.warmth(0), recipe.warmth(399_999), recipe.weight_decay) == (1e-4, 1, 1, 0)
    assert (recipe.loss, recipe.is_xavier, recipe.augmentation.is_flipped) == ("bsi", True, True)


def test_the_rate_climbs_stays_and_falls_to_zero() -> None:
    recipe = Recipe(model="basnet", steps=100, warm_up_steps=3, decay_steps=4)

    warmths = [recipe.warmth(step) for step in (0, 1, 2, 3, 50, 95, 96, 97, 98, 99, 100)]

    assert warmths == pytest.approx([0.25, 0.5, 0.75, 1, 1, 1, 0.8, 0.6, 0.4, 0.2, 0])


def test_crops_grow_with_the_share_of_steps_done() -> None:
    recipe = Recipe(model="basnet", steps=10, sides=((0.0, 160), (0.5, 224), (0.8, 288)))

    assert [recipe.side(step) for step in range(10)] == [160] * 5 + [224] * 3 + [288] * 2


def test_what_is_left_counts_large_crops_for_more() -> None:
    recipe = Recipe(model="basnet", steps=10, sides=((0.0, 160), (0.5, 320)))

    assert [recipe.left(step) for step in (1, 5, 6, 9, 10)] == [4 + 5 * 4, 5 * 4, 4, 1, 0]


@pytest.mark.parametrize(
    ("line", "fact"),
    [
        ('model = "unet"', "model = 'unet' is unknown"),
        ('loss = "bb"', "loss = 'bb' is unknown"),
        ("steps = 0", "start at 1"),
        ("sides = [[0.5, 224]]", "from the share 0 on"),
        ("sides = [[0.0, 225]]", "multiples of 8"),
        ("sides = [[0.0, 64], [0.5, 32], [0.2, 64]]", "from the share 0 on"),
        ("sides = [[0.0, 0]]", "multiples of 8"),
        ("sides = 224", "does not fit"),
        ("sides = [[0.0]]", "does not fit"),
        ("speed = 9", "'speed'"),
        ('encoder = "resnet-34"', "encoder = 'resnet-34' is unknown"),
        ('rate = "fast"', "rate = 'fast' has no meaning"),
        ("rate = -1e-3", "rate = -0.001 has no meaning"),
        ("rate = nan", "rate = nan has no meaning"),
        ("steps = 2.5", "steps = 2.5 has no meaning"),
        ("batch = true", "batch = True has no meaning"),
        ("is_compiled = 1", "is_compiled = 1 has no meaning"),
        ("average = 1.5", "average = 1.5 is a share"),
        ("frozen_blocks = 4", "needs an encoder of basnet-lite"),
        ('frozen_blocks = 4\nencoder = "efficientnet-lite2"', "needs an encoder of basnet-lite"),
        ('model = "basnet-lite"\nfrozen_blocks = 4', "needs an encoder of basnet-lite"),
        ('model = "basnet-lite"\nencoder = "efficientnet-lite2"\nfrozen_blocks = 22', "the encoder has 21 blocks"),
        ("augmentation = 1", "does not fit"),
        ("augmentation = {window = 0.5}", "does not fit"),
        ("augmentation = {window = [0.5]}", "does not fit"),
        ("augmentation = {window = [1.0, 0.5]}", "no range of shares"),
        ("augmentation = {jpeg = 2}", "jpeg = 2 is a share"),
        ("steps = ", "cannot be read as TOML"),
    ],
)
def test_a_wrong_recipe_is_refused_in_words(line: str, fact: str, tmp_path: Path) -> None:
    name = line.partition(" ")[0]
    lines = [*(right for right in ('model = "basnet"', "steps = 5") if not right.startswith(name)), line]
    file = tmp_path / "recipe.toml"
    file.write_text("\n".join(lines))

    with pytest.raises(SettingsInvalid) as caught:
        read_recipe(file)

    assert fact in caught.value.fact
