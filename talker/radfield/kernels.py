"""One interface for the hot path, and the torch reference behind it.

Every backend keeps the same conventions (tiny-cuda-nn's grids, talker.radfield.volume's lattice), so a checkpoint
written under one is read by every other.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from talker.core.types import Rays
from talker.radfield import volume
from talker.radfield.encoding import GridSpec, encode_grid, spherical_harmonics
from talker.radfield.field import Biases, FieldSamples, FieldShape, FieldWeights, evaluate_field, shade
from talker.radfield.occupancy import Occupancy
from talker.radfield.torso_layer import TorsoWeights, paint_torso
from talker.radfield.volume import Composited, Samples

STOP = 1e-3  # transmittance below which a rendered ray ends
RENDER_CHUNK = 16_384  # rays that the reference renders at a time


@dataclass
class AdamState:
    """Moments of one parameter under `Kernels.sparse_adam`."""

    first: Tensor
    second: Tensor
    steps: int = 0


class Kernels(Protocol):
    name: str
    why: str  # one sentence for `talker doctor`
    device: torch.device  # where all tensors that it is given must be, and those that it returns are

    def encode(self, spec: GridSpec, table: Tensor, points: Tensor) -> Tensor:
        """Grid features [N, 2 L]; differentiable in the table, and in the points where D = 2."""
        ...

    def evaluate(
        self,
        shape: FieldShape,
        weights: FieldWeights,
        biases: Biases,
        points: Tensor,
        harmonics: Tensor,
        ray_of: Tensor,
        frame_of: Tensor,
    ) -> FieldSamples:
        """`talker.radfield.field.evaluate_field`."""
        ...

    def march(self, rays: Rays, occupancy: Occupancy, jitter: Tensor) -> Samples:
        """`talker.radfield.volume.march_rays`."""
        ...

    def composite(self, sigmas: Tensor, values: Tensor, samples: Samples, rays: Rays) -> Composited:
        """`talker.radfield.volume.composite`."""
        ...

    def render(
        self, shape: FieldShape, weights: FieldWeights, biases: Biases, rays: Rays, occupancy: Occupancy
    ) -> Tensor:
        """One frame's rays without gradients: premultiplied rgb, alpha, depth: [N, 5]."""
        ...

    def paint_torso(self, grid: GridSpec, weights: TorsoWeights, positions: Tensor) -> Tensor:
        """`talker.radfield.torso_layer.paint_torso` for one frame (B = 1) without gradients: [P, 4]."""
        ...

    def sparse_adam(
        self,
        value: Tensor,
        gradient: Tensor,
        state: AdamState,
        rate: float,
        betas: tuple[float, float],
        epsilon: float,
    ) -> None:
        """Adam on the entries that have a gradient; clears the gradient.

        Entries without one are left alone, or at least (native) blocks of 16 that have none.
        """
        ...


class TorchKernels:
    """The reference: slow, obvious, always there."""

    name = "torch"
    device = torch.device("cpu")

    def __init__(self, why: str = "the reference, asked for by name") -> None:
        self.why = why

    encode = staticmethod(encode_grid)
    evaluate = staticmethod(evaluate_field)
    composite = staticmethod(volume.composite)

    def march(self, rays: Rays, occupancy: Occupancy, jitter: Tensor) -> Samples:
        return volume.march_rays(rays, occupancy.occupied, occupancy.stopping, jitter)

    @torch.no_grad()
    def render(
        self, shape: FieldShape, weights: FieldWeights, biases: Biases, rays: Rays, occupancy: Occupancy
    ) -> Tensor:
        out, device = [], rays.origins.device
        never = torch.zeros_like(occupancy.stopping)
        for part in map(Rays, rays.origins.split(RENDER_CHUNK), rays.directions.split(RENDER_CHUNK)):
            count = len(part.origins)
            samples = volume.march_rays(part, occupancy.occupied, never, torch.full((count,), 0.5, device=device))
            harmonics = spherical_harmonics(part.directions)
            frame_of = torch.zeros(count, dtype=torch.int32, device=device)
            found = evaluate_field(shape, weights, biases, samples.points, harmonics, samples.ray_of, frame_of)
            done = volume.composite(found.sigmas, found.values, samples, part)
            rgb = shade(shape, weights, biases, done.values, done.alpha, harmonics, frame_of)
            out.append(torch.cat([rgb, done.alpha[:, None], done.depth[:, None]], dim=-1))
        return torch.cat(out)

    @torch.no_grad()
    def paint_torso(self, grid: GridSpec, weights: TorsoWeights, positions: Tensor) -> Tensor:
        return paint_torso(self.encode, grid, weights, positions)

    @torch.no_grad()
    def sparse_adam(
        self,
        value: Tensor,
        gradient: Tensor,
        state: AdamState,
        rate: float,
        betas: tuple[float, float],
        epsilon: float,
    ) -> None:
        state.steps += 1
        touched = gradient.flatten().nonzero().squeeze(1)
        g = gradient.flatten()[touched]
        first, second = state.first.view(-1), state.second.view(-1)
        first[touched] = betas[0] * first[touched] + (1.0 - betas[0]) * g
        second[touched] = betas[1] * second[touched] + (1.0 - betas[1]) * g * g
        mean = first[touched] / (1.0 - betas[0] ** state.steps)
        deviation = (second[touched] / (1.0 - betas[1] ** state.steps)).sqrt()
        value.view(-1)[touched] -= rate * mean / (deviation + epsilon)
        gradient.zero_()
