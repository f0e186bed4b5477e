"""The numbered records in a project's renders/: what was driven, from what, and where the video is.

A record names its video relative to the project and by its hash, so that a video which was moved away, replaced or
cut off is never taken for the one that was asked for.
"""

from __future__ import annotations

import contextlib
import itertools
import os
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

from typing_extensions import TypedDict

from talker.core import links
from talker.core.errors import BadInput
from talker.core.files import file_hash
from talker.core.locks import sole_writer, sweep_killed
from talker.core.records import Count, open_ended, plain, read_record, write_record
from talker.core.temporary import sweep
from talker.core.text import path_of
from talker.projects.project import Project

FOLDER = "renders"
_PATIENCE_S = 30.0  # for another run that records its own


@open_ended
class RenderRecord(TypedDict):
    video: str  # `text_of` its path, relative to the project
    sha256: str
    audio: str  # the sound's name
    edit: str | None  # its name
    frames: Count
    inputs: dict[str, Any]


def records(project: Project) -> list[RenderRecord]:
    """What the project remembers of its renders, the oldest first."""
    return [read_record(path, RenderRecord, whole=path) for path in _files(project)]


def video_of(project: Project, record: RenderRecord) -> Path:
    """Where the video of a render was put."""
    return path_of(record["video"], project.root)


def _files(project: Project) -> list[Path]:
    return project.glob(f"{FOLDER}/*.json")


def check_mp4(out: Path) -> None:
    if out.suffix.lower() != ".mp4":
        raise BadInput(f"{out} does not end in .mp4, the one format that talker writes")


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
    paths = _files(project)
    with _sole_recorder(project) if paths else nullcontext():
        for path in paths:
            facts = read_record(path, RenderRecord, whole=path)
            if facts["edit"] == old:
                write_record(path, {**facts, "edit": new})


def find(
    project: Project,
    inputs: dict[str, Any],
    out: Path | None,  # None: any video inside the project will do
) -> Path | None:
    """The video that was made from these very inputs, if it is still there, whole."""
    wanted, folder = plain(inputs), project.path(FOLDER)
    for facts in records(project):
        video = video_of(project, facts)
        right_place = video.parent == folder if out is None else _real(video) == _real(out)
        if right_place and facts["inputs"] == wanted and video.is_file() and file_hash(video) == facts["sha256"]:
            for place in {folder, video.parent}:  # a kill right after it was made left its lock
                sweep_killed(place)
            return video if out is None else out
    return None


def _real(path: Path) -> str:
    """Without links; unlike `Path.resolve`, it takes one that leads in a circle for what it is called."""
    return os.path.realpath(path)


def prepare(project: Project) -> None:
    """BadInput where no record could be kept: better said before rendering than after."""
    folder = project.path(FOLDER)
    with contextlib.suppress(OSError):
        links.place_of(folder).mkdir(exist_ok=True)
    if not os.access(folder, os.W_OK):
        raise BadInput(f"{folder} cannot be written, and every video has its record there; drive a copy of the project")


def keep(
    project: Project,
    video: Path,  # finished
    out: Path | None,  # where it is to stay: outside as `out`, or (None) under the next free number
    facts: dict[str, Any],
) -> Path:
    """Record a finished video and put it in its place, which is returned.

    The record is first: a video that a kill left without one would not be known for what it is. The number of a record
    whose video is gone, or never came, is free for the same video.
    """
    digest = file_hash(video)
    with _sole_recorder(project):
        for number in itertools.count(1):
            record = project.path(f"{FOLDER}/{number:04d}.json")
            kept = out or record.with_suffix(".mp4")
            place = f"{FOLDER}/{kept.name}"  # whatever disk a link leads to
            if out is not None:
                place = Path(os.path.relpath(_real(out), _real(project.root))).as_posix()
            now = plain({"video": place, "sha256": digest, **facts})
            if os.path.lexists(record):
                is_free = not kept.exists() and _is_of_the_same(record, now)
            else:
                is_free = out is not None or not os.path.lexists(kept)  # a video without a record is somebody's, too
            if is_free:
                break
        write_record(record, now)
        video.replace(kept)
    return kept


def _is_of_the_same(record: Path, facts: dict[str, Any]) -> bool:
    before = read_record(record, RenderRecord, whole=record)
    return all(before[key] == facts[key] for key in ("video", "inputs"))


@contextmanager
def _sole_recorder(project: Project) -> Iterator[None]:
    """Two runs get two numbers."""
    folder = project.path(FOLDER)
    with sole_writer(folder / "records", wait_s=_PATIENCE_S):
        sweep(folder.glob(".*.json"))
        yield
