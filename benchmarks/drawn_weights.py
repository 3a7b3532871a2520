"""A network with weights that chance drew: as quick as a trained one, and its masks react to what it sees."""

import torch
from torch import nn

from segmentation_server.model.architectures import Architecture
from segmentation_server.training.train import draw_xavier

SEED = 0
NOISES = 2  # in the batch that sets batch normalisation


def draw_network(architecture: Architecture) -> nn.Module:
    """In eval mode, batch normalisation set as if trained on noise; without that every map would be flat."""
    torch.manual_seed(SEED)
    model = architecture.build()
    draw_xavier(model)
    for layer in model.modules():
        if isinstance(layer, nn.BatchNorm2d):
            layer.momentum = 1.0
    with torch.no_grad():
        model.train()(torch.randn(NOISES, 3, architecture.size // 2, architecture.size // 2))
    return model.eval()
