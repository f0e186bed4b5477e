"""talker's CUDA source, compiled as C++ and run on the CPU: what the tests hand to `CudaKernels` in a GPU's place."""

from __future__ import annotations

import ctypes
import re
import subprocess
from ctypes import c_char_p, c_uint, c_void_p
from pathlib import Path

import torch

from talker.radfield.cuda.compile import SOURCE

SHIM = Path(__file__).with_name("cuda_on_cpu.h")


def kernel_names() -> list[str]:
    return re.findall(r"__global__ void (\w+)", SOURCE.read_text())


class CpuModule:
    """A `talker.radfield.cuda.launch.Module`."""

    device = torch.device("cpu")

    def __init__(self, compiler: str, folder: Path) -> None:
        registrations = [f'static Registration register_{name}("{name}", {name});' for name in kernel_names()]
        program = folder / "program.cpp"
        program.write_text("\n".join([f'#include "{SHIM}"', f'#include "{SOURCE}"', *registrations]) + "\n")
        library = folder / "kernels.so"
        flags = "-x c++ -std=c++17 -O1 -fPIC -shared -Wall -Wextra -Werror -Wno-unused-function".split()
        subprocess.run([compiler, *flags, str(program), "-o", str(library)], check=True, timeout=120)
        self._run = ctypes.CDLL(str(library)).run_kernel
        self._run.argtypes = [c_char_p, c_uint, c_uint, c_void_p]
        self.launched: set[str] = set()

    def run(self, kernel: str, blocks: int, threads: int, parameters: ctypes.Array) -> None:
        assert self._run(kernel.encode(), blocks, threads, parameters) == 0, f"there is no kernel {kernel}"
        self.launched.add(kernel)
