"""An encoder that was taught elsewhere is put into a network, and what is frozen of it works as before."""

from pathlib import Path

import pytest

pytest.importorskip("torch", reason="training needs PyTorch: pip install 'ar-copy-paste[torch]'")

import torch
from torch import nn

from protocol.errors import SettingsInvalid
from segmentation_server.model.basnet import BASNet
from segmentation_server.model.basnet_lite import BASNetLite
from segmentation_server.training.encoder import freeze, start_encoder


def test_an_encoder_sees_our_normalisation_as_it_saw_its_own(lite2: Path) -> None:
    published = torch.load(lite2)
    model = BASNetLite().eval()

    learnt = start_encoder(model, lite2)

    photo = torch.rand(1, 3, 64, 64)
    mean, std = torch.tensor([0.485, 0.456, 0.406]).view(3, 1, 1), torch.tensor([0.229, 0.224, 0.225]).view(3, 1, 1)
    theirs = nn.functional.conv2d((255 * photo - 127) / 128, published["_conv_stem.weight"], stride=2)
    ours = model.encoder.stem.norm(model.encoder.stem.conv((photo - mean) / std))
    assert len(learnt) == 189
    torch.testing.assert_close(ours, theirs / (1 + 1e-3) ** 0.5, rtol=1e-3, atol=1e-4)


def test_frozen_normalisation_does_the_same_within_the_convolutions() -> None:
    model = BASNetLite()
    for layer in model.encoder.modules():
        if isinstance(layer, nn.BatchNorm2d):
            assert layer.running_mean is not None
            assert layer.running_var is not None
            for numbers in (layer.weight, layer.bias, layer.running_mean, layer.running_var):
                nn.init.uniform_(numbers, 0.5, 1.5)
    photo = torch.rand(1, 3, 64, 64)
    with torch.inference_mode():
        expected = model.eval().encoder(photo)

    freeze(model.train().encoder, 4)

    for features, same in zip(model.encoder(photo), expected, strict=True):
        torch.testing.assert_close(features, same, rtol=1e-4, atol=1e-4)
    wanting = {name for name, parameter in model.encoder.named_parameters() if parameter.requires_grad}
    assert {name.split(".")[1] for name in wanting} == {str(number) for number in range(4, 21)}
    assert all(name.endswith(".conv.weight") for name in wanting)


def test_resnet_34_starts_four_stages_of_basnet(tmp_path: Path) -> None:
    resnet = {name.replace("encoder", "layer", 1): w for name, w in BASNet().state_dict().items() if "encoder" in name}
    torch.save({**resnet, "fc.bias": torch.zeros(1000)}, tmp_path / "resnet34.pth")
    model = BASNet()

    learnt = start_encoder(model, tmp_path / "resnet34.pth")

    assert sum(parameter.numel() for parameter in learnt) == 221_952 + 1_116_416 + 6_822_400 + 13_114_368
    assert all(model.state_dict()[name.replace("layer", "encoder", 1)].equal(w) for name, w in resnet.items())


def test_another_encoder_is_refused_in_words(tmp_path: Path) -> None:
    torch.save({"_conv_stem.weight": torch.zeros(32, 3, 3, 3)}, tmp_path / "half.pth")

    with pytest.raises(SettingsInvalid, match="encoder of BASNetLite"):
        start_encoder(BASNetLite(), tmp_path / "half.pth")
