"""talker's CUDA source, compiled as C++ and run on the CPU: what the tests hand to `CudaKernels` in a GPU's place."""

from __future__ import annotations

import ctypes
import functools
import re
import shutil
import subprocess
import tempfile
from ctypes import c_char_p, c_uint, c_void_p
from pathlib import Path

import pytest
import torch

from talker.radfield.cuda.compile import SOURCE

HERE = Path(__file__).parent
_FOLDER = tempfile.TemporaryDirectory(prefix="talker-tests-")


def kernel_names() -> list[str]:
    return re.findall(r"__global__ void (\w+)", SOURCE.read_text())


@functools.cache
def built_for_cpu() -> Path:
    """A library with `run_kernel` and a driver's functions over all kernels, for as long as this process lives."""
    compiler = next((name for name in ("g++", "clang++") if shutil.which(name)), None)
    if compiler is None:
        pytest.skip("no C++ compiler on this machine")
    registrations = [f'static Registration register_{name}("{name}", {name});' for name in kernel_names()]
    folder = Path(_FOLDER.name)
    program = folder / "program.cpp"
    header = HERE / "cuda_driver_on_cpu.h"
    program.write_text("\n".join([f'#include "{header}"', f'#include "{SOURCE}"', *registrations]) + "\n")
    library = folder / "kernels.so"
    flags = "-x c++ -std=c++17 -O1 -fPIC -shared".split()
    subprocess.run([compiler, *flags, str(program), "-o", str(library)], check=True, timeout=120)
    return library


class CpuModule:
    """A `talker.radfield.cuda.launch.Module`."""

    device = torch.device("cpu")

    def __init__(self) -> None:
        self._run = ctypes.CDLL(str(built_for_cpu())).run_kernel
        self._run.argtypes = [c_char_p, c_uint, c_uint, c_void_p]
        self.launched: set[str] = set()

    def run(self, kernel: str, blocks: int, threads: int, parameters: ctypes.Array) -> None:
        assert self._run(kernel.encode(), blocks, threads, parameters) == 0, f"there is no kernel {kernel}"
        self.launched.add(kernel)
