"""Depth maps from a direction: the key light's shadow, and ambient occlusion from many of them."""

from __future__ import annotations

import numba
import numpy as np

from talker.speaker.mesh import vertex_normals
from talker.speaker.noise import KERNEL
from talker.speaker.raster import Visible, draw_triangles, empty_buffer, in_bands

SCENE_CENTRE = np.array([0.0, 7.4, 0.3])
SCENE_SPAN = 5.6  # mesh units that a map covers
_FAR = 10.0  # keeps depths positive


def depth_map(
    points: np.ndarray,  # [V, 3]
    triangles: np.ndarray,  # [T, 3] int32, the casters
    direction: np.ndarray,  # [3] unit, toward the light
    side: int,
) -> tuple[np.ndarray, np.ndarray]:
    """(1 / depth [side, side] with 0 where nothing is, matrix [3, 4] from the world to the map's x, y, depth)."""
    right = np.cross([0.0, 1.0, 0.01], direction)
    right /= np.linalg.norm(right)
    up = np.cross(direction, right)
    axes = np.stack([right * side / SCENE_SPAN, -up * side / SCENE_SPAN, -direction])
    shift = np.array([side / 2, side / 2, _FAR]) - axes @ SCENE_CENTRE
    from_world = np.concatenate([axes, shift[:, None]], 1).astype(np.float32)
    projected = transform(points.astype(np.float32), from_world)
    buffer: Visible = empty_buffer(side, side)
    kinds = np.zeros(len(triangles), np.int32)
    in_bands(lambda first, last: draw_triangles(buffer, first, last, projected, triangles, kinds, False), side)
    return buffer.inverse_depth, from_world


@numba.njit(**KERNEL)
def transform(
    points,  # [V, 3]
    matrix,  # [3, 4]
):
    """Affine map, in a fixed order of additions (a BLAS may choose another on another machine)."""
    moved = np.empty_like(points)
    for v in range(len(points)):
        for axis in range(3):
            moved[v, axis] = (
                matrix[axis, 0] * points[v, 0]
                + matrix[axis, 1] * points[v, 1]
                + matrix[axis, 2] * points[v, 2]
                + matrix[axis, 3]
            )
    return moved


@numba.njit(**KERNEL)
def _add_light(open_light, all_light, points, normals, near, from_world, direction, bias):
    side = near.shape[0]
    for v in range(len(points)):
        facing = normals[v, 0] * direction[0] + normals[v, 1] * direction[1] + normals[v, 2] * direction[2]
        if facing <= 0.0:
            continue
        x, y, depth = 0.0, 0.0, 0.0
        x = (
            from_world[0, 0] * points[v, 0]
            + from_world[0, 1] * points[v, 1]
            + from_world[0, 2] * points[v, 2]
            + from_world[0, 3]
        )
        y = (
            from_world[1, 0] * points[v, 0]
            + from_world[1, 1] * points[v, 1]
            + from_world[1, 2] * points[v, 2]
            + from_world[1, 3]
        )
        depth = (
            from_world[2, 0] * points[v, 0]
            + from_world[2, 1] * points[v, 1]
            + from_world[2, 2] * points[v, 2]
            + from_world[2, 3]
        )
        column, row = min(max(int(x), 0), side - 1), min(max(int(y), 0), side - 1)
        all_light[v] += facing
        if 1.0 / max(near[row, column], 1e-6) > depth - bias:
            open_light[v] += facing


def ambient_occlusion(
    points: np.ndarray,  # [V, 3]
    triangles: np.ndarray,  # [T, 3] int32
    casters: np.ndarray,  # [T'] indices of the triangles that hide light
    *,
    directions: int = 48,
    side: int = 192,
    bias: float = 0.06,
    seed: int = 0,
) -> np.ndarray:
    """Cosine-weighted share of the sky that each vertex sees, [V] in [0.25, 1] (deep folds are lit by their walls)."""
    generator = np.random.default_rng(seed)
    toward = generator.normal(size=(directions, 3))
    toward /= np.linalg.norm(toward, axis=1, keepdims=True)
    normals = vertex_normals(points, triangles)
    open_light, all_light = np.zeros(len(points)), np.zeros(len(points))
    for direction in toward:
        near, from_world = depth_map(points, triangles[casters], direction, side)
        _add_light(open_light, all_light, points, normals, near, from_world, direction, bias)
    return 0.25 + 0.75 * open_light / np.maximum(all_light, 1e-6)
