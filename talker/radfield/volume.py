"""Marching and compositing in plain torch: the reference for every kernel.

Rays cross the box [-1, 1]^3 on a lattice of STEPS equal steps of length STEP counted from where they enter it,
shifted by a jitter in [0, 1) steps; a lattice point becomes a sample where the occupancy grid says so. Samples of
all rays lie in one packed list; `starts` tells where each ray's run begins.

Notation: N rays, S samples, T transmittance, w weights. Source: NeRF (Mildenhall et al. 2020), eq. 3; the packed
layout and occupancy marching are Instant-NGP's (Mueller et al. 2022), appendix E.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from talker.core.types import Rays

STEPS = 192  # lattice points across the box's diagonal
STEP = 2.0 * math.sqrt(3.0) / STEPS  # head units
MAX_SAMPLES = 96  # samples a ray may have
NEAR = 0.05  # no sample nearer to the camera, head units
OPAQUE = 5.0  # optical depth, by the density grid, past which training takes no further samples
VOXEL_DEPTH_CAP = 0.6  # optical depth that one step may add to that estimate: coarse voxels overstate surfaces


@dataclass(frozen=True)
class Samples:
    points: Tensor  # [S, 3] in [0, 1]^3
    ray_of: Tensor  # [S] int32
    starts: Tensor  # [N + 1] int32


@dataclass(frozen=True)
class Composited:
    values: Tensor  # [N, C] premultiplied; of colours (C = 3): add (1 - alpha) * background
    alpha: Tensor  # [N]
    depth: Tensor  # [N] expected distance along the ray, premultiplied; no gradient
    transmittance: Tensor  # [S] T before each sample; no gradient


def entry_and_exit(rays: Rays) -> tuple[Tensor, Tensor]:
    """Distances [N] at which rays enter and leave the box; empty where entry >= exit."""
    inverse = 1.0 / rays.directions
    low, high = (-1.0 - rays.origins) * inverse, (1.0 - rays.origins) * inverse
    return torch.minimum(low, high).amax(-1).clamp(min=NEAR), torch.maximum(low, high).amin(-1)


def voxel_of(points: Tensor, resolution: int) -> Tensor:
    """Flat voxel indices [S] (z, y, x order) of points in [0, 1]^3."""
    cell = (points * resolution).long().clamp(0, resolution - 1)
    return (cell[..., 2] * resolution + cell[..., 1]) * resolution + cell[..., 0]


def march_rays(
    rays: Rays,
    occupied: Tensor,  # [G^3] bool, z y x order
    density: Tensor,  # [G^3] estimate used to stop opaque rays; zeros never stop
    jitter: Tensor,  # [N] in [0, 1)
) -> Samples:
    """Packed samples of all rays, in order of distance."""
    resolution = round(len(occupied) ** (1 / 3))
    near, far = entry_and_exit(rays)
    distances = near[:, None] + (torch.arange(STEPS, device=near.device) + jitter[:, None]) * STEP  # [N, STEPS]
    points = rays.origins[:, None] + distances[..., None] * rays.directions[:, None]
    points = points * 0.5 + 0.5
    voxel = voxel_of(points.clamp(0.0, 1.0), resolution)
    hit = (distances < far[:, None]) & occupied[voxel]
    optical_depth = (density[voxel] * STEP).clamp(max=VOXEL_DEPTH_CAP) * hit
    before = optical_depth.cumsum(1) - optical_depth
    hit = hit & (before < OPAQUE) & (hit.cumsum(1) <= MAX_SAMPLES)
    ray_of, step_of = hit.nonzero(as_tuple=True)
    starts = torch.zeros(len(near) + 1, dtype=torch.int32, device=near.device)
    starts[1:] = hit.sum(1).cumsum(0)
    return Samples(points[ray_of, step_of].contiguous(), ray_of.int(), starts)


def composite(
    sigmas: Tensor,  # [S] density, 1/unit
    values: Tensor,  # [S, C] colours, or features
    samples: Samples,
    rays: Rays,
) -> Composited:
    """Alpha-composite packed samples front to back: w_i = T_i (1 - exp(-sigma_i STEP)). Differentiable."""
    count = len(samples.starts) - 1
    ray_of = samples.ray_of.long()
    depths = sigmas.double() * STEP
    through = depths.cumsum(0) - depths  # optical depth before each sample, over all rays
    first = samples.starts[:-1].long()[ray_of]
    transmittance = torch.exp(-(through - through[first])).float()
    weights = transmittance * -torch.expm1(-sigmas * STEP)
    gathered = values.new_zeros(count, values.shape[1]).index_add(0, ray_of, weights[:, None] * values)
    alpha = sigmas.new_zeros(count).index_add(0, ray_of, weights)
    distance = ((samples.points * 2.0 - 1.0 - rays.origins[ray_of]) * rays.directions[ray_of]).sum(-1)
    depth = sigmas.new_zeros(count).index_add(0, ray_of, weights.detach() * distance)
    return Composited(gathered, alpha, depth, transmittance.detach())


def distortion(
    sigmas: Tensor,  # [S] density, 1/unit
    samples: Samples,
) -> Tensor:
    """How far each ray's weights are spread along it, mean over rays: fog gathers into surfaces where this is small.

    The sum over pairs w_i w_j |t_i - t_j|, plus STEP / 3 sum w_i^2 (Mip-NeRF 360, Barron et al. 2022, eq. 15), in head
    units. One pass: the samples of a ray are in order, so running sums of w and w t are all that pairs need.
    """
    starts = samples.starts.long()
    first = starts[:-1][samples.ray_of.long()]
    # Lattice steps since the ray's first sample, gaps left out.
    step = torch.arange(len(sigmas), device=sigmas.device) - first

    def before(values: Tensor) -> Tensor:
        """Sum over the ray's earlier samples."""
        running = values.double().cumsum(0) - values
        return running - running[first]

    depths = sigmas * STEP
    weights = torch.exp(-before(depths)).float() * -torch.expm1(-depths)
    position = step * STEP
    pairs = weights * (position * before(weights) - before(weights * position)).float()
    return (2.0 * pairs.sum() + STEP / 3.0 * weights.square().sum()) / max(len(starts) - 1, 1)
