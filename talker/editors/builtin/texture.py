"""Noise that sticks: to the head where the head is, to the screen where the room is."""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np

from talker.editors.builtin.brush import PX_PER_RADIAN
from talker.editors.builtin.filters import mix, smoothstep
from talker.editors.builtin.picture import Picture

TILE = 512


@lru_cache(maxsize=32)
def _tile(salt: int, stretch: float, degrees: float) -> np.ndarray:
    """[TILE, TILE] band-passed noise of unit spread, one feature about 4 px wide; repeats without a seam."""
    rng = np.random.default_rng(salt)
    noise = rng.standard_normal((TILE, TILE))
    fy, fx = np.meshgrid(np.fft.fftfreq(TILE), np.fft.fftfreq(TILE), indexing="ij")
    angle = np.radians(degrees)
    along = fx * np.cos(angle) + fy * np.sin(angle)
    across = -fx * np.sin(angle) + fy * np.cos(angle)
    radius = np.hypot(along * stretch, across) * 8.0  # 1 at a wavelength of 8 px
    band = radius**2 * np.exp(-(radius**2))
    tile = np.fft.ifft2(np.fft.fft2(noise) * band).real
    return (tile / tile.std()).astype(np.float32)


def _lookup(tile: np.ndarray, anchors: np.ndarray, feature: float) -> np.ndarray:
    at = (anchors * np.float32(4.0 / feature)) % TILE
    return cv2.remap(
        np.pad(tile, ((0, 2), (0, 2)), mode="wrap"),
        np.ascontiguousarray(at[..., 0]),
        np.ascontiguousarray(at[..., 1]),
        cv2.INTER_LINEAR,
    )


def grain(
    picture: Picture,
    feature: float,  # width of a light or dark spot, pixels of a 256 px image
    *,
    salt: int,
    stretch: float = 1.0,  # above 1: streaks that much longer than wide
    degrees: float = 0.0,  # direction of the streaks
) -> np.ndarray:
    """[H, W] noise of unit spread."""
    tile = _tile(salt, stretch, degrees)
    room = _lookup(tile, picture.screen, feature)
    head = _lookup(tile, picture.anchors * PX_PER_RADIAN, feature)
    # Where the head turns away its texture is squeezed; below about a pixel it would only make moire.
    size_px = feature / (PX_PER_RADIAN * picture.anchors_per_px)
    return mix(room, head * smoothstep(0.55, 1.15, size_px), picture.head)


def ridges(picture: Picture, feature: float, *, salt: int) -> np.ndarray:
    """[H, W] in [0, 1]: thin branching veins, 1 along the zero lines of a warped noise."""
    wide = grain(picture, feature, salt=salt)
    warp = grain(picture, feature / 3.0, salt=salt + 1)
    return np.exp(-np.square((wide + 0.35 * warp) / 0.10))
