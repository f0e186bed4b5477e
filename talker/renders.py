"""The numbered records in a project's renders/: what was driven, from what, and where the video is.

A record names its video relative to the project and by its hash, so that a video which was moved away, replaced or
cut off is never taken for the one that was asked for.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import os
from pathlib import Path
from typing import Any

from talker.errors import BadInput
from talker.project import Project, file_hash, read_json, write_json

FOLDER = "renders"
_KEYS = ("video", "sha256", "audio", "edit", "frames", "inputs")


def records(project: Project) -> list[dict[str, Any]]:
    """What the project remembers of its renders, the oldest first."""
    return [read_json(path, _KEYS, whole=path) for path in sorted(project.path(FOLDER).glob("*.json"))]


def check_apart(
    out: Path,
    given: list[Path],  # what it is made from; what does not exist is no file
) -> None:
    """No video takes the place of what it is made from, whatever --force says."""
    for path in given:
        if out.exists() and path.is_file() and out.samefile(path):
            raise BadInput(f"{out} is what the video would be made from; choose another -o")


def rename_edit(project: Project, old: str, new: str) -> None:
    """Follow an edit that has another name from now on."""
    for path in sorted(project.path(FOLDER).glob("*.json")):
        facts = read_json(path, _KEYS, whole=path)
        if facts["edit"] == old:
            write_json(path, {**facts, "edit": new})


def find(
    project: Project,
    inputs: dict[str, Any],
    out: Path | None,  # None: any video inside the project will do
) -> Path | None:
    """The video that was made from these very inputs, if it is still there, whole."""
    wanted = json.loads(json.dumps(inputs))
    for facts in records(project):
        video = project.root / facts["video"]
        right_place = video.parent == project.path(FOLDER) if out is None else video.resolve() == out.resolve()
        if right_place and facts["inputs"] == wanted and video.is_file() and file_hash(video) == facts["sha256"]:
            return video if out is None else out
    return None


def prepare(project: Project) -> None:
    """BadInput where no record could be kept: better said before rendering than after."""
    folder = project.path(FOLDER)
    with contextlib.suppress(OSError):
        folder.mkdir(exist_ok=True)
    if not os.access(folder, os.W_OK):
        raise BadInput(f"{folder} cannot be written, and every video has its record there; drive a copy of the project")


def keep(
    project: Project,
    video: Path,  # finished
    out: Path | None,  # where it is to stay: outside as `out`, or (None) under the next free number
    facts: dict[str, Any],
) -> Path:
    """Record a finished video; returns where it is."""
    folder = project.path(FOLDER)
    digest = file_hash(video)
    for number in itertools.count(1):
        kept = out or folder / f"{number:04d}.mp4"
        place = Path(os.path.relpath(kept.resolve(), project.root.resolve())).as_posix()
        try:
            with (folder / f"{number:04d}.json").open("x", encoding="utf-8") as file:  # two runs get two numbers
                file.write(json.dumps({"video": place, "sha256": digest, **facts}, indent=2) + "\n")
        except FileExistsError:
            continue
        if kept != video:
            video.replace(kept)
        break
    return kept
