"""The queue: one job at a time, nothing lost by a cancel, a crash, or the end of the studio."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from errno import ENOSPC
from pathlib import Path

import pytest
from filelock import FileLock

from talker.core.errors import BadInput, Conflict
from talker.studio.jobs import MOST_WAITING, Queue
from talker.studio.records import Follower, Job
from talker.studio.workspace import Workspace
from tests.studio.worker import STEPS

pytestmark = pytest.mark.slow

WORKER = (sys.executable, str(Path(__file__).parent / "worker.py"))
NAMES = ("quick", "slow", "bad", "crash")
PATIENCE_S = 120.0  # of a machine that has much else to do: jobs run at a low priority


@pytest.fixture
def folder(tmp_path):
    workspace = Workspace(tmp_path)
    workspace.make_own()
    for name in NAMES:
        (tmp_path / f"{name}.mp4").touch()
    return workspace


@pytest.fixture
def queue(folder):
    queue = Queue(folder, program=WORKER)
    yield queue
    queue.close()


def check(queue, name: str) -> Job:
    return queue.ask({"kind": "check", "video": f"{name}.mp4"})


def until(condition) -> None:
    end_s = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < end_s, "it did not come to that"
        time.sleep(0.02)


def steps(folder, name: str) -> int:
    path = folder.root / f"{name}.mp4.steps"
    return int(path.read_text() or 0) if path.exists() else 0


def test_jobs_run_one_after_the_other_and_tell_how_far_they_are(queue, folder):
    seen, told = [], []
    queue._told = lambda: (told.append(1), seen.append([job["state"] for job in queue.jobs()]))
    slow, quick = check(queue, "slow"), check(queue, "quick")
    until(lambda: quick.state == "done")
    assert all(states.count("running") <= 1 for states in seen)
    assert slow.state == "done" and slow.ended_s <= quick.began_s
    assert (slow.text, slow.notices, slow.task, slow.error) == ("slow.mp4: good", ["all seen"], "look", "")
    assert slow.fraction > 0.4 and len(told) > 5
    assert "talker check slow.mp4" in queue.jobs()[0]["command"]


def test_a_failure_is_its_line_and_a_crash_names_the_log(queue, folder):
    bad, crash, quick = check(queue, "bad"), check(queue, "crash"), check(queue, "quick")
    until(lambda: quick.state == "done")
    assert (bad.state, bad.error) == ("failed", "bad.mp4 is bad; film it again")
    assert crash.state == "failed" and crash.error.endswith(".studio/jobs/0002.log")
    assert "what it prints" in (folder.root / ".studio/jobs/0002.log").read_text()


def test_a_cancelled_job_goes_on_where_it_was(queue, folder):
    job = check(queue, "slow")
    until(lambda: steps(folder, "slow") >= 3)
    queue.cancel(job.number)
    until(lambda: job.state == "cancelled")
    done = steps(folder, "slow")
    assert 3 <= done < STEPS
    again = queue.again(job.number)
    until(lambda: again.state == "done")
    assert steps(folder, "slow") == STEPS and len((folder.root / "slow.mp4.runs").read_text().split()) == 2


def test_a_job_that_waits_is_cancelled_and_one_that_is_over_is_forgotten(queue, folder):
    slow, quick = check(queue, "slow"), check(queue, "quick")
    queue.cancel(quick.number)
    assert quick.state == "cancelled"
    until(lambda: slow.state == "done")
    assert not (folder.root / "quick.mp4.runs").exists()
    queue.cancel(slow.number)
    assert [job["number"] for job in queue.jobs()] == [quick.number]
    assert not list(queue.folder.path.glob("0001.*"))
    with pytest.raises(BadInput, match="no job 1"):
        queue.cancel(slow.number)


def test_what_waits_is_not_asked_for_twice_and_the_queue_has_an_end(queue, folder):
    slow = check(queue, "slow")
    assert check(queue, "slow") is slow
    with pytest.raises(Conflict, match="wait already"):
        for start in range(MOST_WAITING + 1):
            queue.ask({"kind": "check", "video": "quick.mp4", "start": start})
    for job in queue.jobs():
        queue.cancel(job["number"])


def test_a_studio_that_is_closed_goes_on_when_it_is_opened(folder):
    first = Queue(folder, program=WORKER)
    check(first, "slow")
    check(first, "quick")
    until(lambda: steps(folder, "slow") >= 2)
    first.close()
    assert [job["state"] for job in first.jobs()] == ["waiting", "waiting"] and steps(folder, "slow") < STEPS
    assert json.loads((folder.own / "jobs" / "0001.json").read_text())["pid"] is None
    second = Queue(folder, program=WORKER)
    until(lambda: all(job["state"] == "done" for job in second.jobs()))
    second.close()
    assert steps(folder, "slow") == STEPS


def test_a_killed_studio_leaves_its_job_at_work_and_the_next_takes_it_up(folder):
    code = (
        "import os, sys, time; from pathlib import Path; from talker.studio.workspace import Workspace;"
        "from talker.studio.jobs import Queue;"
        f"queue = Queue(Workspace(Path({str(folder.root)!r})), program={WORKER!r});"
        "job = queue.ask({'kind': 'check', 'video': 'slow.mp4'});"
        "path = Path('slow.mp4.steps')\n"
        "while not path.exists(): time.sleep(0.01)\n"
        "os._exit(9)"
    )
    root = str(Path(__file__).parents[2])
    subprocess.run([sys.executable, "-c", code], cwd=folder.root, env={"PYTHONPATH": root, "PATH": "/usr/bin:/bin"})
    queue = Queue(folder, program=WORKER)
    until(lambda: queue.jobs()[0]["state"] == "done")
    queue.close()
    assert len((folder.root / "slow.mp4.runs").read_text().split()) == 1, "it was begun anew"


def left_at_work(folder, pid: int) -> None:
    """The record of a job that was at work when its studio was killed, with words that are not its order's."""
    record = {"number": 3, "kind": "check", "title": "Check", "words": ["edits", "quick.mp4"], "state": "running"}
    record |= {"order": {"kind": "check", "video": "quick.mp4"}, "asked_s": 1.0, "began_s": 2.0, "ended_s": None}
    record |= {"text": "", "error": "", "pid": pid}
    (folder.own / "jobs").mkdir()
    (folder.own / "jobs" / "0003.json").write_text(json.dumps(record))


def test_a_number_that_another_program_has_by_now_is_not_told_to_end(folder, monkeypatch):
    monkeypatch.setattr(Queue, "_work", lambda self: None)
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"]) as stranger:
        left_at_work(folder, stranger.pid)
        queue = Queue(folder, program=WORKER)
        queue.cancel(3)
        with pytest.raises(subprocess.TimeoutExpired):
            stranger.wait(0.3)
        with FileLock(folder.own / "jobs" / "0003.lock"):  # as the job itself holds it
            queue.cancel(3)
        assert stranger.wait(PATIENCE_S) == -signal.SIGTERM


def test_a_full_disk_does_not_stop_the_queue(queue, folder, monkeypatch, caplog):
    slow, quick = check(queue, "slow"), check(queue, "quick")
    with monkeypatch.context() as full:
        full.setattr("talker.studio.records.write_record", lambda path, value: fail(OSError(ENOSPC, "No space")))
        until(lambda: quick.state == "done")
        assert slow.state == "done" and "No space" in caplog.text
        with pytest.raises(BadInput, match="No space"):
            check(queue, "bad")
    with monkeypatch.context() as broken:
        broken.setattr(Follower, "read_into", lambda self, job: fail(PermissionError(13, "Permission denied")))
        lost = check(queue, "slow")
        until(lambda: lost.state == "failed")
        assert "lost sight" in lost.error and "PermissionError" in caplog.text
    again = check(queue, "quick")
    until(lambda: again.state == "done")
    assert len(queue.jobs()) == 4


def fail(error: Exception) -> None:
    raise error


def test_a_job_that_was_killed_with_its_studio_is_begun_again(folder):
    left_at_work(folder, 999_999_999)
    (folder.own / "jobs" / "0004.json").write_text("{")  # half a record is none
    queue = Queue(folder, program=WORKER)
    until(lambda: queue.jobs()[0]["state"] == "done")
    assert queue.jobs()[0]["command"].startswith("talker check quick.mp4"), "words that lay about were run"
    assert check(queue, "quick").number == 5 and (folder.own / "jobs" / "0004.json").read_text() == "{"
    until(lambda: queue.jobs()[1]["state"] == "done")
    queue.close()


def test_a_job_whose_video_leads_elsewhere_by_now_is_not_begun(queue, folder, tmp_path_factory):
    slow, quick = check(queue, "slow"), check(queue, "quick")
    outside = tmp_path_factory.mktemp("outside") / "quick.mp4"
    outside.touch()
    (folder.root / "quick.mp4").unlink()
    (folder.root / "quick.mp4").symlink_to(outside)
    until(lambda: quick.state == "failed")
    assert slow.state == "done" and "no video called 'quick.mp4'" in quick.error
    assert not (folder.root / "quick.mp4.runs").exists()


def test_a_journal_is_read_line_by_line(tmp_path):
    path = tmp_path / "0001.jsonl"
    job, follower = Job(1, "fit", "Fit", [], {}), Follower(path)
    assert not follower.read_into(job)
    path.write_text('{"at_s": 10, "progress": "fit", "fraction": 0.5, "note": ""}\n{"at_s": 11, "prog')
    assert follower.read_into(job) and (job.task, job.fraction, job.left_s) == ("fit", 0.5, None)
    with path.open("a") as file:
        file.write(
            'ress": "fit", "fraction": 0.75, "note": "loss 1"}\nnonsense\n{"at_s": 12, "ended": 0, "text": "ok"}\n'
        )
    follower.read_into(job)
    assert (job.fraction, job.left_s, job.note, job.code, job.text) == (0.75, 1.0, "loss 1", 0, "ok")
    job.left_s = None
    Follower(path).read_into(job)  # a new studio takes the job up
    assert (job.fraction, job.left_s) == (0.75, 1.0)
