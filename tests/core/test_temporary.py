"""Temporary files and folders: they take their places whole, and what killed runs left is swept, nothing else."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from talker.core.errors import Conflict
from talker.core.locks import sole_writer
from talker.core.temporary import owner_of, replacing, scratch_folder, sweep, sweep_scratch, unfinished
from talker.projects.project import Project, Stage


def killed(code: str) -> None:
    """A process that is killed at the end of this code."""
    code = f"import os, signal\nfrom pathlib import Path\n{code}; os.kill(os.getpid(), signal.SIGKILL)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == -9


def test_a_file_is_replaced_whole_or_not_at_all(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("old")
    with pytest.raises(OSError), replacing(path) as temporary:
        assert temporary.suffix == ".txt" and owner_of(temporary) == "a.txt"
        temporary.write_text("half")
        raise OSError
    assert path.read_text() == "old" and list(tmp_path.iterdir()) == [path]
    with replacing(path) as temporary:
        temporary.write_text("new")
    assert path.read_text() == "new" and list(tmp_path.iterdir()) == [path]


def test_only_what_is_temporary_is_swept(tmp_path):
    names = ["a.png", ".a.png", ".a.partial.png", ".a.12345678.png", "a.partial-0123456789abcdef", ".lock"]
    for name in names:
        (tmp_path / name).touch()
    for target in ("a.png", "b.png", "folder"):
        with unfinished(tmp_path / target) as temporary:
            temporary.mkdir() if target == "folder" else temporary.touch()
            os.rename(temporary, tmp_path / "kept")  # as a kill would leave it
        os.rename(tmp_path / "kept", temporary)
    sweep(tmp_path.iterdir(), "b.png")
    assert {owner_of(path) for path in tmp_path.iterdir()} == {None, "a.png", "folder"}
    sweep(tmp_path.iterdir())
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(names)


def test_a_stage_is_real_without_what_a_killed_run_was_at(tmp_path):
    project = Project.create(tmp_path / "clip.talker")
    stage = Stage("take", {"landmarks": "mediapipe", "audio": "mel"})
    with pytest.raises(KeyboardInterrupt), project.build(stage) as build:
        raise KeyboardInterrupt
    (build.folder / "frames").mkdir()
    for path in (build.folder / "preview.png", build.folder / "frames" / "00001.png", project.root / "project.json"):
        killed(f"from talker.core.temporary import *\nwith unfinished(Path({str(path)!r})) as file: file.touch()")
    assert len([path for path in project.root.rglob("*") if owner_of(path)]) == 3
    with project.lock(), project.build(stage) as build:
        (build.folder / "preview.png").touch()
        build.measured.update(seconds=1.0, size_px=[64, 64])
    assert not [path for path in project.root.rglob("*") if owner_of(path)]
    assert project.path("take/preview.png").is_file()


def test_a_kill_right_after_a_stage_was_made_is_finished_by_the_next_run(tmp_path, monkeypatch):
    project = Project.create(tmp_path / "clip.talker")
    stages = [Stage("take", {"landmarks": "mediapipe", "audio": name}) for name in ("mel", "viseme")]

    def make(stage: Stage) -> None:
        with project.lock(), project.build(stage) as build:
            build.measured.update(seconds=1.0, size_px=[64, 64])

    def killed(*_arguments: object) -> None:
        raise KeyboardInterrupt

    make(stages[0])
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(
            "talker.core.links.remove", lambda path: path.name.endswith(".replaced") and path.exists() and killed()
        )
        make(stages[1])
    assert {path.name for path in project.root.iterdir()} == {"take", "take.replaced", "project.json", ".lock"}
    assert not project.settled(stages[0]) and project.settled(stages[1])
    assert {path.name for path in project.root.iterdir()} == {"take", "project.json", ".lock"}
    assert json.loads((project.root / "project.json").read_text())["stages"]["take"]["inputs"]["audio"] == "viseme"


def test_a_killed_creation_of_a_project_is_nothing_in_its_way(tmp_path):
    root = tmp_path / "clip.talker"
    path = root / "project.json"
    killed(f"from talker.core.temporary import *\nwith unfinished(Path({str(path)!r})) as file: file.touch()")
    with Project.create(root).lock():
        assert sorted(path.name for path in root.iterdir()) == [".lock", "project.json"]


def test_the_next_writer_in_a_folder_sweeps_what_a_killed_one_left(tmp_path):
    out = tmp_path / "out.mp4"
    code = f"from talker.core.locks import *; from talker.core.temporary import *; out = Path({str(out)!r})\n"
    killed(code + "with sole_writer(out), unfinished(out) as video: video.touch()")
    assert len(list(tmp_path.iterdir())) == 2
    with sole_writer(tmp_path / "another.png"):
        assert [path.name for path in tmp_path.iterdir()] == [".another.png.talker-lock"]
    assert not list(tmp_path.iterdir())


def test_no_writer_disturbs_another(tmp_path):
    out = tmp_path / "out.mp4"
    with sole_writer(out), unfinished(out) as video:
        video.touch()
        with pytest.raises(Conflict, match="at work on"), sole_writer(out, wait_s=0.0):
            pass
        with sole_writer(tmp_path / "another.mp4"):
            assert video.is_file()
    assert not list(tmp_path.iterdir())


def test_scratch_folders_of_the_dead_are_swept(tmp_path):
    others = tmp_path / "talker-projects"
    others.mkdir()
    place = f"Path({str(tmp_path)!r})"
    killed(f"from talker.core.temporary import *\nwith scratch_folder({place}): pass")
    killed(f"import tempfile; tempfile.mkdtemp('.scratch', 'talker-', {place})")  # before it was locked
    assert len(list(tmp_path.iterdir())) == 3
    with scratch_folder(tmp_path) as folder:
        assert set(tmp_path.iterdir()) == {others, folder}
        (folder / "audio.wav").touch()
        sweep_scratch(tmp_path)
        assert (folder / "audio.wav").is_file()
    assert list(tmp_path.iterdir()) == [others]


def test_nobody_elses_scratch_folder_is_swept(tmp_path, monkeypatch):
    folder = tmp_path / "talker-abcdefgh.scratch"
    folder.mkdir()
    (tmp_path / "talker-link.scratch").symlink_to(folder)
    monkeypatch.setattr("os.geteuid", lambda: folder.stat().st_uid + 1)
    sweep_scratch(tmp_path)
    assert folder.is_dir()
