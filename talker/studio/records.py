"""A job as it is kept and shown, and the journal that tells how far it is.

A job's files lie in `.studio/jobs/`: `0007.json` is its record, `0007.jsonl` the journal that `talker` itself writes
(`talker.journal`), `0007.jpg` what can be seen by now, `0007.log` what it printed.
"""

from __future__ import annotations

import json
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

from talker.errors import BadInput
from talker.project import read_json, write_json
from talker.studio.orders import edit_of, shown

State = Literal["waiting", "running", "done", "failed", "cancelled"]
KEPT = ("number", "kind", "title", "words", "order", "state", "asked_s", "began_s", "ended_s", "text", "error", "pid")
_NOTICES = 20  # shown of a job


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

    def __init__(self, path: Path) -> None:
        self.path = path
        path.mkdir(parents=True, exist_ok=True)

    def file(self, number: int, suffix: str) -> Path:
        return self.path / f"{number:04d}{suffix}"

    def keep(self, job: Job) -> None:
        write_json(self.file(job.number, ".json"), {key: getattr(job, key) for key in KEPT})

    def load(self) -> list[Job]:
        """Every job that was kept, in order; what cannot be read is left where it is."""
        jobs = []
        for path in sorted(self.path.glob("[0-9]*.json")):
            try:
                facts = read_json(path, KEPT)
                jobs.append(Job(**{key: facts[key] for key in KEPT}))
            except (BadInput, TypeError):
                continue
        for job in jobs:
            Follower(self.file(job.number, ".jsonl")).read_into(job)
        return jobs

    def forget(self, job: Job) -> None:
        for path in self.path.glob(f"{job.number:04d}.*"):
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
                self._tell(job, json.loads(line))
            except (ValueError, TypeError, KeyError):  # a killed writer's last words
                continue
        return bool(whole)

    def _tell(self, job: Job, event: dict[str, Any]) -> None:
        if "progress" in event:
            now_s, fraction = float(event["at_s"]), float(event["fraction"])
            if self._began is None or event["progress"] != job.task:
                self._began = now_s, fraction
            done = fraction - self._began[1]
            job.left_s = (now_s - self._began[0]) * (1.0 - fraction) / done if done > 0 else None
            job.task, job.fraction, job.note = str(event["progress"]), fraction, str(event["note"])
        elif "notice" in event:
            job.notices = [*job.notices, str(event["notice"])][-_NOTICES:]
        elif "picture" in event:
            job.pictures += 1
        elif "ended" in event:
            job.code, job.text = int(event["ended"]), str(event["text"])
