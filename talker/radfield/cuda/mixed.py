"""Half precision inside, single outside: how a GPU evaluates the field's networks.

Gradients of a mean over thousands of rays are too small for half precision, so each network scales those that enter
it by what they sum to, on the device and for every call anew, and unscales what leaves it: no loss scale to tune, and
nothing outside ever sees half precision. Source: Micikevicius et al., Mixed Precision Training (2018), section 3.2.

Conditions are constant over a frame, so a network reads them as a one-hot frame beside its input, and each frame's
bias is a column of its first matrix: one matrix product, whose backward needs no scattered sums.

S samples, F frames, K = first inputs with the frames, rounded up to ALIGNMENT.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn import functional

from talker.radfield.field import LEAK

ALIGNMENT = 16  # columns that tensor cores take at a time
# What absolute gradients are scaled to sum to. A matrix's gradient sums over all samples and must stay below 65504;
# a sample that has a thousandth of the average of 2^20 samples is still above half precision's least, 6e-8.
GRADIENT_SUM = 2.0**12


class _Scale:
    """The factor of one network's gradients: set where they enter it, undone where they leave."""

    factor: Tensor | float = 1.0


class _Lower(torch.autograd.Function):
    """Into the network: rounds values; backward, unscales gradients."""

    @staticmethod
    def forward(ctx, scale: _Scale, value: Tensor, dtype: torch.dtype) -> Tensor:
        ctx.scale = scale
        return value.to(dtype)

    @staticmethod
    @once_differentiable
    def backward(ctx, gradient: Tensor):
        return None, gradient.float() / ctx.scale.factor, None


class _Raise(torch.autograd.Function):
    """Out of the network: single precision; backward, scales gradients."""

    @staticmethod
    def forward(ctx, scale: _Scale, value: Tensor) -> Tensor:
        ctx.scale, ctx.dtype = scale, value.dtype
        return value.float()

    @staticmethod
    @once_differentiable
    def backward(ctx, gradient: Tensor):
        ctx.scale.factor = GRADIENT_SUM / gradient.abs().sum().clamp(min=1e-30)
        return None, (gradient * ctx.scale.factor).to(ctx.dtype)


def in_low_precision(
    network: Callable[..., Tensor],
    tensors: Sequence[Tensor],  # float32
    dtypes: Sequence[torch.dtype],  # what each is rounded to
) -> Tensor:
    """`network(*tensors)` on the rounded tensors: float32, with gradients that survive half precision."""
    scale = _Scale()
    return _Raise.apply(scale, network(*(_Lower.apply(scale, t, d) for t, d in zip(tensors, dtypes, strict=True))))


def padded_width(inputs: int, frames: int) -> int:
    return -(-(inputs + frames) // ALIGNMENT) * ALIGNMENT


def with_frames(
    inputs: Tensor,  # [S, inputs]
    frame: Tensor,  # [S] int64
    frames: int,
) -> Tensor:
    """The inputs, each sample's frame as a one-hot vector, zeros: [S, K]."""
    count, width = inputs.shape
    beside = inputs.new_zeros(count, padded_width(width, frames) - width)
    return torch.cat([inputs, beside.scatter_(1, frame[:, None], 1.0)], dim=1)


def with_biases(
    matrix: Tensor,  # [out, inputs]
    bias: Tensor,  # [F, out]
) -> Tensor:
    """The first matrix for `with_frames`: [out, K]."""
    unused = padded_width(matrix.shape[1], len(bias)) - matrix.shape[1] - len(bias)
    return torch.cat([matrix, bias.T, matrix.new_zeros(len(matrix), unused)], dim=1)


def perceptron(
    dtype: torch.dtype,  # of activations and matrices; sums are float32 (CudaKernels sees to that)
    inputs: Tensor,  # [S, inputs]
    frame: Tensor,  # [S] int64
    bias: Tensor,  # [F, 64] of the first layer
    matrices: Sequence[Tensor],  # [64, inputs], [64, 64] ..., [out, 64]
) -> Tensor:
    """LeakyReLU between the layers: [S, out] float32. The last layer is computed in float32, for logits need it."""

    def network(inputs: Tensor, *matrices: Tensor) -> Tensor:
        *hidden, last = matrices
        values = with_frames(inputs, frame, len(bias))
        for matrix in hidden:
            values = functional.leaky_relu_(functional.linear(values, matrix), LEAK)
        return functional.linear(values.float(), last)

    first, *between, last = matrices
    tensors = [inputs, with_biases(first, bias), *between, last]
    return in_low_precision(network, tensors, [dtype] * (len(tensors) - 1) + [torch.float32])
