"""The backends by name, and the choice of the fastest that this machine has."""

from __future__ import annotations

import contextlib
from collections.abc import Callable

import torch

from talker.core.errors import BadInput, Missing
from talker.core.types import Reporter, Silent
from talker.radfield.kernels import Kernels, TorchKernels


def _torch(_reporter: Reporter) -> Kernels:
    return TorchKernels()


def _native(reporter: Reporter) -> Kernels:
    from talker.radfield.native import NativeKernels

    return NativeKernels(reporter)


def _tcnn(_reporter: Reporter) -> Kernels:
    from talker.radfield.tcnn import TcnnKernels

    return TcnnKernels()


def _cuda(_reporter: Reporter) -> Kernels:
    from talker.radfield.cuda import CudaKernels

    return CudaKernels()


KERNELS: dict[str, Callable[[Reporter], Kernels]] = {"torch": _torch, "native": _native, "tcnn": _tcnn, "cuda": _cuda}


def choose_kernels(name: str = "auto", reporter: Reporter = Silent()) -> Kernels:
    """The backend of that name; "auto" takes the fastest that this machine has, and tells when that is a slow one.

    Raises:
        BadInput: an unknown name. Missing: that backend cannot run here.
    """
    if name != "auto" and name not in KERNELS:
        raise BadInput(f"unknown kernels '{name}'; there are: auto, {', '.join(KERNELS)}")
    if name != "auto":
        return KERNELS[name](reporter)
    return _fastest_on_gpu(reporter) or _fastest_on_cpu(reporter)


def _fastest_on_gpu(reporter: Reporter) -> Kernels | None:
    if not torch.cuda.is_available():
        return None
    with contextlib.suppress(Missing):  # few have it
        return _tcnn(reporter)
    try:
        return _cuda(reporter)
    except Missing as missing:
        reporter.notice(f"the GPU stays unused: {missing}")
        return None


def _fastest_on_cpu(reporter: Reporter) -> Kernels:
    try:
        return _native(reporter)
    except Missing as missing:
        reporter.notice(f"the torch kernels serve, ten times slower: {missing}")
        return TorchKernels(why=f"the slow reference, because {missing}")
