"""Brush strokes that stick to what they paint: seeds, paths along a flow, and drawing with thick paint.

Seeds sit in the jittered cells of a lattice in anchor coordinates (on the head for the head, on the screen for the
still room), so that between two frames a stroke moves as its place moves and is never dealt anew. Strokes after
Hertzmann (1998), "Painterly rendering with curved brush strokes of multiple sizes"; n strokes of K points. Sizes are
in pixels of a 256 px image; on the head they follow the head's own size.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from talker.editors.builtin.picture import Picture

SUPERSAMPLING = 3  # and no antialiasing of single strokes, which costs more
FIXED_POINT_BITS = 4

# Colours that lie beside a stroke on a painter's palette: towards these a single stroke strays.
STRAY_COLD = np.array([-0.10, 0.02, 0.16], np.float32)
STRAY_WARM = np.array([0.16, 0.07, -0.12], np.float32)


@dataclass(frozen=True)
class Seeds:
    """Where strokes start, and five numbers in [0, 1) that a stroke keeps from frame to frame."""

    positions: np.ndarray  # [n, 2] (x, y) px, continuous (pixel centres at +0.5)
    chance: np.ndarray  # [n, 5]


@dataclass(frozen=True)
class Strokes:
    """Strokes ready to be drawn, in painting order."""

    paths: np.ndarray  # [n, K, 2] px
    colours: np.ndarray  # [n, 3] RGB in [0, 1]
    heights: np.ndarray  # [n] paint thickness in [0, 1]
    widths: np.ndarray  # [n] px


@dataclass(frozen=True)
class Brush:
    """One kind of stroke."""

    width: float
    length: float
    spacing: float  # distance of neighbouring strokes, in widths
    stray: float  # how far single strokes leave the colour beneath, 0..1
    salt: int  # strokes of brushes with different salts are dealt independently


# One radian on a head that fills a usual portrait, in pixels of a 256 px image: brushes are sized for it.
PX_PER_RADIAN = 60.0


def lay_strokes(
    picture: Picture,
    colours: np.ndarray,  # [H, W, 3] the paint at every place
    flow: np.ndarray,  # [H, W, 2]
    brush: Brush,
    where: np.ndarray,  # [H, W] bool
    *,
    on_head: bool,
) -> Strokes:
    """Strokes of one brush over a region, shorter and finer about eyes and lips."""
    px = head_px_per_radian(picture) / PX_PER_RADIAN if on_head else picture.unit
    anchors, anchors_per_px = (picture.anchors, 1.0 / PX_PER_RADIAN) if on_head else (picture.screen, 1.0)
    spacing = brush.width * brush.spacing
    seeds = find_seeds(anchors, spacing * anchors_per_px, where, brush.salt, least_px=0.7 * spacing * px)
    near = sample(picture.detail, seeds.positions)
    small = 1.0 - 0.45 * near
    lengths = brush.length * px * small * (1.0 - 0.4 * near) * (0.7 + 0.6 * seeds.chance[:, 0])
    shift = seeds.chance[:, 1:2] * 2.0 - 1.0
    stray = np.where(shift > 0, STRAY_WARM, STRAY_COLD) * np.abs(shift) + (seeds.chance[:, 2:3] - 0.5) * 0.16
    paint = sample(colours, seeds.positions) + stray * brush.stray * (1.0 - 0.8 * near[:, None])
    order = np.argsort(seeds.chance[:, 3], kind="stable")
    points = 5 if brush.length > 3.6 * brush.width else 3  # a dab needs no curve, and drawing is most of the time
    return Strokes(
        follow(flow, seeds.positions, lengths, points)[order],
        paint[order],
        0.25 + 0.75 * seeds.chance[order, 2],
        (brush.width * px * small)[order],
    )


def head_px_per_radian(picture: Picture) -> float:
    """How large the head is on the screen; it changes smoothly with the head's distance."""
    if not picture.has_head:
        return PX_PER_RADIAN * picture.unit
    per_px = np.hypot(*np.gradient(picture.anchors[..., 0]))
    return 1.0 / float(np.median(per_px[picture.head > 0.5]))


def _hash(i: np.ndarray, j: np.ndarray, salt: int) -> np.ndarray:
    """Well mixed uint32 per lattice cell (the finaliser of MurmurHash3)."""
    h = i.astype(np.uint32) * np.uint32(0x9E3779B1) ^ j.astype(np.uint32) * np.uint32(0x85EBCA77)
    h = h ^ np.uint32((salt * 0xC2B2AE3D) & 0xFFFFFFFF)
    h = (h ^ (h >> np.uint32(16))) * np.uint32(0x85EBCA6B)
    h = (h ^ (h >> np.uint32(13))) * np.uint32(0xC2B2AE35)
    return h ^ (h >> np.uint32(16))


def lattice_chance(i: np.ndarray, j: np.ndarray, salt: int) -> np.ndarray:
    """A number in [0, 1) for each lattice cell (i, j), always the same one."""
    return _hash(i, j, salt).astype(np.float32) * np.float32(2.0**-32)


def find_seeds(
    anchors: np.ndarray,  # [H, W, 2]
    cell: float,  # lattice spacing in the anchors' unit
    where: np.ndarray,  # [H, W] bool
    salt: int,
    least_px: float = 2.0,  # cells smaller than this on the screen are thinned out
) -> Seeds:
    """The seeds whose place is visible in `where`, found through the anchors' Jacobian to a fraction of a pixel."""
    du_dx, du_dy = _derivatives(anchors[..., 0])
    dv_dx, dv_dy = _derivatives(anchors[..., 1])
    determinant = du_dx * dv_dy - du_dy * dv_dx
    cells = np.floor(anchors / cell).astype(np.int64)
    jitter = np.stack([lattice_chance(cells[..., 0], cells[..., 1], salt + k) for k in (0, 1)], axis=-1)
    miss = (cells + 0.15 + 0.7 * jitter) * cell - anchors
    safe = np.where(np.abs(determinant) > 1e-9, determinant, 1e-9)
    dx = (dv_dy * miss[..., 0] - du_dy * miss[..., 1]) / safe
    dy = (du_dx * miss[..., 1] - dv_dx * miss[..., 0]) / safe
    inside = (np.abs(dx) <= 0.6) & (np.abs(dy) <= 0.6) & where & (np.abs(determinant) > 1e-9)
    rows, columns = np.nonzero(inside)
    i, j = cells[rows, columns, 0], cells[rows, columns, 1]
    _, first = np.unique(i * 1_000_003 + j, return_index=True)
    rows, columns, i, j = rows[first], columns[first], i[first], j[first]
    chance = np.stack([lattice_chance(i, j, salt + k) for k in range(2, 7)], axis=-1)
    area_px = cell * cell / np.abs(determinant[rows, columns])
    kept = chance[:, 4] < area_px / (least_px * least_px)
    positions = np.stack([columns + 0.5 + dx[rows, columns], rows + 0.5 + dy[rows, columns]], axis=-1)
    return Seeds(positions[kept].astype(np.float32), chance[kept])


def _derivatives(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    down, right = np.gradient(values)
    return right, down


def sample(image: np.ndarray, positions: np.ndarray) -> np.ndarray:
    """Bilinear values [..., C] or [...] of an image at positions [..., 2] px (pixel centres at +0.5)."""
    if not positions.size:
        return np.zeros((*positions.shape[:-1], *image.shape[2:]), np.float32)
    flat = positions.reshape(-1, 1, 2).astype(np.float32) - 0.5
    values = cv2.remap(image, flat[..., 0], flat[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return values.reshape(*positions.shape[:-1], *image.shape[2:])


def follow(
    flow: np.ndarray,  # [H, W, 2] unit directions, sign arbitrary
    positions: np.ndarray,  # [n, 2] px
    lengths: np.ndarray,  # [n] px
    points: int = 5,  # K, odd
) -> np.ndarray:
    """Paths [n, K, 2] along the flow, half of the length to either side."""
    height, width = flow.shape[:2]
    step = (lengths / (points - 1))[:, None]
    halves = []
    for sign in (-1.0, 1.0):
        at, ahead, half = positions, None, []
        for _ in range(points // 2):
            column = np.clip(at[:, 0].astype(np.int32), 0, width - 1)
            row = np.clip(at[:, 1].astype(np.int32), 0, height - 1)
            here = flow[row, column]
            onward = sign if ahead is None else np.sign((here * ahead).sum(-1, keepdims=True) + 1e-9)
            ahead = here * onward
            at = at + ahead * step
            half.append(at)
        halves.append(half)
    return np.stack([*halves[0][::-1], positions, *halves[1]], axis=1).astype(np.float32)


def draw(
    canvas: np.ndarray,  # [H, W, 3] in [0, 1]: what shows between the strokes
    layers: list[Strokes],
) -> tuple[np.ndarray, np.ndarray]:
    """(colour [H, W, 3], thickness [H, W]) of the painted canvas."""
    height, width = canvas.shape[:2]
    size = (width * SUPERSAMPLING, height * SUPERSAMPLING)
    board = np.zeros((size[1], size[0], 4), np.uint8)
    board[..., :3] = cv2.resize((np.clip(canvas, 0.0, 1.0) * 255.0).astype(np.uint8), size)
    scale = SUPERSAMPLING * 2**FIXED_POINT_BITS
    for strokes in layers:
        points = np.rint(strokes.paths * scale).astype(np.int32)
        paint = np.concatenate([np.clip(strokes.colours, 0.0, 1.0), strokes.heights[:, None]], axis=1) * 255.0
        thickness = np.maximum(1, np.rint(strokes.widths * SUPERSAMPLING)).astype(int).tolist()
        for path, colour, thick in zip(points, paint.tolist(), thickness, strict=True):
            cv2.polylines(board, [path], False, colour, thick, cv2.LINE_8, FIXED_POINT_BITS)
    small = cv2.resize(board, (width, height), interpolation=cv2.INTER_AREA).astype(np.float32) / 255.0
    return small[..., :3], small[..., 3]
