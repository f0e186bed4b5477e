"""Places to write: whether something can be written there, said before the work; and one writer at a time."""

from __future__ import annotations

import contextlib
import errno
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from talker.core import links
from talker.core.errors import BadInput, Conflict, TalkerError
from talker.core.temporary import sweep

_WRITERS = ".talker-lock"  # how the locks of files in the making end

_NO_LINK = getattr(os, "O_NOFOLLOW", 0)  # which Windows has not


def check_place(
    out: Path,  # where somebody wants the result
    force: bool,  # whether it may replace what is there
    *,
    folder: bool = False,  # whether the result is one
) -> None:
    """Refuse, before any work, a place where nothing can be put. No folder is made: it may be misspelt."""
    links.check_inside(out, links.workspace())
    if out.is_dir() and not folder:
        raise BadInput(f"{out} is a folder; name a file in it")
    if out.exists() and not out.is_dir() and not out.is_file():
        raise BadInput(f"{out} is a device or a pipe; name a file that may be replaced")
    if not out.parent.is_dir():
        gone = f"There is no folder {out.parent}; make it, or"
        what = f"{out.parent} is a file, not a folder;" if out.parent.exists() else gone
        raise BadInput(f"{what} choose another place for {out.name}")
    if out.exists() and not force:
        raise Conflict(f"{out} exists; add --force to replace it")


@contextmanager
def held(
    lock_path: Path,
    work: str,  # what the lock guards, for the message
    wait_s: float = 0.0,  # for whoever has it
) -> Iterator[None]:
    """Hold a lock file; Conflict when another run has it. The system frees the lock of a killed run."""
    from filelock import FileLock, Timeout

    lock = FileLock(lock_path)
    try:
        # FileLock would take a folder that cannot be written for somebody at work, or follow a link.
        os.close(os.open(lock_path, os.O_RDWR | os.O_CREAT | _NO_LINK, 0o666))
        lock.acquire(timeout=wait_s)
    except Timeout:
        raise Conflict(f"Another talker is at work {work}; wait for it or end it") from None
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise BadInput(f"{lock_path} is a link, and no lock; remove it") from None
        raise BadInput(f"{lock_path.parent} cannot be written ({error.strerror}); choose another place") from None
    try:
        yield
    finally:
        lock.release()


@contextmanager
def sole_writer(
    path: Path,
    *more: Path,  # that are written along with it
    wait_s: float = 1.0,  # for another writer: it may only be sweeping
) -> Iterator[None]:
    """Hold files that are made in temporary ones beside them. What killed writers left in their folders is swept."""
    until_s = time.monotonic() + wait_s
    with contextlib.ExitStack() as locks:
        for each in (path, *more):
            _make_folder(each)
            sweep_killed(each.parent)
            lock = each.with_name(f".{each.name}{_WRITERS}")
            locks.enter_context(held(lock, f"on {each}", max(0.0, until_s - time.monotonic())))
            locks.callback(lock.unlink, missing_ok=True)
        yield


def _make_folder(path: Path) -> None:
    try:
        links.place_of(path.parent).mkdir(parents=True, exist_ok=True)
    except FileExistsError:
        raise BadInput(f"{path.parent} is a file, not a folder; choose another place for {path.name}") from None
    except OSError as error:
        why = f"{path.parent} cannot be made ({error.strerror})"
        raise BadInput(f"{why}; choose another place for {path.name}") from None


def sweep_killed(folder: Path) -> None:
    """Removes the locks that no writer holds any more, and what they had begun."""
    for lock in folder.glob(f".*{_WRITERS}"):
        with contextlib.suppress(OSError, TalkerError):
            if lock.lstat().st_uid == os.geteuid():
                with held(lock, ""):
                    sweep(folder.iterdir(), lock.name[1 : -len(_WRITERS)])
                    lock.unlink()
