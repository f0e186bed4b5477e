"""The torso layer's arithmetic: a picture in a 2-D hash grid, looked up where a small network bends every pixel to.

Notation: P pixels; positions are pixels divided by the image's width, so they lie in [0, 1]. B head poses: one for all
pixels (B = 1) or one for each (B = P); a pose is constant over a frame and enters as a bias of both first layers.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

from talker.radfield.encoding import GridSpec
from talker.radfield.field import LEAK

FREQUENCIES = 5
POSITION_IN = 2 + 4 * FREQUENCIES
REACH = 0.25  # how far the bend may reach, of the image's width
BEND_HIDDEN, PAINT_HIDDEN = 64, 32


def frequency_encoding(positions: Tensor) -> Tensor:
    """Positions [P, 2] with sines and cosines of 2^k pi x: [P, 2 + 4 * FREQUENCIES]."""
    scaled = (
        positions[:, None, :] * (math.pi * 2.0 ** torch.arange(FREQUENCIES, device=positions.device))[None, :, None]
    )
    return torch.cat([positions, scaled.sin().flatten(1), scaled.cos().flatten(1)], dim=-1)


class TorsoWeights(NamedTuple):
    """The layer under a head pose: one for all pixels (B = 1), or one for each (B = P)."""

    table: Tensor  # [vertices, 2]
    bend_in: Tensor  # [64, 22]
    bend_in_bias: Tensor  # [B, 64] the pose is in it
    bend_mid: Tensor  # [64, 64]
    bend_mid_bias: Tensor  # [64]
    bend_out: Tensor  # [2, 64]
    bend_out_bias: Tensor  # [2]
    paint_in: Tensor  # [32, grid features]
    paint_in_bias: Tensor  # [B, 32] the pose is in it
    paint_mid: Tensor  # [32, 32]
    paint_mid_bias: Tensor  # [32]
    paint_out: Tensor  # [4, 32]
    paint_out_bias: Tensor  # [4]


def paint_torso(
    encode: Callable[[GridSpec, Tensor, Tensor], Tensor],  # a backend's `encode`
    grid: GridSpec,
    weights: TorsoWeights,
    positions: Tensor,  # [P, 2]
) -> Tensor:
    """Colour (not premultiplied) and alpha: [P, 4]. Differentiable in the weights."""

    def layer(inputs: Tensor, matrix: Tensor, bias: Tensor) -> Tensor:
        return functional.leaky_relu(functional.linear(inputs, matrix) + bias, LEAK)

    w = weights
    hidden = layer(layer(frequency_encoding(positions), w.bend_in, w.bend_in_bias), w.bend_mid, w.bend_mid_bias)
    bend = torch.tanh(functional.linear(hidden, w.bend_out, w.bend_out_bias)) * REACH
    features = encode(grid, w.table, (positions + bend).clamp(0.0, 1.0))
    hidden = layer(layer(features, w.paint_in, w.paint_in_bias), w.paint_mid, w.paint_mid_bias)
    return torch.sigmoid(functional.linear(hidden, w.paint_out, w.paint_out_bias))
