"""dlib's face recognition network (King 2017), and its weights out of dlib's own file, without dlib.

Notation: N faces, D = 128 numbers of an embedding. The network is a ResNet (He et al. 2016) of 29 convolutions, each
followed by a scale and a shift per channel, which are folded into the convolution here.

A .dat is no pickle: dlib writes its layers one after the other, the input's first, each as its name and its numbers;
a tensor is four sizes and little-endian float32. Whole numbers are a byte of length and so many bytes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

SIDE_PX = 150  # of an aligned face
MEAN_RGB = (122.782, 117.001, 104.298)
# A layer with parameters: its name and its tensor's version; the fully connected one tells its sizes in between.
LAYER = re.compile(rb"\x01(?:\x05(con_)4|\x07(affine_)|\x04(fc_)2\x01.\x02..)\x01\x02", re.DOTALL)


class ResidualStage(NamedTuple):
    """Residual blocks of one width."""

    width: int  # channels
    halves: bool  # whether the first block halves the picture
    blocks: int


STEM = 32  # channels of the first convolution
STAGES = (
    ResidualStage(32, False, 3),
    ResidualStage(64, True, 4),
    ResidualStage(128, True, 3),
    ResidualStage(256, True, 3),
    ResidualStage(256, True, 1),
)
EMBEDDING = 128  # D


class Block(nn.Module):
    """Two convolutions beside a shortcut, which is averaged 2 x 2 where they halve the picture."""

    def __init__(self, narrow: int, wide: int, halves: bool) -> None:
        super().__init__()
        self.halves = halves
        self.first = nn.Conv2d(narrow, wide, 3, stride=2 if halves else 1, padding=0 if halves else 1)
        self.second = nn.Conv2d(wide, wide, 3, padding=1)

    def forward(
        self,
        x: Tensor,  # [N, narrow, H, W]
    ) -> Tensor:  # [N, wide, H', W']
        y = self.second(functional.relu(self.first(x)))
        shortcut = functional.avg_pool2d(x, 2) if self.halves else x
        # dlib adds tensors of different sizes as if zeros filled the smaller one up.
        size = [max(pair) for pair in zip(y.shape[1:], shortcut.shape[1:])]
        return functional.relu(filled_up(y, size) + filled_up(shortcut, size))


class FaceNetwork(nn.Module):
    """Aligned faces to embeddings. The sizes are dlib's; tests build smaller ones."""

    def __init__(
        self, stem: int = STEM, stages: tuple[ResidualStage, ...] = STAGES, embedding: int = EMBEDDING
    ) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, stem, 7, stride=2)
        blocks, narrow = [], stem
        for stage in stages:
            for number in range(stage.blocks):
                blocks.append(Block(narrow, stage.width, stage.halves and number == 0))
                narrow = stage.width
        self.blocks = nn.Sequential(*blocks)
        self.embedding = nn.Linear(narrow, embedding, bias=False)

    def forward(
        self,
        faces: Tensor,  # [N, 3, 150, 150] RGB, 0 to 255
    ) -> Tensor:  # [N, D]
        x = (faces - faces.new_tensor(MEAN_RGB)[:, None, None]) / 256.0
        x = functional.max_pool2d(functional.relu(self.stem(x)), 3, 2)
        return self.embedding(self.blocks(x).mean(dim=(2, 3)))

    @torch.no_grad()
    def fill(
        self,
        data: bytes,  # of a .dat
    ) -> FaceNetwork:
        """This network with the file's weights. ValueError where it holds another network."""
        layers = iter(layers_of(data))
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                convolution, (gain, shift) = take_layer(layers, "con_"), take_layer(layers, "affine_").view(2, -1)
                kernel, bias = convolution[: -len(gain)].view_as(module.weight), convolution[-len(gain) :]
                module.weight.copy_(kernel * gain[:, None, None, None])
                module.bias.copy_(bias * gain + shift)
            elif isinstance(module, nn.Linear):
                module.weight.copy_(take_layer(layers, "fc_").view(module.weight.T.shape).T)
        if next(layers, None) is not None:
            raise ValueError("the file holds more layers than the network")
        return self.eval().requires_grad_(False)


def layers_of(
    data: bytes,  # of a .dat
) -> Iterator[tuple[str, Tensor]]:
    """Name and parameters, flat, of each layer that has any, in the order of the computation."""
    at = 0
    while (found := LAYER.search(data, at)) is not None:
        at = found.end()
        count = 1
        for _ in range(4):
            size, at = whole_number(data, at)
            count *= size
        parameters = np.frombuffer(data, "<f4", count, at)
        yield next(filter(None, found.groups())).decode(), torch.from_numpy(parameters.copy())
        at += 4 * count


def take_layer(layers: Iterator[tuple[str, Tensor]], kind: str) -> Tensor:
    name, parameters = next(layers, ("nothing", None))
    if name != kind:
        raise ValueError(f"the file holds {name} where the network has {kind}")
    return parameters


def whole_number(data: bytes, at: int) -> tuple[int, int]:
    """A number that is not negative, as dlib writes it, and where the next one begins."""
    end = at + 1 + (data[at] & 0x0F)
    return int.from_bytes(data[at + 1 : end], "little"), end


def filled_up(
    x: Tensor,  # [N, C, H, W]
    size: list[int],  # C', H', W', none smaller
) -> Tensor:  # [N, C', H', W']
    channels, height, width = (wanted - there for wanted, there in zip(size, x.shape[1:]))
    return functional.pad(x, (0, width, 0, height, 0, channels))
