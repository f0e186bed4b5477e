"""Where the head can be: a voxel grid that marching skips empty space with.

A hull carved from the head masks bounds it from the start (a full grid would cost ninety samples a ray); then a
decaying maximum of the field's own density, and whether a voxel was seen by any ray lately, thin it out.
G voxels a side over the box [-1, 1]^3, flat in z, y, x order. Source: Mueller et al. 2022, appendix E.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from talker.radfield.volume import voxel_of

DENSITY_THRESHOLD = 1.5  # 1/unit; below it a voxel is empty
EARLY_DECAY, LATE_DECAY, EARLY_STEPS = 0.6, 0.9, 600
SEEN_WITHIN_STEPS = 300  # a voxel that no ray reached for so long is hidden or empty
PRUNE_FROM_STEP = 192
VISIBLE = 0.01  # transmittance at which a sample counts as seen
NEVER = -(10**6)
BRICK = 4  # voxels a side that one 64-bit word holds: what is empty as a whole is crossed in one stride


def pack_bricks(occupied: Tensor) -> Tensor:
    """[G^3] bool to bricks of 4 x 4 x 4 voxels [(G / 4)^3] int64, all in z, y, x order, the first in the lowest bit."""
    side = round(len(occupied) ** (1 / 3)) // BRICK
    bricks = occupied.reshape(side, BRICK, side, BRICK, side, BRICK).permute(0, 2, 4, 1, 3, 5).reshape(-1, BRICK**3)
    return (bricks.long() << torch.arange(BRICK**3, device=occupied.device)).sum(1)


class Occupancy:
    """The grid and its statistics. `occupied`, `bricks` and `stopping` are what kernels read."""

    def __init__(self, resolution: int, device: torch.device | str = "cpu") -> None:
        count = resolution**3
        self.resolution, self.device = resolution, torch.device(device)
        self.hull = torch.ones(count, dtype=torch.bool, device=device)  # voxels that no mask rules out
        self.density = torch.zeros(count, device=device)  # decaying maximum
        self.stopping = torch.zeros(count, device=device)  # running mean: where training rays may stop
        # Last step at which a ray got there.
        self.seen = torch.full((count,), NEVER, dtype=torch.int32, device=device)
        self.set_occupied(self.hull)

    def set_occupied(self, occupied: Tensor) -> None:
        self.occupied = occupied.to(self.device)
        self.bricks = pack_bricks(self.occupied)
        flat, side = self.occupied.nonzero()[:, 0], self.resolution
        cell = torch.stack([flat % side, flat // side % side, flat // side**2], dim=-1)
        self.occupied_centres = (cell + 0.5) * (2.0 / side) - 1.0  # [V, 3] head frame

    def carve(self, hull: Tensor) -> None:
        """Rules out every voxel outside `hull` [G^3], for good."""
        self.hull = hull.to(self.device)
        self.set_occupied(self.occupied & self.hull)

    def voxel_points(self, generator: torch.Generator | None = None) -> Tensor:
        """A point [V, 3] in [0, 1]^3 of every voxel of the hull: its centre, or a random place given a generator."""
        axis = torch.arange(self.resolution, device=self.device)
        z, y, x = torch.meshgrid(axis, axis, axis, indexing="ij")
        cell = torch.stack([x, y, z], dim=-1).reshape(-1, 3)[self.hull].float()
        if generator is None:
            return (cell + 0.5) / self.resolution
        inside = torch.rand(cell.shape, generator=generator, device=generator.device) * 0.99 + 0.005
        return (cell + inside.to(self.device)) / self.resolution

    def mark_seen(self, points: Tensor, transmittance: Tensor, step: int) -> None:
        """Notes the voxels that samples [S, 3] reached with light left."""
        self.seen[voxel_of(points[transmittance > VISIBLE], self.resolution)] = step

    def update(self, sigmas: Tensor, step: int) -> None:
        """Takes in the field's density [V] at `voxel_points`, and thins out."""
        everywhere = torch.zeros_like(self.density)
        everywhere[self.hull] = sigmas
        self.stopping.lerp_(everywhere, 0.5)
        decay = EARLY_DECAY if step < EARLY_STEPS else LATE_DECAY
        self.density = torch.maximum(self.density * decay, everywhere)
        occupied = (self.density > DENSITY_THRESHOLD) & self.hull
        if step >= PRUNE_FROM_STEP:
            side = (1, 1, self.resolution, self.resolution, self.resolution)
            lately = (self.seen > step - SEEN_WITHIN_STEPS).float().reshape(side)
            occupied &= functional.max_pool3d(lately, 3, 1, 1).flatten() > 0
        self.set_occupied(occupied)

    def tensors(self) -> dict[str, Tensor]:
        """All state, for checkpoints."""
        return {
            "occupied": self.occupied,
            "hull": self.hull,
            "density": self.density,
            "stopping": self.stopping,
            "seen": self.seen,
        }

    def restore(self, tensors: dict[str, Tensor]) -> None:
        for name in ("hull", "density", "stopping", "seen"):
            setattr(self, name, tensors[name].to(self.device))
        self.set_occupied(tensors["occupied"])
