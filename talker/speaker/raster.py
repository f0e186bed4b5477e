"""What is seen at every sample: triangles and hair strands into one depth buffer, compiled.

Notation: samples lie on a regular grid of `rows` x `columns`, several to a pixel; a sample's centre is at +0.5. A
primitive is a triangle (index below the number of triangles) or a strand segment (from there on); -1 is nothing.
"""

from __future__ import annotations

import itertools
import math
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from typing import NamedTuple

import numba
import numpy as np

from talker.speaker.mesh import SKIN
from talker.speaker.noise import KERNEL


class Visible(NamedTuple):
    """The depth buffer."""

    inverse_depth: np.ndarray  # [rows, columns] float32, 0 where nothing is
    primitive: np.ndarray  # [rows, columns] int32
    weights: np.ndarray  # [rows, columns, 2] float32: barycentric weights of the second and third corner; or (along, 0)


def empty_buffer(rows: int, columns: int) -> Visible:
    return Visible(
        np.zeros((rows, columns), np.float32),
        np.full((rows, columns), -1, np.int32),
        np.zeros((rows, columns, 2), np.float32),
    )


@lru_cache(maxsize=1)
def _pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(os.cpu_count() or 1, thread_name_prefix="speaker")


def in_bands(
    kernel: Callable[[int, int], None],  # works on rows first..last - 1 and writes nothing else
    rows: int,
    bands: int = 8,
) -> None:
    """Run a kernel over bands of rows in parallel. The bands do not depend on the machine; nor do the results."""
    edges = [rows * band // bands for band in range(bands + 1)]
    for done in [_pool().submit(kernel, first, last) for first, last in itertools.pairwise(edges)]:
        done.result()


@numba.njit(**KERNEL)
def draw_triangles(
    visible,  # Visible
    first_row,
    last_row,
    points,  # [V, 3] float32: x and y in samples, depth > 0
    triangles,  # [T, 3] int32
    kinds,  # [T] int32
    cull_skin,  # bool: leave out skin that faces away
):
    inverse_depth, primitive, weights = visible
    columns = inverse_depth.shape[1]
    for t in range(triangles.shape[0]):
        a, b, c = triangles[t, 0], triangles[t, 1], triangles[t, 2]
        ax, ay, bx, by, cx, cy = points[a, 0], points[a, 1], points[b, 0], points[b, 1], points[c, 0], points[c, 1]
        top = max(first_row, math.ceil(min(ay, by, cy) - 0.5))
        bottom = min(last_row - 1, math.floor(max(ay, by, cy) - 0.5))
        if top > bottom:
            continue
        left = max(0, math.ceil(min(ax, bx, cx) - 0.5))
        right = min(columns - 1, math.floor(max(ax, bx, cx) - 0.5))
        area = (bx - ax) * (cy - ay) - (cx - ax) * (by - ay)
        if left > right or abs(area) < 1e-9 or (area > 0 and cull_skin and kinds[t] == SKIN):
            continue
        near_a, near_b, near_c = 1.0 / points[a, 2], 1.0 / points[b, 2], 1.0 / points[c, 2]
        for y in range(top, bottom + 1):
            py = y + 0.5
            for x in range(left, right + 1):
                px = x + 0.5
                wb = ((px - ax) * (cy - ay) - (cx - ax) * (py - ay)) / area
                wc = ((bx - ax) * (py - ay) - (px - ax) * (by - ay)) / area
                wa = 1.0 - wb - wc
                if wa < 0 or wb < 0 or wc < 0:
                    continue
                near = wa * near_a + wb * near_b + wc * near_c
                if near > inverse_depth[y, x]:
                    inverse_depth[y, x] = near
                    primitive[y, x] = t
                    weights[y, x, 0] = wb * near_b / near
                    weights[y, x, 1] = wc * near_c / near


@numba.njit(**KERNEL)
def draw_strands(
    visible,  # Visible
    first_row,
    last_row,
    points,  # [K, 3] float32: x and y in samples, depth > 0
    segments,  # [S, 2] int32 strand points
    radii,  # [K] float32, mesh units
    focal,  # samples per unit at depth 1
    first_primitive,  # the primitive that segment 0 is
):
    """Tapered ribbons that always face the camera."""
    inverse_depth, primitive, weights = visible
    columns = inverse_depth.shape[1]
    for s in range(segments.shape[0]):
        a, b = segments[s, 0], segments[s, 1]
        ax, ay, bx, by = points[a, 0], points[a, 1], points[b, 0], points[b, 1]
        near_a, near_b = 1.0 / points[a, 2], 1.0 / points[b, 2]
        radius_a, radius_b = radii[a] * focal * near_a, radii[b] * focal * near_b
        reach = max(radius_a, radius_b)
        top = max(first_row, math.ceil(min(ay, by) - reach - 0.5))
        bottom = min(last_row - 1, math.floor(max(ay, by) + reach - 0.5))
        if top > bottom:
            continue
        left = max(0, math.ceil(min(ax, bx) - reach - 0.5))
        right = min(columns - 1, math.floor(max(ax, bx) + reach - 0.5))
        dx, dy = bx - ax, by - ay
        length_squared = max(dx * dx + dy * dy, 1e-9)
        for y in range(top, bottom + 1):
            py = y + 0.5 - ay
            for x in range(left, right + 1):
                px = x + 0.5 - ax
                along = min(1.0, max(0.0, (px * dx + py * dy) / length_squared))
                near = near_a + along * (near_b - near_a)
                if near <= inverse_depth[y, x]:
                    continue
                radius = radius_a + along * (radius_b - radius_a)
                across_x, across_y = px - along * dx, py - along * dy
                if across_x * across_x + across_y * across_y < radius * radius:
                    inverse_depth[y, x] = near
                    primitive[y, x] = first_primitive + s
                    weights[y, x, 0] = along
                    weights[y, x, 1] = 0.0
