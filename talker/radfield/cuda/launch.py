"""Launches kernels: Python values become the untyped parameters that the CUDA driver's cuLaunchKernel takes.

What runs them is a `Module`. On a GPU that is talker.radfield.cuda.driver.GpuModule; the tests hand in the same source
compiled as C++, so that everything above the driver runs on machines without a GPU.
"""

from __future__ import annotations

import ctypes
from ctypes import Structure, c_float, c_int32, c_int64, c_void_p
from typing import Protocol

import torch
from torch import Tensor

from talker.radfield.encoding import GridSpec
from talker.radfield.layout import Levels, levels_of

THREADS = 128  # of a block

Argument = Tensor | int | float | Structure | None


class Module(Protocol):
    """A compiled kernels.cu."""

    device: torch.device  # whose memory its kernels read

    def run(
        self,
        kernel: str,
        blocks: int,
        threads: int,
        parameters: ctypes.Array,  # one pointer to each parameter, as cuLaunchKernel takes them
    ) -> None: ...


class Grid(Structure):
    """kernels.cu's struct of that name."""

    _fields_ = [("levels", c_int32), ("level", Levels)]

    @classmethod
    def of(cls, spec: GridSpec) -> Grid:
        return cls(spec.levels, levels_of(spec))


def checked(tensor: Tensor, *shape: int, dtype: torch.dtype = torch.float32) -> Tensor:
    """The tensor, if a kernel may read it: type, layout and shape are as its parameter says."""
    if tuple(tensor.shape) != shape:
        raise ValueError(f"expected a tensor of shape {shape}, got {tuple(tensor.shape)}")
    if tensor.dtype != dtype or not tensor.is_contiguous():
        raise TypeError(f"kernels take contiguous {dtype} tensors, not {tensor.dtype} {tuple(tensor.stride())}")
    return tensor


class Launcher:
    """Calls kernels by name: `launch("encode_3d", count, grid, table, points, out)`."""

    def __init__(self, module: Module) -> None:
        self._module = module
        self.device = module.device

    def __call__(self, kernel: str, count: int, *arguments: Argument) -> None:
        """Runs one thread for each of `count` items; the kernel's own first parameter is that count."""
        if count == 0:
            return
        cells = [c_int64(count), *(self._cell(argument) for argument in arguments)]
        parameters = (c_void_p * len(cells))(*(ctypes.addressof(cell) for cell in cells))
        self._module.run(kernel, -(-count // THREADS), THREADS, parameters)

    def _cell(self, argument: Argument) -> ctypes._SimpleCData | Structure:
        """Memory that holds the argument as the kernel's parameter has it."""
        if isinstance(argument, Tensor):
            if argument.device != self.device:
                raise TypeError(f"these kernels take tensors on {self.device}, not on {argument.device}")
            return c_void_p(argument.data_ptr())
        if isinstance(argument, Structure):
            return argument
        if isinstance(argument, int):
            return c_int32(argument)
        return c_void_p(None) if argument is None else c_float(argument)
