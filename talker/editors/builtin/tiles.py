"""Styles put together from pieces: stained glass and mosaic.

Pieces are Voronoi cells about jittered lattice points, in anchor coordinates on the head and on the screen in the
room, so that a piece stays where it is on the head. Sizes are in pixels of a 256 px image.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from talker.core.types import BACKGROUND, BROWS, EARS, EYES, FACE, HAIR, LIPS, MOUTH, NECK, TORSO
from talker.editors.builtin.brush import PX_PER_RADIAN, lattice_chance
from talker.editors.builtin.filters import blur, edge_preserving, gradient_map, luminance, mix, saturate, smoothstep
from talker.editors.builtin.paint import redrawn
from talker.editors.builtin.picture import Picture
from talker.editors.builtin.texture import grain

GLASS_GROUPS = ((BACKGROUND,), (FACE, BROWS, EYES, LIPS, MOUTH, EARS, NECK), (HAIR,), (TORSO,))


@dataclass(frozen=True)
class Pieces:
    """Which piece a pixel belongs to, how far it is from the next piece, and a number in [0, 1) of its own."""

    index: np.ndarray  # [H, W] int
    edge: np.ndarray  # [H, W] distance to the border, in pixels of a 256 px image
    chance: np.ndarray  # [H, W]


def cut(anchors: np.ndarray, size: float, jitter: float, salt: int) -> Pieces:
    """Pieces about `size` wide in the anchors' own unit; `jitter` 0 gives squares, 1 shards."""
    at = anchors / np.float32(size)
    cell = np.floor(at).astype(np.int32)
    low, high = cell.min(axis=(0, 1)) - 1, cell.max(axis=(0, 1)) + 2
    i, j = np.meshgrid(np.arange(low[0], high[0]), np.arange(low[1], high[1]), indexing="ij")
    points = np.stack([i, j], axis=-1) + 0.5
    points = points + jitter * (np.stack([lattice_chance(i, j, salt + k) for k in (0, 1)], axis=-1) - 0.5)
    flat = points.reshape(-1, 2).astype(np.float32)
    base = (cell[..., 0] - low[0]) * i.shape[1] + (cell[..., 1] - low[1])
    nearest = np.full(base.shape, np.inf, np.float32)
    second, index = nearest.copy(), base
    for across in (-1, 0, 1):
        for down in (-1, 0, 1):
            candidate = base + (across * i.shape[1] + down)
            offset = flat[candidate] - at
            distance = np.sqrt(offset[..., 0] ** 2 + offset[..., 1] ** 2)
            closer = distance < nearest
            second = np.where(closer, nearest, np.minimum(second, distance))
            index = np.where(closer, candidate, index)
            nearest = np.minimum(nearest, distance)
    chance = lattice_chance(i, j, salt + 2).reshape(-1)
    return Pieces(index, (second - nearest) * np.float32(0.5 * size), chance[index])


def cut_head(picture: Picture, size: float, jitter: float, salt: int) -> Pieces:
    return cut(picture.anchors * np.float32(PX_PER_RADIAN), size, jitter, salt)


def filled(rgb: np.ndarray, index: np.ndarray) -> np.ndarray:
    """[H, W, 3]: every piece in its mean colour."""
    flat = index.reshape(-1)
    count = np.maximum(np.bincount(flat), 1)
    means = [np.bincount(flat, rgb[..., channel].reshape(-1)) / count for channel in range(3)]
    return np.stack(means, axis=-1).astype(np.float32)[index]


def joints(picture: Picture, pieces: Pieces, width: float, *, on_head: bool) -> np.ndarray:
    """[H, W] 1 between the pieces, as soft as a pixel; where joints fall closer than pixels they fade."""
    pixel = picture.anchors_per_px * (0.7 * PX_PER_RADIAN) if on_head else np.float32(1.0 / picture.unit)
    return smoothstep(0.5 * width + 0.7 * pixel, 0.5 * width - 0.7 * pixel, pieces.edge) * np.minimum(
        1.0, 1.6 * width / pixel
    )


def stained_glass(picture: Picture) -> np.ndarray:
    """Coloured glass in lead: hair, clothes and room in shards, the face one pale pane with its features painted on."""
    unit = picture.unit
    groups = np.zeros(picture.parts.shape, np.int32)
    for number, parts in enumerate(GLASS_GROUPS):
        groups[np.isin(picture.parts, parts)] = number
    head = picture.head > 0.5
    shards, room = cut_head(picture, 17.0, 0.85, salt=201), cut(picture.screen, 30.0, 0.9, salt=205)
    index = np.where(head, shards.index, room.index + shards.index.max() + 1)
    soft = edge_preserving(picture.rgb, max(1, round(3 * unit)), 0.10)
    panes = filled(soft, index * len(GLASS_GROUPS) + groups)
    tone = luminance(panes)
    chance = np.where(head, shards.chance, room.chance)
    # The sun stands behind the window: dark glass still glows, and neighbours differ.
    glow = np.clip(0.20 + 0.80 * tone + 0.20 * (chance - 0.5), 0.05, 1.0)
    glass = saturate(panes * (glow / np.maximum(tone, 0.05))[..., None], 2.2)
    glass = mix(glass, jewel(chance), 0.42 * (1.0 - picture.alpha) + 0.12 * picture.region("clothes"))
    wavy = 1.0 + 0.05 * grain(picture, 9.0, salt=209)
    pane = np.clip(glass * wavy[..., None], 0.0, 1.0)
    # What a glass painter does for a face: brown enamel for the darks on one flesh-coloured pane.
    face = np.maximum(picture.face, picture.region("skin"))
    flesh = gradient_map(
        np.clip(picture.grey + 0.9 * (picture.grey - blur(picture.grey, 5.0 * unit)), 0.0, 1.0),
        [(0.10, 0.05, 0.04), (0.46, 0.22, 0.14), (0.88, 0.60, 0.38), (1.0, 0.84, 0.62), (1.0, 0.96, 0.86)],
    )
    flesh = mix(flesh, flesh * np.array([1.0, 0.58, 0.55], np.float32), 0.7 * picture.region("lips"))
    pane = mix(pane, flesh, smoothstep(0.3, 0.8, face) * 0.92)
    came = np.where(head, joints(picture, shards, 1.7, on_head=True), joints(picture, room, 2.2, on_head=False))
    came = came * (1.0 - smoothstep(0.25, 0.7, face))
    outline = cv2.morphologyEx(groups.astype(np.uint8), cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8)) > 0
    outline = np.clip(1.9 * blur(outline.astype(np.float32), 0.9 * unit), 0.0, 1.0) * (1.0 - picture.detail)
    lead = np.array([0.07, 0.07, 0.08], np.float32)
    return np.clip(mix(pane, lead, np.maximum(came, outline)), 0.0, 1.0)


def jewel(chance: np.ndarray) -> np.ndarray:
    """[H, W, 3]: one of the old glaziers' colours."""
    colours = [(0.10, 0.20, 0.62), (0.10, 0.45, 0.62), (0.70, 0.12, 0.14), (0.92, 0.66, 0.14), (0.12, 0.46, 0.26)]
    table = np.asarray(colours, np.float32)
    return table[np.minimum((chance * len(table)).astype(np.int32), len(table) - 1)]


def mosaic(picture: Picture) -> np.ndarray:
    """Small glazed stones set in mortar, finer on the face, finest about eyes and lips."""
    unit = picture.unit
    soft = edge_preserving(picture.rgb, max(1, round(2 * unit)), 0.06)
    tone = luminance(soft)
    vivid = saturate(soft + (0.30 * (tone - blur(tone, 16.0 * unit)))[..., None], 1.45)
    light = blur(picture.grey, 0.8 * unit) - blur(picture.grey, 3.5 * unit)

    def laid(pieces: Pieces, *, on_head: bool, mortar: float, relief: float) -> np.ndarray:
        stones = filled(vivid, pieces.index) * (1.0 + 0.22 * (pieces.chance - 0.5))[..., None]
        # Each stone is a little domed and brighter in its middle.
        stones = stones * (0.93 + 0.10 * smoothstep(0.3, 1.8, pieces.edge))[..., None]
        between = joints(picture, pieces, mortar, on_head=on_head)
        # Mortar takes something of its neighbours: on dark hair as on a lit cheek stones must be told apart.
        mortar_colour = 0.30 * mix(np.full_like(stones, 0.45), blur(vivid, 2.0 * unit), 0.6) + 0.14
        return mix(stones + relief * light[..., None], mortar_colour, 0.75 * between)

    room = laid(cut(picture.screen, 6.4, 0.42, salt=221), on_head=False, mortar=1.0, relief=0.0)
    head = laid(cut_head(picture, 4.6, 0.42, salt=225), on_head=True, mortar=0.75, relief=0.3)
    fine = laid(cut_head(picture, 2.9, 0.42, salt=229), on_head=True, mortar=0.45, relief=0.9)
    head = mix(head, mix(fine, redrawn(picture, vivid), 0.55), smoothstep(0.10, 0.55, picture.detail))
    return np.clip(mix(room, head, smoothstep(0.35, 0.65, picture.head)), 0.0, 1.0)
