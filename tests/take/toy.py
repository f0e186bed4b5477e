"""A toy speaker: a textured ellipsoid with 68 landmarks on it, rendered exactly from any pose."""

from __future__ import annotations

import numpy as np
from scipy.ndimage import gaussian_filter, map_coordinates
from scipy.spatial.transform import Rotation

from talker.take.pose import HeadMotion

HALF_AXES = np.array([0.56, 0.85, 0.70])


def face_landmarks() -> np.ndarray:
    """68 iBUG points laid out like a face on the ellipsoid's front, [68, 3]."""
    turn = np.linspace(-1.25, 1.25, 17)
    jaw = np.stack([0.5 * np.sin(turn), 0.05 + 0.72 * np.cos(turn)], axis=1)
    brow = np.stack([np.linspace(-0.4, -0.12, 5), -0.1 - 0.05 * np.sin(np.linspace(0, np.pi, 5))], axis=1)
    nose = np.concatenate([[(0.0, 0.02 + 0.09 * k) for k in range(4)], [(0.06 * k, 0.36) for k in range(-2, 3)]])
    eye = np.array([(-0.303, 0.04), (-0.25, 0.0), (-0.17, 0.0), (-0.12, 0.04), (-0.17, 0.07), (-0.25, 0.07)])
    around = np.linspace(-np.pi, np.pi, 13)[:12]
    lips = np.stack([0.165 * np.cos(around), 0.535 + 0.07 * np.sin(around)], axis=1)
    inner = np.linspace(-np.pi, np.pi, 9)[:8]
    mouth = np.stack([0.12 * np.cos(inner), 0.535 + 0.02 * np.sin(inner)], axis=1)
    mirrored = brow[::-1] * (-1, 1), eye[[3, 2, 1, 0, 5, 4]] * (-1, 1)
    xy = np.concatenate([jaw, brow, mirrored[0], nose, eye, mirrored[1], lips, mouth])
    depth = HALF_AXES[2] * np.sqrt(np.clip(1.0 - ((xy / HALF_AXES[:2]) ** 2).sum(axis=1), 0.02, 1.0))
    return np.concatenate([xy, -depth[:, None]], axis=1)


def nodding(count: int, size_px: int = 96) -> HeadMotion:
    """A head that turns, nods and shifts smoothly, in a picture of size_px squared."""
    time = np.arange(count)
    angles = np.stack([0.12 * np.sin(time / 5.0), 0.3 * np.sin(time / 9.0), 0.05 * np.sin(time / 7.0)], axis=1)
    place = np.stack([0.1 * np.sin(time / 11.0), 0.06 * np.cos(time / 8.0), 6.5 + 0.1 * np.sin(time / 6.0)], axis=1)
    centre = size_px / 2.0
    return HeadMotion(
        face_landmarks(), Rotation.from_rotvec(angles).as_matrix(), place, 2.6 * size_px, (centre, centre)
    )


def render(motion: HeadMotion, size_px: int = 96, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Grey pictures [B, H, W] uint8 and mattes [B, H, W] uint8 of the ellipsoid, with a texture that sticks to it."""
    generator = np.random.default_rng(seed)
    volume = gaussian_filter(generator.normal(size=(64, 64, 64)), 2.0)
    volume = 128.0 + 45.0 * volume / volume.std()
    grid = np.arange(size_px) + 0.5 - size_px / 2.0
    x, y = np.meshgrid(grid / motion.focal_px, grid / motion.focal_px)
    ray = np.stack([x, y, np.ones_like(x)], axis=-1)
    pictures, mattes = [], []
    for rotation, translation in zip(motion.rotation, motion.translation):
        origin, direction = (-rotation.T @ translation) / HALF_AXES, (ray @ rotation) / HALF_AXES
        a, b, c = (direction**2).sum(-1), (direction * origin).sum(-1), (origin**2).sum() - 1.0
        root = b * b - a * c
        hit = root > 0
        distance = (-b - np.sqrt(np.where(hit, root, 0.0))) / a
        place = (origin + distance[..., None] * direction) * HALF_AXES
        shade = map_coordinates(volume, (place[hit].T + 1.0) * 31.5, order=1)
        picture = np.full((size_px, size_px), 60.0)
        picture[hit] = shade
        pictures.append(np.clip(picture, 0, 255).astype(np.uint8))
        mattes.append(np.where(hit, 255, 0).astype(np.uint8))
    return np.stack(pictures), np.stack(mattes)


def rotation_errors_deg(found: HeadMotion, true: HeadMotion) -> np.ndarray:
    """Angles between the two, after the best constant alignment of their head frames."""
    between = Rotation.from_matrix(found.rotation.transpose(0, 2, 1) @ true.rotation)
    return np.degrees((between * between.mean().inv()).magnitude())
