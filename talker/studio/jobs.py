"""The queue of jobs: one at a time, each a `talker` process of its own, kept on disk.

A crash of a job leaves the studio up. A studio that ends in order ends its job, too, which goes on when the folder is
opened again; a studio that is killed leaves its job at work, and the next one takes it up where it is.
"""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

import talker
from talker.core import links
from talker.core.errors import BadInput, Conflict
from talker.core.journal import LOCK_SUFFIX, VARIABLE
from talker.studio.guard import TOKEN
from talker.studio.job_specs import command_of
from talker.studio.records import Follower, Job, JobFolder
from talker.studio.workspace import Workspace

MOST_WAITING = 50
MOST_KEPT = 100  # jobs that are over
_INTERRUPTED = (130, 143)  # exit codes
_LOOK_EVERY_S = 0.15
_PATIENCE_S = 30.0  # for a job to end when it is told to
_NICENESS = 10  # the stage goes first
_log = logging.getLogger("talker.studio")


class Queue:
    """Jobs in the order in which they were asked for. `told` is called from the queue's thread whenever one changes."""

    def __init__(
        self,
        workspace: Workspace,
        told: Callable[[], None] = lambda: None,
        program: Sequence[str] = (sys.executable, "-m", "talker"),
    ) -> None:
        self.folder = JobFolder(workspace)
        self._workspace, self._told, self._program = workspace, told, program
        self._changed = threading.Condition()
        self._closing = False
        self._process: subprocess.Popen | None = None  # of the job at work, if it was started here
        self._unwanted: set[int] = set()  # numbers of jobs that were cancelled at work
        self._jobs = {job.number: job for job in self.folder.load()}
        self._thread = threading.Thread(target=self._work, name="jobs", daemon=True)
        self._thread.start()

    # ---------------------------------------------------------------- what the page asks for

    def ask(self, order: object) -> Job:
        """A new job at the end of the queue; one that waits already is not asked for twice."""
        title, words = command_of(self._workspace, order)
        with self._changed:
            waiting = [job for job in self._jobs.values() if job.state in ("waiting", "running")]
            same = next((job for job in waiting if job.words == words), None)
            if same is not None:
                return same
            if len(waiting) >= MOST_WAITING:
                raise Conflict(f"{MOST_WAITING} jobs wait already; cancel some, or let them finish")
            job = Job(max([self.folder.last_number(), *self._jobs]) + 1, order["kind"], title, words, dict(order))
            try:
                self.folder.keep(job)
            except OSError as error:
                raise BadInput(f"The job cannot be written down ({error.strerror}); mend that and try again") from None
            self._jobs[job.number] = job
            self._forget_old()
            self._changed.notify_all()
        self._told()
        return job

    def again(self, number: int) -> Job:
        """The same once more: a job that was cancelled goes on where it was."""
        with self._changed:
            job = self._find(number)
        return self.ask(job.order)

    def cancel(self, number: int) -> Job:
        """End a job; what it has done so far stays for the next time. One that is over is taken off the list."""
        with self._changed:
            job = self._find(number)
            if job.state == "waiting":
                self._end(job, "cancelled")
            elif job.state == "running":
                self._unwanted.add(number)
                self._tell_to_end(job)
            else:
                self._drop(job)
        self._told()
        return job

    def jobs(self) -> list[dict[str, Any]]:
        with self._changed:
            return [job.as_json() for job in self._jobs.values()]

    def _find(self, number: int) -> Job:
        if number not in self._jobs:
            raise BadInput(f"There is no job {number}")
        return self._jobs[number]

    def _drop(self, job: Job) -> None:
        self.folder.forget(job)
        del self._jobs[job.number]

    def _forget_old(self) -> None:
        over = [job for job in self._jobs.values() if job.state not in ("waiting", "running")]
        for job in over[: max(0, len(over) - MOST_KEPT)]:
            self._drop(job)

    # ---------------------------------------------------------------- the work

    def _next(self) -> Job | None:
        """The job at work when the studio was killed, or the first that waits."""
        states = {"running": 0, "waiting": 1}
        left = [job for job in self._jobs.values() if job.state in states]
        return min(left, key=lambda job: (states[job.state], job.number), default=None)

    def _work(self) -> None:
        while True:
            with self._changed:
                while not self._closing and self._next() is None:
                    self._changed.wait()
                if self._closing:
                    return
                job = self._next()
                is_at_work, job.state = job.state == "running", "running"
            try:
                self._run(job, is_at_work)
            except Exception:  # a bug, or a disk that fails: the next job may fare better
                _log.exception("job %d", job.number)
                with self._changed:
                    self._tell_to_end(job)
                    self._end(job, "failed", f"The studio lost sight of {job.title}; where it was started it says why")
            self._process = None
            self._told()

    def _run(self, job: Job, is_at_work: bool) -> None:
        if is_at_work:
            job.notices, job.pictures, job.code = [], 0, None  # the journal tells it all again
        else:
            try:
                self._start(job)
            except (OSError, BadInput) as error:  # no memory for a process, no place for its log; no such file any more
                why = error.strerror if isinstance(error, OSError) else error
                with self._changed:
                    self._end(job, "failed", f"{job.title} could not be started: {why}")
                return
        self._follow(job, Follower(self.folder.file(job.number, ".jsonl")))

    def _start(self, job: Job) -> None:
        job.title, job.words = command_of(self._workspace, job.order)  # what it was asked of may lead elsewhere by now
        for suffix in (".jsonl", ".jpg"):
            self.folder.file(job.number, suffix).unlink(missing_ok=True)
        job.task, job.fraction, job.note, job.left_s, job.code = "", 0.0, "", None, None
        job.notices, job.pictures, job.error, job.text = [], 0, "", ""
        journal = self.folder.file(job.number, ".jsonl")
        with self.folder.file(job.number, ".log").open("ab") as log:
            process = subprocess.Popen(
                [*self._program, *job.words],
                cwd=self._workspace.root,
                env=_environment() | {VARIABLE: str(journal), links.VARIABLE: str(self._workspace.root)},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # Ctrl-C is the studio's to answer
            )
        with contextlib.suppress(OSError, AttributeError):
            os.setpriority(os.PRIO_PROCESS, process.pid, _NICENESS)
        with self._changed:
            self._process = process
            job.state, job.began_s, job.pid = "running", time.time(), process.pid
            self._keep(job)
            if job.number in self._unwanted:
                self._tell_to_end(job)
        self._told()

    def _follow(self, job: Job, journal: Follower) -> None:
        """Until the job is over, or the studio ends."""
        told_to_end = False
        while self._is_at_work(job):
            with self._changed:
                is_new = journal.read_into(job)
                if self._closing and not told_to_end:
                    told_to_end = True
                    self._tell_to_end(job)
                self._changed.wait(_LOOK_EVERY_S)
            if is_new:
                self._told()
        with self._changed:
            journal.read_into(job)
            self._judge(job, told_to_end)

    def _judge(self, job: Job, told_to_end: bool) -> None:
        was_interrupted = job.code in (None, *_INTERRUPTED)
        if job.code == 0:
            self._end(job, "done")
        elif job.number in self._unwanted:
            self._end(job, "cancelled")
        elif was_interrupted and (told_to_end or job.pid is None):
            job.state, job.pid = "waiting", None  # goes on when the folder is opened again
            self._keep(job)
        elif job.code in _INTERRUPTED:  # by somebody else
            self._end(job, "cancelled")
        elif job.code is None:
            place = self.folder.file(job.number, ".log").relative_to(self._workspace.root)
            self._end(job, "failed", f"{job.title} broke off; what it said is in {place}")
        else:
            self._end(job, "failed", job.text)

    def _end(self, job: Job, state: str, error: str = "") -> None:
        job.state, job.error, job.ended_s, job.pid = state, error, time.time(), None
        self._unwanted.discard(job.number)
        self._keep(job)

    def _keep(self, job: Job) -> None:
        """Write the record of a job that goes on, or is over, whether or not the disk has room for it."""
        try:
            self.folder.keep(job)
        except OSError:
            _log.exception("the record of job %d", job.number)

    def _is_at_work(self, job: Job) -> bool:
        if self._process is not None:
            return self._process.poll() is None
        with self._changed:
            if self._holds_its_lock(job):
                return True
            job.pid = None
            return False

    def _holds_its_lock(self, job: Job) -> bool:
        """Whether a job that another studio started is at work still. One asks at a time: asking takes the lock."""
        try:
            with FileLock(self.folder.file(job.number, LOCK_SUFFIX), timeout=0):
                return False
        except Timeout:
            return True

    def _tell_to_end(self, job: Job) -> None:
        """As Ctrl-C does; a process that was started deaf to that hears this all the same."""
        if self._process is not None:
            self._process.terminate()
        elif job.pid is not None and self._holds_its_lock(job):  # otherwise the number may be a stranger's by now
            with contextlib.suppress(ProcessLookupError):
                os.kill(job.pid, signal.SIGTERM)

    def close(self) -> None:
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        self._thread.join(_PATIENCE_S)


def _environment() -> dict[str, str]:
    """A job runs the talker that the studio is of; what lies in the studio's folder is no module of it."""
    own = str(Path(talker.__file__).resolve().parents[1])
    path = os.pathsep.join(filter(None, (own, os.environ.get("PYTHONPATH"))))
    inherited = {name: value for name, value in os.environ.items() if name != TOKEN}
    return {**inherited, "PYTHONPATH": path, "PYTHONSAFEPATH": "1"}
