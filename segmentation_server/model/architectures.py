"""The networks there are, by the name that a file of weights carries."""

from collections.abc import Callable
from typing import NamedTuple

from torch import nn

from segmentation_server.model.basnet import BASNet
from segmentation_server.model.basnet_lite import BASNetLite


class Architecture(NamedTuple):
    """A network, what people call it, and the side in pixels of the square that our weights of it are best given."""

    build: Callable[[], nn.Module]
    title: str
    size: int


ARCHITECTURES = {
    "basnet": Architecture(BASNet, "BASNet", 320),  # section 4.1
    "basnet-lite": Architecture(BASNetLite, "BASNet-lite", 320),
}
