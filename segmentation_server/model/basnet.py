"""photo tensor -> eight maps of logits: BASNet (Qin et al. 2021, arXiv 2101.04704), key for key as published.

`PredictionModule` (section 3.2) finds the object, `RefinementModule` (section 3.3) sharpens it, `BASNet` (section 3.1,
Fig. 2) plugs the two together. The names of layers are those of the published checkpoint, so that it loads.
"""

from typing import NamedTuple

import torch.nn.functional as F
from torch import Tensor, nn

from segmentation_server.model.blocks import (
    BasicBlock,
    NamedLayers,
    conv3x3,
    halve,
    pad_to_multiple,
    residual_stage,
    upsample,
)

COARSEST = 32  # pixels of the photo, per side, in one pixel of the bridge


class Stage(NamedTuple):
    """A stage after the encoder (Fig. 2): three layers and a side output."""

    name: str  # its layers are conv{name}_1, _m and _2, its side output is outconv{name[0]}
    channels: tuple[int, int, int, int]  # in, between its layers, out
    dilations: tuple[int, int, int]
    scale: int  # pixels of the photo, per side, in one of its pixels


STAGES = (
    Stage("bg", (512, 512, 512, 512), (2, 2, 2), COARSEST),  # the bridge
    Stage("6d", (1024, 512, 512, 512), (1, 2, 2), 32),
    Stage("5d", (1024, 512, 512, 512), (1, 1, 1), 16),
    Stage("4d", (1024, 512, 512, 256), (1, 1, 1), 8),
    Stage("3d", (512, 256, 256, 128), (1, 1, 1), 4),
    Stage("2d", (256, 128, 128, 64), (1, 1, 1), 2),
    Stage("1d", (128, 64, 64, 64), (1, 1, 1), 1),
)


class PredictionModule(NamedLayers):
    """The densely supervised encoder-decoder (section 3.2): seven maps, each of the size of the photo."""

    def __init__(self) -> None:
        super().__init__()
        self._add_encoder()
        for stage in STAGES:
            self._add_stage(stage)
        for stage in STAGES:
            self.add_module(f"outconv{stage.name[0]}", conv3x3(stage.channels[-1], 1))

    def _add_encoder(self) -> None:
        """ResNet-34 behind an input layer that keeps the size, and two stages more for its receptive field."""
        self.inconv = conv3x3(3, 64)
        self.inbn = nn.BatchNorm2d(64)
        self.encoder1 = residual_stage(64, 64, blocks=3, stride=1)
        self.encoder2 = residual_stage(64, 128, blocks=4, stride=2)
        self.encoder3 = residual_stage(128, 256, blocks=6, stride=2)
        self.encoder4 = residual_stage(256, 512, blocks=3, stride=2)
        self.resb5_1 = BasicBlock(512, 512)
        self.resb5_2 = BasicBlock(512, 512)
        self.resb5_3 = BasicBlock(512, 512)
        self.resb6_1 = BasicBlock(512, 512)
        self.resb6_2 = BasicBlock(512, 512)
        self.resb6_3 = BasicBlock(512, 512)

    def _add_stage(self, stage: Stage) -> None:
        c_in, c_1, c_m, c_2 = stage.channels
        dilation_1, dilation_m, dilation_2 = stage.dilations
        self.add_layer(f"{stage.name}_1", c_in, c_1, dilation=dilation_1)
        self.add_layer(f"{stage.name}_m", c_1, c_m, dilation=dilation_m)
        self.add_layer(f"{stage.name}_2", c_m, c_2, dilation=dilation_2)

    def forward(self, batch: Tensor) -> tuple[Tensor, ...]:
        """Find the object in photos of any size.

        Args:
            batch: (B, 3, H, W) float, RGB, scaled and normalised as `segmenter.to_batch` does.

        Returns:
            Maps of (B, 1, H, W) logits, the best one first; `predict` says which. Their sigmoid is the probability.
        """
        height, width = batch.shape[-2:]
        maps = self.predict(pad_to_multiple(batch, COARSEST))
        return tuple(logits[..., :height, :width] for logits in maps)

    def predict(self, batch: Tensor) -> tuple[Tensor, ...]:
        """(B, 3, H, W), both sides multiples of 32 -> (d1, d2, d3, d4, d5, d6, db), each (B, 1, H, W) logits."""
        stages = self._decode(*self._encode(batch))
        return tuple(self._side_output(*pair) for pair in zip(reversed(STAGES), reversed(stages), strict=True))

    def _encode(self, batch: Tensor) -> tuple[Tensor, ...]:
        features = F.relu(self.inbn(self.inconv(batch)), inplace=True)
        h1 = self.encoder1(features)  # (B, 64, H, W): nothing is pooled before it
        h2 = self.encoder2(h1)  # (B, 128, H / 2, W / 2)
        h3 = self.encoder3(h2)  # (B, 256, H / 4, W / 4)
        h4 = self.encoder4(h3)  # (B, 512, H / 8, W / 8)
        h5 = self.resb5_3(self.resb5_2(self.resb5_1(halve(h4))))  # (B, 512, H / 16, W / 16)
        h6 = self.resb6_3(self.resb6_2(self.resb6_1(halve(h5))))  # (B, 512, H / 32, W / 32)
        return h1, h2, h3, h4, h5, h6

    def _decode(self, h1: Tensor, h2: Tensor, h3: Tensor, h4: Tensor, h5: Tensor, h6: Tensor) -> tuple[Tensor, ...]:
        bridge = self._stage("bg", h6)
        d6 = self._stage("6d", bridge, h6)
        d5 = self._stage("5d", upsample(d6, 2), h5)
        d4 = self._stage("4d", upsample(d5, 2), h4)
        d3 = self._stage("3d", upsample(d4, 2), h3)
        d2 = self._stage("2d", upsample(d3, 2), h2)
        d1 = self._stage("1d", upsample(d2, 2), h1)
        return bridge, d6, d5, d4, d3, d2, d1  # in the order of STAGES

    def _stage(self, name: str, *features: Tensor) -> Tensor:
        return self.layer(f"{name}_2", self.layer(f"{name}_m", self.layer(f"{name}_1", *features)))

    def _side_output(self, stage: Stage, features: Tensor) -> Tensor:
        """Convolve first, then upsample: (B, C, H / scale, W / scale) -> (B, 1, H, W) logits."""
        logits: Tensor = self.get_submodule(f"outconv{stage.name[0]}")(features)
        return upsample(logits, stage.scale)


class RefinementModule(NamedLayers):
    """The residual refinement module (section 3.3, RRM_Ours of Fig. 4c): a small encoder-decoder on the coarse map."""

    def __init__(self) -> None:
        super().__init__()
        self.conv0 = conv3x3(1, 64)
        for name in ("1", "2", "3", "4", "5"):  # four stages of the encoder and the bridge
            self.add_layer(name, 64, 64)
        for name in ("_d4", "_d3", "_d2", "_d1"):
            self.add_layer(name, 128, 64)
        self.conv_d0 = conv3x3(64, 1)

    def forward(self, coarse: Tensor) -> Tensor:
        """Equation 1, on logits: (B, 1, H, W), both sides multiples of 16 -> (B, 1, H, W)."""
        h1 = self.layer("1", self.conv0(coarse))
        h2 = self.layer("2", halve(h1))
        h3 = self.layer("3", halve(h2))
        h4 = self.layer("4", halve(h3))
        bridge = self.layer("5", halve(h4))
        d4 = self.layer("_d4", upsample(bridge, 2), h4)
        d3 = self.layer("_d3", upsample(d4, 2), h3)
        d2 = self.layer("_d2", upsample(d3, 2), h2)
        d1 = self.layer("_d1", upsample(d2, 2), h1)
        residual: Tensor = self.conv_d0(d1)
        return coarse + residual


class BASNet(PredictionModule):
    """Prediction and refinement (section 3.1, Fig. 2): eight maps, the refined one first.

    It is a prediction module with one part more, rather than a pair of parts, since the published names put the layers
    of the prediction module on the outside.
    """

    def __init__(self, refinement: nn.Module | None = None) -> None:
        """Args: refinement: (B, 1, H, W) logits to better ones; RefinementModule unless told (Table 1 has others)."""
        super().__init__()
        self.refunet = refinement or RefinementModule()

    def predict(self, batch: Tensor) -> tuple[Tensor, ...]:
        """(B, 3, H, W), both sides multiples of 32 -> (dout, d1, d2, ..., d6, db), each (B, 1, H, W) logits."""
        coarse = super().predict(batch)
        return self.refunet(coarse[0]), *coarse
