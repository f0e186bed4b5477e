"""ArcFace, a face recognition network (Deng et al. 2019), for those who have its weights.

Notation: N faces, D numbers in an embedding.

The network is the improved residual net (Duta et al. 2020) in the state-dict layout of insightface's arcface_torch:
conv1, bn1, prelu, layer1..layer4 of blocks (bn1, conv1, bn2, prelu, conv2, bn3, and downsample where the size changes),
bn2, fc, features. How deep and wide it is, is read off the weights.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from talker.core.errors import BadInput
from talker.evaluation.weights import fill, find_weights, load_state
from talker.take.identity import similarity

USUAL_FILE = "arcface_backbone.pth"
WAY_OUT = "put the backbone.pth of an insightface arcface_torch model there under that name"
SIDE_PX = 112
# Where the eyes, the nose's tip and the mouth's corners lie in an aligned face; the viewer's left comes first.
TEMPLATE_PX = ((38.2946, 51.6963), (73.5318, 51.5014), (56.0252, 71.7366), (41.5493, 92.3655), (70.7299, 92.2041))
STAGES = ("layer1", "layer2", "layer3", "layer4")

Embed = Callable[[np.ndarray], np.ndarray]  # [N, 112, 112, 3] uint8 aligned faces -> [N, D] of unit length


def align_face(
    rgb: np.ndarray,  # [H, W, 3] uint8
    landmarks: np.ndarray,  # [68, 2] iBUG order, pixels
) -> np.ndarray:  # [112, 112, 3] uint8
    """The face turned, scaled and moved until its five points lie on the template's, in the least squares."""
    eyes = (landmarks[36:42].mean(axis=0), landmarks[42:48].mean(axis=0))
    points = np.array([*eyes, landmarks[30], landmarks[48], landmarks[54]])
    transform = similarity(points - 0.5, np.array(TEMPLATE_PX))  # the template counts pixels as OpenCV does
    return cv2.warpAffine(rgb, transform, (SIDE_PX, SIDE_PX), flags=cv2.INTER_LINEAR)


# -------------------------------------------------------------------- the network


class Block(nn.Module):
    def __init__(self, narrow: int, wide: int, stride: int):
        super().__init__()
        self.bn1 = nn.BatchNorm2d(narrow)
        self.conv1 = nn.Conv2d(narrow, wide, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(wide)
        self.prelu = nn.PReLU(wide)
        self.conv2 = nn.Conv2d(wide, wide, 3, stride, padding=1, bias=False)
        self.bn3 = nn.BatchNorm2d(wide)
        self.downsample = None
        if stride != 1 or narrow != wide:
            self.downsample = nn.Sequential(nn.Conv2d(narrow, wide, 1, stride, bias=False), nn.BatchNorm2d(wide))

    def forward(self, x: Tensor) -> Tensor:
        residual = self.bn3(self.conv2(self.prelu(self.bn2(self.conv1(self.bn1(x))))))
        return residual + (x if self.downsample is None else self.downsample(x))


class IResNet(nn.Module):
    """Four stages, each of which halves the size in its first block: 112 px become 7."""

    def __init__(
        self,
        stem: int,  # channels of the first convolution
        widths: tuple[int, ...],  # channels of each stage
        depths: tuple[int, ...],  # blocks of each stage
        embedding: int,  # D
    ):
        super().__init__()
        self.conv1 = nn.Conv2d(3, stem, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(stem)
        self.prelu = nn.PReLU(stem)
        narrow = stem
        for stage, wide, depth in zip(STAGES, widths, depths, strict=True):
            blocks = [Block(narrow if number == 0 else wide, wide, 2 if number == 0 else 1) for number in range(depth)]
            setattr(self, stage, nn.Sequential(*blocks))
            narrow = wide
        self.bn2 = nn.BatchNorm2d(narrow)
        self.fc = nn.Linear(narrow * (SIDE_PX // 2 ** len(STAGES)) ** 2, embedding)
        self.features = nn.BatchNorm1d(embedding)

    def forward(
        self,
        x: Tensor,  # [N, 3, 112, 112] RGB in [-1, 1]
    ) -> Tensor:  # [N, D]
        x = self.prelu(self.bn1(self.conv1(x)))
        for stage in STAGES:
            x = getattr(self, stage)(x)
        return self.features(self.fc(self.bn2(x).flatten(1)))


def load_arcface(named: Path | None = None) -> Embed:
    """ArcFace from a file with insightface's names; Missing without one."""
    path = find_weights(named, USUAL_FILE, "--arcface", WAY_OUT)
    state = load_state(path)
    try:
        depths = tuple(len({name.split(".")[1] for name in state if name.startswith(f"{stage}.")}) for stage in STAGES)
        widths = tuple(len(state[f"{stage}.0.conv1.weight"]) for stage in STAGES)
        network = IResNet(len(state["conv1.weight"]), widths, depths, len(state["fc.weight"]))
    except KeyError as error:
        raise BadInput(f"{path} does not hold an ArcFace iResNet with insightface's names; {WAY_OUT}") from error
    fill(network, state, path, "an ArcFace iResNet")

    @torch.no_grad()
    def embed(faces: np.ndarray) -> np.ndarray:
        pictures = torch.from_numpy(faces).permute(0, 3, 1, 2).float() / 127.5 - 1.0
        return functional.normalize(network(pictures), dim=-1).numpy()

    return embed
