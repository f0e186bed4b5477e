"""Whatever stands in a record, or in its place: a command works, or says in one line what is wrong; nothing is lost."""

from __future__ import annotations

import copy
import json
import os
import random
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from talker.cli import main
from talker.core.errors import BadInput
from talker.core.records import write_record
from talker.projects.project import Project
from talker.radfield.kernels import TorchKernels
from talker.radfield.scene import Scene
from talker.studio.project_views import figures, preview
from talker.studio.records import Follower, Job, JobFolder
from talker.studio.workspace import Workspace
from talker.video import write_wav
from tests.cli.console import tone

pytestmark = pytest.mark.slow

# One value of every type that JSON has, and the numbers that break arithmetic.
VALUES = (None, True, 7, -1, 10**30, 0.5, float("nan"), 1e308, "words", [], [1, "a"], {}, {"a": 1})
DRIVE = ("drive", "speech.wav", "--edit", "bronze", "-o", "out.mp4")  # done already, unless a record says otherwise
ANEW = (*DRIVE, "--force")
# The records of a project, and the commands that read each; those that cost more stand once among others.
INFO, EDITS = ("info",), ("edits",)
READERS = {
    "project.json": [INFO],
    "take/stage.json": [*4 * [INFO], DRIVE],
    "take/take.json": [ANEW],
    "field/stage.json": [*2 * [INFO, EDITS], DRIVE],
    "edits/bronze/stage.json": [*3 * [EDITS, INFO], DRIVE],
    "renders/0001.json": [*4 * [INFO], DRIVE],
    "eval/bronze/eval.json": [EDITS],
}
SAMPLED = 40  # changes of a record that are tried; the seed is fixed


@pytest.fixture
def told(project, capsys) -> Project:
    """The project with one of every record."""
    write_wav(Path("speech.wav"), tone(0.04))
    assert main([*DRIVE]) == 0
    fingerprint = project.record("edits/bronze")["fingerprint"]
    judged = {"value": 1.0, "better": "lower", "controls": {"mean frame": 2.0}, "source": "Chen et al. 2018"}
    facts = {"inputs": {"made_from": {"bronze": fingerprint}, "speech_sha256": None}, "frames": 12}
    write_record(
        project.path("eval/bronze/eval.json"), {**facts, "metrics": {"lmd_px": judged}, "left_out": {"a": "b"}}
    )
    grid = {"instruction": "bronze", "columns": [[3.0, 10]], "rows": ["a"], "cells": [[[0, 0, 1, 1]]]}
    write_record(project.path("previews/bronze.json"), grid)
    capsys.readouterr()
    return project


def places(value: object, path: tuple = ()) -> Iterator[tuple]:
    """Where a record has values, from the whole to its leaves."""
    yield path
    if isinstance(value, (dict, list)):
        for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
            yield from places(inner, (*path, key))


def changes(record: dict, seed: int) -> Iterator[object]:
    """The record with one value replaced by another, or gone; or another value instead of the record."""
    chance = random.Random(seed)
    found = list(places(record))[1:]
    wanted = [(place, value) for place in found for value in VALUES] + [(place, places) for place in found]
    for place, value in chance.sample(wanted, min(len(wanted), SAMPLED)):
        changed = copy.deepcopy(record)
        holder = changed
        for key in place[:-1]:
            holder = holder[key]
        if value is places:  # gone
            del holder[place[-1]]
        else:
            holder[place[-1]] = value
        yield changed
    yield from VALUES


def answered(capsys, *words: str) -> int:
    """The exit code of a command that must work, or fail as users' errors do, and lose no file."""
    before = {str(path) for path in Path.cwd().rglob("*") if path.suffix not in (".lock", ".mp4")}
    code = main(list(words))
    said = capsys.readouterr().err
    assert code in (0, 2), said
    assert code == 0 or (said.startswith("talker: ") and said.count("\n") == 1 and len(said) < 1200), said
    assert before <= {str(path) for path in Path.cwd().rglob("*")}, "something is gone"
    return code


def test_a_record_of_any_values_is_read_or_refused(told, capsys):
    for seed, (file, readers) in enumerate(READERS.items()):
        path, codes = told.path(file), set()
        record = json.loads(path.read_text())
        for number, changed in enumerate(changes(record, seed)):
            path.write_text(json.dumps(changed))
            codes.add(answered(capsys, *readers[number % len(readers)]))
        path.write_text(json.dumps(record))
        assert 2 in codes and answered(capsys, *readers[0]) == 0, file


TEXTS = {
    "cut off": b'{"schema": 1, ',
    "no UTF-8": b'{"schema": 1, "a": "\xff"}',
    "byte order mark": b'\xef\xbb\xbf{"schema": 1}',
    "a key twice": b'{"schema": 1, "schema": 1}',
    "deep": b'{"schema": ' + b"[" * 100_000,
    "rather deep": b'{"schema": 1, "a": ' + b"[" * 900 + b"]" * 900 + b"}",
    "long number": b'{"schema": ' + b"9" * 5000 + b"}",
    "nothing": b"",
    "zeros": bytes(100),
}


def test_a_record_that_is_no_json_is_refused(told, capsys):
    for file, (words, *_) in READERS.items():
        path = told.path(file)
        before = path.read_bytes()
        for name, text in TEXTS.items():
            path.write_bytes(text)
            assert answered(capsys, *words) == 2 and path.read_bytes() == text, (file, name)
        path.write_bytes(before)


def put_in_its_place(path: Path, what: str) -> None:
    if what == "folder":
        path.mkdir()
        (path / "mine.txt").touch()
    elif what == "pipe":
        os.mkfifo(path)
    else:
        path.symlink_to({"circle": path.name, "nowhere": "gone.json", "device": "/dev/zero"}[what])


def test_what_is_no_file_is_not_read(told, capsys):
    pictures_and_tensors = ("take/tracks.safetensors", "take/background.png", "edits/bronze/field.safetensors")
    readers = {file: words for file, (words, *_) in READERS.items()} | dict.fromkeys(pictures_and_tensors, ANEW)
    for file, words in readers.items():
        path = told.path(file)
        kept = path.rename(path.with_name(f"kept-{path.name}"))
        for what in ("folder", "pipe", "circle", "nowhere", "device"):
            put_in_its_place(path, what)
            assert answered(capsys, *words) == 2, (file, what)
            path.rename(path.with_name(f"{what}-{path.name}.odd"))
        kept.rename(path)
        assert answered(capsys, *words) == 0, file


def refused_or(read: Callable[[], object]) -> bool:
    """Whether it is refused, in one line; what is read can be sent to a page."""
    try:
        json.dumps(read(), allow_nan=False)
        return False
    except BadInput as error:
        assert "\n" not in str(error)
        return True


def test_a_scene_of_any_options_is_loaded_or_refused(told):
    path = told.path("field/field.safetensors")
    tensors, refusals = load_file(path), 0
    with safe_open(path, framework="pt") as file:
        metadata = file.metadata()
    for changed in changes(json.loads(metadata["options"]), seed=0):
        save_file(tensors, path, {**metadata, "options": json.dumps(changed)})
        refusals += refused_or(lambda: Scene.load(path, TorchKernels()).options.frames)
    assert refusals > SAMPLED / 2


def test_what_the_studio_reads_is_read_or_refused_in_its_place(told, place):
    """A broken record is said where it is; the rest of the folder stays in sight."""
    workspace = Workspace(place)
    write_record(place / "other.talker" / "project.json", {"schema": 1})
    for seed, file in enumerate(READERS):
        path = told.path(file)
        record = json.loads(path.read_text())
        for changed in list(changes(record, seed))[::3]:
            path.write_text(json.dumps(changed))
            facts = workspace.contents()
            json.dumps(facts, allow_nan=False)
            other, toy = facts["projects"]
            assert other["error"] is None and toy["name"] == "toy.talker"
        path.write_text(json.dumps(record))
    readers = {
        "eval/bronze/eval.json": lambda: figures(told),
        "previews/bronze.json": lambda: preview(told, "bronze.json"),
    }
    for seed, (file, read) in enumerate(readers.items()):
        record, refusals = json.loads(told.path(file).read_text()), 0
        for changed in changes(record, seed):
            told.path(file).write_text(json.dumps(changed))
            refusals += refused_or(read)
        told.path(file).write_text(json.dumps(record))
        assert refusals and not refused_or(read)


def test_jobs_of_any_values_are_kept_or_passed_over(place):
    """A record that cannot be read stays where it is, and its number is taken."""
    folder = JobFolder(Workspace(place))
    job = Job(3, "fit", "Fit a.talker", ["fit", "a.mp4"], {"kind": "fit"}, "done", began_s=1.0, ended_s=2.0, text="a")
    folder.keep(job)
    record = json.loads(folder.file(3, ".json").read_text())
    assert [kept.as_json() for kept in folder.load()] == [job.as_json()]
    for changed in changes(record, seed=0):
        folder.file(3, ".json").write_text(json.dumps(changed))
        json.dumps([kept.as_json() for kept in folder.load()], allow_nan=False)
        assert folder.last_number() == 3
    line = {"at_s": 1.0, "progress": "fit", "fraction": 0.5, "note": "loss"}
    events = [line, {"at_s": 1.0, "notice": "a"}, {"at_s": 1.0, "picture": "a"}, {"at_s": 1.0, "ended": 0, "text": "a"}]
    for seed, event in enumerate(events):
        lines = [json.dumps(changed) for changed in changes(event, seed)]
        folder.file(3, ".jsonl").write_text("\n".join([*lines, "[" * 100_000, json.dumps(event), '{"at_s"']))
        assert Follower(folder.file(3, ".jsonl")).read_into(job)
        json.dumps(job.as_json(), allow_nan=False)
