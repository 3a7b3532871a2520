"""A file with an encoder that ImageNet taught -> the encoder of a network."""

import re
from pathlib import Path

import torch
from torch import nn

from protocol.errors import SettingsInvalid
from segmentation_server.model.basnet import PredictionModule
from segmentation_server.model.basnet_lite import BASNetLite, EfficientNetLite2, Layer
from segmentation_server.model.checkpoint import read_weights
from segmentation_server.segmenter import IMAGENET_MEAN, IMAGENET_STD

LITE_MEAN = 127 / 255  # the photos that EfficientNet-lite was trained on were (x - 127) / 128
LITE_STD = 128 / 255
LITE_NAMES = (  # theirs, ours
    (r"^_conv_stem\.", "stem.conv."),
    (r"^_bn0\.", "stem.norm."),
    (r"^_blocks\.", "blocks."),
    (r"_expand_conv\.", "expand.conv."),
    (r"_bn0\.", "expand.norm."),
    (r"_depthwise_conv\.", "depthwise.conv."),
    (r"_bn1\.", "depthwise.norm."),
    (r"_project_conv\.", "project.conv."),
    (r"_bn2\.", "project.norm."),
)
LITE_CLASSIFIER = ("_conv_head.", "_bn1.", "_fc.")
RESNET34_STAGE = re.compile(r"^layer([1-4])\.")  # torchvision's names; its first layers BASNet does not have


def start_encoder(model: nn.Module, file: Path) -> list[nn.Parameter]:
    """Put the weights of a file into a network's encoder.

    Args:
        model: BASNetLite takes EfficientNet-lite2; BASNet and what is made of its parts take torchvision's ResNet-34.
        file: a state dict.

    Returns:
        The parameters that have learnt already.

    Raises:
        SettingsInvalid: the file holds something else.
    """
    weights = dict(read_weights(file))
    if isinstance(model, BASNetLite):
        encoder: nn.Module = model.encoder
        weights = {_rename(name): w for name, w in weights.items() if not name.startswith(LITE_CLASSIFIER)}
    elif isinstance(model, PredictionModule):
        encoder = nn.ModuleDict({f"encoder{stage}": model.get_submodule(f"encoder{stage}") for stage in range(1, 5)})
        stages = {name: w for name, w in weights.items() if RESNET34_STAGE.match(name)}
        weights = {RESNET34_STAGE.sub(r"encoder\1.", name): weight for name, weight in stages.items()}
    else:
        raise SettingsInvalid(f"{type(model).__name__} has no encoder that is taught elsewhere.")
    try:
        encoder.load_state_dict(weights)
    except RuntimeError as error:
        raise SettingsInvalid(f"{file} does not hold the encoder of {type(model).__name__}.") from error
    if isinstance(model, BASNetLite):
        fold_normalisation(model.encoder.stem)
    return list(encoder.parameters())


def _rename(name: str) -> str:
    for theirs, ours in LITE_NAMES:
        name = re.sub(theirs, ours, name)
    return name


def freeze(encoder: EfficientNetLite2, blocks: int) -> None:
    """Let a network that is being trained keep what its encoder was taught of edges, and of how features spread.

    A few thousand photos tell less of either than ImageNet did, and what is kept needs no gradient.

    Args:
        encoder: in train mode.
        blocks: how many of its blocks stay as they are, and what comes before them; of the others, the normalisation.
    """
    for kept in (encoder.stem, *encoder.blocks[:blocks]):
        kept.requires_grad_(requires_grad=False)
    for layer in encoder.modules():
        if isinstance(layer, Layer):
            layer.norm.eval().requires_grad_(requires_grad=False)
            layer.is_frozen = True


@torch.no_grad()
def fold_normalisation(stem: Layer) -> None:
    """Change an EfficientNet-lite2's first layer so that it sees our normalisation as it saw its own.

    With x = std * ours + mean its input was (x - LITE_MEAN) / LITE_STD: the factor goes into the convolution, the
    shift into the mean that batch normalisation takes off.
    """
    mean, std = (torch.from_numpy(values).view(3, 1, 1) for values in (IMAGENET_MEAN, IMAGENET_STD))
    kernel = stem.conv.weight  # (32, 3, 3, 3)
    assert stem.norm.running_mean is not None
    stem.norm.running_mean -= (kernel * (mean - LITE_MEAN) / LITE_STD).sum((1, 2, 3))
    kernel *= std / LITE_STD
