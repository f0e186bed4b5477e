"""The torso: a 2-D layer that a small network bends to follow the head (RAD-NeRF, section 3.3).

A canonical RGBA picture lives in a 2-D hash grid. For every pixel an MLP, told where the neck would be under the
frame's head pose, says how far away in that picture to look.

Notation: P pixels of one frame; positions are pixels divided by the image's width, so they lie in [0, 1].
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from talker.camera import project
from talker.radfield.encoding import GridSpec
from talker.radfield.kernels import Kernels
from talker.types import Camera

# Points around the neck, head frame: their projections tell the torso how the head moved.
NECK_POINTS = torch.tensor([[-0.35, 0.85, 0.2], [0.35, 0.85, 0.2], [0.0, 0.95, -0.1]])
FREQUENCIES = 5
REACH = 0.25  # how far the bend may reach, of the image's width


@dataclass(frozen=True)
class TorsoOptions:
    """The torso layer's size."""

    levels: int = 12
    finest: int = 512
    table_log2: int = 15


def neck_anchors(camera: Camera) -> Tensor:
    """Projected neck points [6], divided by the image's width."""
    return (project(camera, NECK_POINTS) / camera.size_px[0]).flatten()


def frequency_encoding(positions: Tensor) -> Tensor:
    """Positions [P, 2] with sines and cosines of 2^k pi x: [P, 2 + 4 * FREQUENCIES]."""
    scaled = positions[:, None, :] * (math.pi * 2.0 ** torch.arange(FREQUENCIES))[None, :, None]
    return torch.cat([positions, scaled.sin().flatten(1), scaled.cos().flatten(1)], dim=-1)


class Torso(nn.Module):
    def __init__(self, options: TorsoOptions, anchors: Tensor, generator: torch.Generator) -> None:
        """`anchors` [B, 6] are the training frames': their spread scales the input and bounds it when driving."""
        super().__init__()
        self.grid = GridSpec(2, options.levels, 16, options.finest, options.table_log2)
        table = (torch.rand(self.grid.vertices, 2, generator=generator) * 2.0 - 1.0) * 1e-2
        self.table = nn.Parameter(table)
        inputs = 2 + 4 * FREQUENCIES + anchors.shape[1]
        self.bend = nn.Sequential(
            nn.Linear(inputs, 64), nn.LeakyReLU(0.01), nn.Linear(64, 64), nn.LeakyReLU(0.01), nn.Linear(64, 2)
        )
        colour_inputs = self.grid.width + anchors.shape[1]
        self.colour = nn.Sequential(
            nn.Linear(colour_inputs, 32), nn.LeakyReLU(0.01), nn.Linear(32, 32), nn.LeakyReLU(0.01), nn.Linear(32, 4)
        )
        with torch.no_grad():  # a straight look-up of nothing to begin with
            for layer in (*self.bend, *self.colour):
                if isinstance(layer, nn.Linear):
                    bound = math.sqrt(6.0 / sum(layer.weight.shape))
                    layer.weight.copy_((torch.rand(layer.weight.shape, generator=generator) * 2.0 - 1.0) * bound)
                    layer.bias.zero_()
            self.bend[-1].weight.mul_(0.05)
        spread = anchors.std(0).clamp(min=1e-3) if len(anchors) > 1 else torch.ones(anchors.shape[1])
        self.register_buffer("anchor_mean", anchors.mean(0))
        self.register_buffer("anchor_spread", spread)
        self.register_buffer("anchor_low", anchors.amin(0))
        self.register_buffer("anchor_high", anchors.amax(0))

    def forward(
        self,
        positions: Tensor,  # [P, 2] in [0, 1]
        anchors: Tensor,  # [P, 6] of each pixel's frame
        kernels: Kernels,
    ) -> tuple[Tensor, Tensor]:
        """Colour [P, 3] (not premultiplied) and alpha [P]. Poses beyond the trained ones are held at their edge."""
        held = anchors.clamp(self.anchor_low, self.anchor_high)
        pose = (held - self.anchor_mean) / self.anchor_spread
        bend = self.bend(torch.cat([frequency_encoding(positions), pose], dim=-1))
        looked_up = (positions + torch.tanh(bend) * REACH).clamp(0.0, 1.0)
        features = kernels.encode(self.grid, self.table, looked_up)
        rgba = torch.sigmoid(self.colour(torch.cat([features, pose], dim=-1)))
        return rgba[:, :3], rgba[:, 3]
