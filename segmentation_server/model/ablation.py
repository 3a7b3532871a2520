"""The other architectures of Table 1, each of which lacks something of BASNet or has another refinement.

They are called as BASNet is and answer as BASNet does, so that a recipe trains them by name.
"""

from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from segmentation_server.model.basnet import STAGES, PredictionModule
from segmentation_server.model.blocks import NamedLayers, conv3x3, halve, pad_to_multiple, upsample

UNET_CHANNELS = (64, 128, 256, 512, 1024)
UNET_COARSEST = 2 ** (len(UNET_CHANNELS) - 1)  # pixels of the photo, per side, in one pixel of the deepest features


class UNet(NamedLayers):
    """The baseline (Ronneberger et al. 2015, Fig. 1), padded so that maps keep their size, with batch normalisation."""

    def __init__(self) -> None:
        super().__init__()
        for level, (c_in, c_out) in enumerate(pairwise((3, *UNET_CHANNELS))):
            self.add_layer(f"{level}_1", c_in, c_out)
            self.add_layer(f"{level}_2", c_out, c_out)
        for level, (c_out, c_coarser) in enumerate(pairwise(UNET_CHANNELS)):
            self.add_layer(f"{level}d_up", c_coarser, c_out)
            self.add_layer(f"{level}d_1", 2 * c_out, c_out)
            self.add_layer(f"{level}d_2", c_out, c_out)
        self.outconv = nn.Conv2d(UNET_CHANNELS[0], 1, kernel_size=1)

    def forward(self, batch: Tensor) -> tuple[Tensor, ...]:
        """(B, 3, H, W) normalised -> one map of (B, 1, H, W) logits."""
        height, width = batch.shape[-2:]
        features = self._twice("0", pad_to_multiple(batch, UNET_COARSEST))
        skipped = []
        for level in range(1, len(UNET_CHANNELS)):
            skipped.append(features)
            features = self._twice(str(level), halve(features))
        for level in reversed(range(len(skipped))):
            coarser = self.layer(f"{level}d_up", upsample(features, 2))
            features = self._twice(f"{level}d", skipped[level], coarser)
        logits: Tensor = self.outconv(features)
        return (logits[..., :height, :width],)

    def _twice(self, name: str, *features: Tensor) -> Tensor:
        return self.layer(f"{name}_2", self.layer(f"{name}_1", *features))


class EncoderDecoder(PredictionModule):
    """ED: the prediction module with its finest output alone."""

    def __init__(self) -> None:
        super().__init__()
        for stage in STAGES[:-1]:
            delattr(self, f"outconv{stage.name[0]}")

    def predict(self, batch: Tensor) -> tuple[Tensor, ...]:
        """(B, 3, H, W), both sides multiples of 32 -> one map of (B, 1, H, W) logits."""
        finest = self._decode(*self._encode(batch))[-1]
        return (self._side_output(STAGES[-1], finest),)


class LocalContext(nn.Module):
    """RRM_LC (Fig. 4a): the boundary refinement of Peng et al. 2017. (B, 1, H, W) logits -> same."""

    def __init__(self) -> None:
        super().__init__()
        self.widen, self.norm, self.narrow = conv3x3(1, 64), nn.BatchNorm2d(64), conv3x3(64, 1)

    def forward(self, coarse: Tensor) -> Tensor:
        """Equation 1, on logits."""
        residual: Tensor = self.narrow(F.relu(self.norm(self.widen(coarse)), inplace=True))
        return coarse + residual


class MultiScale(nn.Module):
    """RRM_MS (Fig. 4b): several dilations side by side, nothing pooled. (B, 1, H, W) logits -> same.

    The text gives no numbers; these are the rates of Chen et al. 2018, with 64 channels in all, as the others have.
    """

    def __init__(self, dilations: tuple[int, ...] = (1, 6, 12, 18)) -> None:
        super().__init__()
        self.branches = nn.ModuleList(conv3x3(1, 64 // len(dilations), dilation=dilation) for dilation in dilations)
        self.norm, self.narrow = nn.BatchNorm2d(64), conv3x3(64, 1)

    def forward(self, coarse: Tensor) -> Tensor:
        """Equation 1, on logits."""
        features = torch.cat([branch(coarse) for branch in self.branches], dim=1)
        residual: Tensor = self.narrow(F.relu(self.norm(features), inplace=True))
        return coarse + residual
