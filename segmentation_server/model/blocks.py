"""The pieces that BASNet is put together from."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn


def conv3x3(c_in: int, c_out: int, *, stride: int = 1, dilation: int = 1, bias: bool = True) -> nn.Conv2d:
    """A 3 x 3 convolution whose output has the size of its input, divided by `stride`."""
    return nn.Conv2d(c_in, c_out, kernel_size=3, stride=stride, padding=dilation, dilation=dilation, bias=bias)


def halve(features: Tensor) -> Tensor:
    """Non-overlapping max pooling. (B, C, H, W) -> (B, C, H / 2, W / 2)."""
    return F.max_pool2d(features, kernel_size=2)


def upsample(features: Tensor, factor: int) -> Tensor:
    """Bilinear, as PyTorch has done it since 0.4: (B, C, H, W) -> (B, C, factor * H, factor * W)."""
    return F.interpolate(features, scale_factor=float(factor), mode="bilinear", align_corners=False)


def pad_to_multiple(batch: Tensor, multiple: int) -> Tensor:
    """Repeat the last column and row until both sides are multiples, so that no edge appears where there is none.

    Args:
        batch: (B, C, H, W) of any range.
        multiple: what both sides of the answer can be divided by.

    Returns:
        (B, C, H', W') with H <= H' < H + multiple, likewise W'; the batch lies in its top left corner.
    """
    height, width = batch.shape[-2:]
    return F.pad(batch, (0, -width % multiple, 0, -height % multiple), mode="replicate")


class BasicBlock(nn.Module):
    """The residual block of ResNet-34 (He et al. 2016, Fig. 2), with its names for the layers.

    (B, c_in, H, W) -> (B, c_out, H / stride, W / stride).
    """

    def __init__(self, c_in: int, c_out: int, *, stride: int = 1) -> None:
        super().__init__()
        self.conv1 = conv3x3(c_in, c_out, stride=stride, bias=False)
        self.bn1 = nn.BatchNorm2d(c_out)
        self.conv2 = conv3x3(c_out, c_out, bias=False)
        self.bn2 = nn.BatchNorm2d(c_out)
        self.downsample = _shortcut(c_in, c_out, stride) if c_in != c_out or stride != 1 else None

    def forward(self, features: Tensor) -> Tensor:
        """Add what the two layers found to what came in."""
        shortcut = features if self.downsample is None else self.downsample(features)
        residual = F.relu(self.bn1(self.conv1(features)), inplace=True)
        residual = self.bn2(self.conv2(residual))
        return F.relu(residual + shortcut, inplace=True)


def _shortcut(c_in: int, c_out: int, stride: int) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(c_in, c_out, kernel_size=1, stride=stride, bias=False), nn.BatchNorm2d(c_out))


def residual_stage(c_in: int, c_out: int, *, blocks: int, stride: int) -> nn.Sequential:
    """One stage of ResNet-34: its first block changes channels and size, the others keep them."""
    rest = (BasicBlock(c_out, c_out) for _ in range(blocks - 1))
    return nn.Sequential(BasicBlock(c_in, c_out, stride=stride), *rest)


class NamedLayers(nn.Module):
    """A network of layers (convolution, batch normalisation, ReLU) under the names of the published checkpoint.

    Its names are flat, `conv6d_1` and `bn6d_1` side by side, so a layer cannot be a module with a name of its own.
    """

    def add_layer(self, name: str, c_in: int, c_out: int, *, dilation: int = 1) -> None:
        """Register `conv{name}` and `bn{name}`."""
        self.add_module(f"conv{name}", conv3x3(c_in, c_out, dilation=dilation))
        self.add_module(f"bn{name}", nn.BatchNorm2d(c_out))

    def layer(self, name: str, *features: Tensor) -> Tensor:
        """Run a layer on features of one size, concatenated in this order: [(B, C_i, H, W)] -> (B, c_out, H, W)."""
        conv, bn = self.get_submodule(f"conv{name}"), self.get_submodule(f"bn{name}")
        return F.relu(bn(conv(torch.cat(features, dim=1))), inplace=True)
