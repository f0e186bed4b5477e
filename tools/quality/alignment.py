"""The best constant alignment of tracked head frames to true ones, and views turned about the true head origin.

A tracker's head frame differs from the true one by a similarity that is the same in all frames:
x_true = scale * rotation @ x_tracked + offset. Notation: B frames; R, t are a pose's world-to-camera parts.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from talker.core.camera import view_rotation
from talker.core.types import Camera, View


@dataclass(frozen=True)
class Alignment:
    """x_true = scale * rotation @ x_tracked + offset."""

    rotation: Tensor  # [3, 3]
    scale: float
    offset: Tensor  # [3]

    @property
    def true_origin(self) -> Tensor:
        """The true head frame's origin, in the tracked head frame: [3]."""
        return -self.rotation.T @ self.offset / self.scale


def align_poses(
    tracked: Tensor,  # [B, 4, 4] camera to tracked head frame
    true: Tensor,  # [B, 4, 4] camera to true head frame
) -> Alignment:
    """The similarity that makes tracked poses agree with true ones, frame by frame.

    Rotation: the mean of R_true^T R_tracked, reweighted so that frames that were lost do not count. Scale and offset:
    least squares of R_true offset + t_true = scale * t_tracked. Depth has a scale of its own there, because a focal
    length that is off by a factor shows as depths off by that factor, and must not move the head's origin.
    """
    tracked, true = tracked.double(), true.double()
    rotation = _mean_rotation(true[:, :3, :3] @ tracked[:, :3, :3].transpose(1, 2))
    r_true, t_true = _world_to_camera(true)
    _, t_tracked = _world_to_camera(tracked)
    across, depth = torch.zeros_like(t_tracked), torch.zeros_like(t_tracked)
    across[:, :2], depth[:, 2] = t_tracked[:, :2], t_tracked[:, 2]
    system = torch.cat([across[..., None], depth[..., None], -r_true], dim=-1)  # [B, 3, 5]
    solution = _robust_least_squares(system, t_true)
    return Alignment(rotation.float(), float(solution[0]), solution[2:].float())


def rotation_errors_deg(
    tracked: Tensor,  # [B, 4, 4] camera to tracked head frame
    true: Tensor,  # [B, 4, 4] camera to true head frame
    alignment: Alignment,
) -> Tensor:  # [B]
    """Angles between tracked and true head rotations after the alignment."""
    turned = alignment.rotation @ tracked[:, :3, :3]
    return torch.rad2deg(_angles(turned.transpose(1, 2) @ true[:, :3, :3]))


def turn_about(
    camera: Camera,
    view: View,
    pivot: Tensor,  # [3] head frame
) -> Camera:
    """As `talker.core.camera.apply_view`, but the head turns about any point of its frame."""
    rotation, translation = (part[0] for part in _world_to_camera(camera.c2w[None]))
    turned = torch.eye(4)
    turned[:3, :3] = view_rotation(view) @ rotation
    turned[:3, 3] = rotation @ pivot + translation - turned[:3, :3] @ pivot
    return replace(camera, c2w=torch.linalg.inv(turned), focal_px=camera.focal_px * view.zoom)


def _world_to_camera(c2w: Tensor) -> tuple[Tensor, Tensor]:
    """Rotations [B, 3, 3] and translations [B, 3] from head frame to camera."""
    rotation = c2w[:, :3, :3].transpose(1, 2)
    return rotation, -(rotation @ c2w[:, :3, 3:])[..., 0]


def _angles(rotations: Tensor) -> Tensor:
    """Rotation angles [B] in radians; exact for small ones, where the trace alone loses digits."""
    skew = rotations - rotations.transpose(1, 2)
    sine = torch.stack([skew[:, 2, 1], skew[:, 0, 2], skew[:, 1, 0]], -1).norm(dim=-1) / 2
    cosine = (rotations.diagonal(dim1=1, dim2=2).sum(-1) - 1) / 2
    return torch.atan2(sine, cosine)


def _mean_rotation(rotations: Tensor) -> Tensor:
    """Chordal mean of [B, 3, 3], reweighted by 1 / angle (an L1 mean)."""
    weights = torch.ones(len(rotations), dtype=rotations.dtype)
    for _ in range(10):
        u, _, vh = torch.linalg.svd((weights[:, None, None] * rotations).sum(0))
        flip = torch.ones(3, dtype=rotations.dtype)
        flip[2] = torch.linalg.det(u @ vh).sign()
        mean = u @ torch.diag(flip) @ vh
        weights = 1 / _angles(mean.T @ rotations).clamp(min=1e-3)
    return mean


def _robust_least_squares(
    system: Tensor,  # [B, 3, K]
    wanted: Tensor,  # [B, 3]
) -> Tensor:  # [K]
    """Least squares over all frames, reweighted by 1 / residual of each frame."""
    weights = torch.ones(len(system), 1, dtype=system.dtype)
    for _ in range(10):
        rows = (weights[..., None] * system).reshape(-1, system.shape[-1])
        solution = torch.linalg.lstsq(rows, (weights * wanted).reshape(-1, 1)).solution[:, 0]
        weights = (system @ solution - wanted).norm(dim=-1, keepdim=True).clamp(min=1e-3).rsqrt()
    return solution
