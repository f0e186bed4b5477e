"""The project folder: facts that people can read, stages that are either finished or not there, one writer at a time.

A stage is a folder (`take`, `field`, `edits/<name>`). It is built in a sibling named `<stage>.partial-<fingerprint>`,
where the fingerprint is the hash of everything that the result depends on. When it is finished, `stage.json` is
written into it as its last file, and renaming the sibling is the one moment at which the stage comes into being. So
a killed run leaves a sibling that no later stage believes, and the same command, run again, resumes in it; a run with
other inputs gets a sibling of its own. Where a person left a link to a larger disk in a stage's place, all of this
happens where it leads, and the link stays. `project.json` repeats what the stages' own records say, in one place.

Every path that is written down is relative to the project, which can therefore be moved.
"""

from __future__ import annotations

import contextlib
import glob
import hashlib
import json
import os
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from talker import __version__
from talker.core import links
from talker.core.errors import BadInput, Conflict, TalkerError
from talker.core.files import Damaged
from talker.core.locks import check_place, held
from talker.core.records import plain, read_record, write_record
from talker.core.temporary import owner_of, sweep
from talker.projects.stage_records import Manifest, StageRecord, kind_of

SCHEMA = 1
SUFFIX = ".talker"
MANIFEST = "project.json"
RECORD = "stage.json"
_REPLACED = ".replaced"  # behind the name of a stage that makes room for its successor


def inputs_of(
    options: Any,  # a dataclass
) -> dict[str, Any]:
    """Options as a part of a stage's inputs.

    Fields that the class names in `LATER` are newer than some projects; at their default they are left out, so that
    what was made before them counts as made with it.
    """
    default = {field.name: field.default for field in fields(options)}
    later = getattr(options, "LATER", frozenset())
    return {key: value for key, value in asdict(options).items() if key not in later or value != default[key]}


@dataclass(frozen=True)
class Stage:
    """A folder of the project, and everything that what is in it depends on."""

    path: str  # relative to the project, with forward slashes
    inputs: dict[str, Any]  # JSON values: options, fingerprints of earlier stages

    @property
    def fingerprint(self) -> str:
        text = json.dumps([SCHEMA, self.path, plain(self.inputs)], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:16]


@dataclass
class Build:
    """A stage in the making."""

    folder: Path  # write here; what an interrupted run left is still in it
    measured: dict[str, Any] = field(default_factory=dict)  # goes into the record


class Project:
    """A `*.talker` folder. Reading needs no lock; building does."""

    def __init__(
        self,
        root: Path,
        workspace: Path | None = None,  # a folder that no link may lead out of; None: this process's, if it has one
    ):
        self.root = root
        self.workspace = workspace or links.workspace()

    @classmethod
    def create(cls, root: Path) -> Project:
        """The project at `root`, made if it is not there yet; one that has lost its manifest gets it back."""
        check_place(root, force=True, folder=True)
        if os.path.lexists(root / MANIFEST):
            return cls.open(root)
        if root.exists() and not root.is_dir():
            raise Conflict(f"{root} is a file; name another project folder with -o")
        project = cls(root)
        others = root.is_dir() and any(child.name != ".lock" and not owner_of(child) for child in root.iterdir())
        if others and not project.stages():
            raise Conflict(f"{root} is a folder with other things in it; name another with -o")
        try:
            links.place_of(root).mkdir(exist_ok=True)
        except OSError as error:
            raise BadInput(f"{root} cannot be made ({error.strerror}); choose another place with -o") from None
        project._summarise()
        return project

    @classmethod
    def open(cls, root: Path, workspace: Path | None = None) -> Project:
        project = cls(root, workspace)
        manifest = project.path(MANIFEST)
        if not os.path.lexists(manifest):
            raise BadInput(f"No project at {root}; make one: talker fit VIDEO -o {root}")
        try:
            schema = read_record(manifest, Manifest, whole=manifest)["schema"]
        except Damaged as error:
            raise Damaged(f"{error} with talker fit VIDEO -o {root}, which keeps what is finished") from None
        if schema != SCHEMA:
            newer = schema > SCHEMA
            way_out = "upgrade talker" if newer else "fit the video again into another folder: talker fit VIDEO -o DIR"
            raise BadInput(f"{root} has project format {schema}, this talker reads {SCHEMA}; {way_out}")
        return project

    @classmethod
    def find(cls, start: Path) -> Project:
        """The nearest project, looking from `start` upward as git does."""
        for folder in (start := start.resolve(), *start.parents):
            if os.path.lexists(folder / MANIFEST) and folder.suffix == SUFFIX:
                return cls.open(folder)
            found = sorted(manifest.parent for manifest in folder.glob(f"*{SUFFIX}/{MANIFEST}"))
            if len(found) > 1:
                names = ", ".join(project.name for project in found)
                raise BadInput(f"Several projects in {folder}: {names}; choose one with --project")
            if found:
                return cls.open(found[0])
        raise BadInput("No project here; make one (talker fit VIDEO) or name one with --project DIR")

    # ---------------------------------------------------------------- reading

    def path(self, relative: str) -> Path:
        """A file or folder of the project. BadInput where it, or a link in it, leads out of the workspace."""
        path = self.root / relative
        links.check_all_inside(path, self.workspace)
        return path

    def glob(self, pattern: str) -> list[Path]:
        """What there is of that name, in order, without temporary files and what leads out of the workspace."""
        found = sorted(path for path in self.root.glob(pattern) if not path.name.startswith("."))
        return [path for path in found if not self._is_astray(path.relative_to(self.root).as_posix())]

    def astray(self) -> list[str]:
        """Parts of the project that lead out of the workspace: they are as good as not there."""
        found: list[str] = []
        for folder in ("", *(path.name for path in sorted(self.root.glob("*")))):
            if folder not in found and (self.root / folder).is_dir():
                names = (path.relative_to(self.root).as_posix() for path in sorted((self.root / folder).glob("*")))
                found += [name for name in names if (self.root / name).is_symlink() and self._is_astray(name)]
        return found

    def _is_astray(self, path: str) -> bool:
        return self.workspace is not None and not links.is_inside(self.root / path, self.workspace)

    def unfinished(self, path: str) -> list[Path]:
        """What interrupted runs left of a stage."""
        folder = self.path(path)
        return _partials(links.real(folder) if folder.is_symlink() else folder)

    def record(self, path: str) -> StageRecord | None:
        """What a finished stage says of itself, as `stages.kind_of(path)`; None while it is not there."""
        record = self.path(f"{path}/{RECORD}")
        return read_record(record, kind_of(path)) if os.path.lexists(record) else None

    def stages(self) -> dict[str, StageRecord]:
        """Records of all finished stages, in the order of the story."""
        edits = [f"edits/{name}" for name in self.edit_names()]
        there = (path for path in ("take", "field", *edits) if not self._is_astray(f"{path}/{RECORD}"))
        found = {path: self.record(path) for path in there}
        return {path: record for path, record in found.items() if record is not None}

    def edit_names(self) -> list[str]:
        folders = (folder for folder in self.glob("edits/*") if os.path.lexists(folder / RECORD))
        return sorted(folder.name for folder in folders if "." not in folder.name)  # a dot: .partial-*, .replaced

    def is_done(self, stage: Stage) -> bool:
        record = self.record(stage.path)  # whose fingerprint may be that of an earlier name
        return record is not None and record["inputs"] == plain(stage.inputs)

    def require(self, path: str, way_out: str) -> StageRecord:
        """The record of a stage that the caller cannot do without."""
        record = self.record(path)
        if record is None:
            raise BadInput(f"{self.root.name} has no finished {path}; {way_out}")
        return record

    def ask_before_redoing(
        self,
        stages: list[Stage],
        force: bool,
        elsewhere: str,  # the flag that puts the new result beside the old one
    ) -> None:
        """Conflict when finished stages were made from other inputs, unless forced; says which and why."""
        changed = [stage for stage in stages if self.record(stage.path) and not self.is_done(stage)]
        if force or not changed:
            return
        first = changed[0]
        differences = describe_changes(self.record(first.path)["inputs"], first.inputs)
        names = " and ".join(f"{stage.path}/" for stage in changed)
        ways_out = f"add --force to do so, or another {elsewhere} to keep both"
        raise Conflict(f"{differences}: {names} in {self.root.name} would be redone; {ways_out}")

    # ---------------------------------------------------------------- writing

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Hold the project against other runs; the lock of a killed run is gone with it."""
        with held(self.root / ".lock", f"in {self.root}"):
            self._heal()
            sweep(self.root.iterdir(), MANIFEST)  # whoever writes anything else here holds its lock
            self._summarise()
            yield

    def settled(self, *stages: Stage) -> bool:
        """Whether all of them are done; if so, what a kill right after cut in two is finished first."""
        if not all(map(self.is_done, stages)):
            return False
        with contextlib.suppress(TalkerError), self.lock():  # unless another run is at work, or none may write here
            pass
        return True

    @contextmanager
    def build(self, stage: Stage, *, discard_if_bad: bool = False) -> Iterator[Build]:
        """Build a stage: the body writes into `Build.folder`; leaving it normally makes the stage real.

        An interrupted body leaves its folder for the next run to resume in. With `discard_if_bad`, a body that raises
        a TalkerError leaves nothing, not even the project if that held nothing else.
        """
        place = links.place_of(self.path(stage.path))
        if os.path.ismount(place):
            raise BadInput(f"A disk is mounted at {self.root / stage.path}; put a link to a folder on it there instead")
        folder = place.with_name(f"{place.name}.partial-{stage.fingerprint}")
        links.check_all_inside(folder, self.workspace)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / RECORD).unlink(missing_ok=True)
        build, started = Build(folder), time.monotonic()
        try:
            yield build
        except TalkerError:
            if discard_if_bad:
                with contextlib.suppress(OSError):  # the error that people should read is another
                    links.remove(folder)
                    self._remove_if_empty()
            raise
        record = {
            "fingerprint": stage.fingerprint,
            "inputs": stage.inputs,
            "talker": __version__,
            "finished": time.strftime("%Y-%m-%dT%H:%M:%S%z"),
            "seconds": round(time.monotonic() - started, 1),
            "measured": build.measured,
        }
        sweep(folder.rglob("*"))  # what a killed run was at
        write_record(folder / RECORD, record)
        self._replace(folder, place)
        self._summarise()

    def rename(self, path: str, new: str) -> None:
        """Give a finished stage another name; it keeps its fingerprint. No finished stage may have that name."""
        source, goal = self.path(path), self.path(new)
        for left in (goal, *_partials(goal)):  # of a removal or an edit that was killed
            links.remove(left)
        source.rename(goal)
        self._summarise()

    def remove(self, path: str) -> Path | None:
        """Remove a stage, and what unfinished runs left of it beside it. Without its record it is gone already.

        Of a stage that is a link, the link goes; returns what it led to, which stays.
        """
        folder = self.path(path)
        kept = links.real(folder) if folder.is_symlink() else None
        if kept is None:
            (folder / RECORD).unlink()
        for each in (folder, *_partials(folder)):
            links.remove(each)
        self._summarise()
        return kept

    def _replace(self, folder: Path, destination: Path) -> None:
        replaced = destination.with_name(destination.name + _REPLACED)
        links.remove(replaced)
        if destination.exists():
            destination.rename(replaced)
        folder.rename(destination)
        for stale in (replaced, *_partials(destination)):
            with contextlib.suppress(OSError):
                links.remove(stale)

    def _heal(self) -> None:
        """Undo a replacement that a kill cut in two, wherever the stage really is."""
        edits = {path.name.removesuffix(_REPLACED) for path in self.glob("edits/*") if ".partial-" not in path.name}
        for stage in ("take", "field", *(f"edits/{name}" for name in sorted(edits))):
            with contextlib.suppress(BadInput):  # a link that leads nowhere, or where it may not: nothing was replaced
                destination = links.place_of(self.path(stage))
                replaced = destination.with_name(destination.name + _REPLACED)
                if destination.exists():
                    with contextlib.suppress(OSError):  # as in `_replace`: the next may have more luck
                        links.remove(replaced)
                elif replaced.exists():
                    replaced.rename(destination)

    def _summarise(self) -> None:
        stages = {
            path: {name: record[name] for name in ("finished", "seconds", "talker", "inputs", "measured")}
            for path, record in self.stages().items()
        }
        before: dict[str, Any] = {}
        with contextlib.suppress(BadInput):
            before = read_record(self.root / MANIFEST, Manifest)
        if self.astray() and isinstance(before.get("stages"), dict):  # what is not to be looked at is what it was
            stages |= {path: facts for path, facts in before["stages"].items() if self._is_astray(path)}
        manifest = plain({"schema": SCHEMA, "talker": __version__, "stages": stages})
        if before != manifest:
            write_record(self.root / MANIFEST, manifest)

    def _remove_if_empty(self) -> None:
        left = list(self.root.iterdir())
        if {child.name for child in left} <= {MANIFEST, ".lock"}:
            for child in left:
                links.remove(child)
            with contextlib.suppress(OSError):  # a link, which a person made
                self.root.rmdir()


def _partials(place: Path) -> list[Path]:
    """What interrupted runs left of a stage beside it."""
    return sorted(place.parent.glob(f"{glob.escape(place.name)}.partial-*"))


# -------------------------------------------------------------------- words


def describe_changes(before: dict[str, Any], after: dict[str, Any]) -> str:
    """One phrase that names what differs between two sets of inputs: "size_px 256 -> 128"."""
    old, new = (_flatten(plain(inputs)) for inputs in (before, after))
    keys = [key for key in {**old, **new} if old.get(key) != new.get(key)]
    phrases = [f"{key} {_short(old.get(key))} -> {_short(new.get(key))}" for key in keys]
    if len(phrases) > 4:
        phrases = [*phrases[:3], f"{len(phrases) - 3} more"]
    return ", ".join(phrases) or "the format has changed"


def _flatten(value: dict[str, Any]) -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, item in value.items():
        flat |= _flatten(item) if isinstance(item, dict) else {key: item}
    return flat


def _short(value: Any) -> str:
    text = ",".join(map(str, value)) if isinstance(value, list) else str(value)
    text = "none" if value is None or value == [] else text
    is_hash = len(text) >= 16 and re.fullmatch(r"[0-9a-f]+", text)
    return text[:8] if is_hash else text if len(text) <= 40 else text[:37] + "..."
