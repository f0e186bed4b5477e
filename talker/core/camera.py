"""Pinhole geometry, pure functions: pixels to rays, points to pixels, and views composed with head poses.

Notation: c2w is camera to head frame [4, 4]; x right, y down, z forward (OpenCV); pixel centres at +0.5.
"""

from __future__ import annotations

import math
from dataclasses import replace
from functools import lru_cache

import torch
from torch import Tensor

from talker.core.types import Camera, Rays, View


@lru_cache(maxsize=4)
def pixel_grid(
    size_px: tuple[int, int],  # (width, height)
    device: torch.device | str = "cpu",
) -> Tensor:
    """All pixels of an image in reading order: [H * W, 2] int64 (x, y). Shared between calls: to be read only."""
    width, height = size_px
    y, x = torch.meshgrid(torch.arange(height, device=device), torch.arange(width, device=device), indexing="ij")
    return torch.stack([x, y], dim=-1).reshape(-1, 2)


def rays_through(
    camera: Camera,
    pixels: Tensor,  # [N, 2] (x, y); integers mean pixel indices, their centres lie at +0.5
) -> Rays:
    """Rays from the camera's centre through pixel centres, in the head frame, on the pixels' device."""
    return rays_of_frames(camera, camera.c2w[None], pixels[None])


def rays_of_frames(
    camera: Camera,  # whose intrinsics all frames share
    c2w: Tensor,  # [F, 4, 4] the frames' poses
    pixels: Tensor,  # [F, n, 2] (x, y)
) -> Rays:
    """`rays_through` for several frames at once: [F * n], frame by frame."""
    c2w = c2w.to(pixels.device)
    x = (pixels[..., 0] + 0.5 - camera.centre_px[0]) / camera.focal_px
    y = (pixels[..., 1] + 0.5 - camera.centre_px[1]) / camera.focal_px
    local = torch.stack([x, y, torch.ones_like(x)], dim=-1)
    local = local / local.norm(dim=-1, keepdim=True)
    directions = local @ c2w[:, :3, :3].transpose(1, 2)
    origins = c2w[:, None, :3, 3].expand_as(directions)
    return Rays(origins.reshape(-1, 3).contiguous(), directions.reshape(-1, 3).contiguous())


def project(
    camera: Camera,
    points: Tensor,  # [..., 3] head frame
) -> Tensor:
    """Image positions [..., 2] of points, in continuous pixel coordinates (a pixel's centre is at +0.5)."""
    return project_of_frames(camera, camera.c2w[None], points.reshape(-1, 3)).reshape(*points.shape[:-1], 2)


def project_of_frames(
    camera: Camera,  # whose intrinsics all frames share
    c2w: Tensor,  # [F, 4, 4] the frames' poses
    points: Tensor,  # [n, 3] head frame
) -> Tensor:
    """`project` for several frames at once: [F, n, 2]."""
    c2w = c2w.to(points.device)
    local = (points - c2w[:, None, :3, 3]) @ c2w[:, :3, :3]
    xy = local[..., :2] / local[..., 2:]
    return xy * camera.focal_px + torch.tensor(camera.centre_px, dtype=xy.dtype).to(xy.device)


def meet_planes(
    c2w: Tensor,  # [F, 4, 4] the frames' poses
    focal_px: float,
    centre_px: tuple[float, float],
    positions: Tensor,  # [F, n, 2] image positions, continuous pixels as `project` gives them
    depths: Tensor,  # [n] planes z = depth of the head frame
) -> Tensor:  # [F, n, 2] x, y in the head frame
    """Where the rays of image positions meet planes of the head: what a face does there, the head's turns undone."""
    local = (positions - torch.tensor(centre_px, dtype=positions.dtype)) / focal_px
    directions = torch.cat([local, torch.ones_like(local[..., :1])], dim=-1) @ c2w[:, :3, :3].transpose(1, 2)
    origins = c2w[:, None, :3, 3]
    distances = (depths - origins[..., 2]) / directions[..., 2]
    return origins[..., :2] + distances[..., None] * directions[..., :2]


def view_rotation(view: View) -> Tensor:
    """Rotation [3, 3] that a view applies to the head, in camera axes: roll after pitch after yaw."""
    yaw, pitch, roll = (math.radians(a) for a in (view.yaw_deg, view.pitch_deg, view.roll_deg))
    cy, sy, cp, sp, cr, sr = (
        math.cos(yaw),
        math.sin(yaw),
        math.cos(pitch),
        math.sin(pitch),
        math.cos(roll),
        math.sin(roll),
    )
    r_yaw = torch.tensor([[cy, 0.0, -sy], [0.0, 1.0, 0.0], [sy, 0.0, cy]])
    r_pitch = torch.tensor([[1.0, 0.0, 0.0], [0.0, cp, sp], [0.0, -sp, cp]])
    r_roll = torch.tensor([[cr, -sr, 0.0], [sr, cr, 0.0], [0.0, 0.0, 1.0]])
    return r_roll @ r_pitch @ r_yaw


def apply_view(camera: Camera, view: View) -> Camera:
    """The camera under which the head appears turned by `view` about its own origin.

    The head's place in the image stays; its orientation is the take's, followed by the view's rotation in
    camera axes. Zoom scales the focal length.
    """
    w2c = torch.linalg.inv(camera.c2w)
    turned = w2c.clone()
    turned[:3, :3] = view_rotation(view) @ w2c[:3, :3]
    return replace(camera, c2w=torch.linalg.inv(turned), focal_px=camera.focal_px * view.zoom)


def resized(
    camera: Camera,
    size_px: tuple[int, int],  # (width, height) of about the camera's own aspect
) -> Camera:
    """The same sight with more pixels, or fewer."""
    across, down = (new / old for new, old in zip(size_px, camera.size_px, strict=True))
    centre_px = (camera.centre_px[0] * across, camera.centre_px[1] * down)
    return replace(camera, focal_px=camera.focal_px * across, centre_px=centre_px, size_px=size_px)
