"""Encodings in plain torch: multiresolution hash grids and spherical harmonics. The reference for every kernel.

Grid conventions are tiny-cuda-nn's, so that a table trained by one backend is read by every other:
level l has scale s_l = base * b^l - 1 with b = (finest / base)^(1 / (L - 1)), resolution ceil(s_l) + 1, and a
point x in [0, 1]^D lies at s_l x + 0.5 in it. A level whose vertices fit the table is dense, others are hashed.
Source: Mueller et al., Instant Neural Graphics Primitives (2022), section 3; tiny-cuda-nn's grid.h.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

HASH_PRIMES = (1, 2654435761, 805459861)
FEATURES = 2  # features per grid vertex


@dataclass(frozen=True)
class Level:
    scale: float
    resolution: int
    offset: int  # of its first vertex in the table
    vertices: int
    dense: bool


@dataclass(frozen=True)
class GridSpec:
    """The shape of a multiresolution hash grid."""

    dims: int  # D: 2 or 3
    levels: int  # L
    base: int  # resolution of the coarsest level
    finest: int  # resolution of the finest level
    table_log2: int  # at most 2^table_log2 vertices a level

    @cached_property
    def table(self) -> tuple[Level, ...]:
        growth = math.exp(math.log(self.finest / self.base) / max(self.levels - 1, 1))
        levels, offset = [], 0
        for index in range(self.levels):
            scale = self.base * growth**index - 1.0
            resolution = math.ceil(scale - 1e-9) + 1
            corners = -(-(resolution**self.dims) // 8) * 8
            vertices = min(corners, 1 << self.table_log2)
            levels.append(Level(scale, resolution, offset, vertices, dense=corners <= 1 << self.table_log2))
            offset += vertices
        return tuple(levels)

    @property
    def vertices(self) -> int:
        return self.table[-1].offset + self.table[-1].vertices

    @property
    def width(self) -> int:
        """Features that a point is encoded to: L * 2."""
        return self.levels * FEATURES


def corner_index(
    corner: Tensor,  # [N, D] int64 vertex coordinates
    level: Level,
) -> Tensor:
    """Rows of the table [N]: row-major where the level is dense, the XOR of prime multiples where it is hashed."""
    if level.dense:
        strides = [level.resolution**d for d in range(corner.shape[-1])]
        index = sum(corner[:, d] * stride for d, stride in enumerate(strides))
    else:
        index = corner[:, 0] * HASH_PRIMES[0]
        for d in range(1, corner.shape[-1]):
            index = index ^ (corner[:, d] * HASH_PRIMES[d])
        index = index & 0xFFFFFFFF
    return index % level.vertices + level.offset


def encode_grid(
    spec: GridSpec,
    table: Tensor,  # [spec.vertices, 2]
    points: Tensor,  # [N, D] in [0, 1]
) -> Tensor:
    """Multilinear features of every level, side by side: [N, 2 L]. Differentiable in table and points."""
    encoded = []
    for level in spec.table:
        position = points * level.scale + 0.5
        cell = position.detach().floor()
        fraction = position - cell
        cell = cell.long()
        features = points.new_zeros(len(points), FEATURES)
        for corner in itertools.product((0, 1), repeat=spec.dims):
            offset = torch.tensor(corner, device=points.device)
            weight = torch.where(offset.bool(), fraction, 1.0 - fraction).prod(dim=-1)
            features = features + weight[:, None] * table[corner_index(cell + offset, level)]
        encoded.append(features)
    return torch.cat(encoded, dim=-1)


def spherical_harmonics(
    directions: Tensor,  # [N, 3] unit
) -> Tensor:
    """Real spherical harmonics of degrees 0 to 3: [N, 16]."""
    x, y, z = directions.unbind(-1)
    xx, yy, zz = x * x, y * y, z * z
    return torch.stack(
        [
            torch.full_like(x, 0.28209479177387814),
            -0.48860251190291987 * y,
            0.48860251190291987 * z,
            -0.48860251190291987 * x,
            1.0925484305920792 * x * y,
            -1.0925484305920792 * y * z,
            0.94617469575755997 * zz - 0.31539156525251999,
            -1.0925484305920792 * x * z,
            0.54627421529603959 * (xx - yy),
            0.59004358992664352 * y * (yy - 3.0 * xx),
            2.8906114426405538 * x * y * z,
            0.45704579946446572 * y * (1.0 - 5.0 * zz),
            0.3731763325901154 * z * (5.0 * zz - 3.0),
            0.45704579946446572 * x * (1.0 - 5.0 * zz),
            1.4453057213202769 * z * (xx - yy),
            0.59004358992664352 * x * (3.0 * yy - xx),
        ],
        dim=-1,
    )
