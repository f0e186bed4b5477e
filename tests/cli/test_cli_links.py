"""The command line in a project of which a person moved a part to a larger disk, and left a link."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from talker.cli import main
from talker.video import write_wav
from tests.cli.console import refused, tone

BLUE = ["edit", "--instruction", "make the background blue", "--name", "blue", "--rounds", "1", "--frames", "2"]
BLUE += ["--training-steps", "1", "--quiet"]


@pytest.fixture
def disk(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("disk")


def move(path: Path, goal: Path) -> None:
    path.mkdir(exist_ok=True)
    path.rename(goal)
    path.symlink_to(goal)


def test_a_linked_edit_is_made_anew_driven_renamed_and_removed(project, place, disk, capsys):
    move(project.path("edits/bronze"), disk / "bronze")
    write_wav(Path("speech.wav"), tone(0.2))
    assert main(["drive", "speech.wav", "--edit", "bronze", "-q"]) == 0
    anew = ["bronze" if word == "blue" else word for word in BLUE]
    assert main([*anew, "--force"]) == 0
    assert json.loads((disk / "bronze/edit.json").read_text())["frames"] == 2 and len(list(disk.iterdir())) == 1
    assert main(["edits", "--rename", "bronze", "statue", "-q"]) == 0
    capsys.readouterr()
    assert main(["edits", "--remove", "statue", "--force"]) == 0
    assert f"only the link to {disk / 'bronze'} went" in capsys.readouterr().out
    assert (disk / "bronze/stage.json").is_file() and not list(project.path("edits").iterdir())


def test_renders_previews_and_edits_lie_where_their_folders_lead(project, place, disk, capsys):
    for part in ("take", "field", "edits", "renders", "previews"):
        move(project.path(part), disk / part)
    write_wav(Path("speech.wav"), tone(0.2))
    for _ in range(2):
        assert main(["drive", "speech.wav", "--edit", "bronze"]) == 0
    assert "Already done" in capsys.readouterr().out
    assert sorted(path.name for path in (disk / "renders").iterdir()) == ["0001.json", "0001.mp4"]
    assert json.loads((disk / "renders/0001.json").read_text())["video"] == "renders/0001.mp4"
    assert main(BLUE) == 0 and main(["preview", "--instruction", "make him bronze", "-q"]) == 0
    assert sorted(path.name for path in (disk / "edits").iterdir()) == ["blue", "bronze"]
    assert len(list((disk / "previews").glob("*.png"))) == 1
    assert main(["edits", "--remove", "blue", "--force", "-q"]) == 0 and main(["info"]) == 0
    assert [path.name for path in (disk / "edits").iterdir()] == ["bronze"]


@pytest.mark.parametrize(
    ("part", "words"),
    [
        ("edits", BLUE),
        ("edits/blue", BLUE),
        ("renders", ["drive", "speech.wav"]),
        ("previews", ["preview", "--instruction", "make him bronze"]),
    ],
)
def test_a_circle_or_a_lost_disk_is_one_line(project, place, disk, capsys, part, words):
    write_wav(Path("speech.wav"), tone(0.2))
    if project.path(part).exists():
        project.path(part).rename(place / "away")
    for goal in (project.path(part), disk / "gone" / "deep"):
        project.path(part).symlink_to(goal)
        with project.lock():  # project.json repeats what can be reached, and catches up with what was moved away
            pass
        refused(capsys, *words)
        project.path(part).unlink()
    assert not list(disk.iterdir())
