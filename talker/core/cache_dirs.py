"""Where talker keeps what can be made again, and who else may write there: code is loaded from some of it."""

from __future__ import annotations

import os
import stat
from pathlib import Path

_ELSEWHERE = "set TALKER_CACHE to a folder of your own"


def cache_dir() -> Path:
    """talker's place in the user's cache, or $TALKER_CACHE."""
    override = os.environ.get("TALKER_CACHE")
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(override) if override else Path(base) / "talker"


def private_folder(path: Path) -> Path:
    """The folder, without links, made where it is missing; its mode is 0700. What lies in it can be believed: nobody
    but this user and the system's own can have put it there, or put another folder in its place.

    Raises:
        OSError: it cannot be made, or somebody else may write to it or to a folder above it; with the way out.
    """
    for missing in reversed([each for each in (path, *path.parents) if not each.exists()]):
        missing.mkdir(exist_ok=True, mode=0o700)
    folder = path.resolve(strict=True)
    facts = folder.stat()
    dangers = [(above, danger_above(above, above.stat())) for above in folder.parents]
    if facts.st_uid != os.geteuid():
        dangers.insert(0, (folder, f"belongs to another user: {_ELSEWHERE}"))
    elif facts.st_mode & stat.S_ISVTX:
        dangers.insert(0, (folder, f"is a folder for everybody: {_ELSEWHERE}"))
    for place, danger in dangers:
        if danger is not None:
            raise PermissionError(0, f"{place} {danger}")
    if stat.S_IMODE(facts.st_mode) != 0o700:
        folder.chmod(0o700)
    return folder


def danger_above(path: Path, facts: os.stat_result) -> str | None:
    """What another user could do to what lies in a folder, and the way out; None: nothing.

    Where the sticky bit is set, as in /tmp, nobody moves away what is another's. Whoever owns / may do anything anyway.
    """
    if facts.st_uid not in (0, os.geteuid(), os.stat("/").st_uid):
        return f"belongs to another user: {_ELSEWHERE}"
    if facts.st_mode & stat.S_ISVTX:
        return None
    if facts.st_mode & stat.S_IWOTH:
        return f"may be written by everybody: chmod o-w it, or {_ELSEWHERE}"
    if facts.st_mode & stat.S_IWGRP and not _is_own_group(path, facts.st_gid):
        return f"may be written by its group: chmod g-w it, or {_ELSEWHERE}"
    return None


def _is_own_group(path: Path, group_id: int) -> bool:
    """Whether it is the group of this user alone that most systems give to each: with it, the mask 002 is usual.

    Not root's: containers give that to everybody. Nor where an access list, whose mask looks like a group's rights,
    lets others in.
    """
    import grp
    import pwd

    try:
        user, group = pwd.getpwuid(os.geteuid()), grp.getgrgid(group_id)
    except KeyError:
        return False
    is_named_so = group_id != 0 and group_id == user.pw_gid and group.gr_name == user.pw_name
    others = {*group.gr_mem, *(each.pw_name for each in pwd.getpwall() if each.pw_gid == group_id)} - {user.pw_name}
    return is_named_so and not others and "system.posix_acl_access" not in _attributes(path)


def _attributes(path: Path) -> list[str]:
    return os.listxattr(path) if hasattr(os, "listxattr") else []
