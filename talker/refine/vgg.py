"""VGG19 as a feature bank, when its weights are on this machine; the weight-free pyramid stands in for it elsewhere."""

from __future__ import annotations

import hashlib
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional

from talker.core.errors import Missing
from talker.core.losses import FeatureBank, PyramidBank

# torchvision's file; the name carries the first eight hex digits of its SHA-256, as torch.hub's convention has it.
WEIGHTS_FILE = "vgg19-dcbb9e9d.pth"
WEIGHTS_URL = f"https://download.pytorch.org/models/{WEIGHTS_FILE}"

# (index in torchvision's `features`, input channels, output channels, 2 x 2 pooling before it, output is kept)
CONVOLUTIONS = (
    (0, 3, 64, False, True),  # relu1_1
    (2, 64, 64, False, False),
    (5, 64, 128, True, True),  # relu2_1
    (7, 128, 128, False, False),
    (10, 128, 256, True, True),  # relu3_1
    (12, 256, 256, False, False),
    (14, 256, 256, False, False),
    (16, 256, 256, False, False),
    (19, 256, 512, True, True),  # relu4_1
)


class VggBank(nn.Module):
    """Activations relu1_1 to relu4_1 of VGG19 (Simonyan and Zisserman 2015), frozen."""

    name = "vgg19"
    perceptual_gain = 1.0
    style_gain = 1.0

    def __init__(
        self,
        weights: dict[str, Tensor],  # torchvision's state dict: "features.0.weight", ...
    ) -> None:
        super().__init__()
        self.convolutions = nn.ModuleList()
        for index, narrow, wide, _, _ in CONVOLUTIONS:
            convolution = nn.Conv2d(narrow, wide, 3, padding=1)
            convolution.load_state_dict({key: weights[f"features.{index}.{key}"] for key in ("weight", "bias")})
            self.convolutions.append(convolution)
        self.requires_grad_(False)
        self.register_buffer("mean", torch.tensor([0.485, 0.456, 0.406]))
        self.register_buffer("deviation", torch.tensor([0.229, 0.224, 0.225]))

    def features(self, images: Tensor) -> list[Tensor]:
        kept = []
        maps = ((images - self.mean) / self.deviation).permute(0, 3, 1, 2)
        for convolution, (_, _, _, pooled, keep) in zip(self.convolutions, CONVOLUTIONS, strict=True):
            if pooled and min(maps.shape[-2:]) < 2:
                break
            maps = functional.relu(convolution(functional.max_pool2d(maps, 2) if pooled else maps))
            if keep:
                kept.append(maps)
        return kept


def weights_path() -> Path:
    """Where torch.hub would have put VGG19's weights."""
    return Path(torch.hub.get_dir()) / "checkpoints" / WEIGHTS_FILE


def load_vgg(path: Path) -> VggBank:
    """VGG19 from torchvision's weights file, checked against its hash and never unpickled as code."""
    if not path.is_file():
        raise Missing(f"No VGG19 weights at {path}; download {WEIGHTS_URL} to there, or use the pyramid bank")
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    if not digest.startswith(path.stem.rsplit("-", 1)[-1]):
        raise Missing(f"{path} is not torchvision's {WEIGHTS_FILE} (SHA-256 {digest[:8]}...); download it again")
    return VggBank(torch.load(path, map_location="cpu", weights_only=True))


def choose_bank(
    name: str = "auto",  # "auto", "vgg19" or "pyramid"
    device: torch.device | str = "cpu",  # of the images that it will see
) -> FeatureBank:
    """The best feature bank that this machine has, or the one asked for."""
    if name == "vgg19" or (name == "auto" and weights_path().is_file()):
        return load_vgg(weights_path()).to(device)
    return PyramidBank()
