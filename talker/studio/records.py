"""A job as it is kept and shown, and the journal that tells how far it is.

A job's files lie in `.studio/jobs/`: `0007.json` is its record, `0007.jsonl` the journal that `talker` itself writes
(`talker.core.journal`), `0007.jpg` what can be seen by now, `0007.log` what it printed.
"""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

from typing_extensions import NotRequired, TypedDict

from talker.core.errors import TalkerError
from talker.core.records import Count, NoRecord, Seconds, open_ended, parse_record, read_record, write_record
from talker.core.temporary import sweep
from talker.studio.job_specs import edit_of, shown
from talker.studio.workspace import Workspace

FOLDER = "jobs"
State = Literal["waiting", "running", "done", "failed", "cancelled"]
_NOTICES = 20  # shown of a job


@open_ended
class KeptJob(TypedDict):
    """A job's record: the first fields of `Job`."""

    number: Count
    kind: str
    title: str
    words: list[str]
    order: dict[str, Any]
    state: State
    asked_s: Seconds
    began_s: Seconds | None
    ended_s: Seconds | None
    text: str
    error: str
    pid: Count | None


@open_ended
class Event(TypedDict):
    """A line of a journal: `at_s` and one of the others, with what belongs to it."""

    at_s: Seconds
    progress: NotRequired[str]
    fraction: NotRequired[float]
    note: NotRequired[str]
    notice: NotRequired[str]
    picture: NotRequired[str]
    ended: NotRequired[int]
    text: NotRequired[str]


@dataclass
class Job:
    number: int
    kind: str
    title: str
    words: list[str]  # after `talker`
    order: dict[str, Any]  # as the page gave it
    state: State = "waiting"
    asked_s: float = field(default_factory=time.time)
    began_s: float | None = None
    ended_s: float | None = None
    text: str = ""  # its result
    error: str = ""  # one line
    pid: int | None = None
    # What the journal tells, which is not kept twice:
    task: str = ""
    fraction: float = 0.0
    note: str = ""
    left_s: float | None = None
    notices: list[str] = field(default_factory=list)
    pictures: int = 0  # shown so far
    code: int | None = None  # exit code

    def as_json(self) -> dict[str, Any]:
        """For the page."""
        facts = {name: value for name, value in asdict(self).items() if name not in ("words", "pid", "code")}
        return {**facts, "command": shown(self.words), "edit": edit_of(self.order)}


class JobFolder:
    """Where jobs are kept."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self.path = workspace.kept(FOLDER)
        self.path.mkdir(parents=True, exist_ok=True)
        sweep(self.path.glob(".*.json"))

    def file(self, number: int, suffix: str) -> Path:
        return self._workspace.kept(FOLDER, f"{number:04d}{suffix}")

    def keep(self, job: Job) -> None:
        write_record(self.file(job.number, ".json"), {key: getattr(job, key) for key in KeptJob.__annotations__})

    def load(self) -> list[Job]:
        """Every job that was kept, in order; what cannot be read is left where it is."""
        jobs = []
        for path in sorted(self.path.glob("[0-9]*.json")):
            try:
                facts = read_record(path, KeptJob)
            except TalkerError:
                continue
            if path == self.file(facts["number"], ".json"):
                jobs.append(Job(**{key: facts[key] for key in KeptJob.__annotations__}))
        for job in jobs:
            Follower(self.file(job.number, ".jsonl")).read_into(job)
        return jobs

    def last_number(self) -> int:
        """The highest that a file has, be it one that cannot be read."""
        stems = (path.stem for path in self.path.glob("[0-9]*.*"))
        return max((int(stem) for stem in stems if stem.isdecimal() and len(stem) < 9), default=0)

    def forget(self, job: Job) -> None:
        for name in (f"{job.number:04d}.*", f".{job.number:04d}.*"):  # the second: what a killed job was at
            for path in self.path.glob(name):
                path.unlink(missing_ok=True)


class Follower:
    """Follows a journal while it grows."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._place = 0  # bytes read
        self._began: tuple[float, float] | None = None  # when the task at hand began, and at which fraction

    def read_into(self, job: Job) -> bool:
        """Bring a job up to date; whether anything is new. A line that is half written waits for its end."""
        try:
            with self._path.open("rb") as file:
                file.seek(self._place)
                whole = file.read().rpartition(b"\n")[0]
        except FileNotFoundError:
            return False
        self._place += len(whole) + 1 if whole else 0
        for line in whole.splitlines():
            try:
                self._tell(job, parse_record(line, Event))
            except (NoRecord, KeyError):  # a killed writer's last words
                continue
        return bool(whole)

    def _tell(self, job: Job, event: Event) -> None:
        if "progress" in event:
            now_s, fraction = event["at_s"], event["fraction"]
            if self._began is None or event["progress"] != job.task:
                self._began = now_s, fraction
            done = fraction - self._began[1]
            job.left_s = (now_s - self._began[0]) * (1.0 - fraction) / done if done > 0 else None
            job.task, job.fraction, job.note = event["progress"], fraction, event["note"]
        elif "notice" in event:
            job.notices = [*job.notices, event["notice"]][-_NOTICES:]
        elif "picture" in event:
            job.pictures += 1
        elif "ended" in event:
            job.code, job.text = event["ended"], event["text"]
