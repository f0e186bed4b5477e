"""The whole story at 64x64, through the command line: speaker, fit, edit, drive; kills, resumes, changes of mind."""

from __future__ import annotations

import json
import shlex
import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from talker.cli import main
from talker.radfield.fit import Fitter
from talker.speaker.speech import speak
from talker.take.store import load_take
from talker.video import SYNTHETIC_NOTE, ffmpeg_path, probe, read_audio, read_frames, write_wav

pytestmark = pytest.mark.slow

FIT = ["fit", "speaker.mp4", "--size", "64", "--training-steps", "24"]
EDIT = ["edit", "--instruction", "make him a Van Gogh painting"]
EDIT += ["--rounds", "2", "--frames", "3", "--training-steps", "3"]
DRIVE = ["drive", "speech.wav", "--edit", "van-gogh-painting", "--view", "yaw=20", "-o", "drive.mp4"]


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder in which one recording of the demo speaker lies."""
    folder = tmp_path_factory.mktemp("story")
    assert main(["speaker", str(folder / "speaker.mp4"), "--seconds", "3.2", "--size", "64", "--quiet"]) == 0
    write_wav(folder / "speech.wav", speak(1.3, seed=9)[0])
    return folder


def interrupt_after(monkeypatch, steps: int):
    """Ctrl-C in the middle of training."""
    step = Fitter._step

    def interrupted(self, *arguments):
        if self.step_count == steps:
            raise KeyboardInterrupt
        return step(self, *arguments)

    monkeypatch.setattr(Fitter, "_step", interrupted)


def test_the_story(place, capsys, monkeypatch):
    monkeypatch.chdir(place)
    project = Path("speaker.talker")

    # An interrupted fit leaves a take that counts and a field that does not.
    with monkeypatch.context() as patch:
        interrupt_after(patch, 20)
        assert main(FIT) == 130
    assert (project / "take" / "stage.json").is_file() and not (project / "field").exists()
    assert main(["drive", "speech.wav"]) == 2 and "talker fit" in capsys.readouterr().err
    taken = (project / "take" / "stage.json").read_bytes()
    assert main(FIT) == 0
    assert (project / "take" / "stage.json").read_bytes() == taken  # the take was not made again
    metrics = json.loads((project / "field" / "metrics.json").read_text())
    assert metrics["lip_bank"] == "pyramid"
    assert 5 < metrics["head_psnr_db"] < metrics["null_psnr_db"]  # so few steps teach nothing, and it is said
    assert "train longer" in capsys.readouterr().out
    assert (project / "field" / "preview.png").is_file() and not list(project.glob("*.partial-*"))
    take = load_take(project / "take")
    assert len(take) == 80 and take.size_px == (64, 64)

    # Run again: already done. With other inputs: asked, and nothing touched.
    capsys.readouterr()
    assert main(FIT) == 0 and "Already done" in capsys.readouterr().out
    field = (project / "field" / "field.safetensors").read_bytes()
    assert main([*FIT, "--seed", "1"]) == 2
    said = capsys.readouterr().err
    assert "seed 0 -> 1" in said and "field/" in said and "take/" not in said and "--force" in said
    assert (project / "field" / "field.safetensors").read_bytes() == field

    # An interrupted edit goes on where it was: what was edited is not edited again.
    with monkeypatch.context() as patch:
        interrupt_after(patch, 4)
        assert main(EDIT) == 130
    partial = next((project / "edits").glob("van-gogh-painting.partial-*"))
    done = {path: path.stat().st_mtime_ns for path in partial.rglob("*.png")}
    assert len(done) == 6 and not (project / "edits" / "van-gogh-painting").exists()
    assert main(EDIT) == 0
    edit = project / "edits" / "van-gogh-painting"
    for path, written in done.items():
        assert (edit / path.relative_to(partial)).stat().st_mtime_ns == written
    assert {path.name for path in edit.iterdir()} == {
        *("edit.json", "field.safetensors", "frames", "preview.png", "refine.safetensors", "stage.json")
    }
    assert main([*EDIT, "--name", "straight"]) == 0
    for file in ("field.safetensors", "refine.safetensors"):
        resumed, straight = (load_file(project / "edits" / name / file) for name in (edit.name, "straight"))
        assert all(torch.equal(resumed[name], straight[name]) for name in straight), "a resumed edit is another edit"
    capsys.readouterr()
    assert main(EDIT) == 0 and "Already done" in capsys.readouterr().out

    # Driving: exactly as long as the sound, with it, and marked as synthetic; no editor is called.
    with monkeypatch.context() as patch:
        patch.setattr("talker.api.edits.open_editor", lambda *arguments: 1 / 0)
        assert main(DRIVE) == 0
    video = Path("drive.mp4")
    frames = list(read_frames(video))
    assert abs(len(frames) / 25 - 1.3) <= 1 / 25 and frames[0].shape == (64, 64, 3)
    assert abs(len(read_audio(video)) / 16_000 - 1.3) < 0.1 and probe(video).has_audio
    assert (frames[0] != frames[-1]).any()
    assert SYNTHETIC_NOTE.encode() in video.read_bytes()
    assert Path(ffmpeg_path()).is_file()

    # A project can be moved.
    shutil.move(project, "moved.talker")
    capsys.readouterr()
    assert main(DRIVE) == 0 and "Already done" in capsys.readouterr().out
    assert main(["info"]) == 0
    said = capsys.readouterr().out
    assert "moved.talker" in said and "Van Gogh" in said and "drive.mp4" in said

    # A new fit makes the edit one of an earlier fit, which is said and not silently used.
    assert main([*FIT, "--seed", "1", "--force", "-o", "moved.talker"]) == 0
    capsys.readouterr()
    assert main(DRIVE) == 2
    said = capsys.readouterr().err
    assert "earlier fit" in said
    again = shlex.split(said.partition("make it again: ")[2])
    assert again == ["talker", *EDIT[:3], "--name", "van-gogh-painting", *EDIT[3:], "--force"]
    assert main(again[1:]) == 0 and main([*DRIVE, "--force"]) == 0
