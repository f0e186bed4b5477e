"""From kernels.cu to a launch: NVRTC for every generation of GPU, the cache folder, a stand-in for the driver."""

from __future__ import annotations

import os
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import pytest
import torch

from talker.core.errors import Missing
from talker.core.types import Silent
from talker.radfield.backends import choose_kernels
from talker.radfield.cuda import CudaKernels, compile, driver
from tests.radfield.cuda_on_cpu import built_for_cpu, kernel_names
from tests.radfield.test_cuda import evaluated

pytestmark = pytest.mark.slow

ELF = b"\x7fELF"


@pytest.fixture
def nvrtc():
    try:
        return compile.load_nvrtc()
    except Missing as missing:
        pytest.skip(f"{missing}: the CUDA source is not compiled in this run")


@pytest.fixture
def folder(monkeypatch, tmp_path):
    monkeypatch.setenv("TALKER_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "cuda"


@pytest.mark.parametrize("architecture", [75, 86, 90, 120])
def test_the_source_compiles_for_every_generation(architecture, tmp_path):
    try:
        compile.load_nvrtc()
    except Missing as missing:
        if shutil.which("nvcc") is None:
            pytest.skip(f"{missing}, and there is no nvcc: the CUDA source is not compiled in this run")
        out = tmp_path / "kernels.cubin"
        subprocess.run(["nvcc", "-cubin", f"-arch=sm_{architecture}", str(compile.SOURCE), "-o", str(out)], check=True)
        image = out.read_bytes()
    else:
        image = compile.compile_kernels(architecture)
    assert image.startswith(ELF)
    assert all(name.encode() in image for name in kernel_names())


def test_a_gpu_newer_than_the_compiler_gets_code_that_its_driver_finishes(nvrtc):
    newest = max(compile.supported_architectures(nvrtc))
    image = compile.compile_kernels(newest + 5)
    assert image.endswith(b"\0") and f".target sm_{newest}".encode() in image


def test_what_cannot_be_compiled_is_one_line(nvrtc):
    with pytest.raises(Missing, match=r"^the CUDA kernels do not compile here \(kernels.cu\(2\): error.*$"):
        compile.compile_kernels(75, "\nextern bad;")
    with pytest.raises(Missing, match="compute capability 35"):
        compile.compile_kernels(35)


def test_it_is_compiled_once_and_not_believed_when_damaged(nvrtc, folder, monkeypatch):
    image = compile.compiled_kernels(75)
    (kept,) = folder.iterdir()
    calls = []
    monkeypatch.setattr(compile, "compile_kernels", lambda architecture: calls.append(architecture) or image)
    assert compile.compiled_kernels(75) == image and not calls
    kept.write_bytes(image[:-1])
    assert compile.compiled_kernels(75) == image and calls == [75]
    compile.compiled_kernels(86)
    assert calls == [75, 86]


def test_a_cache_that_cannot_be_written_costs_only_time(nvrtc, monkeypatch, tmp_path):
    (tmp_path / "file").touch()
    monkeypatch.setenv("TALKER_CACHE", str(tmp_path / "file"))
    assert compile.compiled_kernels(75).startswith(ELF)


def test_without_the_compiler_it_says_what_to_install(monkeypatch):
    monkeypatch.setattr(compile, "_wheel_libraries", list)
    monkeypatch.setattr(compile, "LIBRARY_NAMES", ("libnothing.so",))
    with pytest.raises(Missing, match="pip install nvidia-cuda-nvrtc"):
        compile.load_nvrtc.__wrapped__()


@pytest.fixture
def machine_with_gpu(monkeypatch):
    """A machine whose torch knows a GPU, and whose driver is the CPU's stand-in for it."""
    monkeypatch.setattr(driver, "DRIVER", str(built_for_cpu()))
    monkeypatch.setattr(driver, "compiled_kernels", lambda architecture: ELF + str(architecture).encode())
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "current_device", lambda: 0)
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device: (8, 6))
    monkeypatch.setattr(torch.cuda, "current_stream", lambda device: SimpleNamespace(cuda_stream=7))


def test_kernels_reach_the_driver_and_come_back(machine_with_gpu, reference, monkeypatch):
    module = driver.GpuModule()
    assert module.device == torch.device("cuda:0")
    module.device = torch.device("cpu")  # where the stand-in's memory is
    kernels = CudaKernels(module, torch.float32)
    with ThreadPoolExecutor(1) as other:  # as autograd's threads: without a context
        expected, found = evaluated(reference, 40, 5, 2, False)[1], other.submit(evaluated, kernels, 40, 5, 2, False)
    assert all(torch.allclose(a, b, atol=1e-4) for a, b in zip(expected, found.result()[1], strict=True))
    with pytest.raises(RuntimeError, match="cuModuleGetFunction: named symbol not found"):
        module.run("no_such_kernel", 1, 1, None)
    monkeypatch.setattr(driver, "compiled_kernels", lambda architecture: b"damaged")
    with pytest.raises(Missing, match=r"cannot be loaded \(cuModuleLoadData: device kernel image is invalid\)"):
        driver.GpuModule()


class Heard(Silent):
    def __init__(self) -> None:
        self.notices: list[str] = []

    def notice(self, text: str) -> None:
        self.notices.append(text)


def test_auto_takes_the_gpu_that_works_and_says_why_one_does_not(machine_with_gpu, monkeypatch):
    heard = Heard()
    assert choose_kernels("auto", heard).name == "cuda" and not heard.notices
    monkeypatch.setattr(driver, "DRIVER", os.devnull)
    assert choose_kernels("auto", heard).name in ("native", "torch")
    assert heard.notices[0].startswith("the GPU stays unused: NVIDIA's driver cannot be loaded")


@pytest.mark.parametrize("name", ["cuda", "tcnn"])
def test_kernels_that_this_machine_lacks_are_one_line_with_the_way_out(name, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(Missing, match="no CUDA GPU that torch can use; choose --kernels native"):
        choose_kernels(name)
