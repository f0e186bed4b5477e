"""Compiles kernels.cu at first use, with the NVRTC that torch's own CUDA wheels bring: no CUDA toolkit is needed.

The result goes to the user's cache folder, beside the CPU's kernels, keyed by source, options, compiler and
architecture. It takes less than a second, so two first uses at once simply both compile, and a folder that cannot be
written costs that second again.
"""

from __future__ import annotations

import contextlib
import ctypes
import functools
import hashlib
import importlib.util
from ctypes import POINTER, byref, c_char_p, c_int, c_size_t, c_void_p
from pathlib import Path

from talker.core.cache_dirs import cache_dir, private_folder
from talker.core.errors import Missing
from talker.core.temporary import scratch_folder
from talker.radfield import cache

SOURCE = Path(__file__).parent / "kernels.cu"
OPTIONS = ("--std=c++17", "--restrict")
LIBRARY_NAMES = ("libnvrtc.so.13", "libnvrtc.so.12", "libnvrtc.so")


def _wheel_libraries() -> list[Path]:
    """NVRTC in installed packages: nvidia-cuda-nvrtc's, whatever its layout, and torch's lib folder."""
    found = []
    for package, pattern in (("nvidia", "*/lib/libnvrtc.so*"), ("torch", "lib/libnvrtc*.so*")):
        spec = importlib.util.find_spec(package)
        for folder in (spec.submodule_search_locations or ()) if spec else ():
            found += sorted(path for path in Path(folder).glob(pattern) if "builtins" not in path.name)
    return found


@functools.cache
def load_nvrtc() -> ctypes.CDLL:
    """
    Raises:
        Missing: there is none that loads.
    """
    for name in (*_wheel_libraries(), *LIBRARY_NAMES):
        try:
            for part in sorted(name.parent.glob("libnvrtc-builtins.so*")) if isinstance(name, Path) else ():
                ctypes.CDLL(str(part))  # it looks for its other half by name alone
            library = ctypes.CDLL(str(name))
        except OSError:
            continue
        library.nvrtcGetErrorString.restype = c_char_p
        library.nvrtcCreateProgram.argtypes = [POINTER(c_void_p), c_char_p, c_char_p, c_int, c_void_p, c_void_p]
        library.nvrtcCompileProgram.argtypes = [c_void_p, c_int, POINTER(c_char_p)]
        library.nvrtcDestroyProgram.argtypes = [POINTER(c_void_p)]
        for kind in ("ProgramLog", "CUBIN", "PTX"):
            getattr(library, f"nvrtcGet{kind}Size").argtypes = [c_void_p, POINTER(c_size_t)]
            getattr(library, f"nvrtcGet{kind}").argtypes = [c_void_p, c_char_p]
        return library
    raise Missing("NVIDIA's run-time compiler was not found (pip install nvidia-cuda-nvrtc)")


def _call(library: ctypes.CDLL, function: str, *arguments) -> None:
    code = getattr(library, function)(*arguments)
    if code:
        raise Missing(f"the CUDA kernels do not compile here ({library.nvrtcGetErrorString(code).decode()})")


def _text(library: ctypes.CDLL, kind: str, program: c_void_p) -> bytes:
    size = c_size_t()
    _call(library, f"nvrtcGet{kind}Size", program, byref(size))
    text = ctypes.create_string_buffer(size.value)
    _call(library, f"nvrtcGet{kind}", program, text)
    return text.raw


def supported_architectures(library: ctypes.CDLL) -> list[int]:
    """What this NVRTC compiles for, as in sm_75."""
    count = c_int()
    _call(library, "nvrtcGetNumSupportedArchs", byref(count))
    architectures = (c_int * count.value)()
    _call(library, "nvrtcGetSupportedArchs", architectures)
    return list(architectures)


def compile_kernels(
    architecture: int,  # compute capability, as in 86
    source: str | None = None,  # None: kernels.cu
) -> bytes:
    """A cubin for that architecture; PTX for the nearest one below, which the driver finishes, if it is too new.

    Raises:
        Missing: no NVRTC, a GPU older than it serves, or source that does not compile.
    """
    library = load_nvrtc()
    served = [a for a in supported_architectures(library) if a <= architecture]
    if not served:
        raise Missing(f"NVIDIA's run-time compiler here does not serve this GPU (compute capability {architecture})")
    exact = max(served) == architecture
    target = f"--gpu-architecture={'sm' if exact else 'compute'}_{max(served)}"
    program = c_void_p()
    text = (SOURCE.read_text() if source is None else source).encode()
    _call(library, "nvrtcCreateProgram", byref(program), text, SOURCE.name.encode(), 0, None, None)
    try:
        options = [option.encode() for option in (*OPTIONS, target)]
        if library.nvrtcCompileProgram(program, len(options), (c_char_p * len(options))(*options)):
            log = _text(library, "ProgramLog", program).rstrip(b"\0").decode(errors="replace")
            errors = [line for line in log.splitlines() if "error" in line] or ["no message"]
            raise Missing(f"the CUDA kernels do not compile here ({errors[0].strip()})")
        return _text(library, "CUBIN" if exact else "PTX", program)
    finally:
        library.nvrtcDestroyProgram(byref(program))


def compiled_kernels(architecture: int) -> bytes:
    """`compile_kernels` by way of the cache folder."""
    library = load_nvrtc()
    major, minor = c_int(), c_int()
    _call(library, "nvrtcVersion", byref(major), byref(minor))
    digest = hashlib.sha256(SOURCE.read_bytes())
    digest.update(" ".join([*OPTIONS, str(architecture), f"{major.value}.{minor.value}"]).encode())
    key = f"cuda-{digest.hexdigest()[:16]}"
    try:
        folder = private_folder(cache_dir() / "cuda")
        found = cache.find(folder, key)
        if found:
            with found:
                return found.read()
    except OSError:
        return compile_kernels(architecture)
    image = compile_kernels(architecture)
    with contextlib.suppress(OSError), scratch_folder(folder) as workplace:
        unfinished = workplace / "kernels.cubin"
        unfinished.write_bytes(image)
        cache.store(unfinished, folder, key).close()
    return image
