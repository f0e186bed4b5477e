"""The one error that talker shows to people: a sentence that says what is wrong and what to do.

The CLI prints `TalkerError` as a single line and exits with code 2; everything else is a bug and keeps its
traceback. Write messages with the way out in them: "No face in frames 212-260; trim with --end 8.4".
"""

from __future__ import annotations

import errno
import os


class TalkerError(Exception):
    """Something the user can mend. `str(error)` is one line without a full stop at the end."""


class BadInput(TalkerError):
    """A file, flag or instruction that cannot be used as given."""


class Missing(TalkerError):
    """Something optional that this machine lacks: weights, a package, a compiler, a hub."""


class Conflict(TalkerError):
    """The project already holds a different result; the message names `--force`."""


class OutOfMemory(TalkerError):
    """More memory was wanted than there is; no file is damaged."""


# What torch, OpenCV, safetensors, the dynamic linker and Python's threads say of it.
_NO_MEMORY = (
    "cannot allocate memory",
    "can't allocate memory",
    "insufficient memory",
    "not enough memory",
    "out of memory",
    "failed to map segment",
    "can't start new thread",
    "bad_alloc",
)


def out_of_memory(error: BaseException) -> OutOfMemory | None:
    """The sentence for a machine's error that comes of too little memory; None for any other."""
    is_known = isinstance(error, MemoryError) or (isinstance(error, OSError) and error.errno == errno.ENOMEM)
    if not is_known and not any(words in str(error).lower() for words in _NO_MEMORY):
        return None
    return OutOfMemory(
        "There is not enough memory for this, or `ulimit -v` allows no more; close other programs, or fit and drive "
        "with a smaller --size, then run the same command again"
    )


def mendable(error: BaseException) -> TalkerError | None:
    """The sentence for an error that a user can mend, the machine's among them; None for what is a bug."""
    if isinstance(error, TalkerError):
        return error
    lack = out_of_memory(error)
    if lack is not None:
        return lack
    if isinstance(error, UnicodeEncodeError) and not error.object.isprintable():  # lone surrogates are not
        name = error.object.encode("ascii", "backslashreplace").decode()
        return BadInput(f"A library takes no names that are not UTF-8, such as {name}; rename it")
    number = error.errno if isinstance(error, OSError) else None
    if number in _WRITING:
        return cannot_write(error.filename or "a file", error)
    if number in (errno.EEXIST, errno.EISDIR, errno.ELOOP, errno.EINVAL) and error.filename is not None:
        return BadInput(f"{error.filename}: {error.strerror}; move it away or choose another place")
    return None


# What the system says where a place cannot be written.
_WRITING = (
    *(errno.ENOSPC, errno.EDQUOT, errno.EFBIG),
    *(errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR, errno.ENAMETOOLONG, errno.EBUSY),
)


def cannot_write(place: str | os.PathLike[str], error: OSError) -> TalkerError:
    """The line for what the system did not let be written, with the way out that fits its reason."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return BadInput(f"The disk is full: {place} cannot be written; free some space and run the same command again")
    if error.errno == errno.EFBIG:
        return BadInput(f"{place} would grow larger than its disk or `ulimit -f` allows; choose another place")
    why = f"{place} cannot be written ({error.strerror or error})"
    return out_of_memory(error) or BadInput(f"{why}; choose another place or make it writable")
