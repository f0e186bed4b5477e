"""Temporary files and folders, known as such by their names, so that what a killed run left can be swept by the next.

What is to take a file's place is written beside it (`unfinished`, `replacing`), by a run that holds a lock: of the
project, or of the file (`talker.core.locks.sole_writer`). Whoever holds that lock next sweeps, for nobody else writes
there. What has no place of its own lies in a folder that is locked itself (`scratch_folder`).
"""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import shutil
import stat
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from talker.core import links

_NAME = re.compile(r"\.(?P<stem>.+)\.[0-9a-f]{8}\.partial(?P<suffix>\.[^.]*)?", re.DOTALL)
_SCRATCH = ("talker-", ".scratch")  # how names of scratch folders begin and end
_LOCK = ".lock"


@contextmanager
def unfinished(path: Path) -> Iterator[Path]:
    """Where to write what is to take `path`'s place: beside it, with its suffix. What is left there vanishes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.stem}.{secrets.token_hex(4)}.partial{path.suffix}")
    try:
        yield temporary
    finally:
        links.remove(temporary)


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A temporary file that takes `path`'s place when the body succeeds, and vanishes when not."""
    with unfinished(path) as temporary:
        yield temporary
        os.replace(temporary, path)


def owner_of(path: Path) -> str | None:
    """The name of the file whose place a temporary one was to take; None for what is not temporary."""
    found = _NAME.fullmatch(path.name)
    return found and f"{found['stem']}{found['suffix'] or ''}"


def sweep(
    paths: Iterable[Path],
    name: str | None = None,  # only what was to take the place of a file of this name
) -> None:
    """Removes the temporary ones of these files and folders. To be called by who alone writes them."""
    for path in list(paths):
        owner = owner_of(path)
        if owner is not None and name in (None, owner):
            with contextlib.suppress(OSError):  # it does no harm, and the next may have more luck
                links.remove(path)


@contextmanager
def scratch_folder(
    parent: Path | None = None,  # None: the system's temporary directory
) -> Iterator[Path]:
    """An empty folder that vanishes at the end; those of killed runs vanish now."""
    from filelock import FileLock

    parent = parent or Path(tempfile.gettempdir())
    sweep_scratch(parent)
    while True:
        folder = Path(tempfile.mkdtemp(_SCRATCH[1], _SCRATCH[0], parent))
        lock = FileLock(folder / _LOCK, thread_local=False)
        try:
            lock.acquire()
            break
        except FileNotFoundError:  # swept before it was locked
            continue
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        lock.release()


def sweep_scratch(parent: Path | None = None) -> None:
    """Removes this user's scratch folders that no living process holds."""
    from filelock import FileLock, Timeout

    for folder in (parent or Path(tempfile.gettempdir())).glob("*".join(_SCRATCH)):
        with contextlib.suppress(OSError, Timeout):
            facts = folder.lstat()
            if stat.S_ISDIR(facts.st_mode) and facts.st_uid == os.geteuid():
                with FileLock(folder / _LOCK, timeout=0, thread_local=False):
                    shutil.rmtree(folder, ignore_errors=True)
