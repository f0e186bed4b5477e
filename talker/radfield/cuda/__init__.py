"""Kernels for NVIDIA GPUs: the backends `cuda` and, as its ground, `tcnn`."""

from talker.radfield.cuda.backend import CudaKernels

__all__ = ["CudaKernels"]
