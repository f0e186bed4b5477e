"""The torso: a 2-D layer that a small network bends to follow the head (RAD-NeRF, section 3.3).

A canonical RGBA picture lives in a 2-D hash grid. For every pixel an MLP, told where the neck would be under the
frame's head pose, says how far away in that picture to look. The pose is constant over a frame, so it enters as a bias
of both first layers, as conditions do in talker.radfield.field.

Notation: P pixels; positions are pixels divided by the image's width, so they lie in [0, 1].
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from talker.core.camera import project_of_frames
from talker.core.types import Camera
from talker.radfield.encoding import GridSpec, Levels, Resolution, TableLog2
from talker.radfield.field import LEAK
from talker.radfield.kernels import Kernels
from talker.radfield.torso_layer import BEND_HIDDEN, PAINT_HIDDEN, POSITION_IN, TorsoWeights, paint_torso

# Points around the neck, head frame: their projections tell the torso how the head moved.
NECK_POINTS = torch.tensor([[-0.35, 0.85, 0.2], [0.35, 0.85, 0.2], [0.0, 0.95, -0.1]])


@dataclass(frozen=True)
class TorsoOptions:
    """The torso layer's size."""

    levels: Levels = 12
    finest: Resolution = 512
    table_log2: TableLog2 = 15


def neck_anchors(
    camera: Camera,  # whose intrinsics all poses share
    c2w: Tensor,  # [B, 4, 4] head poses
) -> Tensor:
    """Projected neck points [B, 6], divided by the image's width."""
    return (project_of_frames(camera, c2w, NECK_POINTS) / camera.size_px[0]).flatten(1)


class Torso(nn.Module):
    def __init__(self, options: TorsoOptions, anchors: Tensor, generator: torch.Generator) -> None:
        """`anchors` [B, 6] are the training frames': their spread scales the input and bounds it when driving."""
        super().__init__()
        self.grid = GridSpec(2, options.levels, 16, options.finest, options.table_log2)
        table = (torch.rand(self.grid.vertices, 2, generator=generator) * 2.0 - 1.0) * 1e-2
        self.table = nn.Parameter(table)
        poses = anchors.shape[1]
        self.bend = _mlp(POSITION_IN + poses, BEND_HIDDEN, 2)
        self.colour = _mlp(self.grid.width + poses, PAINT_HIDDEN, 4)
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

    def weights(
        self,
        anchors: Tensor,  # [B, 6]
    ) -> TorsoWeights:
        """The layer as it is under some head poses. Poses beyond the trained ones are held at their edge."""
        anchors = anchors.to(self.table.device)
        pose = (anchors.clamp(self.anchor_low, self.anchor_high) - self.anchor_mean) / self.anchor_spread
        parts = [self.table]
        for network, inputs in ((self.bend, POSITION_IN), (self.colour, self.grid.width)):
            first, middle, last = network[0], network[2], network[4]
            parts += [first.weight[:, :inputs], functional.linear(pose, first.weight[:, inputs:], first.bias)]
            parts += [middle.weight, middle.bias, last.weight, last.bias]
        return TorsoWeights(*parts)

    def forward(
        self,
        positions: Tensor,  # [P, 2] in [0, 1]
        anchors: Tensor,  # [P, 6] of each pixel's frame
        kernels: Kernels,
    ) -> tuple[Tensor, Tensor]:
        """Colour [P, 3] (not premultiplied) and alpha [P], differentiable."""
        rgba = paint_torso(kernels.encode, self.grid, self.weights(anchors), positions)
        return rgba[:, :3], rgba[:, 3]


def _mlp(inputs: int, hidden: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(
        *(nn.Linear(inputs, hidden), nn.LeakyReLU(LEAK)),
        *(nn.Linear(hidden, hidden), nn.LeakyReLU(LEAK)),
        nn.Linear(hidden, outputs),
    )
