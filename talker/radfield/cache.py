"""A folder for code that this process loads: only this user can have written what is taken from it.

A file's name ends in the digest of its content: one rename makes it whole, and what was cut short or changed is found
out before it is loaded.
"""

from __future__ import annotations

import hashlib
import os
import stat
from pathlib import Path

DIGEST = 16  # characters of the SHA-256 in a file's name


def private_folder(path: Path) -> Path:
    """The folder, without links, made where it is missing; its mode is 0700.

    Raises:
        OSError: it cannot be made, or another user could put files into it.
    """
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    path.mkdir(exist_ok=True, mode=0o700)
    folder = path.resolve(strict=True)
    facts = folder.stat()
    if facts.st_uid != os.geteuid():
        raise PermissionError(0, "it belongs to another user")
    for above in folder.parents:
        mode = above.stat().st_mode
        if mode & stat.S_IWOTH and not mode & stat.S_ISVTX:
            raise PermissionError(0, f"everybody may write to {above}")
    if facts.st_mode & stat.S_ISVTX:
        raise PermissionError(0, "it is a folder for everybody")
    if stat.S_IMODE(facts.st_mode) != 0o700:
        folder.chmod(0o700)
    return folder


def store(unfinished: Path, folder: Path, key: str) -> Path:
    """Moves a finished file into the folder."""
    unfinished.chmod(0o700)
    kept = folder / f"{key}-{_digest(unfinished)}{unfinished.suffix}"
    os.replace(unfinished, kept)
    return kept


def find(folder: Path, key: str) -> Path | None:
    """The whole file of that key; what is damaged or somebody else's is removed."""
    for path in sorted(folder.glob(f"{key}-*")):
        facts = path.lstat()
        own = stat.S_ISREG(facts.st_mode) and facts.st_uid == os.geteuid() and not facts.st_mode & 0o022
        if own and path.stem == f"{key}-{_digest(path)}":
            return path
        path.unlink(missing_ok=True)
    return None


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()[:DIGEST]
