"""Edits as people go about them: look first, limit, build upon, list, rename, remove; and what is refused."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from talker.api.artifacts import REFINER_FILE, SCENE_FILE, load_portrait
from talker.api.preview import render_as_taken
from talker.cli import main
from talker.core.images import to_bytes
from talker.core.records import write_record
from talker.core.types import HAIR
from talker.radfield.kernels import TorchKernels
from talker.refine.network import RefinementNet
from talker.take.store import StoredPictures, load_take, read_image
from talker.video import read_frames, write_wav
from talker.video.sound import to_pcm
from tests.cli.console import everything, refused, spoken_into, tone

pytestmark = pytest.mark.slow

LENGTH = ["--rounds", "1", "--frames", "2", "--training-steps", "1"]
BLUE = ["--instruction", "make the background blue"]
RED = ["--instruction", "dye his hair red", "--keep", "background"]


def edit(*words: str) -> None:
    assert main(["edit", *words, *LENGTH, "--quiet"]) == 0


def facts(name: str, file: str = "edit.json") -> dict:
    return json.loads(Path("toy.talker/edits", name, file).read_text())


# -------------------------------------------------------------------- looking first


def test_a_preview_is_a_picture_and_the_command_that_makes_it(project, capsys, monkeypatch):
    read = []
    monkeypatch.setattr(
        StoredPictures,
        "__getitem__",
        lambda self, index, get=StoredPictures.__getitem__: (read.append(index), get(self, index))[1],
    )
    assert main(["preview", *BLUE, "--keep", "hair", "--from", "bronze", "--seed", "3"]) == 0
    picture, making, _ = capsys.readouterr().out.strip().split("\n")[-3:]
    path = Path(picture.partition(": ")[0])
    assert path.parent == Path.cwd() / "toy.talker/previews" and "keeping hair" in picture
    sheet = cv2.imread(str(path))
    assert sheet.shape[0] > 3 * 200 and len(set(read)) <= 3, "more than three frames were read"
    words = shlex.split(making.removeprefix("To make it: "))
    assert words[:2] == ["talker", "edit"] and words[words.index("--from") :][:2] == ["--from", "bronze"]
    edit(*words[2:])
    assert facts("background-blue-keep-hair")["keep"] == ["hair"] and facts("background-blue-keep-hair")["seed"] == 3
    # Again: nothing is made anew. Elsewhere: what is there stays.
    written = path.stat().st_mtime_ns
    assert main(["preview", *BLUE, "--keep", "hair", "--from", "bronze", "--seed", "3"]) == 0
    assert path.stat().st_mtime_ns == written
    assert main(["preview", *BLUE, "-o", "look.png"]) == 0
    assert "--force" in refused(capsys, "preview", *BLUE, "-o", "look.png")
    assert main(["preview", *BLUE, "-o", "look.png", "--force"]) == 0


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (["--text-guidance", "3,x"], "--text-guidance is 'x'; choose a number"),
        (["--text-guidance", "3,31"], "--text-guidance is 31; choose a number from 0 to 30"),
        (["--text-guidance=-3,nan,1e9"], "--text-guidance is -3;"),
        (["--text-guidance", "3,nan"], "--text-guidance is nan;"),
        (["--text-guidance", "1,2,3,4,5,6,7"], "7 values of --text-guidance times 2 of --steps (usual: 10,20) are 14"),
        (["--steps", "0"], "--steps is 0; choose a whole number from 1 to 1000"),
        (["-o", "look.bmp"], ".png"),
        (["-o", "lokks/look.png"], "no folder lokks"),
        (["-o", "toy.talker"], "is a folder"),
        (["-o", "toy.talker/project.json/look.png"], "is a file, not a folder"),
        (["--from", "marble"], "bronze"),
        (["--only", "background", "--keep", "background"], "nothing to edit"),
    ],
)
def test_previews_that_cannot_be(project, capsys, words, hint):
    assert hint in refused(capsys, "preview", *BLUE, *words)


def test_the_plan_for_programs(project, capsys):
    before = everything()
    assert main(["edit", *RED, *LENGTH, "--from", "bronze", "--dry-run", "--json"]) == 0
    plan = json.loads(capsys.readouterr().out)
    assert plan["keep"] == ["background"] and plan["from"] == "bronze" and len(plan["rounds"]) == 1
    assert "hair" in plan["understood"] and plan["estimated_s"] > 0 and everything() == before
    assert "--dry-run" in refused(capsys, "edit", *RED, "--json")


# -------------------------------------------------------------------- limits


def test_limits_and_several_instructions_are_recorded(project, capsys):
    edit(*BLUE, "--instruction", "make him bronze", "--only", "background", "--only", "hair", "--name", "both")
    record = facts("both")
    assert record["instruction"] == "make the background blue, then make him bronze"
    assert record["only"] == ["background", "hair"] and "keep" not in record
    assert "bronze" in record["understood"] and "only background and hair" in record["understood"]
    # Other limits are another edit.
    assert "--force" in refused(capsys, "edit", *BLUE, "--name", "both", *LENGTH)


def test_what_is_kept_is_kept_in_the_frames_that_train(project):
    """The background is to be blue and may not: the frames stay the unedited renders there, but for 8 bits."""
    edit(*BLUE, "--keep", "background", "--name", "kept")
    edit(*BLUE, "--name", "free")
    take = load_take(project.path("take"))
    fitted = load_portrait(project, take, None, TorchKernels())
    for path in Path("toy.talker/edits/kept/frames/round-1").glob("*.png"):
        index = int(path.stem)
        unedited = to_bytes(render_as_taken(fitted.scene, take, index)).astype(int)
        kept, free = (
            read_image(Path("toy.talker/edits", name, "frames/round-1", path.name)) for name in ("kept", "free")
        )
        behind = take.alpha[index] == 0
        assert np.abs(kept - unedited)[behind].max() <= 1
        assert np.abs(free - unedited)[behind].max() > 20, "the edit that is free to change the background did not"


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (["--instruction", ""], "empty"),
        (["--instruction", "make him bronze", "--instruction", " "], "empty"),
        ([*BLUE, "--only", "nose"], "face, hair"),
        ([*BLUE, "--only", "hair", "--keep", "hair"], "nothing to edit"),
        ([*BLUE, "--text-guidance", "3,31"], "--text-guidance"),
        ([*BLUE, "--steps", "0,20"], "--steps"),
        ([*BLUE, "--image-guidance", "0.5"], "--image-guidance"),
        ([*BLUE, "--from", "marble"], "bronze"),
        ([*BLUE, "--from", "bronze", "--name", "bronze", "--force"], "build on itself"),
        ([*BLUE, "--name", "bronze"], "add --force to do so, or another --name"),
    ],
)
def test_edits_that_are_refused_before_any_work(project, capsys, words, hint):
    assert hint in refused(capsys, "edit", *words)


def test_a_mask_that_is_empty_is_refused_before_any_work(project, capsys):
    for path in project.path("take/masks").glob("*_parts.png"):
        parts = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
        cv2.imwrite(str(path), np.where(parts == 6, 1, parts))  # hair becomes face
    for command in ("edit", "preview"):
        assert "hair" in refused(capsys, command, *BLUE, "--only", "hair")


@pytest.mark.parametrize("command", ["edit", "preview"])
def test_projects_of_older_schemas_are_refused(project, capsys, command):
    field = project.path("field") / SCENE_FILE
    with safe_open(field, framework="pt") as file:
        metadata = file.metadata()
    save_file(load_file(field), field, {**metadata, "schema": "1"})
    assert "another version" in refused(capsys, command, *BLUE)
    write_record(project.path("project.json"), {**json.loads(project.path("project.json").read_text()), "schema": 0})
    assert "fit the video again" in refused(capsys, command, *BLUE)


def test_a_kill_while_an_edit_is_measured_loses_no_training(project, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr("talker.api.edit_run.measure_likeness", lambda run: _interrupt())
        assert main(["edit", *BLUE, "--name", "blue", *LENGTH, "--quiet"]) == 130
    assert len(list(project.path("edits").glob("blue.partial-*/state.safetensors"))) == 1
    edit(*BLUE, "--name", "blue")
    assert not list(project.path("edits/blue").glob("state*"))


# -------------------------------------------------------------------- edits upon edits


def test_an_edit_builds_on_another(project, capsys):
    edit(*BLUE, "--name", "blue")
    net = RefinementNet.load(project.path("edits/blue") / REFINER_FILE)
    torch.nn.init.constant_(net.convolutions[4].bias, 0.1)  # a detail that can be told from none
    net.save(project.path("edits/blue") / REFINER_FILE)
    edit(*RED, "--from", "blue", "--name", "both")
    base = facts("blue", "stage.json")["fingerprint"]
    assert facts("both")["from"] == base
    assert 5 < facts("both", "stage.json")["measured"]["edited_psnr_db"] < 60
    # What it edits is what the other shows, detail included: where it changes nothing, its frames are that.
    take = load_take(project.path("take"))
    blue, fitted = (load_portrait(project, take, name, TorchKernels()) for name in ("blue", None))
    for path in Path("toy.talker/edits/both/frames/round-1").glob("*.png"):
        index = int(path.stem)
        shown = to_bytes(render_as_taken(blue.scene, take, index, blue.refiner)).astype(int)
        behind = take.alpha[index] == 0
        trained_on = read_image(path).astype(int)
        assert np.abs(trained_on - shown)[behind].max() <= 1
        assert np.abs(to_bytes(render_as_taken(fitted.scene, take, index)) - shown)[behind].max() > 20
        assert np.abs(trained_on - shown)[take.parts[index] == HAIR].max() > 20
    # The base cannot be removed; renamed, it is still the base, and its edit is still what it was.
    assert "first: talker edits --remove both --force" in refused(capsys, "edits", "--remove", "blue", "--force")
    assert main(["edits", "--rename", "blue", "sky"]) == 0
    capsys.readouterr()
    assert main(["edits", "--json"]) == 0
    listed = {each["name"]: each for each in json.loads(capsys.readouterr().out)}
    assert listed["both"]["from"] == "sky" and listed["sky"]["from"] is None
    for words in ([*BLUE, "--name", "sky"], [*RED, "--from", "sky", "--name", "both"]):
        assert main(["edit", *words, *LENGTH]) == 0 and "Already done" in capsys.readouterr().out
    assert main(["edits", "--remove", "both", "--force"]) == 0 and main(["edits", "--remove", "sky", "--force"]) == 0


def fit_anew(project) -> None:
    record = json.loads(project.path("field/stage.json").read_text())
    write_record(project.path("field/stage.json"), {**record, "fingerprint": record["fingerprint"][::-1]})


def test_an_edit_of_an_earlier_fit_is_made_again_with_what_it_builds_on(project, capsys, monkeypatch):
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    edit(*BLUE, "--name", "blue", "--strategy", "once")
    edit(*RED, "--from", "blue", "--name", "both", "--preset", "gpu")
    write_wav(Path("speech.wav"), tone(0.4))
    fit_anew(project)
    said = refused(capsys, "drive", "speech.wav", "--edit", "both")
    first, second = (shlex.split(each) for each in said.partition("make it again: ")[2].split(" && "))
    assert first[first.index("--name") + 1] == "blue" and "--strategy" in first and "--preset" not in first
    assert second[second.index("--from") + 1] == "blue" and second[second.index("--preset") + 1] == "gpu"
    for words in (first, second):
        assert words[words.index("--training-steps") + 1] == "1" and main([*words[1:], "--quiet"]) == 0
    assert main(["drive", "speech.wav", "--edit", "both", "--quiet"]) == 0
    # What it built on is gone.
    fit_anew(project)
    assert main([*first[1:], "--quiet"]) == 0
    said = refused(capsys, "drive", "speech.wav", "--edit", "both")
    assert "is gone or was made anew: add --from EDIT" in said and "--from blue" not in said and "&&" not in said


def test_what_is_for_diffusion_is_nothing_to_the_built_in_editor(project, capsys):
    edit(*BLUE, "--name", "blue")
    capsys.readouterr()
    flags = ["--model", "nobody/nothing", "--sampler", "dpm++", "--precision", "bfloat16"]
    assert main(["edit", *BLUE, "--name", "blue", *flags, *LENGTH]) == 0 and "Already done" in capsys.readouterr().out
    assert not {"model", "sampler", "precision"} & facts("blue").keys()
    assert main(["preview", *BLUE, "-o", "look.png", *flags]) == 0
    assert "nobody" not in capsys.readouterr().out


# -------------------------------------------------------------------- listing, renaming, removing


def test_the_strategy_is_listed(project, capsys):
    edit(*BLUE, "--name", "blue", "--strategy", "once")
    capsys.readouterr()
    assert main(["edits", "--json"]) == 0
    assert {each["name"]: each["strategy"] for each in json.loads(capsys.readouterr().out)}["blue"] == "once"
    assert main(["edits"]) == 0 and "by builtin, at once" in capsys.readouterr().out


def test_edits_are_listed_renamed_and_removed(project, capsys):
    assert main(["edits"]) == 0
    said = capsys.readouterr().out
    assert '"bronze"' in said and "by builtin" in said
    write_wav(Path("speech.wav"), tone(0.4))
    assert main(["drive", "speech.wav", "--edit", "bronze"]) == 0
    assert main(["edits", "--rename", "bronze", "statue"]) == 0
    assert [path.name for path in project.path("edits").iterdir()] == ["statue"]
    capsys.readouterr()
    assert main(["drive", "speech.wav", "--edit", "statue"]) == 0 and "Already done" in capsys.readouterr().out
    assert json.loads(project.path("renders/0001.json").read_text())["edit"] == "statue"
    assert list(json.loads(project.path("project.json").read_text())["stages"]) == ["take", "field", "edits/statue"]
    assert "--force" in refused(capsys, "edits", "--remove", "statue")
    assert main(["edits", "--remove", "statue", "--force"]) == 0 and not list(project.path("edits").iterdir())
    assert "edits/statue" not in project.path("project.json").read_text()
    capsys.readouterr()
    assert main(["edits"]) == 0 and "talker preview" in capsys.readouterr().out
    assert main(["edits", "--json"]) == 0 and json.loads(capsys.readouterr().out) == []


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (["--rename", "marble", "stone"], "bronze"),
        (["--rename", "bronze", "a/b"], "letters"),
        (["--rename", "bronze", "bronze"], "nothing to rename"),
        (["--remove", "marble", "--force"], "bronze"),
        (["--rename", "bronze", "statue", "--remove", "bronze"], "one after the other"),
    ],
)
def test_names_that_cannot_be(project, capsys, words, hint):
    assert hint in refused(capsys, "edits", *words)


def test_a_removal_that_was_killed_leaves_no_edit_and_room_for_another(project, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr("talker.core.links.shutil.rmtree", lambda *arguments, **flags: _interrupt())
        assert main(["edits", "--remove", "bronze", "--force"]) == 130
    assert project.edit_names() == [] and project.path("edits/bronze").is_dir()
    edit(*BLUE, "--name", "blue")
    assert main(["edits", "--rename", "blue", "bronze"]) == 0 and project.edit_names() == ["bronze"]


def _interrupt():
    raise KeyboardInterrupt


# -------------------------------------------------------------------- strength


def test_strength_goes_from_the_original_to_the_edit(project, capsys, monkeypatch):
    edit(*BLUE, "--name", "blue")
    write_wav(Path("speech.wav"), tone(0.4))
    assert load_portrait(project, load_take(project.path("take")), "blue", TorchKernels(), strength=0.0).refiner is None
    say = ["drive", "speech.wav", "--quiet"]
    for out, words in {
        "filmed": [],
        "none": ["--edit", "blue", "--strength", "0"],
        "half": ["--edit", "blue", "--strength", "0.5"],
        "whole": ["--edit", "blue", "--strength", "1"],
        "edited": ["--edit", "blue"],
    }.items():
        assert main([*say, *words, "-o", f"{out}.mp4"]) == 0
    with spoken_into(monkeypatch, to_pcm(tone(0.4))):
        assert main(["drive", "--live", "--quiet", "--edit", "blue", "--strength", "0.5", "-o", "live.mp4"]) == 0
    shown = {path.stem: np.stack(list(read_frames(path))).astype(int) for path in Path.cwd().glob("*.mp4")}
    assert (shown["none"] == shown["filmed"]).all() and (shown["whole"] == shown["edited"]).all()
    corner = {name: frames[:, 0, 0].mean(0) for name, frames in shown.items()}
    apart = np.abs(corner["edited"] - corner["filmed"])
    assert apart.max() > 60  # its half is far from either end
    for half in ("half", "live"):
        assert np.allclose(corner[half], (corner["edited"] + corner["filmed"]) / 2, atol=10), half
    assert "--edit" in refused(capsys, *say, "--strength", "0.5", "-o", "no.mp4")
    assert "from 0 to 1" in refused(capsys, *say, "--edit", "blue", "--strength", "1.5", "-o", "no.mp4")
