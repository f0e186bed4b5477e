"""A drawn portrait: enough of a face for the operators to find their regions."""

from __future__ import annotations

import cv2
import numpy as np

from talker.core.types import BACKGROUND, BROWS, EYES, FACE, HAIR, LIPS, MOUTH, NECK, TORSO
from talker.editors.builtin.picture import Picture

COLOURS = {
    BACKGROUND: (0.55, 0.57, 0.50), TORSO: (0.15, 0.25, 0.45), NECK: (0.70, 0.50, 0.40), HAIR: (0.20, 0.13, 0.08),
    FACE: (0.80, 0.60, 0.50), BROWS: (0.25, 0.17, 0.12), EYES: (0.85, 0.85, 0.85), LIPS: (0.70, 0.35, 0.33),
    MOUTH: (0.20, 0.07, 0.07),
}  # fmt: skip


def draw_portrait(size: int = 128, x: float = 0.0, y: float = 0.0, opening: float = 0.05) -> Picture:
    """A portrait whose head is moved by (x, y) px; lips open by `opening` of the size."""
    parts = np.full((size, size), BACKGROUND, np.uint8)
    shift = 4

    def ellipse(part, centre, axes):
        at = (round((centre[0] * size + x) * 2**shift), round((centre[1] * size + y) * 2**shift))
        radii = tuple(round(a * size * 2**shift) for a in axes)
        cv2.ellipse(parts, at, radii, 0, 0, 360, part, -1, cv2.LINE_8, shift)

    cv2.ellipse(parts, (size // 2, size), (int(0.42 * size), int(0.24 * size)), 0, 0, 360, TORSO, -1)
    ellipse(NECK, (0.5, 0.72), (0.10, 0.12))
    ellipse(HAIR, (0.5, 0.40), (0.23, 0.29))
    ellipse(FACE, (0.5, 0.46), (0.18, 0.26))
    for side in (-1, 1):
        ellipse(EYES, (0.5 + side * 0.075, 0.42), (0.035, 0.016))
        ellipse(BROWS, (0.5 + side * 0.075, 0.37), (0.045, 0.010))
    ellipse(LIPS, (0.5, 0.60), (0.07, 0.02 + opening / 2))
    if opening > 0:
        ellipse(MOUTH, (0.5, 0.60), (0.05, opening / 2))
    palette = np.array([COLOURS.get(part, (0, 0, 0)) for part in range(10)], np.float32)
    rows, columns = np.mgrid[0:size, 0:size].astype(np.float32) / size
    light = 1.0 + 0.35 * (0.5 - (columns - x / size)) - 0.15 * ((rows - y / size) - 0.5)
    rgb = cv2.GaussianBlur(palette[parts] * light[..., None], (0, 0), 0.8)
    alpha = cv2.GaussianBlur((parts != BACKGROUND).astype(np.float32), (0, 0), 0.8)
    # A flat "head" facing the viewer: 60 px of a 256 px image to the radian, moving with the head.
    anchors = (np.stack([columns, rows], axis=-1) * size - (size / 2 + x, 0.46 * size + y)) / (60.0 * size / 256)
    return Picture(np.clip(rgb, 0, 1), alpha, parts, anchors.astype(np.float32))
