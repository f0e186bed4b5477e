"""The field's hot path on a GPU without tiny-cuda-nn: own kernels for grids, marching and compositing, torch's matrix
products for the networks. Samples never leave the device; a round trip tells only how many there are.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from talker.core.types import Rays
from talker.radfield.cuda.driver import GpuModule
from talker.radfield.cuda.launch import Grid, Launcher, Module, checked
from talker.radfield.cuda.mixed import perceptron
from talker.radfield.encoding import GridSpec, spherical_harmonics
from talker.radfield.field import (
    DENSITY_LOGIT_MAX,
    DENSITY_SHIFT,
    Biases,
    FieldSamples,
    FieldShape,
    FieldWeights,
    shade,
)
from talker.radfield.kernels import STOP, AdamState
from talker.radfield.occupancy import BRICK, Occupancy
from talker.radfield.torso_layer import TorsoWeights, paint_torso
from talker.radfield.volume import MAX_SAMPLES, Composited, Samples

RENDER_RAYS = 1 << 17  # rays that a rendering holds in flight
FIRST_ROUND = 4  # samples that each of them gets before the opaque ones end; twice as many every further round


class _Encode(torch.autograd.Function):
    @staticmethod
    def forward(ctx, launch: Launcher, spec: GridSpec, table: Tensor, points: Tensor) -> Tensor:
        count = len(points)
        out = points.new_empty(count, spec.width)
        inputs = (checked(table, spec.vertices, 2), checked(points, count, spec.dims))
        launch(f"encode_{spec.dims}d", count * spec.levels, Grid.of(spec), *inputs, out)
        ctx.launch, ctx.spec = launch, spec
        ctx.save_for_backward(table, points)
        return out

    @staticmethod
    @once_differentiable
    def backward(ctx, gradient: Tensor):
        launch, spec, (table, points) = ctx.launch, ctx.spec, ctx.saved_tensors
        gradient, grid, count = gradient.contiguous(), Grid.of(spec), len(points)
        d_table = d_points = None
        if ctx.needs_input_grad[2]:
            d_table = torch.zeros_like(table)
            launch(f"table_gradient_{spec.dims}d", count * spec.levels, grid, points, gradient, d_table)
        if ctx.needs_input_grad[3]:
            if spec.dims != 2:
                raise ValueError("gradients of points are there for two-dimensional grids only")
            d_points = torch.empty_like(points)
            launch("point_gradient_2d", count, grid, table, points, gradient, d_points)
        return None, None, d_table, d_points


class _Composite(torch.autograd.Function):
    @staticmethod
    def forward(ctx, launch: Launcher, sigmas: Tensor, values: Tensor, samples: Samples, rays: Rays):
        count, (total, channels) = len(rays.origins), values.shape
        starts = checked(samples.starts, count + 1, dtype=torch.int32)
        inputs = (checked(sigmas, total), checked(values, total, channels), checked(samples.points, total, 3))
        lines = (checked(rays.origins, count, 3), checked(rays.directions, count, 3))
        out, alpha, depth = (sigmas.new_empty(count, *tail) for tail in ((channels,), (), ()))
        transmittance = torch.empty_like(sigmas)
        launch("composite_forward", count, channels, starts, *inputs, *lines, out, alpha, depth, transmittance)
        ctx.launch = launch
        ctx.save_for_backward(starts, sigmas, values, out, alpha, transmittance)
        ctx.mark_non_differentiable(depth, transmittance)
        return out, alpha, depth, transmittance

    @staticmethod
    @once_differentiable
    def backward(ctx, d_out: Tensor, d_alpha: Tensor, _depth, _transmittance):
        _, sigmas, values, *_ = ctx.saved_tensors
        d_sigmas, d_values = torch.empty_like(sigmas), torch.empty_like(values)
        incoming = (d_out.contiguous(), d_alpha.contiguous())
        ctx.launch("composite_backward", len(d_out), values.shape[1], *ctx.saved_tensors, *incoming, d_sigmas, d_values)
        return None, d_sigmas, d_values, None, None


class CudaKernels:
    """Own kernels on the GPU. Gradients of tables are summed by atomics: their last bits differ from run to run."""

    name = "cuda"
    why = "own CUDA kernels, compiled for this GPU"

    def __init__(self, module: Module | None = None, activations: torch.dtype = torch.float16) -> None:
        """
        Args:
            module: the compiled kernels; None compiles them for torch's current GPU.
            activations: what the networks compute in.

        Raises:
            Missing: this machine cannot run them.
        """
        # A matrix's gradient sums over all samples: too many for half precision.
        torch.backends.cuda.matmul.allow_fp16_reduced_precision_reduction = False
        self._launch = Launcher(GpuModule() if module is None else module)
        self._activations = activations
        self.device = self._launch.device

    def encode(self, spec: GridSpec, table: Tensor, points: Tensor) -> Tensor:
        return _Encode.apply(self._launch, spec, table, points.contiguous())

    def perceptron(self, inputs: Tensor, frame: Tensor, bias: Tensor, matrices: Sequence[Tensor]) -> Tensor:
        """`talker.radfield.cuda.mixed.perceptron`: one of the field's networks."""
        return perceptron(self._activations, inputs, frame, bias, matrices)

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
        ray = ray_of.long()
        frame = frame_of.long()[ray]
        w = weights
        space = self.encode(shape.space, w.space_table, points)
        ambient = torch.tanh(self.perceptron(space, frame, biases.ambient, (w.ambient_in, w.ambient_out)))
        audio = self.encode(shape.ambient, w.ambient_table, (ambient + 1.0) * 0.5)
        encoded = torch.cat([space, audio], dim=-1)
        between = () if shape.deferred else (w.middle,)
        geometry = self.perceptron(encoded, frame, biases.density, (w.density_in, *between, w.density_out))
        sigmas = torch.exp((geometry[:, 0] + DENSITY_SHIFT).clamp(max=DENSITY_LOGIT_MAX))
        if shape.deferred:
            return FieldSamples(sigmas, geometry, ambient)
        seen = torch.cat([geometry, harmonics[ray]], dim=-1)
        logits = self.perceptron(seen, frame, biases.colour, (w.colour_in, w.colour_out))
        return FieldSamples(sigmas, torch.sigmoid(logits), ambient)

    def march(self, rays: Rays, occupancy: Occupancy, jitter: Tensor) -> Samples:
        progress = torch.zeros(len(rays.origins), 2, dtype=torch.int32, device=self.device)
        return self._march(rays, occupancy, jitter, progress, MAX_SAMPLES, occupancy.stopping)

    def _march(
        self,
        rays: Rays,
        occupancy: Occupancy,
        jitter: Tensor,
        progress: Tensor,  # [N, 2] int32 of each ray: its next lattice step, and how many samples it had
        limit: int,  # samples that a ray gets at most
        density: Tensor | None,
    ) -> Samples:
        """A round of marching: counts, sums and fills; moves `progress` on."""
        count, side = len(rays.origins), occupancy.resolution
        lines = (checked(rays.origins, count, 3), checked(rays.directions, count, 3), checked(jitter, count))
        bricks = checked(occupancy.bricks, (side // BRICK) ** 3, dtype=torch.int64)
        density = None if density is None else checked(density, side**3)
        starts = torch.zeros(count + 1, dtype=torch.int32, device=self.device)
        counts = starts[1:]
        self._launch("march_count", count, *lines, progress, bricks, side, density, limit, counts)
        torch.cumsum(counts.clone(), 0, dtype=torch.int32, out=counts)
        total = int(starts[-1])
        points = torch.empty(total, 3, device=self.device)
        ray_of = torch.empty(total, dtype=torch.int32, device=self.device)
        self._launch("march_fill", count, *lines, progress, bricks, side, limit, starts, points, ray_of)
        return Samples(points, ray_of, starts)

    def composite(self, sigmas: Tensor, values: Tensor, samples: Samples, rays: Rays) -> Composited:
        return Composited(*_Composite.apply(self._launch, sigmas.contiguous(), values.contiguous(), samples, rays))

    @torch.no_grad()
    def render(
        self, shape: FieldShape, weights: FieldWeights, biases: Biases, rays: Rays, occupancy: Occupancy
    ) -> Tensor:
        parts = map(Rays, rays.origins.split(RENDER_RAYS), rays.directions.split(RENDER_RAYS))
        return torch.cat([self._render_part(shape, weights, biases, part, occupancy) for part in parts])

    def _render_part(
        self, shape: FieldShape, weights: FieldWeights, biases: Biases, rays: Rays, occupancy: Occupancy
    ) -> Tensor:
        """Rounds of a few samples a ray, until every ray is opaque or at its end."""
        count = len(rays.origins)
        out = torch.zeros(count, shape.channels + 2, device=self.device)
        progress = torch.zeros(count, 2, dtype=torch.int32, device=self.device)
        frame_of = torch.zeros(count, dtype=torch.int32, device=self.device)
        jitter = torch.full((count,), 0.5, device=self.device)
        harmonics = spherical_harmonics(rays.directions)
        limit = FIRST_ROUND
        while True:
            samples = self._march(rays, occupancy, jitter, progress, limit, None)
            if not len(samples.points):
                break
            found = self.evaluate(shape, weights, biases, samples.points, harmonics, samples.ray_of, frame_of)
            inputs = (samples.starts, found.sigmas, found.values, samples.points, rays.origins, rays.directions)
            self._launch("composite_onto", count, shape.channels, *inputs, STOP, progress, out)
            limit *= 2
        rgb = shade(shape, weights, biases, out[:, :-2], out[:, -2], harmonics, frame_of)
        return torch.cat([rgb, out[:, -2:]], dim=1)

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
        corrections = (1.0 / (1.0 - beta**state.steps) for beta in betas)
        tensors = (checked(t, *value.shape) for t in (value, gradient, state.first, state.second))
        self._launch("sparse_adam", value.numel(), *tensors, rate, *betas, epsilon, *corrections)
