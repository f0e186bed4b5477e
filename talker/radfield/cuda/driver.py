"""Loads and launches kernels with the CUDA driver's own API, by ctypes: in torch's context, on torch's stream."""

from __future__ import annotations

import ctypes
from ctypes import POINTER, byref, c_char_p, c_int, c_uint, c_void_p

import torch

from talker.core.errors import Missing
from talker.radfield.cuda.compile import compiled_kernels

DRIVER = "libcuda.so.1"


class GpuModule:
    """kernels.cu on one GPU. Holds the device's primary context, which is torch's."""

    def __init__(self) -> None:
        """
        Raises:
            Missing: no GPU that torch can use, no driver, or kernels that do not compile for it.
        """
        if not torch.cuda.is_available():
            raise Missing("there is no CUDA GPU that torch can use; choose --kernels native")
        self.device = torch.device("cuda", torch.cuda.current_device())
        try:
            self._driver = ctypes.CDLL(DRIVER)
        except OSError as error:
            raise Missing(f"NVIDIA's driver cannot be loaded ({error})") from error
        launch_sizes = [c_uint] * 7  # blocks and threads in x, y, z; bytes of shared memory
        signatures = {
            "cuInit": [c_uint],
            "cuDeviceGet": [POINTER(c_int), c_int],
            "cuDevicePrimaryCtxRetain": [POINTER(c_void_p), c_int],
            "cuCtxSetCurrent": [c_void_p],
            "cuModuleLoadData": [POINTER(c_void_p), c_char_p],
            "cuModuleGetFunction": [POINTER(c_void_p), c_void_p, c_char_p],
            "cuLaunchKernel": [c_void_p, *launch_sizes, c_void_p, c_void_p, c_void_p],
            "cuGetErrorString": [c_int, POINTER(c_char_p)],
        }
        for name, arguments in signatures.items():
            getattr(self._driver, name).argtypes = arguments
        major, minor = torch.cuda.get_device_capability(self.device)
        image = compiled_kernels(10 * major + minor)
        self._context, self._module, device = c_void_p(), c_void_p(), c_int()
        self._functions: dict[str, c_void_p] = {}
        try:
            self._call("cuInit", 0)
            self._call("cuDeviceGet", byref(device), self.device.index)
            self._call("cuDevicePrimaryCtxRetain", byref(self._context), device)
            self._call("cuCtxSetCurrent", self._context)
            self._call("cuModuleLoadData", byref(self._module), image)
        except RuntimeError as error:
            raise Missing(f"the CUDA kernels cannot be loaded ({error})") from error

    def _call(self, function: str, *arguments) -> None:
        code = getattr(self._driver, function)(*arguments)
        if code:
            text = c_char_p()
            self._driver.cuGetErrorString(code, byref(text))
            raise RuntimeError(f"{function}: {(text.value or str(code).encode()).decode()}")

    def run(self, kernel: str, blocks: int, threads: int, parameters: ctypes.Array) -> None:
        self._call("cuCtxSetCurrent", self._context)  # autograd's threads come without a context
        if kernel not in self._functions:
            function = c_void_p()
            self._call("cuModuleGetFunction", byref(function), self._module, kernel.encode())
            self._functions[kernel] = function
        stream = torch.cuda.current_stream(self.device).cuda_stream
        sizes = (blocks, 1, 1, threads, 1, 1, 0)
        self._call("cuLaunchKernel", self._functions[kernel], *sizes, stream, parameters, None)
