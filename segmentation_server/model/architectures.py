"""The networks there are, by the name that a recipe and a file of weights call them."""

from collections.abc import Callable
from typing import NamedTuple

from torch import nn

from segmentation_server.model.ablation import EncoderDecoder, LocalContext, MultiScale, UNet
from segmentation_server.model.basnet import BASNet, PredictionModule
from segmentation_server.model.basnet_lite import BASNetLite


class Architecture(NamedTuple):
    """A network, what people call it, and the side in pixels of the square that our weights of it are best given."""

    build: Callable[[], nn.Module]
    title: str
    size: int = 320  # section 4.1


ARCHITECTURES = {
    "basnet-lite": Architecture(BASNetLite, "BASNet-lite", 288),
    "basnet": Architecture(BASNet, "BASNet"),
    # The rest of Table 1; its last rows are BASNet with the losses that a recipe names.
    "u-net": Architecture(UNet, "U-Net"),
    "ed": Architecture(EncoderDecoder, "ED"),
    "eds": Architecture(PredictionModule, "EDS"),
    "eds-rrm-lc": Architecture(lambda: BASNet(LocalContext()), "EDS + RRM_LC"),
    "eds-rrm-ms": Architecture(lambda: BASNet(MultiScale()), "EDS + RRM_MS"),
}
