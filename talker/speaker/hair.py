"""Hair and lashes as strands: short polylines, drawn as ribbons that face the camera.

Notation: N strands of P points each, K = N P strand points in rest space (mesh units), S = N (P - 1) segments.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.spatial import cKDTree

from talker.speaker.mesh import HAIR, LASH, Lid

HAIR_POINTS, LASH_POINTS = 7, 4
SCALP_RADIUS = 0.95  # the skull is nearly a sphere there
WHORL = np.array([0.12, 9.15, -0.25])  # hair runs away from here, over the top, down the sides and the back


@dataclass(frozen=True)
class Strands:
    points: np.ndarray  # [K, 3]
    normals: np.ndarray  # [K, 3] of the surface below: hair is lit as the volume that it covers
    openness: np.ndarray  # [K] 0 in the dark between strands, 1 in the open; of lashes: 0 at the root, 1 at the tip
    tone: np.ndarray  # [K] brightness, about 1
    radii: np.ndarray  # [K] mesh units
    segments: np.ndarray  # [S, 2] int32
    kind: int  # HAIR or LASH


def hair_thickness(
    points: np.ndarray,  # [N, 3] on the scalp
) -> np.ndarray:
    """Height [N] of the hair's surface above the scalp: short at the sides, a quiff at the front."""
    top, front = _regions(points)
    return 0.035 + 0.15 * top + 0.07 * front


def _regions(points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    top = np.clip((points[:, 1] - 8.05) / 0.75, 0.0, 1.0)
    front = np.clip((points[:, 2] - 0.4) / 0.9, 0.0, 1.0) * np.clip((points[:, 1] - 8.5) / 0.25, 0.0, 1.0)
    return top, front


def _unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / (np.linalg.norm(vectors, axis=-1, keepdims=True) + 1e-9)


@dataclass(frozen=True)
class _Roots:
    points: np.ndarray  # [N, 3]
    normals: np.ndarray  # [N, 3]
    density: np.ndarray  # [N] 0 at the hairline, 1 inside


def _scatter_roots(
    count: int,
    points: np.ndarray,  # [V, 3]
    normals: np.ndarray,  # [V, 3]
    triangles: np.ndarray,  # [T, 3] of the scalp
    density: np.ndarray,  # [V]
    generator: np.random.Generator,
) -> _Roots:
    corners = points[triangles]
    area = np.linalg.norm(np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=1)
    share = area * np.minimum(1.0, 2.5 * density[triangles].mean(1))
    # Systematic sampling: as even as the triangles are, where independent draws would leave bald spots.
    picks = (np.arange(count) + generator.uniform()) / count * share.sum()
    chosen = triangles[np.minimum(np.searchsorted(np.cumsum(share), picks), len(triangles) - 1)]
    u, v = generator.uniform(size=(2, count))
    fold = u + v > 1.0
    u, v = np.where(fold, 1.0 - u, u), np.where(fold, 1.0 - v, v)
    weights = np.stack([1.0 - u - v, u, v], 1)[..., None]
    mixed = [(weights * values[chosen]).sum(1) for values in (points, normals, density[:, None])]
    return _Roots(mixed[0], _unit(mixed[1]), mixed[2][:, 0])


def _comb(
    roots: _Roots,
    generator: np.random.Generator,
    disorder: float,  # of direction and length from one strand to the next
) -> np.ndarray:
    """Curves [N, P, 3] that run along the scalp, lifted as high as the style wants them."""
    count = len(roots.points)
    top, front = _regions(roots.points)
    flow = _unit(roots.points - WHORL) * (1.0 - 0.55 * top)[:, None]
    flow += np.stack([0.75 * top + 0.3 * front, 0.5 * front, -0.55 * front], 1)
    flow += generator.normal(0.0, disorder, (count, 3))
    flow -= (flow * roots.normals).sum(1, keepdims=True) * roots.normals
    length = (0.17 + 0.26 * top + 0.04 * front) * (0.45 + 0.55 * roots.density)
    length *= 1.0 + disorder * generator.uniform(-1.0, 1.0, count)
    height = hair_thickness(roots.points) * np.clip(1.5 * roots.density, 0.25, 1.0)
    height *= 1.0 - 0.65 * generator.uniform(size=count) ** 1.5
    s = np.linspace(0.0, 1.0, HAIR_POINTS)[None, :, None]
    run = length[:, None, None] * s
    rise = height[:, None, None] * (1.0 - (1.0 - s) ** 2) - run**2 / (2.0 * SCALP_RADIUS)
    return roots.points[:, None] + run * _unit(flow)[:, None] + rise * roots.normals[:, None]


def grow_hair(
    points: np.ndarray,  # [V, 3]
    normals: np.ndarray,  # [V, 3]
    triangles: np.ndarray,  # [T, 3] of the scalp
    density: np.ndarray,  # [V] 0 at the hairline, 1 inside
    *,
    strands: int = 11_000,
    clumps: int = 420,
    radius: float = 0.0075,
    seed: int = 0,
) -> Strands:
    """A short cut. Strands gather into clumps toward their tips: that is what the eye takes for hair at a distance."""
    generator = np.random.default_rng(seed)
    surface = (points, normals, triangles, density)
    locks = _scatter_roots(clumps, *surface, generator)
    lock_curves = _comb(locks, generator, 0.16)
    lock_tone = generator.normal(1.0, 0.14, clumps)
    roots = _scatter_roots(strands, *surface, generator)
    curves = _comb(roots, generator, 0.10)
    _, lock = cKDTree(locks.points).query(roots.points)
    s = np.linspace(0.0, 1.0, HAIR_POINTS)
    pull = 0.7 * s[None, :, None] ** 1.5 * generator.uniform(0.3, 1.0, (strands, 1, 1))
    spread = (roots.points - locks.points[lock])[:, None] * (1.0 - 0.75 * s[None, :, None])
    curves += pull * (lock_curves[lock] + spread - curves)
    tone = lock_tone[lock] * generator.normal(1.0, 0.16, strands)
    taper = radius * np.array([[1.0, 1.0, 1.0, 0.95, 0.85, 0.65, 0.3]])
    buried = np.clip((roots.density - 0.15) / 0.6, 0.0, 1.0)[:, None]  # at the hairline, roots lie open
    openness = 1.0 - 0.65 * buried * (1.0 - np.clip(s / 0.7, 0.0, 1.0)[None] ** 1.5)
    return _assemble(curves, roots.normals, openness, np.clip(tone, 0.5, 1.7), taper, HAIR)


def lash_strands(
    points: np.ndarray,  # [V, 3] of the head, as the lids stand now
    lids: list[Lid],
    *,
    upper: int = 64,  # lashes on an upper lid
    lower: int = 26,
    radius: float = 0.0024,
    seed: int = 1,
) -> Strands:
    """Lashes along four lids; long at the outer corner of the upper ones because the asset's rows are."""
    generator = np.random.default_rng(seed)
    curves, openness, radii = [], [], []
    s = np.linspace(0.0, 1.0, LASH_POINTS)[None, :, None]
    for lid in lids:
        count = upper if lid.is_upper else lower
        place = (np.arange(count) + generator.uniform(0.1, 0.9, count)) / count
        root = _along_row(points[lid.roots], place)
        tip = _along_row(points[lid.tips], np.clip(place + generator.normal(0.0, 0.02, count), 0.0, 1.0))
        reach = (tip - root) * generator.uniform(0.7, 1.0, (count, 1)) * (1.0 if lid.is_upper else 0.6)
        # Out first, then up (or down): the curl of a lash.
        curl = np.zeros_like(reach)
        curl[:, 1] = reach[:, 1]
        curves.append(root[:, None] + s * (reach - curl)[:, None] + s**2 * curl[:, None])
        # The upper row closes into a dark line at its roots; the lower one hardly shows.
        fade = np.array([0.0, 0.15, 0.55, 1.0]) if lid.is_upper else np.array([0.45, 0.6, 0.8, 1.0])
        openness.append(np.tile(fade, (count, 1)))
        radii.append(
            np.tile(radius * np.array([2.2, 1.2, 0.8, 0.6] if lid.is_upper else [1.0, 0.9, 0.8, 0.6]), (count, 1))
        )
    flat = np.concatenate(curves)
    forward = np.tile([0.0, 0.0, 1.0], (len(flat), 1))
    return _assemble(flat, forward, np.concatenate(openness), np.ones(len(flat)), np.concatenate(radii), LASH)


def _along_row(
    row: np.ndarray,  # [M, 3]
    place: np.ndarray,  # [N] in [0, 1]
) -> np.ndarray:
    scaled = place * (len(row) - 1)
    before = np.minimum(scaled.astype(int), len(row) - 2)
    inside = (scaled - before)[:, None]
    return row[before] * (1.0 - inside) + row[before + 1] * inside


def _assemble(
    curves: np.ndarray,  # [N, P, 3]
    normals: np.ndarray,  # [N, 3]
    openness: np.ndarray,  # [N, P]
    tone: np.ndarray,  # [N]
    radii: np.ndarray,  # [N, P] or [1, P]
    kind: int,
) -> Strands:
    count, per = curves.shape[:2]
    first = np.arange(count)[:, None] * per + np.arange(per - 1)
    return Strands(
        points=curves.reshape(-1, 3),
        normals=np.repeat(normals, per, axis=0),
        openness=openness.ravel(),
        tone=np.repeat(tone, per),
        radii=np.broadcast_to(radii, (count, per)).ravel(),
        segments=np.stack([first, first + 1], -1).reshape(-1, 2).astype(np.int32),
        kind=kind,
    )
