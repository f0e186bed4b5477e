"""Faces whose landmarks are known, for tests that need no detector."""

from __future__ import annotations

import numpy as np

from talker.take.landmarks import IBUG_OVAL


def a_face(size_px: float = 200.0) -> np.ndarray:
    """[68, 2] landmarks of a frontal face with closed lips, about (0, 0), a face's height of `size_px`."""
    face = np.zeros((68, 2))
    turn = np.linspace(0, np.pi, 17)
    face[:17] = np.stack([-0.4 * np.cos(turn), 0.5 * np.sin(turn)], axis=1)
    face[17:27] = np.stack([np.linspace(-0.35, 0.35, 10), np.full(10, -0.3)], axis=1)
    face[27:31] = np.stack([np.zeros(4), np.linspace(-0.2, 0.05, 4)], axis=1)
    face[31:36] = np.stack([np.linspace(-0.08, 0.08, 5), np.full(5, 0.1)], axis=1)
    for first, side in ((36, -1), (42, 1)):
        around = np.linspace(0, 2 * np.pi, 6, endpoint=False)
        face[first : first + 6] = np.stack([0.18 * side - 0.07 * np.cos(around), -0.2 - 0.03 * np.sin(around)], axis=1)
    outer, inner = np.linspace(0, 2 * np.pi, 12, endpoint=False), np.linspace(0, 2 * np.pi, 8, endpoint=False)
    face[48:60] = np.stack([-0.16 * np.cos(outer), 0.27 - 0.06 * np.sin(outer)], axis=1)
    face[60:68] = np.stack([-0.12 * np.cos(inner), np.full(8, 0.27)], axis=1)
    return size_px * face


def talking(opening: np.ndarray, size_px: float = 200.0) -> np.ndarray:
    """[N, 68, 2]: the face with its inner lips open by so many pixels in each frame."""
    faces = np.repeat(a_face(size_px)[None], len(opening), axis=0)
    faces[:, 61:64, 1] -= opening[:, None] / 2
    faces[:, 65:68, 1] += opening[:, None] / 2
    return faces


def smooth(length: int, seed: int) -> np.ndarray:
    noise = np.random.default_rng(seed).standard_normal(length + 4)
    return 6.0 + 4.0 * np.convolve(noise, np.ones(5) / 5, mode="valid")


class DarkestSpot:
    """A detector that puts the face where the picture is darkest."""

    ibug = tuple(range(68))
    oval = IBUG_OVAL
    brows = irises = None

    def find_faces(self, rgb):
        return np.zeros((0, 4))

    def detect(self, rgb):
        grey = rgb.astype(float).mean(axis=-1)
        if grey.min() > 100:
            return None
        y, x = np.unravel_index(grey.argmin(), grey.shape)
        return np.pad(a_face(40.0) + (x, y), ((0, 0), (0, 1)))

    detect_still = detect
