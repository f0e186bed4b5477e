"""`talker eval`: what it writes, what it keeps, and what it refuses."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from talker.cli import main
from talker.core.types import Take
from talker.video import write_wav
from tests.cli.console import everything, refused, tone
from tests.evaluation.faces import DarkestSpot, smooth, talking

pytestmark = pytest.mark.slow

FRAMES = 80  # of which 12 are held out


@pytest.fixture
def toy_take(toy_take, monkeypatch, tmp_path) -> Take:
    """Long enough to be judged, with the face where the picture is darkest."""
    monkeypatch.setattr("talker.take.landmarks.load_detector", lambda name: DarkestSpot())
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    again = np.arange(FRAMES) % len(toy_take)
    frames = toy_take.frames[again].copy()
    frames[np.arange(FRAMES), 6, 8] = 0
    return replace(
        toy_take,
        frames=frames,
        alpha=toy_take.alpha[again],
        parts=toy_take.parts[again],
        c2w=toy_take.c2w[again],
        landmarks_px=torch.from_numpy(talking(smooth(FRAMES, 0) / 20, 14.0) + 8.0).float(),
        landmarks_head=torch.rand(68, 3, generator=torch.Generator().manual_seed(0)) - 0.5,
        eye=toy_take.eye[again],
    )


@pytest.fixture
def heard(project):
    write_wav(project.path("take/audio.wav"), tone(FRAMES / 25))
    return project


def facts(folder: str) -> dict:
    return json.loads(Path("toy.talker/eval", folder, "eval.json").read_text())


def test_figures_plot_and_sheet_are_written_and_kept(heard, capsys):
    assert main(["eval"]) == 0
    said = capsys.readouterr().out
    for part in ("PSNR", "SSIM", "mean frame", "nearest pose", "warping error", "Wang et al. 2004", "left out: LPIPS"):
        assert part in said
    found = facts("field")
    assert found["frames"] == 12 and found["poses"] == list(range(68, 80))
    assert found["metrics"]["psnr_db"]["better"] == "higher" and len(found["tracks"]["psnr_db"]) == 12
    assert "SyncNet confidence" in found["left_out"] and "identity distance" in found["left_out"]
    assert all(Path("toy.talker/eval/field", name).stat().st_size > 1000 for name in ("eval.png", "worst.png"))
    before = everything()
    assert main(["eval"]) == 0 and "Already done" in capsys.readouterr().out
    assert "add --force" in refused(capsys, "eval", "--frames", "11") and everything() == before
    assert main(["eval", "--frames", "11", "--force"]) == 0 and facts("field")["frames"] == 11


def test_an_edit_is_judged_beside_the_unedited_speaker(heard, capsys):
    assert main(["eval", "--edit", "bronze", "-o", "judged"]) == 0
    found = json.loads(Path("judged/eval.json").read_text())
    assert "psnr_db" not in found["metrics"] and "captions" in found["left_out"]["CLIP direction"]
    assert set(found["metrics"]["e_w"]["controls"]) == {"unedited"}
    assert not Path("toy.talker/eval").exists()


def test_new_speech_is_judged_without_lips_to_compare(heard, capsys):
    write_wav(Path("other voice.wav"), tone(1.0))
    assert main(["eval", "--speech", "other voice.wav", "--frames", "20"]) == 0
    found = facts("field-other-voice")
    assert found["frames"] == 20 and found["poses"][:13] == [*range(68, 80), 78]
    assert "psnr_db" not in found["metrics"] and "mouth_corr_self" not in found["metrics"]
    assert set(found["metrics"]["e_w"]["controls"]) == {"same pose"}
    assert "too few frames" in found["left_out"]["mouth"]  # an untrained field shows no face


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (["--edit", "marble"], "bronze"),
        (["--frames", "3"], "from 10 to"),
        (["--speech", "nowhere.wav"], "nowhere.wav"),
        (["--speech", "silence.wav"], "silent"),
        (["--speech", "short.wav"], "0.4 s are the least"),
        (["--syncnet", "nowhere.model"], "no such file"),
        (["--arcface", "notes.pth"], "read safely"),
        (["--edit", "bronze", "--caption-before", "a man", "--caption-after", " "], "--caption-after: is empty"),
        (["--edit", "bronze", "--caption-before", "a", "--caption-after", "b", "--clip", "./no"], "no such folder"),
        (["-o", "notes.pth"], "is a file"),
    ],
)
def test_what_cannot_be_judged_is_one_line(heard, capsys, words, hint):
    write_wav(Path("silence.wav"), np.zeros(16_000, np.float32))
    write_wav(Path("short.wav"), tone(0.3))
    Path("notes.pth").write_text("these are notes")
    assert hint in refused(capsys, "eval", *words)
