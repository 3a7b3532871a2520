"""photo tensor -> six maps of logits: BASNet's idea, predict and refine, at a laptop's price.

The encoder is EfficientNet-lite2 (Tan and Le 2019 without squeeze-and-excitation, ReLU6 for swish), so that ImageNet
weights can be had for it. The decoder is BASNet's with fewer channels and attention at its two coarsest sizes, where a
thing that fills the photo is seen as one, and ends at half the photo's size. The refinement sees the photo besides the
coarse map, which has lost what is finer than two pixels. It works at half the size too, where four pixels of the photo
lie in one cell: nothing of them is lost, and twice the channels cost no more.
"""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from segmentation_server.model.blocks import halve, pad_to_multiple, upsample

COARSEST = 32  # pixels of the photo, per side, in one of the deepest features


class Group(NamedTuple):
    """A row of EfficientNet-lite2's table: inverted residual blocks (Sandler et al. 2018) of one size."""

    blocks: int
    kernel: int
    stride: int  # of the first block
    expansion: int
    channels: int


GROUPS = (
    Group(1, 3, 1, 1, 16),
    Group(3, 3, 2, 6, 24),
    Group(3, 5, 2, 6, 48),
    Group(4, 3, 2, 6, 88),
    Group(4, 5, 1, 6, 120),
    Group(5, 5, 2, 6, 208),
    Group(1, 3, 1, 6, 352),
)
STEM_CHANNELS = 32
SKIPPED_TO = (0, 3, 6, 14, 20)  # the last blocks at 1/2, 1/4, 1/8, 1/16 and 1/32 of the size
SKIP_CHANNELS = (16, 24, 48, 120, 352)
DECODER_CHANNELS = (24, 32, 48, 64, 96)  # at the same sizes
REFINEMENT_CHANNELS = 32
ATTENTIVE = 3  # of the decoder's sizes: 1/16; the coarsest has attention too
HEADS = 4  # of attention, each upon as large a part of the channels
CELL = 2  # pixels of the photo, per side, in a cell of the refinement


class Layer(nn.Module):
    """Convolution, batch normalisation and a rectifier. (B, c_in, H, W) -> (B, c_out, H / stride, W / stride)."""

    def __init__(
        self, c_in: int, c_out: int, kernel: int = 3, *, stride: int = 1, groups: int = 1, dilation: int = 1
    ) -> None:
        super().__init__()
        around = (kernel - stride) * dilation  # TensorFlow's way: what does not fit on both sides goes to the end
        self.margin = (around // 2, around - around // 2) * 2
        padding = 0 if around % 2 else around // 2
        self.conv = nn.Conv2d(c_in, c_out, kernel, stride, padding, dilation, groups, bias=False)
        self.norm = nn.BatchNorm2d(c_out, eps=1e-3)  # as EfficientNet was trained
        self.is_frozen = False  # the normalisation; see `encoder.freeze`

    def forward(self, features: Tensor) -> Tensor:
        """Rectified."""
        return F.relu6(self.normalised(features), inplace=True)

    def normalised(self, features: Tensor) -> Tensor:
        """Without the rectifier, as the last layer of a residual block wants it."""
        conv, norm = self.conv, self.norm
        if conv.padding == (0, 0) and any(self.margin):
            features = F.pad(features, self.margin)
        if self.is_frozen:  # as a part of the convolution it is quicker to train with
            assert norm.running_mean is not None
            assert norm.running_var is not None
            scale = norm.weight / (norm.running_var + norm.eps).sqrt()
            kernel, bias = conv.weight * scale.view(-1, 1, 1, 1), norm.bias - norm.running_mean * scale
            return F.conv2d(features, kernel, bias, conv.stride, conv.padding, conv.dilation, conv.groups)
        normal: Tensor = norm(conv(features))
        return normal


class ResidualLayer(nn.Module):
    """Adds what a layer finds, and rectifies (He et al. 2016): (B, C, H, W), rectified -> same.

    At first it adds nothing, so that a network that has learnt already can be given one.
    """

    def __init__(self, channels: int, kernel: int = 3) -> None:
        super().__init__()
        self.layer = Layer(channels, channels, kernel)
        nn.init.zeros_(self.layer.norm.weight)

    def forward(self, features: Tensor) -> Tensor:
        """The features of each place with those around it."""
        return F.relu6(features + self.layer.normalised(features), inplace=True)


class Attention(ResidualLayer):
    """As ResidualLayer, but each place sees all others, weighed by what is there (Vaswani et al. 2017)."""

    def __init__(self, channels: int) -> None:
        super().__init__(channels, 1)
        self.query = Layer(channels, channels, 1)
        self.key = Layer(channels, channels, 1)
        self.value = Layer(channels, channels, 1)

    def forward(self, features: Tensor) -> Tensor:
        """The features of each place with those of all."""
        heads = (features.shape[0], HEADS, features.shape[1] // HEADS, -1)
        layers = (self.query, self.key, self.value)
        query, key, value = (layer.normalised(features).reshape(heads).mT for layer in layers)
        gathered = F.scaled_dot_product_attention(query, key, value).mT.reshape(features.shape)
        return F.relu6(features + self.layer.normalised(gathered), inplace=True)


class InvertedResidual(nn.Module):
    """Widen, convolve each channel alone, narrow. (B, c_in, H, W) -> (B, c_out, H / stride, W / stride)."""

    def __init__(self, c_in: int, c_out: int, group: Group, *, stride: int) -> None:
        super().__init__()
        wide = c_in * group.expansion
        self.expand = Layer(c_in, wide, 1) if group.expansion > 1 else nn.Identity()
        self.depthwise = Layer(wide, wide, group.kernel, stride=stride, groups=wide)
        self.project = Layer(wide, c_out, 1)
        self.has_shortcut = c_in == c_out and stride == 1

    def forward(self, features: Tensor) -> Tensor:
        """The narrow ends are linear."""
        found = self.project.normalised(self.depthwise(self.expand(features)))
        return features + found if self.has_shortcut else found


class EfficientNetLite2(nn.Module):
    """The encoder. (B, 3, H, W), sides multiples of 32 -> features at 1/2, 1/4, 1/8, 1/16 and 1/32 of the size."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = Layer(3, STEM_CHANNELS, stride=2)
        self.blocks = nn.ModuleList()
        c_in = STEM_CHANNELS
        for group in GROUPS:
            for position in range(group.blocks):
                stride = 1 if position else group.stride
                self.blocks.append(InvertedResidual(c_in, group.channels, group, stride=stride))
                c_in = group.channels

    def forward(self, batch: Tensor) -> list[Tensor]:
        """What the decoder is given, the finest first."""
        features = self.stem(batch)
        skipped = []
        for number, block in enumerate(self.blocks):
            features = block(features)
            if number in SKIPPED_TO:
                skipped.append(features)
        return skipped


class LiteDecoder(nn.Module):
    """Features, the finest first -> the decoder's own at the same sizes, each from a skip and the coarser one."""

    def __init__(self) -> None:
        super().__init__()
        self.bridge = nn.Sequential(
            Layer(SKIP_CHANNELS[-1], 96), Layer(96, DECODER_CHANNELS[-1], dilation=2), Attention(DECODER_CHANNELS[-1])
        )
        self.stages = nn.ModuleList()
        pairs = zip(SKIP_CHANNELS[:-1], DECODER_CHANNELS[:-1], DECODER_CHANNELS[1:], strict=True)
        for number, (c_skip, c_out, c_coarser) in enumerate(pairs):
            layers = [Layer(c_coarser + c_skip, c_out)]
            if number:  # a second layer at half the size would cost more than all others
                layers.append(Layer(c_out, c_out))
            attention = [Attention(c_out)] if number == ATTENTIVE else []
            self.stages.append(nn.Sequential(*layers, ResidualLayer(c_out), *attention))

    def forward(self, skipped: list[Tensor]) -> list[Tensor]:
        """The finest first, as they came."""
        *finer, deepest = skipped
        decoded = [self.bridge(deepest)]
        for stage, skip in zip(reversed(self.stages), reversed(finer), strict=True):
            decoded.insert(0, stage(torch.cat([upsample(decoded[0], 2), skip], dim=1)))
        return decoded


class LiteRefinement(nn.Module):
    """Equation 1 with the photo beside the coarse map: a U of three sizes and 32 channels, in cells of 2 x 2 pixels."""

    def __init__(self) -> None:
        super().__init__()
        c = REFINEMENT_CHANNELS
        self.down2, self.down4, self.down8 = Layer(1 + 3 * CELL**2, c), Layer(c, c), Layer(c, c)
        self.up4, self.up2 = Layer(c, c), Layer(c, c)
        self.add2 = ResidualLayer(c)
        self.residual = nn.Conv2d(c, CELL**2, 3, padding=1)

    def forward(self, coarse: Tensor, batch: Tensor) -> Tensor:
        """(B, 1, H / 2, W / 2) logits and (B, 3, H, W) photos, sides multiples of 8 -> (B, 1, H, W) logits."""
        h2 = self.down2(torch.cat([coarse, F.pixel_unshuffle(batch, CELL)], dim=1))
        h4 = self.down4(halve(h2))
        h8 = self.down8(halve(h4))
        d4 = self.up4(upsample(h8, 2) + h4)
        d2 = self.add2(self.up2(upsample(d4, 2) + h2))
        return upsample(coarse, CELL) + F.pixel_shuffle(self.residual(d2), CELL)


class BASNetLite(nn.Module):
    """Encoder, decoder and refinement: called as BASNet is, and its first answer is the mask too."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder = EfficientNetLite2()
        self.decoder = LiteDecoder()
        self.side_outputs = nn.ModuleList(nn.Conv2d(c, 1, 3, padding=1) for c in DECODER_CHANNELS)
        self.refinement = LiteRefinement()

    def forward(self, batch: Tensor) -> tuple[Tensor, ...]:
        """Find the object in photos of any size.

        Args:
            batch: (B, 3, H, W) float, RGB, scaled and normalised as `segmenter.to_batch` does.

        Returns:
            Six maps of logits: the refined one, (B, 1, H, W), then the decoder's at 1/2, 1/4, 1/8, 1/16 and 1/32 of
            the size, rounded up. These are for training alone, and quicker to compare as they are than brought up.
        """
        height, width = batch.shape[-2:]
        padded = pad_to_multiple(batch, COARSEST)
        decoded = self.decoder(self.encoder(padded))
        coarse = [side(features) for side, features in zip(self.side_outputs, decoded, strict=True)]
        refined = self.refinement(coarse[0], padded)
        maps = enumerate((refined, *coarse))
        return tuple(logits[..., : -(-height // 2**level), : -(-width // 2**level)] for level, logits in maps)

    @torch.no_grad()
    def sharpen(self, sharpness: float) -> None:
        """Multiply the logits of the refined map, and of the finest of the decoder's, without a layer more.

        Args:
            sharpness: above 1 makes the network surer of what it finds, and edges narrower.
        """
        for last in (self.side_outputs[0], self.refinement.residual):
            for weight in last.parameters():
                weight.mul_(sharpness)
        self.refinement.down2.conv.weight[:, 0].div_(sharpness)  # the refinement sees the coarse map as before
