"""A toy take: a ball with a moving mouth before a plain wall, small enough to fit in seconds."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from talker.core.camera import pixel_grid, rays_through
from talker.core.errors import Missing
from talker.core.types import BACKGROUND, FACE, LIPS, TORSO, Camera, Take
from talker.radfield.backends import choose_kernels
from talker.radfield.field import FieldOptions
from talker.radfield.fit_take import FieldFitOptions
from talker.radfield.kernels import Kernels, TorchKernels
from talker.radfield.torso import TorsoOptions

SIZE = 32
FRAMES = 24
TINY_FIELD = FieldOptions(
    space_levels=4,
    space_finest=64,
    space_table_log2=12,
    ambient_levels=4,
    ambient_finest=32,
    ambient_table_log2=10,
    occupancy=16,
)
TINY_FIT = FieldFitOptions(
    steps=40,
    lip_steps=4,
    frames_per_step=2,
    pixels_per_frame=128,
    lip_patches=2,
    lesson_steps=4,
    head=TINY_FIELD,
    torso=TorsoOptions(levels=4, finest=32, table_log2=10),
)


def native_or_none() -> Kernels | None:
    try:
        return choose_kernels("native")
    except Missing:
        return None


@pytest.fixture(scope="session")
def native() -> Kernels:
    kernels = native_or_none()
    if kernels is None:
        pytest.skip("no C++ compiler on this machine")
    return kernels


@pytest.fixture(scope="session")
def reference() -> Kernels:
    return TorchKernels()


def ball_camera(yaw_deg: float, aside: float = 0.0) -> Camera:
    yaw = np.radians(yaw_deg)
    w2c = torch.eye(4)
    w2c[:3, :3] = torch.tensor([[np.cos(yaw), 0, -np.sin(yaw)], [0, 1, 0], [np.sin(yaw), 0, np.cos(yaw)]])
    w2c[0, 3], w2c[2, 3] = aside, 5.0
    return Camera(torch.linalg.inv(w2c).float(), 60.0, (SIZE / 2, SIZE / 2), (SIZE, SIZE))


@pytest.fixture(scope="session")
def ball_take() -> Take:
    """A ball of radius 0.7 that turns and sways; its lower front brightens with loudness. The bottom is torso."""
    loudness = np.sin(np.arange(FRAMES) * 0.9) * 0.5 + 0.5
    frames, alpha, parts, poses = [], [], [], []
    for index in range(FRAMES):
        camera = ball_camera(10.0 * np.sin(index), aside=0.5 * np.sin(1.7 * index))
        rays = rays_through(camera, pixel_grid(camera.size_px))
        along = -(rays.origins * rays.directions).sum(-1)
        nearest = rays.origins + along[:, None] * rays.directions
        depth = 0.49 - nearest.square().sum(-1)
        hit = (depth > 0).numpy()
        surface = (nearest - depth.clamp(min=0).sqrt()[:, None] * rays.directions).numpy()
        colour = 0.5 + 0.3 * surface
        mouth = hit & (np.abs(surface[:, 0]) < 0.25) & (np.abs(surface[:, 1] - 0.3) < 0.12) & (surface[:, 2] < 0)
        colour[mouth] = [loudness[index], 0.1, 0.1]
        below = ~hit & (np.arange(SIZE * SIZE) >= SIZE * (SIZE - 6))
        picture = np.where(hit[:, None], colour, np.where(below[:, None], [0.1, 0.2, 0.6], 0.8))
        label = np.where(mouth, LIPS, np.where(hit, FACE, np.where(below, TORSO, BACKGROUND)))
        frames.append((picture * 255).astype(np.uint8).reshape(SIZE, SIZE, 3))
        alpha.append(((hit | below) * 255).astype(np.uint8).reshape(SIZE, SIZE))
        parts.append(label.astype(np.uint8).reshape(SIZE, SIZE))
        poses.append(camera.c2w)
    features = torch.from_numpy(np.repeat(loudness, 2)[:, None].astype(np.float32)).expand(-1, 4).contiguous()
    turn, height = torch.arange(68) * 2.39996, torch.linspace(0.0, 0.95, 68)  # a sunflower over the front
    shape = 0.7 * torch.stack([height * turn.cos(), height * turn.sin(), -(1.0 - height**2).sqrt()], dim=-1)
    shape[4:13] = torch.tensor([0.0, 0.7, 0.0])  # a jaw so low that nothing is behind it
    shape[48:68] = torch.tensor([0.0, 0.3, -0.63])
    return Take(
        frames=np.stack(frames),
        alpha=np.stack(alpha),
        parts=np.stack(parts),
        background=np.full((SIZE, SIZE, 3), 204, np.uint8),
        c2w=torch.stack(poses),
        focal_px=60.0,
        centre_px=(SIZE / 2, SIZE / 2),
        landmarks_px=torch.zeros(FRAMES, 68, 2),
        landmarks_head=shape,
        eye=torch.ones(FRAMES, 3),
        audio_features=features,
        audio_encoder="mel",
    )
