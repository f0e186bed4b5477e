"""A speaker who costs nothing to record: an egg that turns and opens a painted mouth with the loudness.

It covers about as much of the picture as a head does, so that rays and samples are as many as for one.
"""

from __future__ import annotations

import numpy as np
import torch

from talker.core.camera import pixel_grid, rays_through
from talker.core.types import BACKGROUND, EYE_MIDPOINT, FACE, LIPS, TORSO, Camera, Take

RADII = (0.62, 0.85, 0.72)  # head units
MOUTH = (0.0, 0.42)  # its centre on the front, head units
MOUTH_HALF = (0.22, 0.08)
DISTANCE = 6.5  # of the camera, head units
FOCAL_SHARE = 2.4  # focal length over the picture's width
TORSO_SHARE = 0.2  # of the picture's height
YAW_DEG = 20.0
CHANNELS = 160  # of the audio features, as many as mel has


def painted_take(size_px: int, frames: int) -> Take:
    """An understood video of it, `size_px` a side."""
    loudness = 0.5 + 0.5 * np.sin(0.9 * np.arange(frames))
    cameras = [_camera(np.radians(YAW_DEG * np.sin(0.7 * index)), size_px) for index in range(frames)]
    pictures = [_paint(camera, opening) for camera, opening in zip(cameras, loudness, strict=True)]
    features = np.repeat(loudness, 2)[:, None] * np.linspace(0.5, 1.5, CHANNELS)
    shape = torch.zeros(68, 3)
    shape[36:48] = torch.tensor(EYE_MIDPOINT)
    shape[48:68] = torch.tensor([*MOUTH, -RADII[2]])
    parts = np.stack([part for _, part in pictures])
    return Take(
        frames=np.stack([rgb for rgb, _ in pictures]),
        alpha=np.where(parts == BACKGROUND, 0, 255).astype(np.uint8),
        parts=parts,
        background=np.full((size_px, size_px, 3), 204, np.uint8),
        c2w=torch.stack([camera.c2w for camera in cameras]),
        focal_px=cameras[0].focal_px,
        centre_px=cameras[0].centre_px,
        landmarks_px=torch.zeros(frames, 68, 2),
        landmarks_head=shape,
        eye=torch.ones(frames, 3),
        audio_features=torch.from_numpy(features.astype(np.float32)),
        audio_encoder="mel",
    )


def _camera(yaw: float, size_px: int) -> Camera:
    w2c = torch.eye(4)
    w2c[:3, :3] = torch.tensor([[np.cos(yaw), 0, -np.sin(yaw)], [0, 1, 0], [np.sin(yaw), 0, np.cos(yaw)]])
    w2c[2, 3] = DISTANCE
    centre = (size_px / 2, size_px / 2)
    return Camera(torch.linalg.inv(w2c), FOCAL_SHARE * size_px, centre, (size_px, size_px))


def _paint(camera: Camera, opening: float) -> tuple[np.ndarray, np.ndarray]:
    """RGB [H, W, 3] and parts [H, W] of one frame."""
    width, height = camera.size_px
    rays, radii = rays_through(camera, pixel_grid(camera.size_px)), torch.tensor(RADII)
    origins, directions = rays.origins / radii, rays.directions / radii  # where the egg is a unit ball
    a, b = directions.square().sum(-1), (origins * directions).sum(-1)
    inside = b.square() - a * (origins.square().sum(-1) - 1.0)
    distance = (-b - inside.clamp(min=0).sqrt()) / a
    surface = (rays.origins + distance[:, None] * rays.directions).numpy()
    hit = (inside > 0).numpy()
    aside, down = np.abs(surface[:, 0] - MOUTH[0]), np.abs(surface[:, 1] - MOUTH[1])
    lips = hit & (surface[:, 2] < 0) & (aside < MOUTH_HALF[0]) & (down < MOUTH_HALF[1])
    torso = ~hit & (np.arange(width * height) >= width * round(height * (1.0 - TORSO_SHARE)))
    colour = 0.55 + 0.2 * np.sin(9.0 * surface) * np.cos(7.0 * surface[:, ::-1])
    colour[lips] = [0.3 + 0.4 * opening, 0.1, 0.1]
    colour = np.where(hit[:, None], colour, np.where(torso[:, None], [0.15, 0.2, 0.5], 0.8))
    parts = np.select([lips, hit, torso], [LIPS, FACE, TORSO], BACKGROUND).astype(np.uint8)
    return (255 * colour).astype(np.uint8).reshape(height, width, 3), parts.reshape(height, width)
