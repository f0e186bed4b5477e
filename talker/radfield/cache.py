"""Code that this process loads, kept in a private folder (`talker.core.cache_dirs.private_folder`).

A file's name ends in the digest of its content: one rename makes it whole, and what was cut short or changed is found
out before it is loaded. Files are handed on open: what was checked is what is loaded, whatever has its name by then.
"""

from __future__ import annotations

import hashlib
import os
import stat
from pathlib import Path
from typing import BinaryIO

from talker.core import links

DIGEST = 16  # characters of the SHA-256 in a file's name
_WARY = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)  # no link is followed, no pipe waited for


def store(unfinished: Path, folder: Path, key: str) -> BinaryIO:
    """Moves a finished file into the folder; returns it, open, as `find` does."""
    unfinished.chmod(0o700)
    with unfinished.open("rb") as file:
        digest = _digest(file)
    os.replace(unfinished, folder / f"{key}-{digest}{unfinished.suffix}")
    found = find(folder, key)
    if found is None:
        raise FileNotFoundError(0, f"what was put into {folder} is not there")
    return found


def find(folder: Path, key: str) -> BinaryIO | None:
    """The whole file of that key, open; what is damaged or somebody else's is removed."""
    for path in sorted(folder.glob(f"{key}-*")):
        file = _own_file(path)
        if file is not None:
            if path.stem == f"{key}-{_digest(file)}":
                return file
            file.close()
        links.remove(path)
    return None


def _own_file(path: Path) -> BinaryIO | None:
    """A file that this user alone may write, open; None for anything else."""
    try:
        file = open(path, "rb", opener=lambda name, flags: os.open(name, flags | _WARY))  # noqa: SIM115
    except OSError:
        return None
    facts = os.fstat(file.fileno())
    if stat.S_ISREG(facts.st_mode) and facts.st_uid == os.geteuid() and not facts.st_mode & 0o022:
        return file
    file.close()
    return None


def _digest(file: BinaryIO) -> str:
    file.seek(0)
    found = hashlib.sha256(file.read()).hexdigest()[:DIGEST]
    file.seek(0)
    return found
