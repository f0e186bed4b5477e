"""Parts of a project that a person moved to a larger disk: work goes on where the links lead, and the links stay."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from talker.core import links
from talker.core.errors import BadInput
from talker.core.locks import check_place, sole_writer
from talker.projects.project import RECORD, Project, Stage

# What a record must hold, whatever its stage.
INPUTS = {"landmarks": "mediapipe", "audio": "mel", "take": "ab", "field": "cd", "instruction": "make him bronze"}
INPUTS |= {"editor": "builtin", "rounds": 1}
MEASURED = {"seconds": 12.0, "size_px": [64, 64], "head_psnr_db": 30.0, "null_psnr_db": 20.0, "kernels": "torch"}


def stage_of(path: str, seed: int = 1) -> Stage:
    return Stage(path, {**INPUTS, "seed": seed})


VG, NEWER = stage_of("edits/vg"), stage_of("edits/vg", seed=2)


@pytest.fixture
def project(tmp_path) -> Project:
    project = Project.create(tmp_path / "clip.talker")
    for stage in (stage_of("take"), stage_of("field"), VG):
        make(project, stage)
    return project


@pytest.fixture
def disk(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("disk")


def make(project: Project, stage: Stage, text: str = "made") -> None:
    with project.lock(), project.build(stage) as build:
        (build.folder / "result.txt").write_text(text)
        build.measured.update(MEASURED)


def move(path: Path, goal: Path) -> None:
    """As a person does: `mv` and `ln -s`."""
    path.rename(goal)
    path.symlink_to(goal)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("part", ["edits/vg", "edits", "."])
def test_a_stage_is_made_anew_where_its_link_leads(project, disk, part):
    if part == ".":
        move(project.root, disk / "moved")
        place = disk / "moved" / "edits" / "vg"
    else:
        move(project.root / part, disk / "moved")
        place = disk / "moved" if part == "edits/vg" else disk / "moved" / "vg"
    with pytest.raises(KeyboardInterrupt), project.lock(), project.build(NEWER) as build:
        assert build.folder.resolve().parent == place.parent, "half a stage fills the small disk"
        raise KeyboardInterrupt
    assert [path.resolve().parent for path in project.unfinished("edits/vg")] == [place.parent]
    make(project, NEWER, "newer")
    assert (project.root / part).is_symlink() or part == "."
    assert (place / "result.txt").read_text() == "newer" and project.is_done(NEWER)
    assert project.edit_names() == ["vg"] and names(place.parent) == [place.name]


@pytest.mark.parametrize("stage", ["take", "field", "edits/vg"])
def test_a_replacement_of_a_linked_stage_that_a_kill_cut_in_two_is_healed(project, disk, stage):
    move(project.path(stage), disk / "moved")
    (disk / "moved").rename(disk / "moved.replaced")
    assert project.record(stage) is None
    with project.lock():
        assert project.record(stage) is not None and names(disk) == ["moved"]


def test_removing_a_linked_edit_removes_the_link_alone(project, disk):
    move(project.path("edits/vg"), disk / "vg")
    (disk / "vg.partial-mine").mkdir()
    assert project.remove("edits/vg") == disk / "vg"
    assert project.edit_names() == [] and names(project.path("edits")) == []
    assert names(disk) == ["vg", "vg.partial-mine"] and names(disk / "vg") == ["result.txt", RECORD]


def test_removing_an_edit_behind_a_linked_folder_removes_it(project, disk):
    make(project, stage_of("edits/other"))
    move(project.path("edits"), disk / "edits")
    assert project.remove("edits/vg") is None
    assert names(disk / "edits") == ["other"] and project.path("edits").is_symlink()


def test_a_linked_edit_is_renamed_by_its_link(project, disk):
    move(project.path("edits/vg"), disk / "vg")
    project.path("edits/new").symlink_to(disk / "gone")  # what a killed removal left is no edit
    project.rename("edits/vg", "edits/new")
    assert project.edit_names() == ["new"] and names(disk) == ["vg"]
    assert project.path("edits/new").readlink() == disk / "vg"


def test_an_edit_that_is_discarded_in_a_linked_project_leaves_the_link(tmp_path, disk):
    (tmp_path / "clip.talker").symlink_to(disk)
    project = Project.create(tmp_path / "clip.talker")
    with pytest.raises(BadInput), project.lock(), project.build(stage_of("take"), discard_if_bad=True):
        raise BadInput("no face")
    assert project.root.is_symlink() and not set(names(disk)) - {".lock"}


@pytest.mark.parametrize("part", ["take", "edits/vg", "edits"])
def test_a_disk_that_is_not_mounted_is_said_before_any_work(project, disk, part):
    move(project.root / part, disk / "moved")
    disk.rename(disk.with_name("elsewhere"))
    with pytest.raises(BadInput, match=r"moved.* is not there; mount its disk or remove the link"):
        make(project, stage_of("take" if part == "take" else "edits/vg", seed=3))
    assert not disk.exists()
    disk.with_name("elsewhere").rename(disk)


def test_a_folder_that_is_a_disk_itself_is_no_stage(project, monkeypatch):
    monkeypatch.setattr(os.path, "ismount", lambda path: Path(path).name == "vg")
    with pytest.raises(BadInput, match="put a link to a folder on it"):
        make(project, NEWER)
    assert project.is_done(VG)


@pytest.mark.parametrize("part", ["take", "edits/vg", "edits"])
def test_links_in_a_circle_are_told(project, disk, part):
    (project.root / part).rename(disk / "moved")
    (project.root / part).symlink_to(project.root / part)
    with pytest.raises(BadInput, match="circle of links"):
        make(project, stage_of("take" if part == "take" else "edits/vg", seed=3))
    assert project.record(part) is None
    links.remove(project.root / part)
    assert (disk / "moved").is_dir() and not (project.root / part).is_symlink()


def test_a_lock_is_no_link(project, disk):
    (disk / "precious").write_text("precious")
    (project.root / ".lock").unlink()
    (project.root / ".lock").symlink_to(disk / "precious")
    with pytest.raises(BadInput, match="link, and no lock; remove it"), project.lock():
        pass
    (project.root / ".lock").unlink()
    (project.root / ".lock").symlink_to(disk / "new")
    with pytest.raises(BadInput, match="link, and no lock"), project.lock():
        pass
    assert (disk / "precious").read_text() == "precious" and names(disk) == ["precious"]


def test_a_folder_that_is_gone_is_made_where_its_link_leads_and_its_disk_is_not(tmp_path, disk):
    (tmp_path / "eval").symlink_to(disk / "eval")
    with sole_writer(tmp_path / "eval" / "eval.json"):
        assert (disk / "eval").is_dir()
    (tmp_path / "lost").symlink_to(disk / "gone" / "eval")
    with pytest.raises(BadInput, match="gone is not there; mount"), sole_writer(tmp_path / "lost" / "eval.json"):
        pass


# -------------------------------------------------------------------- a workspace


@pytest.mark.parametrize("link", ["take", "edits/vg", "edits", "edits/vg/result.txt", "edits/vg/deep/down"])
def test_nothing_is_done_through_a_link_that_leads_out_of_the_workspace(project, disk, link, tmp_path):
    path = project.root / link
    if path.exists():
        move(path, disk / "moved")
    else:
        path.parent.mkdir()
        path.symlink_to(disk)
    inside = Project.open(project.root, tmp_path)
    stage = "take" if link == "take" else "edits/vg"
    for act in (
        lambda: inside.path(stage),
        lambda: make(inside, stage_of(stage, seed=4)),
        lambda: inside.remove(stage),
        lambda: inside.rename(stage, "edits/new"),
    ):
        with pytest.raises(BadInput, match="leads out of the studio's folder") as refusal:
            act()
        assert "\n" not in str(refusal.value)
    assert inside.edit_names() == ([] if link in ("edits", "edits/vg") else ["vg"])
    assert Project.open(project.root).edit_names() == ["vg"], "what stays inside was harmed"
    assert project.record("field") and project.record(stage)


def test_links_within_the_workspace_are_followed(project, tmp_path):
    (tmp_path / "store").mkdir()
    move(project.path("edits/vg"), tmp_path / "store" / "vg")
    inside = Project.open(project.root, tmp_path)
    make(inside, NEWER, "newer")
    assert (tmp_path / "store" / "vg" / "result.txt").read_text() == "newer" and inside.astray() == []


def test_a_link_to_a_folder_within_that_holds_one_leading_out_is_found(project, disk, tmp_path):
    (tmp_path / "store").mkdir()
    (tmp_path / "store" / "up").symlink_to(tmp_path)  # round and round
    (project.path("take") / "store").symlink_to(tmp_path / "store")
    inside = Project.open(project.root, tmp_path)
    assert inside.path("take")
    (tmp_path / "store" / "out").symlink_to(disk)
    with pytest.raises(BadInput, match="leads out"):
        inside.path("take")


def test_a_command_that_a_studio_starts_stays_in_its_folder(project, disk, tmp_path, monkeypatch):
    monkeypatch.setenv(links.VARIABLE, str(tmp_path))
    move(project.root / "edits", disk / "edits")
    with pytest.raises(BadInput, match="leads out"):
        Project.open(project.root).path("edits")
    (tmp_path / "page").symlink_to(disk)
    for out in (tmp_path / "page" / "check.html", disk / "new.talker"):
        with pytest.raises(BadInput, match="leads out"):
            check_place(out, force=True)
    with pytest.raises(BadInput, match="leads out"):
        Project.create(tmp_path / "page")
    monkeypatch.delenv(links.VARIABLE)
    assert Project.open(project.root).path("edits").is_dir()
