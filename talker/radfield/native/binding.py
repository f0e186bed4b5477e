"""Binds the C++ kernels by ctypes, inside autograd functions.

Every tensor's type, layout and shape are checked before C++ sees it; indices (rays, frames) are the caller's promise.
"""

from __future__ import annotations

from ctypes import POINTER, Structure, byref, c_float, c_int32, c_int64, c_void_p

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from talker.core.types import Rays, Reporter, Silent
from talker.radfield.encoding import GridSpec, spherical_harmonics
from talker.radfield.field import GEOMETRY, HARMONICS, HIDDEN, Biases, FieldSamples, FieldShape, FieldWeights
from talker.radfield.kernels import STOP, AdamState
from talker.radfield.layout import Levels, levels_of
from talker.radfield.native.build import load_library
from talker.radfield.occupancy import BRICK, Occupancy
from talker.radfield.torso_layer import BEND_HIDDEN, PAINT_HIDDEN, POSITION_IN, TorsoWeights
from talker.radfield.volume import Composited, Samples

MAX_CHANNELS = 16
ABI = 3


class _Grid(Structure):
    _fields_ = [("levels", c_int32), ("dims", c_int32), ("level", Levels)]


class _Network(Structure):
    _fields_ = [
        ("space", _Grid),
        ("ambient", _Grid),
        *((name, c_void_p) for name in (*FieldWeights._fields, "ambient_bias", "density_bias", "colour_bias")),
        ("frame_of", c_void_p),
        ("frames", c_int32),
        ("deferred", c_int32),
    ]


class _Torso(Structure):
    _fields_ = [("grid", _Grid), *((name, c_void_p) for name in TorsoWeights._fields)]


class _Occupancy(Structure):
    _fields_ = [("bricks", c_void_p), ("resolution", c_int32)]


def _pointer(tensor: Tensor, dtype: torch.dtype = torch.float32) -> c_void_p:
    if tensor.dtype != dtype or not tensor.is_contiguous() or tensor.device.type != "cpu":
        raise TypeError(f"kernels take contiguous {dtype} CPU tensors, not {tensor.dtype} {tuple(tensor.stride())}")
    return c_void_p(tensor.data_ptr())


def _check(tensor: Tensor, *shape: int) -> None:
    if tuple(tensor.shape) != shape:
        raise ValueError(f"expected a tensor of shape {shape}, got {tuple(tensor.shape)}")


def _grid(spec: GridSpec) -> _Grid:
    if spec.levels % 4:
        raise ValueError(f"the kernels take 4, 8, 12 or 16 grid levels, not {spec.levels}")
    return _Grid(spec.levels, spec.dims, levels_of(spec))


def _occupancy(occupancy: Occupancy) -> _Occupancy:
    _check(occupancy.bricks, (occupancy.resolution // BRICK) ** 3)
    return _Occupancy(_pointer(occupancy.bricks, torch.int64), occupancy.resolution)


def _network(shape: FieldShape, weights: FieldWeights, biases: Biases, frame_of: Tensor) -> _Network:
    if (shape.space.dims, shape.ambient.dims) != (3, 2):
        raise ValueError("the kernels take a 3-D grid of space and a 2-D grid of ambient coordinates")
    _check(weights.space_table, shape.space.vertices, 2)
    _check(weights.ambient_table, shape.ambient.vertices, 2)
    _check(weights.ambient_in, HIDDEN, shape.space.width)
    _check(weights.ambient_out, 2, HIDDEN)
    _check(weights.density_in, HIDDEN, shape.encoded)
    _check(weights.middle, HIDDEN, HIDDEN)
    _check(weights.density_out, GEOMETRY, HIDDEN)
    _check(weights.colour_in, HIDDEN, GEOMETRY + HARMONICS)
    _check(weights.colour_out, 3, HIDDEN)
    frames = len(biases.ambient)
    for bias in biases:
        _check(bias, frames, HIDDEN)
    pointers = [_pointer(tensor) for tensor in (*weights, *biases)]
    return _Network(
        _grid(shape.space),
        _grid(shape.ambient),
        *pointers,
        _pointer(frame_of, torch.int32),
        frames,
        int(shape.deferred),
    )


class _Library:
    """The loaded library; wrong arguments to ctypes are errors, not crashes."""

    def __init__(self, reporter: Reporter) -> None:
        library = load_library(reporter)
        pointer = c_void_p
        grid, network, occupancy = POINTER(_Grid), POINTER(_Network), POINTER(_Occupancy)
        signatures = {
            "grid_forward": [grid, pointer, pointer, c_int64, pointer],
            "grid_backward": [grid, pointer, pointer, c_int64, pointer],
            "grid_point_gradient": [grid, pointer, pointer, pointer, c_int64, pointer],
            "field_forward": [network, *[pointer] * 3, c_int64, *[pointer] * 4],
            "field_backward": [network, *[pointer] * 3, c_int64, *[pointer] * 3, POINTER(c_void_p), *[pointer] * 5],
            "march": [*[pointer] * 4, c_int32, occupancy, *[pointer] * 3],
            "composite_forward": [c_int32, c_int32, *[pointer] * 10],
            "composite_backward": [c_int32, c_int32, *[pointer] * 9],
            "render": [network, *[pointer] * 3, c_int32, occupancy, c_float, pointer],
            "paint_torso": [POINTER(_Torso), pointer, c_int64, pointer],
            "sparse_adam": [*[pointer] * 4, c_int64, *[c_float] * 6],
        }
        for name, arguments in signatures.items():
            function = getattr(library, name)
            function.argtypes, function.restype = arguments, None
            setattr(self, name, function)
        library.abi_version.restype = c_int32
        if library.abi_version() != ABI:
            raise RuntimeError("kernels.cpp and binding.py are of different versions")


class _Encode(torch.autograd.Function):
    @staticmethod
    def forward(ctx, library: _Library, spec: GridSpec, table: Tensor, points: Tensor) -> Tensor:
        _check(table, spec.vertices, 2)
        _check(points, len(points), spec.dims)
        out = points.new_empty(len(points), spec.width)
        library.grid_forward(byref(_grid(spec)), _pointer(table), _pointer(points), len(points), _pointer(out))
        ctx.library, ctx.spec = library, spec
        ctx.save_for_backward(table, points)
        return out

    @staticmethod
    @once_differentiable
    def backward(ctx, gradient: Tensor):
        table, points = ctx.saved_tensors
        gradient = gradient.contiguous()
        grid, count = byref(_grid(ctx.spec)), len(points)
        d_table = d_points = None
        if ctx.needs_input_grad[2]:
            d_table = torch.zeros_like(table)
            ctx.library.grid_backward(grid, _pointer(points), _pointer(gradient), count, _pointer(d_table))
        if ctx.needs_input_grad[3]:
            if ctx.spec.dims != 2:
                raise ValueError("gradients of points are there for two-dimensional grids only")
            d_points = torch.empty_like(points)
            ctx.library.grid_point_gradient(
                grid, _pointer(table), _pointer(points), _pointer(gradient), count, _pointer(d_points)
            )
        return None, None, d_table, d_points


class _Evaluate(torch.autograd.Function):
    @staticmethod
    def forward(ctx, library, shape, points, harmonics, ray_of, frame_of, *tensors):
        weights, biases = FieldWeights(*tensors[:9]), Biases(*tensors[9:])
        _check(points, len(ray_of), 3)
        _check(harmonics, len(frame_of), HARMONICS)
        sigmas, values, ambient = (points.new_empty(len(points), *tail) for tail in ((), (shape.channels,), (2,)))
        features = points.new_empty(len(points), shape.encoded) if any(ctx.needs_input_grad) else None
        library.field_forward(
            byref(_network(shape, weights, biases, frame_of)),
            _pointer(points),
            _pointer(harmonics),
            _pointer(ray_of, torch.int32),
            len(points),
            _pointer(sigmas),
            _pointer(values),
            _pointer(ambient),
            _pointer(features) if features is not None else None,
        )
        ctx.library, ctx.shape = library, shape
        ctx.save_for_backward(features, points, harmonics, ray_of, frame_of, *tensors)
        return sigmas, values, ambient

    @staticmethod
    @once_differentiable
    def backward(ctx, d_sigmas: Tensor, d_values: Tensor, d_ambient: Tensor):
        features, points, harmonics, ray_of, frame_of, *tensors = ctx.saved_tensors
        weights, biases = FieldWeights(*tensors[:9]), Biases(*tensors[9:])
        incoming = [g.contiguous() for g in (d_sigmas, d_values, d_ambient)]
        gradients = [torch.zeros_like(t) for t in tensors]
        d_space, d_ambient_table, *d_matrices = gradients
        pointers = (c_void_p * len(d_matrices))(*[t.data_ptr() for t in d_matrices])
        encoded, coordinates = torch.empty_like(features), points.new_empty(len(points), 2)
        ctx.library.field_backward(
            byref(_network(ctx.shape, weights, biases, frame_of)),
            _pointer(points),
            _pointer(harmonics),
            _pointer(ray_of, torch.int32),
            len(points),
            *(_pointer(g) for g in incoming),
            pointers,
            *(_pointer(t) for t in (d_space, d_ambient_table, features, encoded, coordinates)),
        )
        return (None,) * 6 + tuple(gradients)


class _Composite(torch.autograd.Function):
    @staticmethod
    def forward(ctx, library, sigmas, values, points, starts, origins, directions):
        rays, samples = len(starts) - 1, len(sigmas)
        channels = values.shape[1]
        if channels > MAX_CHANNELS:
            raise ValueError(f"the kernels composite up to {MAX_CHANNELS} values a sample, not {channels}")
        _check(sigmas, samples)
        _check(values, samples, channels)
        for tensor, count in ((points, samples), (origins, rays), (directions, rays)):
            _check(tensor, count, 3)
        gathered, alpha, depth = (sigmas.new_empty(rays, *tail) for tail in ((channels,), (), ()))
        transmittance = torch.empty_like(sigmas)
        inputs = [_pointer(starts, torch.int32), *(_pointer(t) for t in (sigmas, values, points, origins, directions))]
        library.composite_forward(
            rays, channels, *inputs, *(_pointer(t) for t in (gathered, alpha, depth, transmittance))
        )
        ctx.library = library
        ctx.save_for_backward(sigmas, values, starts, gathered, alpha)
        ctx.mark_non_differentiable(depth, transmittance)
        return gathered, alpha, depth, transmittance

    @staticmethod
    @once_differentiable
    def backward(ctx, d_gathered: Tensor, d_alpha: Tensor, _depth, _transmittance):
        sigmas, values, starts, gathered, alpha = ctx.saved_tensors
        d_sigmas, d_values = torch.empty_like(sigmas), torch.empty_like(values)
        inputs = (sigmas, values, gathered, alpha, d_gathered.contiguous(), d_alpha.contiguous())
        ctx.library.composite_backward(
            len(alpha),
            gathered.shape[1],
            _pointer(starts, torch.int32),
            *(_pointer(t) for t in (*inputs, d_sigmas, d_values)),
        )
        return None, d_sigmas, d_values, None, None, None, None


class NativeKernels:
    """C++ on the CPU. Deterministic for a fixed number of threads."""

    name = "native"
    why = "C++ built for this CPU"
    device = torch.device("cpu")

    def __init__(self, reporter: Reporter = Silent()) -> None:
        self._library = _Library(reporter)

    def encode(self, spec: GridSpec, table: Tensor, points: Tensor) -> Tensor:
        return _Encode.apply(self._library, spec, table, points.contiguous())

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
        found = _Evaluate.apply(self._library, shape, points, harmonics, ray_of, frame_of, *weights, *biases)
        return FieldSamples(*found)

    def march(self, rays: Rays, occupancy: Occupancy, jitter: Tensor) -> Samples:
        count = len(rays.origins)
        _check(rays.origins, count, 3)
        _check(rays.directions, count, 3)
        _check(jitter, count)
        _check(occupancy.stopping, occupancy.resolution**3)
        starts, grid = torch.empty(count + 1, dtype=torch.int32), _occupancy(occupancy)
        inputs = [_pointer(t) for t in (rays.origins, rays.directions, jitter, occupancy.stopping)]
        self._library.march(*inputs, count, byref(grid), _pointer(starts, torch.int32), None, None)
        total = int(starts[-1])
        points, ray_of = torch.empty(total, 3), torch.empty(total, dtype=torch.int32)
        if total:
            out = (_pointer(starts, torch.int32), _pointer(points), _pointer(ray_of, torch.int32))
            self._library.march(*inputs, count, byref(grid), *out)
        return Samples(points, ray_of, starts)

    def composite(self, sigmas: Tensor, values: Tensor, samples: Samples, rays: Rays) -> Composited:
        inputs = (
            sigmas.contiguous(),
            values.contiguous(),
            samples.points,
            samples.starts,
            *(rays.origins, rays.directions),
        )
        return Composited(*_Composite.apply(self._library, *inputs))

    @torch.no_grad()
    def render(
        self, shape: FieldShape, weights: FieldWeights, biases: Biases, rays: Rays, occupancy: Occupancy
    ) -> Tensor:
        count = len(rays.origins)
        _check(rays.origins, count, 3)
        _check(rays.directions, count, 3)
        out = torch.empty(count, 5)
        frame_of = torch.zeros(1, dtype=torch.int32)
        grid = _occupancy(occupancy)
        inputs = (rays.origins, rays.directions, spherical_harmonics(rays.directions).contiguous())
        self._library.render(
            byref(_network(shape, weights, biases, frame_of)),
            *(_pointer(t) for t in inputs),
            count,
            byref(grid),
            STOP,
            _pointer(out),
        )
        return out

    @torch.no_grad()
    def paint_torso(self, grid: GridSpec, weights: TorsoWeights, positions: Tensor) -> Tensor:
        w = TorsoWeights(*(tensor.contiguous() for tensor in weights))
        _check(positions, len(positions), 2)
        _check(w.table, grid.vertices, 2)
        _check(w.bend_in, BEND_HIDDEN, POSITION_IN)
        _check(w.bend_in_bias, 1, BEND_HIDDEN)
        _check(w.paint_in, PAINT_HIDDEN, grid.width)
        _check(w.paint_in_bias, 1, PAINT_HIDDEN)
        for name, rows, columns in (("bend", 2, BEND_HIDDEN), ("paint", 4, PAINT_HIDDEN)):
            _check(getattr(w, f"{name}_mid"), columns, columns)
            _check(getattr(w, f"{name}_mid_bias"), columns)
            _check(getattr(w, f"{name}_out"), rows, columns)
            _check(getattr(w, f"{name}_out_bias"), rows)
        out = positions.new_empty(len(positions), 4)
        network = _Torso(_grid(grid), *(_pointer(tensor) for tensor in w))
        self._library.paint_torso(byref(network), _pointer(positions), len(positions), _pointer(out))
        return out

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
        for tensor in (gradient, state.first, state.second):
            _check(tensor, *value.shape)
        state.steps += 1
        corrections = (1.0 / (1.0 - beta**state.steps) for beta in betas)
        tensors = (_pointer(t) for t in (value, gradient, state.first, state.second))
        self._library.sparse_adam(*tensors, value.numel(), rate, *betas, epsilon, *corrections)
