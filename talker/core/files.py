"""Files, whole or not at all; and what is said of one that cannot be read: damage only where its bytes are wrong."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import stat
import struct
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from talker.core.errors import BadInput, TalkerError, cannot_write, out_of_memory
from talker.core.temporary import replacing

if TYPE_CHECKING:
    from torch import Tensor

_LONGEST_HEADER = 100_000_000  # bytes, of a safetensors file


def write_whole(path: Path, data: bytes) -> None:
    """Bytes, whole or not at all; a TalkerError where they cannot be written."""
    try:
        with replacing(path) as temporary:
            temporary.write_bytes(data)
    except OSError as error:
        raise cannot_write(path, error) from error


def file_hash(path: Path) -> str:
    """SHA-256 of a file's bytes."""
    digest = hashlib.sha256()
    try:
        with path.open("rb") as file:
            while block := file.read(1 << 20):
                digest.update(block)
    except FileNotFoundError:
        raise BadInput(f"No such file: {path}") from None
    except IsADirectoryError:
        raise BadInput(f"{path} is a folder; give a file") from None
    except PermissionError:
        raise BadInput(f"{path} may not be read; change its permissions") from None
    return digest.hexdigest()


# -------------------------------------------------------------------- files that cannot be read


class Damaged(BadInput):
    """A file that is missing, or is not what it should be."""


def damaged(
    path: Path,
    whole: Path | None = None,  # what is no use without it; None: its folder
    why: str = "is damaged",
) -> Damaged:
    return Damaged(f"{path} {why}; restore it, or remove {whole or path.parent} and make it again")


def unreadable(error: OSError, path: Path, whole: Path | None = None) -> TalkerError:
    """The sentence for what the system said of a file."""
    if isinstance(error, PermissionError):
        return BadInput(f"{path} may not be read; change its permissions")
    reasons = {errno.ENOENT: "is missing", errno.EISDIR: "is a folder, not a file", errno.ENOTDIR: "is missing"}
    reasons[errno.ELOOP] = "is a link that leads in a circle"
    if error.errno in reasons:
        return damaged(path, whole, reasons[error.errno])
    return out_of_memory(error) or BadInput(f"{path} cannot be read: {error.strerror or error}")


def read_bytes(
    path: Path,
    whole: Path | None = None,  # as in `damaged`
    most: int | None = None,  # bytes that such a file has
) -> bytes:
    """A file's bytes; a TalkerError when it is no file, too long, or cannot be read."""
    try:
        check_regular(path, whole)
        with path.open("rb") as file:
            data = file.read(-1 if most is None else most + 1)
    except OSError as error:
        raise unreadable(error, path, whole) from None
    if most is not None and len(data) > most:
        raise damaged(path, whole, f"is damaged (it has more than {most >> 20} MiB)")
    return data


def check_regular(path: Path, whole: Path | None = None) -> None:
    """A TalkerError unless there is a file, and no folder, pipe or device: those may have no end."""
    try:
        mode = path.stat().st_mode
    except OSError as error:
        raise unreadable(error, path, whole) from None
    if not stat.S_ISREG(mode):
        raise damaged(path, whole, f"is {'a folder' if stat.S_ISDIR(mode) else 'a pipe or a device'}, not a file")


# -------------------------------------------------------------------- tensors


def save_tensors(path: Path, tensors: Mapping[str, Tensor], metadata: dict[str, str] | None = None) -> None:
    """A safetensors file, whole or not at all; the same tensors and metadata give the same bytes."""
    from safetensors.torch import save

    data = save({name: tensor.contiguous() for name, tensor in tensors.items()}, metadata)
    size = int.from_bytes(data[:8], "little")
    # safetensors writes metadata in an order of chance.
    header = json.dumps(json.loads(data[8 : 8 + size]), sort_keys=True, separators=(",", ":")).encode()
    header += b" " * (-len(header) % 8)
    with replacing(path) as temporary, temporary.open("wb") as file:
        file.write(len(header).to_bytes(8, "little") + header)
        file.write(memoryview(data)[8 + size :])


def load_tensors(path: Path, whole: Path | None = None) -> dict[str, Tensor]:
    """A safetensors file of a stage. BadInput when its bytes are wrong, OutOfMemory when there is no room for them."""
    return load_tensors_and_metadata(path, whole)[0]


def load_tensors_and_metadata(path: Path, whole: Path | None = None) -> tuple[dict[str, Tensor], dict[str, str]]:
    """`load_tensors`, and what the file says of itself."""
    from safetensors import safe_open

    check_regular(path, whole)
    try:
        with _in_utf8(path) as name, safe_open(name, framework="pt") as file:
            return {name: file.get_tensor(name) for name in file.keys()}, file.metadata() or {}  # noqa: SIM118
    except Exception as error:  # the library, torch and the system each have errors of their own
        raise _why_no_tensors(error, path, whole) from error


@contextmanager
def _in_utf8(path: Path) -> Iterator[str]:
    """A name of the file for libraries that take none but UTF-8."""
    name = os.fspath(path)
    try:
        name.encode()
    except UnicodeEncodeError:
        with path.open("rb") as file:
            yield f"/dev/fd/{file.fileno()}"
    else:
        yield name


def _why_no_tensors(error: Exception, path: Path, whole: Path | None) -> TalkerError:
    lack = out_of_memory(error)
    if lack is not None:
        return lack
    if isinstance(error, OSError) and error.errno is not None:
        return unreadable(error, path, whole)
    return BadInput(f"{path} cannot be read ({error})") if holds_tensors(path) else damaged(path, whole)


@contextmanager
def taken_from(path: Path, whole: Path | None = None) -> Iterator[None]:
    """Around what puts a file's tensors to use: where they do not suit, the file is damaged."""
    try:
        yield
    except (LookupError, AttributeError, TypeError, ValueError, RuntimeError) as error:
        raise out_of_memory(error) or damaged(path, whole, "is damaged (what it holds does not suit)") from error


def holds_tensors(path: Path) -> bool:
    """Whether a safetensors file's header can be read and all that it announces is there."""
    try:
        with path.open("rb") as file:
            (length,) = struct.unpack("<Q", file.read(8))
            header = json.loads(file.read(length)) if length <= _LONGEST_HEADER else {}
        ends = [tensor["data_offsets"][1] for name, tensor in header.items() if name != "__metadata__"]
        return path.stat().st_size == 8 + length + max(ends, default=0)
    except (struct.error, ValueError, RecursionError, TypeError, KeyError, IndexError, AttributeError):
        return False
