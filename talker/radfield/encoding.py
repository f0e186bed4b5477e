"""Encodings in plain torch: multiresolution hash grids and spherical harmonics. The reference for every kernel.

Grid conventions are tiny-cuda-nn's, so that a table trained by one backend is read by every other:
level l has scale s_l = base * b^l - 1 with b = (finest / base)^(1 / (L - 1)), resolution ceil(s_l) + 1, and a
point x in [0, 1]^D lies at s_l x + 0.5 in it. A level whose vertices fit the table is dense, others are hashed.
Source: Mueller et al., Instant Neural Graphics Primitives (2022), section 3; tiny-cuda-nn's grid.h.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated

import torch
from annotated_types import Ge, Le
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn import functional

HASH_PRIMES = (1, 2654435761, 805459861)
FEATURES = 2  # features per grid vertex


@dataclass(frozen=True)
class GridLevel:
    scale: float
    resolution: int
    offset: int  # of its first vertex in the table
    vertices: int
    dense: bool


# What a scene's file may ask for: more is damage, not a grid.
Levels = Annotated[int, Ge(1), Le(32)]
Resolution = Annotated[int, Ge(2), Le(1 << 14)]
TableLog2 = Annotated[int, Ge(3), Le(22)]


@dataclass(frozen=True)
class GridSpec:
    """The shape of a multiresolution hash grid."""

    dims: int  # D: 2 or 3
    levels: int  # L
    base: int  # resolution of the coarsest level
    finest: int  # resolution of the finest level
    table_log2: int  # at most 2^table_log2 vertices a level

    @cached_property
    def table(self) -> tuple[GridLevel, ...]:
        growth = math.exp(math.log(self.finest / self.base) / max(self.levels - 1, 1))
        levels, offset = [], 0
        for index in range(self.levels):
            scale = self.base * growth**index - 1.0
            resolution = math.ceil(scale - 1e-9) + 1
            corners = -(-(resolution**self.dims) // 8) * 8
            vertices = min(corners, 1 << self.table_log2)
            levels.append(GridLevel(scale, resolution, offset, vertices, dense=corners <= 1 << self.table_log2))
            offset += vertices
        return tuple(levels)

    @property
    def vertices(self) -> int:
        return self.table[-1].offset + self.table[-1].vertices

    @property
    def width(self) -> int:
        """Features that a point is encoded to: L * 2."""
        return self.levels * FEATURES


def at_corners(
    ends: Sequence[tuple[Tensor, Tensor]],  # D times what the (lower, upper) end of an axis brings in, [N] each
    combine: Callable[[Tensor, Tensor], Tensor],
) -> Tensor:
    """What the corners of N cells have: [N, 2^D], the first axis fastest."""
    corners = list(ends[0])
    for axis in ends[1:]:
        corners = [combine(corner, end) for end in axis for corner in corners]
    return torch.stack(corners, dim=1)


def corner_rows(
    cell: Tensor,  # [N, D] int64 lower vertex
    level: GridLevel,
) -> Tensor:
    """Rows of the table [N, 2^D] of each cell's corners.

    Row-major where the level is dense, the XOR of prime multiples where it is hashed.
    """
    dims = range(cell.shape[1])
    steps = [level.resolution**d for d in dims] if level.dense else HASH_PRIMES
    lower = [cell[:, d] * steps[d] for d in dims]
    ends = [(lower[d], lower[d] + steps[d]) for d in dims]
    if level.dense:
        return at_corners(ends, torch.add).remainder_(level.vertices).add_(level.offset)
    return at_corners(ends, torch.bitwise_xor).bitwise_and_(level.vertices - 1).add_(level.offset)


class _EncodeGrid(torch.autograd.Function):
    """`embedding_bag` gathers and sums in one pass; its own backward is slower than `index_add_`."""

    @staticmethod
    def forward(ctx, spec: GridSpec, table: Tensor, points: Tensor) -> Tensor:
        encoded, kept = [], []
        for level in spec.table:
            position = points * level.scale + 0.5
            cell = position.floor()
            upper = (position - cell).unbind(1)
            rows = corner_rows(cell.long(), level)
            weights = at_corners([(1.0 - share, share) for share in upper], torch.mul)
            encoded.append(functional.embedding_bag(rows, table, per_sample_weights=weights, mode="sum"))
            kept += [rows, weights]
        ctx.spec = spec
        ctx.save_for_backward(table, points, *kept)
        return torch.cat(encoded, dim=-1)

    @staticmethod
    @once_differentiable
    def backward(ctx, gradient: Tensor):
        table, points, *kept = ctx.saved_tensors
        d_table = torch.zeros_like(table) if ctx.needs_input_grad[1] else None
        d_points = torch.zeros_like(points) if ctx.needs_input_grad[2] else None
        per_level = gradient.unflatten(1, (-1, 1, FEATURES)).unbind(1)
        for level, rows, weights, d_features in zip(ctx.spec.table, kept[::2], kept[1::2], per_level, strict=True):
            if d_table is not None:
                d_table.index_add_(0, rows.flatten(), (weights[..., None] * d_features).flatten(0, 1))
            if d_points is not None:
                d_weights = (table[rows] * d_features).sum(-1)
                upper = (points * level.scale + 0.5).frac().unbind(1)
                for axis in range(len(upper)):
                    ends = [(1.0 - share, share) for share in upper]
                    ends[axis] = (-torch.ones_like(upper[axis]), torch.ones_like(upper[axis]))
                    d_points[:, axis] += level.scale * (d_weights * at_corners(ends, torch.mul)).sum(1)
        return None, d_table, d_points


def encode_grid(
    spec: GridSpec,
    table: Tensor,  # [spec.vertices, 2]
    points: Tensor,  # [N, D] in [0, 1]
) -> Tensor:
    """Multilinear features of every level, side by side: [N, 2 L]. Differentiable once in table and points."""
    return _EncodeGrid.apply(spec, table, points)


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
