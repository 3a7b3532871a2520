"""BASNet's forward pass a second time, from its published description alone: functions over a table of weights.

It shares no line with `segmentation_server.model`, so that a mistake there does not hide here.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

Weights = dict[str, Tensor]


def published_forward(w: Weights, x: Tensor) -> list[Tensor]:
    """(B, 3, H, W), sides multiples of 32 -> [dout, d1, d2, d3, d4, d5, d6, db], logits."""
    h1 = residual_blocks(w, "encoder1.{}", range(3), F.relu(norm(w, "inbn", conv(w, "inconv", x))))
    h2 = residual_blocks(w, "encoder2.{}", range(4), h1)
    h3 = residual_blocks(w, "encoder3.{}", range(6), h2)
    h4 = residual_blocks(w, "encoder4.{}", range(3), h3)
    h5 = residual_blocks(w, "resb5_{}", range(1, 4), F.max_pool2d(h4, 2, 2, ceil_mode=True))
    h6 = residual_blocks(w, "resb6_{}", range(1, 4), F.max_pool2d(h5, 2, 2, ceil_mode=True))

    hbg = three_layers(w, "bg", h6, dilations=(2, 2, 2))
    hd6 = three_layers(w, "6d", torch.cat((hbg, h6), 1), dilations=(1, 2, 2))
    hd5 = three_layers(w, "5d", torch.cat((grow(hd6, 2), h5), 1))
    hd4 = three_layers(w, "4d", torch.cat((grow(hd5, 2), h4), 1))
    hd3 = three_layers(w, "3d", torch.cat((grow(hd4, 2), h3), 1))
    hd2 = three_layers(w, "2d", torch.cat((grow(hd3, 2), h2), 1))
    hd1 = three_layers(w, "1d", torch.cat((grow(hd2, 2), h1), 1))

    d1 = conv(w, "outconv1", hd1)
    d2 = grow(conv(w, "outconv2", hd2), 2)
    d3 = grow(conv(w, "outconv3", hd3), 4)
    d4 = grow(conv(w, "outconv4", hd4), 8)
    d5 = grow(conv(w, "outconv5", hd5), 16)
    d6 = grow(conv(w, "outconv6", hd6), 32)
    db = grow(conv(w, "outconvb", hbg), 32)
    return [refine(w, d1), d1, d2, d3, d4, d5, d6, db]


def refine(w: Weights, coarse: Tensor) -> Tensor:
    x1 = F.relu(norm(w, "refunet.bn1", conv(w, "refunet.conv1", conv(w, "refunet.conv0", coarse))))
    x2 = F.relu(norm(w, "refunet.bn2", conv(w, "refunet.conv2", F.max_pool2d(x1, 2, 2))))
    x3 = F.relu(norm(w, "refunet.bn3", conv(w, "refunet.conv3", F.max_pool2d(x2, 2, 2))))
    x4 = F.relu(norm(w, "refunet.bn4", conv(w, "refunet.conv4", F.max_pool2d(x3, 2, 2))))
    x = F.relu(norm(w, "refunet.bn5", conv(w, "refunet.conv5", F.max_pool2d(x4, 2, 2))))
    for level, skip in ((4, x4), (3, x3), (2, x2), (1, x1)):
        x = conv(w, f"refunet.conv_d{level}", torch.cat((grow(x, 2), skip), 1))
        x = F.relu(norm(w, f"refunet.bn_d{level}", x))
    return coarse + conv(w, "refunet.conv_d0", x)


def residual_blocks(w: Weights, name: str, numbers: range, x: Tensor) -> Tensor:
    for number in numbers:
        x = residual_block(w, name.format(number), x)
    return x


def residual_block(w: Weights, name: str, x: Tensor) -> Tensor:
    stride = 1
    shortcut = x
    if f"{name}.downsample.0.weight" in w:
        stride = 2
        shortcut = norm(w, f"{name}.downsample.1", F.conv2d(x, w[f"{name}.downsample.0.weight"], stride=2))
    y = F.relu(norm(w, f"{name}.bn1", F.conv2d(x, w[f"{name}.conv1.weight"], stride=stride, padding=1)))
    return F.relu(norm(w, f"{name}.bn2", F.conv2d(y, w[f"{name}.conv2.weight"], padding=1)) + shortcut)


def three_layers(w: Weights, stage: str, x: Tensor, dilations: tuple[int, int, int] = (1, 1, 1)) -> Tensor:
    for place, dilation in zip(("1", "m", "2"), dilations, strict=True):
        x = F.relu(norm(w, f"bn{stage}_{place}", conv(w, f"conv{stage}_{place}", x, dilation)))
    return x


def conv(w: Weights, name: str, x: Tensor, dilation: int = 1) -> Tensor:
    return F.conv2d(x, w[f"{name}.weight"], w[f"{name}.bias"], padding=dilation, dilation=dilation)


def norm(w: Weights, name: str, x: Tensor) -> Tensor:
    mean, variance, scale, shift = (
        w[f"{name}.{part}"][:, None, None] for part in ("running_mean", "running_var", "weight", "bias")
    )
    return (x - mean) / torch.sqrt(variance + 1e-5) * scale + shift


def grow(x: Tensor, factor: int) -> Tensor:
    return F.interpolate(x, scale_factor=factor, mode="bilinear")
