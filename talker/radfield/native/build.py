"""Builds the C++ kernels into the user's cache folder on first use.

The library is keyed by source, flags, compiler and CPU, so that a changed machine rebuilds and nothing stale is ever
loaded. `-march=native` is right for a library that is built where it runs. Two first uses at once are safe: one builds
under a file lock, the other waits.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import platform
import shutil
import subprocess
from pathlib import Path

from talker.errors import Missing

SOURCES = ("kernels.cpp", "network.h", "hashgrid.h", "volume.h", "simd.h")
# Not -ffast-math: it hides NaN and, linked into a library, flushes the whole process's denormals.
FLAGS = (
    "-O3 -std=c++17 -fPIC -shared -march=native -fno-math-errno -fno-trapping-math -fno-signed-zeros "
    "-fassociative-math -ffp-contract=fast -Wno-psabi"
).split()
COMPILERS = ("g++", "clang++", "c++")
BUILD_LIMIT_S = 180


def cache_dir() -> Path:
    """The folder that built libraries go to: $TALKER_CACHE, or talker's place in the user's cache."""
    override = os.environ.get("TALKER_CACHE")
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(override) if override else Path(base) / "talker"


def cpu_name() -> str:
    """Model and features of this machine's CPU, as the kernel tells them."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    return "\n".join(sorted({line for line in lines if line.startswith(("model name", "flags", "Features"))}))


def find_compiler() -> str:
    for name in (os.environ.get("CXX"), *COMPILERS):
        if name and shutil.which(name):
            return name
    raise Missing("there is no C++ compiler (install g++ or clang++ for renders ten to forty times faster)")


def _compiler_version(compiler: str) -> str:
    answer = subprocess.run([compiler, "--version"], capture_output=True, text=True, check=False)
    return answer.stdout.splitlines()[0] if answer.stdout else compiler


def library_path(compiler: str) -> Path:
    """Where the library of this source, these flags, this compiler and this CPU lies, built or not."""
    key = hashlib.sha256()
    for source in SOURCES:
        key.update((Path(__file__).parent / source).read_bytes())
    key.update(" ".join([*FLAGS, _compiler_version(compiler), cpu_name()]).encode())
    return cache_dir() / f"kernels-{key.hexdigest()[:16]}.so"


def _compile(compiler: str, target: Path) -> None:
    source = Path(__file__).parent / SOURCES[0]
    unfinished = target.with_suffix(f".{os.getpid()}.tmp")
    error = ""
    for openmp in (["-fopenmp"], []):  # without OpenMP (Apple's clang) the kernels run on one thread
        try:
            done = subprocess.run(
                [compiler, *FLAGS, *openmp, str(source), "-o", str(unfinished)],
                capture_output=True,
                text=True,
                timeout=BUILD_LIMIT_S,
                check=False,
            )
        except subprocess.TimeoutExpired:
            error = f"took more than {BUILD_LIMIT_S} s"
            continue
        if done.returncode == 0:
            os.replace(unfinished, target)
            return
        error = (done.stderr.strip().splitlines() or ["no message"])[0]
    unfinished.unlink(missing_ok=True)
    raise Missing(f"{compiler} could not build the kernels ({error})")


def built_library() -> Path:
    """The library, built now if it was not.

    Raises:
        Missing: no compiler, a compiler that fails, or a cache folder that cannot be written.
    """
    compiler = find_compiler()
    target = library_path(compiler)
    if target.exists():
        return target
    try:
        target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with open(target.with_suffix(".lock"), "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not target.exists():
                _compile(compiler, target)
    except OSError as error:
        raise Missing(f"the cache folder {target.parent} cannot be written ({error.strerror})") from error
    return target
