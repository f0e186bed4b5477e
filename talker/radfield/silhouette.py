"""Where on the screen a head can be: the projected occupancy grid, so that rays beside it are never made.

V occupied voxels, H x W pixels.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from talker.core.types import Camera
from talker.radfield.occupancy import Occupancy


def silhouette(
    camera: Camera,
    occupancy: Occupancy,
) -> Tensor:  # [H, W] bool
    """Every pixel whose ray may meet an occupied voxel, and few others.

    Each voxel's sphere projects into a rectangle; a summed table of the rectangles' corners draws all of them at once.
    """
    width, height = camera.size_px
    radius = math.sqrt(3.0) / occupancy.resolution
    device, c2w = occupancy.device, camera.c2w.to(occupancy.device)
    local = (occupancy.occupied_centres - c2w[:3, 3]) @ c2w[:3, :3]
    depth = local[:, 2:]
    if len(depth) and depth.min() <= radius:  # the camera stands among the voxels
        return torch.ones(height, width, dtype=torch.bool, device=device)
    low, high = local[:, :2] - radius, local[:, :2] + radius
    low = low / torch.where(low < 0, depth - radius, depth + radius)
    high = high / torch.where(high > 0, depth - radius, depth + radius)
    centre, size = torch.tensor(camera.centre_px).to(device), torch.tensor([width, height]).to(device)
    first = (low * camera.focal_px + centre - 0.5).floor().clamp(min=0).minimum(size).long()
    beyond = (high * camera.focal_px + centre + 0.5).ceil().clamp(min=0).minimum(size).long()

    corners = torch.zeros((height + 1) * (width + 1), dtype=torch.int32, device=device)
    ones = torch.ones(len(depth), dtype=torch.int32, device=device)
    for x, y, sign in ((first, first, 1), (beyond, first, -1), (first, beyond, -1), (beyond, beyond, 1)):
        corners.index_add_(0, y[:, 1] * (width + 1) + x[:, 0], ones, alpha=sign)
    return corners.reshape(height + 1, width + 1).cumsum(0).cumsum(1)[:-1, :-1] > 0
