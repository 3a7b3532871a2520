"""normalised tensors -> probabilities, through BASNet or BASNet-lite in PyTorch."""

from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn

from segmentation_server.model import Engine, Float32Array
from segmentation_server.model.architectures import ARCHITECTURES, Architecture
from segmentation_server.model.basnet import BASNet
from segmentation_server.model.checkpoint import load_checkpoint, read_architecture

# The published basnet.pth was trained on crops of 224 from 256 (https://github.com/xuebinqin/BASNet/issues/55). A state
# dict does not say its size, and BASNet runs at any.
PUBLISHED = Architecture(BASNet, "BASNet", 256)


@dataclass(frozen=True, eq=False)
class TorchEngine:
    """An Engine; half precision on a GPU, single on a CPU."""

    model: nn.Module  # (B, 3, size, size) -> maps of logits, the best one first; on `device`, in eval mode
    device: torch.device
    name: str
    size: int

    @torch.inference_mode()
    def __call__(self, batch: Float32Array) -> Float32Array:
        """See Engine."""
        on_gpu = self.device.type == "cuda"
        with torch.autocast(self.device.type, dtype=torch.float16, enabled=on_gpu):
            logits = self.model(torch.from_numpy(batch).to(self.device))[0]
        probabilities: Float32Array = logits[:, 0].float().sigmoid().cpu().numpy()
        return probabilities


def load_torch_engine(checkpoint: Path, threads: int) -> Engine:
    """Build the network that a file of weights is for, on the GPU where there is one.

    Args:
        checkpoint: see `load_checkpoint`. What it says of itself is believed; if it says nothing, it is the published
            BASNet's.
        threads: cores that PyTorch may use in this process; a GPU does not care.

    Raises:
        SettingsInvalid: the file is not a checkpoint of that network.
    """
    torch.set_num_threads(threads)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    architecture = ARCHITECTURES.get(read_architecture(checkpoint) or "", PUBLISHED)
    model = architecture.build()
    load_checkpoint(model, checkpoint)
    model = model.eval().to(device)
    return TorchEngine(model, device, name=architecture.title, size=architecture.size)
