"""The project folder: stages are finished or not there, kills lose nothing, nothing is replaced unasked."""

from __future__ import annotations

import json
import shutil

import pytest
import torch
from safetensors import safe_open

from talker.core.errors import BadInput, Conflict
from talker.core.files import load_tensors, save_tensors
from talker.core.locks import sole_writer
from talker.core.records import write_record
from talker.core.temporary import unfinished
from talker.projects import renders
from talker.projects.names import slug
from talker.projects.project import MANIFEST, RECORD, Project, Stage, describe_changes

TAKE = Stage("take", {"source": "ab" * 32, "size_px": 64, "start_s": None, "landmarks": "mediapipe", "audio": "mel"})
MEASURED = {"seconds": 12.0, "size_px": [64, 64]}


@pytest.fixture
def project(tmp_path):
    return Project.create(tmp_path / "clip.talker")


def make(project, stage, text="made"):
    with project.build(stage) as build:
        (build.folder / "result.txt").write_text(text)
        build.measured.update(MEASURED)


def test_a_finished_stage_is_there_with_its_record(project):
    assert not project.is_done(TAKE)
    make(project, TAKE)
    assert project.is_done(TAKE)
    assert (project.path("take") / "result.txt").read_text() == "made"
    assert project.record("take")["measured"] == MEASURED
    assert json.loads((project.root / MANIFEST).read_text())["stages"]["take"]["inputs"]["size_px"] == 64


def test_an_interrupted_stage_is_not_there_and_resumes_in_its_own_folder(project):
    with pytest.raises(KeyboardInterrupt), project.build(TAKE) as build:
        (build.folder / "half.txt").write_text("half")
        raise KeyboardInterrupt
    assert not project.is_done(TAKE) and not project.path("take").exists()
    with project.build(TAKE) as build:
        assert (build.folder / "half.txt").read_text() == "half"
        build.measured.update(MEASURED)
    assert project.is_done(TAKE)
    assert not list(project.root.glob("*.partial-*"))


def test_other_inputs_do_not_resume_in_what_an_interrupted_run_left(project):
    with pytest.raises(KeyboardInterrupt), project.build(TAKE) as build:
        (build.folder / "half.txt").write_text("half")
        raise KeyboardInterrupt
    with project.build(Stage("take", {**TAKE.inputs, "size_px": 128})) as build:
        assert not (build.folder / "half.txt").exists()
        build.measured.update(MEASURED)


def test_a_bad_input_leaves_nothing_not_even_a_project(project):
    with pytest.raises(BadInput), project.build(TAKE, discard_if_bad=True) as build:
        (build.folder / "half.txt").write_text("half")
        raise BadInput("no face")
    assert not project.root.exists()


def test_a_bad_input_in_a_later_stage_leaves_the_earlier_ones(project):
    make(project, TAKE)
    with pytest.raises(BadInput), project.build(Stage("field", {}), discard_if_bad=True):
        raise BadInput("bad")
    assert project.is_done(TAKE) and not list(project.root.glob("field*"))


def test_changed_inputs_are_named_and_nothing_is_replaced_without_force(project):
    make(project, TAKE)
    changed = Stage("take", {**TAKE.inputs, "size_px": 128})
    with pytest.raises(Conflict, match=r"size_px 64 -> 128: take/ .* would be redone; add --force .* or another -o to"):
        project.ask_before_redoing([changed], force=False, elsewhere="-o")
    project.ask_before_redoing([TAKE], force=False, elsewhere="-o")
    project.ask_before_redoing([changed], force=True, elsewhere="-o")
    make(project, changed, "new")
    assert (project.path("take") / "result.txt").read_text() == "new"
    assert not list(project.root.glob("*.replaced"))


def test_a_kill_between_the_two_renames_of_a_replacement_is_healed(project):
    make(project, TAKE)
    project.path("take").rename(project.path("take.replaced"))
    with project.lock():
        assert project.is_done(TAKE)
    shutil.copytree(project.path("take"), project.path("take.replaced"))
    with project.lock():
        assert not project.path("take.replaced").exists()


def test_two_runs_do_not_build_at_once(project):
    with project.lock(), pytest.raises(Conflict, match="Another talker"), Project.open(project.root).lock():
        pass
    with project.lock():
        pass


def test_what_another_run_writes_into_the_project_is_not_swept(project):
    with sole_writer(project.root / "out.mp4"), unfinished(project.root / "out.mp4") as video:
        video.write_bytes(b"half")
        with project.lock():
            assert video.read_bytes() == b"half"


def test_the_neighbours_of_a_linked_stage_are_not_its_leftovers(project, tmp_path):
    disk = tmp_path / "disk"
    (disk / "abc.partial-1234").mkdir(parents=True)
    (disk / "a*").mkdir()
    (project.root / "take").symlink_to(disk / "a*")
    make(project, TAKE)
    assert (disk / "abc.partial-1234").is_dir() and (disk / "a*" / "result.txt").is_file()


def test_a_video_that_has_lost_its_record_is_not_written_over(project, tmp_path):
    renders.prepare(project)
    lost = project.path("renders/0001.mp4")
    lost.write_bytes(b"old")
    (tmp_path / "new.mp4").write_bytes(b"new")
    facts = {"audio": "a.wav", "edit": None, "frames": 1, "inputs": {}}
    kept = renders.keep(project, tmp_path / "new.mp4", None, facts)
    assert lost.read_bytes() == b"old" and kept.name == "0002.mp4" and kept.read_bytes() == b"new"


def test_a_moved_project_is_the_same_project(project, tmp_path):
    make(project, TAKE)
    moved = tmp_path / "elsewhere" / "b.talker"
    shutil.copytree(project.root, moved)
    assert Project.open(moved).is_done(TAKE)
    assert str(tmp_path) not in (moved / MANIFEST).read_text() + (moved / "take" / RECORD).read_text()


def test_the_nearest_project_is_found_upward(project, tmp_path):
    deep = tmp_path / "a" / "b"
    deep.mkdir(parents=True)
    assert Project.find(deep).root == project.root.resolve()
    assert Project.find(project.root).root == project.root.resolve()
    Project.create(tmp_path / "a" / "other.talker")
    assert Project.find(deep).root.name == "other.talker"
    Project.create(tmp_path / "a" / "third.talker")
    with pytest.raises(BadInput, match=r"other\.talker, third\.talker; choose one with --project"):
        Project.find(deep)


def test_no_project_says_how_to_make_one(tmp_path):
    with pytest.raises(BadInput, match="talker fit"):
        Project.find(tmp_path)
    with pytest.raises(BadInput, match="talker fit"):
        Project.open(tmp_path)


def test_foreign_folders_and_formats_are_left_alone(tmp_path):
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "me.jpg").touch()
    with pytest.raises(Conflict, match="other things"):
        Project.create(tmp_path / "photos")
    write_record(tmp_path / "new.talker" / MANIFEST, {"schema": 99})
    with pytest.raises(BadInput, match="upgrade"):
        Project.open(tmp_path / "new.talker")
    (tmp_path / "new.talker" / MANIFEST).write_text("{ half")
    with pytest.raises(BadInput, match="damaged"):
        Project.open(tmp_path / "new.talker")


def test_changes_are_told_briefly():
    before = {"take": {"size_px": 64, "start_s": None}, "sha256": "0" * 64}
    after = {"take": {"size_px": 64, "start_s": 2.0}, "sha256": "f" * 64}
    assert describe_changes(before, after) == "start_s none -> 2.0, sha256 00000000 -> ffffffff"
    listed = describe_changes({"only": [], "steps": [10, 20]}, {"only": ["hair", "skin"], "steps": [10, 30]})
    assert listed == "only none -> hair,skin, steps 10,20 -> 10,30"
    assert describe_changes({"guidance": (3.0, 6.0)}, {"guidance": [3.0, 6.0]}) == "the format has changed"


@pytest.mark.parametrize(
    ("instruction", "name"),
    [
        ("make him a Van Gogh painting", "van-gogh-painting"),
        ("Turn her into a bronze statue!", "bronze-statue"),
        ("make it", "make-it"),
        ("?!", "edit"),
        ("Haare grün färben", "haare-grün-färben"),
    ],
)
def test_an_instruction_names_its_edit(instruction, name):
    assert slug(instruction) == name


def test_the_same_tensors_are_the_same_bytes(tmp_path):
    """safetensors alone writes metadata in an order of chance: two of ten equal fits seemed to differ."""
    tensors = {"b": torch.arange(6.0).reshape(2, 3).T, "a": torch.zeros(2, dtype=torch.uint8)}
    metadata = {"schema": "1", "options": json.dumps({"levels": 4}), "third": "3"}
    for number in range(12):
        save_tensors(tmp_path / f"{number}.safetensors", tensors, metadata)
    assert len({path.read_bytes() for path in tmp_path.iterdir()}) == 1
    path = tmp_path / "0.safetensors"
    with safe_open(path, "pt") as file:
        assert file.metadata() == metadata
    found = load_tensors(path)
    assert found.keys() == tensors.keys() and all(torch.equal(found[name], tensors[name]) for name in tensors)
