"""Where paths really lead, and what may be done to them.

A person may move a project, a stage or its renders to a larger disk and leave a link in its place: commands follow it,
and what they make anew they make where it leads. A link to a file gives way to the new file. Removing removes the link,
never what it leads to.

A studio never leaves its folder, its workspace: what a link leads to outside is neither read, written nor removed, by
the studio itself or by a command that it starts, to which `$TALKER_WORKSPACE` names the folder.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from talker.core.errors import BadInput

VARIABLE = "TALKER_WORKSPACE"


def workspace() -> Path | None:
    """The folder that this process must not leave; None: it may go wherever a person's links lead."""
    named = os.environ.get(VARIABLE)
    return real(Path(named)) if named else None


def real(path: Path) -> Path:
    """Where it is, or would be, with every link followed. BadInput for links that lead round in a circle."""
    try:
        return path.resolve()
    except (OSError, RuntimeError):  # Python says it either way
        raise BadInput(f"{path} leads round in a circle of links; remove one of them") from None


def place_of(path: Path) -> Path:
    """Where a folder is, or is to be made: at the end of a person's links. BadInput where that is not there."""
    place = real(path)
    if not place.parent.is_dir() and (path.is_symlink() or path.parent.is_symlink()):
        raise BadInput(f"{path} leads to {place}, and {place.parent} is not there; mount its disk or remove the link")
    return place


def is_inside(path: Path, folder: Path) -> bool:
    """Whether it really lies in the folder, wherever its links lead."""
    try:
        return real(path).is_relative_to(real(folder))
    except (BadInput, ValueError):  # a circle, or no path at all
        return False


def check_inside(path: Path, folder: Path | None) -> None:
    """BadInput for a path that leads out of the folder; None: there is no out."""
    if folder is not None and not is_inside(path, folder):
        shown = path.relative_to(folder) if path.is_relative_to(folder) else path
        raise BadInput(
            f"{shown} is, or lies behind, a link that leads out of the studio's folder; "
            "use it on the command line, or open the studio in a folder that holds both"
        )


def check_all_inside(path: Path, folder: Path | None) -> None:
    """`check_inside` of a path and of every link below it."""
    check_inside(path, folder)
    if folder is not None:
        for link in links_below(path):
            check_inside(link, folder)


def links_below(folder: Path) -> Iterator[Path]:
    """Every link in a folder, and in the folders that they lead to; none below a file."""
    seen: set[Path] = set()
    left = [folder] if folder.is_dir() else []
    while left:
        place = real(left.pop())
        if place in seen:
            continue
        seen.add(place)
        with os.scandir(place) as entries:
            for entry in entries:
                path, is_link = Path(entry.path), entry.is_symlink()
                if is_link:
                    yield path
                if path.is_dir() if is_link else entry.is_dir():
                    left.append(path)


def remove(path: Path) -> None:
    """Remove a file, a folder with all that is in it, or a link and nothing of what it leads to. Gone is gone."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
