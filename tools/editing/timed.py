"""`talker edit` as a user would run it: 12 s of the demo speaker at 256x256, what it costs and how good it becomes."""

from __future__ import annotations

from pathlib import Path

from talker.api.artifacts import load_portrait, open_project
from talker.core.types import Reporter
from talker.driving.render import USUAL_DETAIL, Portrait
from talker.speaker.record import SpeakerOptions
from talker.take.landmarks import load_detector
from talker.take.store import TakeFolder, load_take
from talker.video import read_audio
from tools.editing.drive import Drive
from tools.editing.judge import operator_of, steady_psnr_db
from tools.quality.clips import Bench
from tools.quality.cost import CostBook
from tools.quality.dump import Dump

EDIT_NAME = "timed"
ROUNDS, FRAMES = 3, 40
JUDGED_FRAMES = 25


def timed_edit(work: Path, instruction: str, reporter: Reporter, seconds: float = 12.0, size_px: int = 256) -> dict:
    """Seconds of the whole command, and PSNR in the head against the operator. What is there is not made again."""
    work.mkdir(parents=True, exist_ok=True)
    Bench(work, Dump(None), reporter, frozenset(), SpeakerOptions(seconds=seconds, size_px=size_px)).demo()
    project, book = work / "demo.talker", CostBook(work / "costs.json")
    words = ["edit", "--instruction", instruction, "--name", EDIT_NAME, "--editor", "builtin"]
    words += ["--rounds", ROUNDS, "--frames", FRAMES, "--project", project]
    cost = book.run("timed-edit", project / "edits" / EDIT_NAME / "edit.json", *words)
    opened = open_project(project)
    take = load_take(opened.path("take"))
    before, after = (load_portrait(opened, take, name) for name in (None, EDIT_NAME))
    drive = _drive(before, project, reporter)
    psnr = steady_psnr_db(drive.rendered(after, USUAL_DETAIL), operator_of(drive, instruction), drive)
    return {"edit_12s_256_s": round(cost.seconds, 1), "edit_12s_256_psnr_db": round(psnr, 2)}


def _drive(portrait: Portrait, project: Path, reporter: Reporter) -> Drive:
    wav = read_audio(TakeFolder(project / "take").audio)
    return Drive.of(portrait, wav, lambda: load_detector("mediapipe"), JUDGED_FRAMES, reporter)
