"""The C++ kernels for CPUs: built on first use, bound by ctypes."""

from talker.radfield.native.binding import NativeKernels

__all__ = ["NativeKernels"]
