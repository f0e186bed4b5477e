"""A take that is the truth scores full marks, and one that is not scores what its faults cost."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from talker.core.metrics import PSNR_CEILING_DB
from talker.core.types import BACKGROUND, HEAD_PARTS, Silent, Take, mask_of
from talker.speaker.record import SpeakerOptions, record_speaker
from talker.speaker.truth import Truth, load_truth
from tools.quality.driven import LIPS_CLOSE_S, SILENT_S, SPOKEN_S, pauses
from tools.quality.held_out import region_figures
from tools.quality.mouth import Box
from tools.quality.tracked import tracked_figures

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def truth(tmp_path_factory) -> Truth:
    folder = tmp_path_factory.mktemp("truth")
    record_speaker(folder / "a.mp4", SpeakerOptions(seconds=2.2, size_px=64), folder / "truth", Silent())
    return load_truth(folder / "truth")


def perfect_take(truth: Truth) -> Take:
    return Take(
        frames=truth.frames,
        alpha=truth.alpha,
        parts=truth.parts,
        background=truth.background,
        c2w=truth.c2w,
        focal_px=truth.focal_px,
        centre_px=truth.centre_px,
        landmarks_px=truth.landmarks_px,
        landmarks_head=truth.landmarks_head,
        eye=truth.eye,
        audio_features=torch.zeros(2 * len(truth), 4),
        audio_encoder="mel",
    )


def test_the_truth_itself_is_without_fault(truth):
    found = tracked_figures(perfect_take(truth), truth)
    assert found["iou_person"] == found["iou_head"] == found["iou_lips"] == 1.0
    assert found["plate_psnr_db"] == PSNR_CEILING_DB
    assert found["jitter_x"] == pytest.approx(1.0) and found["eye_corr"] == pytest.approx(1.0)
    assert found["mouth_track_corr"] > 0.95  # pixels against head units


def test_faults_are_seen(truth):
    take = perfect_take(truth)
    parts = take.parts.copy()
    parts[:, :32] = np.where(mask_of(parts[:, :32], HEAD_PARTS), BACKGROUND, parts[:, :32])
    c2w = take.c2w.clone()
    c2w[::2, 0, 3] += 0.02
    plate = np.clip(take.background.astype(int) + 10, 0, 255).astype(np.uint8)
    eye, landmarks = take.eye.roll(7, dims=0), take.landmarks_px.roll(7, dims=0)  # 0.28 s late
    faulty = replace(take, parts=parts, c2w=c2w, background=plate, eye=eye, landmarks_px=landmarks)
    found = tracked_figures(faulty, truth)
    assert found["iou_head"] < 0.8 and found["iou_person"] == 1.0
    assert found["jitter_x"] > 1.5
    assert found["plate_psnr_db"] == pytest.approx(20 * np.log10(255 / 10), abs=0.2)
    assert found["eye_corr"] < 0.5 and found["mouth_track_corr"] < 0.5


def test_regions_are_marked_apart(truth):
    wanted, index = truth.frames, 3
    found = wanted[index].copy()
    box = Box(24, 36, 16, 12)
    box.cut(found)[:] = 255 - box.cut(found)
    figures = region_figures({index: found}, wanted, truth.parts, [box] * len(truth))
    assert figures["hair_psnr_db"] == PSNR_CEILING_DB
    assert figures["mouth_psnr_db"] < figures["face_psnr_db"] < PSNR_CEILING_DB
    clean = region_figures({index: wanted[index]}, wanted, truth.parts, [box] * len(truth))
    assert clean["mouth_sharpness"] == pytest.approx(1.0) and clean["seam"] == PSNR_CEILING_DB


def test_pauses_are_silent_and_as_long_as_said():
    speech = np.ones(16_000 * 7, np.float32)
    wav, frames = pauses(speech)
    assert len(wav) == 16_000 * 2 * (SPOKEN_S + SILENT_S) and wav.sum() == 16_000 * 2 * SPOKEN_S
    for frame in frames:
        middle = wav[round((frame + 0.5) * 640 - LIPS_CLOSE_S * 16_000) : round((frame + 0.5) * 640)]
        assert not middle.any()
    assert 12 <= len(frames) <= 14
