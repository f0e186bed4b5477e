"""A stand-in for the package `tinycudann`: its modules in plain torch, written from its documented conventions.

Half precision where it has it: parameters, activations and outputs. Inputs and gradients go as in its modules.py.
"""

from __future__ import annotations

import itertools
import math

import torch
from torch import Tensor, nn

PRIMES = (1, 2654435761, 805459861)


class _Module(nn.Module):
    def __init__(self, size: int) -> None:
        super().__init__()
        self.params = nn.Parameter(torch.rand(size) * 2e-4 - 1e-4)
        self.loss_scale = 128.0
        self.calls = 0

    def forward(self, x: Tensor) -> Tensor:
        assert len(x) > 0 and x.dtype == torch.float32 and x.shape[1] == self.n_input_dims
        self.calls += 1
        return _Scaled.apply(self._compute(x.float(), self.params.half()), self.loss_scale)


class _Scaled(torch.autograd.Function):
    """Its loss scale: what is too small for half precision without it is lost, and what is too large with it."""

    @staticmethod
    def forward(ctx, value: Tensor, scale: float) -> Tensor:
        ctx.scale = scale
        return value.clone()

    @staticmethod
    def backward(ctx, gradient: Tensor):
        assert gradient.dtype == torch.float16
        return gradient * ctx.scale / ctx.scale, None


class Encoding(_Module):
    """HashGrid: levels side by side, each of ceil(scale) + 1 vertices a side, padded to 8."""

    def __init__(self, n_input_dims: int, encoding_config: dict) -> None:
        c = encoding_config
        assert c["otype"] == "HashGrid" and c["n_features_per_level"] == 2 and c["interpolation"] == "Linear"
        self.levels, offset = [], 0
        log2_scale = torch.tensor(c["per_level_scale"], dtype=torch.float32).log2()
        for level in range(c["n_levels"]):
            scale = float(torch.exp2(level * log2_scale) * c["base_resolution"] - 1.0)
            resolution = math.ceil(scale) + 1
            size = min(-(-(resolution**n_input_dims) // 8) * 8, 1 << c["log2_hashmap_size"])
            self.levels.append((scale, resolution, offset, size))
            offset += size
        super().__init__(2 * offset)
        self.n_input_dims, self.n_output_dims = n_input_dims, 2 * c["n_levels"]

    def _compute(self, x: Tensor, params: Tensor) -> Tensor:
        features = []
        for scale, resolution, offset, size in self.levels:
            position = x * scale + 0.5
            cell = position.detach().floor()
            fraction = position - cell
            total = 0.0
            for corner in itertools.product((0, 1), repeat=self.n_input_dims):
                index, weight, stride = torch.zeros(len(x), dtype=torch.int64), 1.0, 1
                vertex = [cell[:, d].long() + corner[d] for d in range(self.n_input_dims)]
                for d in range(self.n_input_dims):
                    index = index + vertex[d] * stride
                    stride *= resolution
                    weight = weight * (fraction[:, d] if corner[d] else 1.0 - fraction[:, d])
                if stride > size:
                    index = torch.zeros(len(x), dtype=torch.int64)
                    for d in range(self.n_input_dims):
                        index = index ^ (vertex[d] * PRIMES[d] & 0xFFFFFFFF)
                rows = params.reshape(-1, 2)[index % size + offset]
                total = total + weight[:, None] * rows.float()
            features.append(total)
        return torch.cat(features, dim=1).half()


class Network(_Module):
    """FullyFusedMLP: no biases; matrices [out, in] row-major, one after the other; the last padded to 16 rows."""

    def __init__(self, n_input_dims: int, n_output_dims: int, network_config: dict) -> None:
        c = network_config
        assert c["otype"] == "FullyFusedMLP" and c["output_activation"] == "None" and c["n_hidden_layers"] >= 1
        assert c["activation"] == "LeakyReLU" and c["n_neurons"] == 64
        padded_in, padded_out = (-(-n // 16) * 16 for n in (n_input_dims, n_output_dims))
        self.shapes = [(64, padded_in), *[(64, 64)] * (c["n_hidden_layers"] - 1), (padded_out, 64)]
        super().__init__(sum(rows * columns for rows, columns in self.shapes))
        self.n_input_dims, self.n_output_dims = n_input_dims, n_output_dims

    def _compute(self, x: Tensor, params: Tensor) -> Tensor:
        padding = torch.ones(len(x), self.shapes[0][1] - x.shape[1])
        values, parts = torch.cat([x, padding], dim=1).half(), params.split([r * c for r, c in self.shapes])
        for number, (part, shape) in enumerate(zip(parts, self.shapes, strict=True)):
            values = values @ part.reshape(shape).T
            if number < len(parts) - 1:
                values = torch.where(values > 0, values, values * 0.01)
        return values[:, : self.n_output_dims]
