"""A TOML file -> what a training run is told, checked when it is made."""

import dataclasses
import math
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from protocol.errors import SettingsInvalid
from segmentation_server.model.architectures import ARCHITECTURES
from segmentation_server.model.basnet_lite import GROUPS
from segmentation_server.training.hybrid_loss import COMBINATIONS

Range = tuple[float, float]
PRECISIONS = ("float32", "bfloat16")
LITE_BLOCKS = sum(group.blocks for group in GROUPS)
ENCODERS = (None, "efficientnet-lite2")
KINDS: dict[object, tuple[type, ...]] = {  # of fields, and what TOML may give for them
    int: (int,),
    float: (int, float),
    float | None: (int, float, type(None)),
    bool: (bool,),
}


@dataclass(frozen=True)
class Augmentation:
    """How photos are changed before the network sees them; each default changes nothing."""

    window: Range = (1.0, 1.0)  # sides of the crop as shares of the stored sides, drawn between these
    stretch: float = 0.0  # width and height of the crop may differ by this share
    is_flipped: bool = False  # left to right, every other one
    brightness: float = 0.0  # factors are drawn from 1 - this to 1 + this, likewise the next three
    contrast: float = 0.0
    saturation: float = 0.0
    tint: float = 0.0  # of each channel
    blurred: float = 0.0  # the share of photos that it happens to, likewise the next four
    jpeg: float = 0.0
    pasted: float = 0.0  # with the object of another photo upon them
    emptied: float = 0.0  # replaced by colours, shades, fog or noise, with nothing to find
    near: float = 0.0  # whose crop closes in on the object, whatever `window` says
    turn: float = 0.0  # the crop is turned by at most this share of a whole turn, either way

    def __post_init__(self) -> None:
        refuse_other_kinds(self)
        least, most = self.window
        if not 0 < least <= most <= 1:
            raise SettingsInvalid(f"window = [{least}, {most}] is no range of shares, such as [0.7, 1.0].")
        refuse_beyond_one(self, *(field.name for field in dataclasses.fields(self) if field.type is float))


@dataclass(frozen=True)
class Recipe:
    """How a network is trained.

    Raises:
        SettingsInvalid: a value that has no meaning.
    """

    model: str
    steps: int  # batches in all, the decay included
    loss: str = "bsi"
    seed: int = 0
    stored_side: int = 320  # pixels; each photo is kept as a square of it and judged at it
    sides: tuple[Range, ...] = ((0.0, 320.0),)  # from this share of the steps on, crops are of this side
    batch: int = 8
    rate: float = 1e-4  # of AdamW, which without decay of weights is Adam
    encoder_rate: float | None = None  # for an encoder that has learnt already; None is `rate`
    frozen_blocks: int = 0  # of BASNet-lite's encoder: they and all its normalisation stay as they were taught
    warm_up_steps: int = 0  # the rate climbs to its height
    decay_steps: int = (
        0  # at the end it falls to zero; between the two it is constant, so that a run can be made longer
    )
    weight_decay: float = 0.0
    clip: float | None = None  # the longest gradient
    average: float = 0.0  # how much of the averaged weights stays at each step
    is_xavier: bool = False  # the paper's start, where no weights are given; otherwise PyTorch's own
    encoder: str | None = None  # "efficientnet-lite2" is fetched
    teacher_share: float = 0.0  # of another network's masks in the truths; see `dataset.soften`
    precision: str = "float32"
    is_compiled: bool = False
    check_minutes: float = 5.0  # between checkpoints; at each the held-back photos are judged
    judged: int = 400  # how many of them
    report_steps: int = 20  # between lines of progress
    augmentation: Augmentation = field(default_factory=Augmentation)

    def __post_init__(self) -> None:
        refuse_other_kinds(self)
        named = {"model": tuple(ARCHITECTURES), "loss": COMBINATIONS, "precision": PRECISIONS, "encoder": ENCODERS}
        for name, known in named.items():
            if getattr(self, name) not in known:
                raise SettingsInvalid(f"{name} = {getattr(self, name)!r} is unknown to recipes: one of {known}.")
        refuse_beyond_one(self, "average", "teacher_share")
        if self.frozen_blocks and (self.model != "basnet-lite" or self.encoder is None):
            raise SettingsInvalid("frozen_blocks needs an encoder of basnet-lite: name it, or leave frozen_blocks out.")
        if self.frozen_blocks > LITE_BLOCKS:
            raise SettingsInvalid(f"frozen_blocks is at most {LITE_BLOCKS}: the encoder has {LITE_BLOCKS} blocks.")
        if min(self.steps, self.batch, self.stored_side, self.judged, self.report_steps) < 1:
            raise SettingsInvalid("steps, batch, stored_side, judged and report_steps start at 1.")
        shares = [share for share, _ in self.sides]
        if shares[:1] != [0] or shares != sorted(shares) or any(side % 8 or side < 8 for _, side in self.sides):
            raise SettingsInvalid("sides are multiples of 8 from the share 0 on, such as [[0.0, 224], [0.8, 288]].")

    def side(self, step: int) -> int:
        """Of the crops at a step, in pixels."""
        return int(next(side for share, side in reversed(self.sides) if step >= share * self.steps))

    def left(self, step: int) -> float:
        """How many steps of the size of the last one would take as long as what is left: time goes with pixels."""
        firsts = [math.ceil(share * self.steps) for share, _ in self.sides]
        parts = zip(self.sides, firsts, [*firsts[1:], self.steps], strict=True)
        pixels = sum(side**2 * max(0, end - max(first, step)) for (_, side), first, end in parts)
        return pixels / self.side(step - 1) ** 2

    def warmth(self, step: int) -> float:
        """What the rates are multiplied by at a step: up, constant, down to zero."""
        up = (step + 1) / (self.warm_up_steps + 1)
        down = (self.steps - step) / (self.decay_steps + 1)
        return min(up, 1.0, down)


def read_recipe(file: Path, **changes: object) -> Recipe:
    """The recipe in a file.

    Args:
        file: TOML, its keys the fields of Recipe.
        changes: fields that are to differ from the file's.

    Raises:
        SettingsInvalid: it cannot be read, or has a key or value that recipes do not know.
    """
    try:
        return recipe_from({**tomllib.loads(file.read_text(encoding="utf-8")), **changes})
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SettingsInvalid(f"The recipe {file} cannot be read as TOML.") from error


def recipe_from(entries: Mapping[str, Any]) -> Recipe:
    """What `dataclasses.asdict` or a TOML file gave -> a recipe."""
    rest = {name: value for name, value in entries.items() if name not in ("augmentation", "sides")}
    try:
        augmentation = dict(entries.get("augmentation", {}))
        if "window" in augmentation:
            augmentation["window"] = tuple(augmentation["window"])
        sides = tuple((share, side) for share, side in entries.get("sides", Recipe.sides))
        return Recipe(**rest, sides=sides, augmentation=Augmentation(**augmentation))
    except (TypeError, ValueError) as error:
        known = ", ".join(field.name for field in dataclasses.fields(Recipe))
        raise SettingsInvalid(f"The recipe does not fit: {error}. Its keys are {known}.") from error


def refuse_other_kinds(settings: Recipe | Augmentation) -> None:
    """Every number is one, of its kind, and not below 0."""
    for known in dataclasses.fields(settings):
        value, kinds = getattr(settings, known.name), KINDS.get(known.type)
        if kinds and (type(value) not in kinds or (value is not None and not value >= 0)):
            raise SettingsInvalid(f"{known.name} = {value!r} has no meaning in a recipe.")


def refuse_beyond_one(settings: Recipe | Augmentation, *names: str) -> None:
    """Shares end there."""
    for name in names:
        if getattr(settings, name) > 1:
            raise SettingsInvalid(f"{name} = {getattr(settings, name)} is a share, and at most 1.")
