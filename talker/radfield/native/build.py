"""Builds the C++ kernels on first use, into the user's cache folder, and loads them.

The library is keyed by source, flags, compiler and CPU, so that a changed machine rebuilds and nothing stale is ever
loaded. `-march=native` is right for a library that is built where it runs. Two first uses at once are safe: one builds
under a file lock, the other waits.
"""

from __future__ import annotations

import ctypes
import hashlib
import os
import platform
import shlex
import shutil
import signal
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

from talker.core.cache_dirs import cache_dir, private_folder
from talker.core.errors import Missing
from talker.core.temporary import scratch_folder
from talker.core.types import Reporter
from talker.radfield import cache

SOURCE = Path(__file__).parent / "kernels.cpp"
# Not -ffast-math: it hides NaN and, linked into a library, flushes the whole process's denormals.
FLAGS = (
    "-O3 -std=c++17 -fPIC -shared -fno-math-errno -fno-trapping-math -fno-signed-zeros -fassociative-math "
    "-ffp-contract=fast -Wno-psabi"
).split()
# Taken where the compiler takes them: all of this CPU, and its threads (Apple's clang has no OpenMP).
OPTIONAL_FLAGS = {"-march=native": "", "-fopenmp": "#include <omp.h>"}
COMPILERS = ("g++", "clang++", "c++")
OPEN_FILES = Path("/proc/self/fd")  # on Linux: by their numbers
BUILD_LIMIT_S = 120
VERSION_LIMIT_S = 20
_loaded: list[BinaryIO] = []


def load_library(reporter: Reporter) -> ctypes.CDLL:
    """The kernels, built now if they were not.

    Raises:
        Missing: no compiler, a compiler that fails, or nowhere to keep or load a library from.
    """
    compiler = find_compiler()
    key = _key(compiler)
    try:
        folder = private_folder(cache_dir() / "native")
        return _load(cache.find(folder, key) or _build_once(compiler, folder, key, reporter))
    except OSError as error:
        reporter.notice(
            f"the cache folder {cache_dir()} does not serve ({_reason(error)}); "
            "building the C++ kernels for this run alone, a few seconds"
        )
    try:
        with scratch_folder() as folder:
            private = private_folder(folder)
            return _load(cache.store(_compile(compiler, private), private, key))
    except OSError as error:
        raise Missing(f"the C++ kernels can be loaded from no folder here ({_reason(error)})") from error


def _load(file: BinaryIO) -> ctypes.CDLL:
    """Loads the very file that is open. Where the system gives open files no names (outside Linux), it is loaded by its
    own name: in a private folder nobody else can have given that to another file.

    The file stays open: the linker knows a library by its name, and would take the next one under the same number for
    this one.
    """
    by_number = OPEN_FILES / str(file.fileno())
    try:
        is_same = os.path.samestat(by_number.stat(), os.fstat(file.fileno()))
    except OSError:
        is_same = False
    library = ctypes.CDLL(str(by_number if is_same else file.name))
    _loaded.append(file)
    return library


def find_compiler() -> list[str]:
    """The command of the C++ compiler: $CXX, or the first that is there."""
    if os.name == "posix":
        for command in (os.environ.get("CXX", ""), *COMPILERS):
            try:
                words = shlex.split(command)
            except ValueError as error:
                raise Missing(f"$CXX is not a command: {command} ({error}); unset or correct it") from error
            if words and shutil.which(words[0]):
                return words
    raise Missing("there is no C++ compiler (install g++ or clang++ for renders ten to forty times faster)")


def cpu_name() -> str:
    """Model and features of this machine's CPU, as the kernel tells them."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    return "\n".join(sorted({line for line in lines if line.startswith(("model name", "flags", "Features"))}))


def _key(compiler: list[str]) -> str:
    """Names the library of this source, these flags, this compiler and this CPU."""
    key = hashlib.sha256()
    for source in sorted(path for path in SOURCE.parent.iterdir() if path.suffix in (".cpp", ".h")):
        key.update(source.read_bytes())
    code, version = _run([*compiler, "--version"], VERSION_LIMIT_S)
    if code != 0:
        raise Missing(f"{compiler[0]} does not work ({_first_error(version)})")
    key.update(" ".join([*FLAGS, *OPTIONAL_FLAGS, *compiler, version, cpu_name()]).encode())
    return f"kernels-{key.hexdigest()[:16]}"


def _build_once(compiler: list[str], folder: Path, key: str, reporter: Reporter) -> BinaryIO:
    """Builds into the cache folder, or waits for another process that does."""
    from filelock import FileLock, Timeout

    reporter.notice("building the C++ kernels for this CPU: a few seconds, once")
    try:
        with FileLock(folder / f"{key}.lock", timeout=BUILD_LIMIT_S):
            found = cache.find(folder, key)
            if found:
                return found
            with scratch_folder(folder) as workplace:
                return cache.store(_compile(compiler, workplace), folder, key)
    except Timeout:
        raise Missing(f"another process holds {folder / key}.lock and does not finish building the kernels") from None


def _compile(compiler: list[str], folder: Path) -> Path:
    library = folder / "kernels.so"
    optional = [flag for flag, probe in OPTIONAL_FLAGS.items() if _accepts(compiler, flag, probe, folder)]
    code, said = _run([*compiler, *FLAGS, *optional, str(SOURCE), "-o", str(library)], BUILD_LIMIT_S, folder)
    if code != 0 or not library.exists():
        raise Missing(f"{compiler[0]} could not build the kernels ({_first_error(said)})")
    return library


def _accepts(compiler: list[str], flag: str, probe: str, folder: Path) -> bool:
    source = folder / "probe.cpp"
    source.write_text(probe + "\n")
    command = [*compiler, "-Werror", "-fPIC", "-shared", flag, str(source), "-o", str(folder / "probe.so")]
    return _run(command, BUILD_LIMIT_S, folder)[0] == 0


def _run(command: Sequence[str], limit_s: float, workplace: Path | None = None) -> tuple[int, str]:
    """Exit status of a compiler and what it said; it and its children end with the limit, or with this process."""
    environment = {**os.environ, "LC_ALL": "C"}
    if workplace:
        environment["TMPDIR"] = str(workplace)
    try:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            env=environment,
            start_new_session=True,  # a compiler's children outlive it unless the whole group is ended
        )
    except OSError as error:
        raise Missing(f"{command[0]} cannot be run ({_reason(error)})") from error
    with process:
        try:
            said, _ = process.communicate(timeout=limit_s)
        except subprocess.TimeoutExpired:
            raise Missing(f"{command[0]} took more than {limit_s:g} s") from None
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
    return process.returncode, said


def _first_error(said: str) -> str:
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    return next((line for line in lines if "error" in line.lower()), lines[0] if lines else "no message")[:200]


def _reason(error: OSError) -> str:
    return error.strerror or str(error)
