"""Where on the head each pixel lies, so that painted texture sticks to the head and not to the screen.

A radiance field is fitted to the edited frames: texture that slides over the face as the head turns would be
averaged away. An ellipsoid stands in for the head; unlike rendered depth it has no noise.
"""

from __future__ import annotations

import torch
from torch import Tensor

from talker.core.camera import pixel_grid, rays_through
from talker.core.types import Camera, Take
from talker.editors.editor import Masks

# Half axes of a grown-up's head without hair (breadth 15.5 cm, height 23 cm, length 19.5 cm; 14.9 cm a unit).
HEAD_RADII = (0.52, 0.77, 0.66)


def head_anchors(camera: Camera) -> Tensor:
    """[H, W, 2]: angles (right, down) of each pixel's point on the head, seen from the head's centre, radians.

    Azimuthal equidistant about the direction of the nose, so that distances on the face keep their proportions.
    Rays that miss the ellipsoid take their nearest point to it: the map is continuous over the whole image.
    """
    rays = rays_through(camera, pixel_grid(camera.size_px))
    radii = torch.tensor(HEAD_RADII)
    origins, directions = rays.origins / radii, rays.directions / radii
    a = (directions * directions).sum(-1)
    b = (origins * directions).sum(-1)
    c = (origins * origins).sum(-1) - 1.0
    # The real root's part vanishes at the silhouette, where the nearest point takes over without a jump.
    distance = (-b - (b * b - a * c).clamp_min(0.0).sqrt()) / a
    x, y, z = (origins + distance[:, None] * directions).unbind(-1)
    sideways = torch.hypot(x, y).clamp_min(1e-6)
    angle = torch.atan2(sideways, -z)
    # Beyond the silhouette the direction saturates; its distance from the centre goes on.
    angle = angle + (torch.sqrt(x * x + y * y + z * z) - 1.0).clamp_min(0.0)
    anchors = torch.stack([x, y], dim=-1) * (angle / sideways)[:, None]
    width, height = camera.size_px
    return anchors.reshape(height, width, 2)


def take_masks(take: Take, index: int) -> Masks:
    """The masks (B = 1) of one frame of a take, with anchors from its camera."""
    return Masks(
        torch.from_numpy(take.alpha[index]).float()[None] / 255.0,
        torch.from_numpy(take.parts[index])[None],
        head_anchors(take.camera(index))[None],
    )
