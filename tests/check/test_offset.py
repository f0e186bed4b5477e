"""Sound against lips: the demo speaker's own mouth, with the sound moved by known amounts."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import pytest

from talker.check.lips import choose_stretch, face_crop
from talker.check.offset import PLAIN_R, REACH_S, Offset, estimate_offset, peak
from talker.speaker.speech import speak
from talker.speaker.visemes import mouth_shapes, viseme_track
from talker.types import AUDIO_RATE_HZ, FEATURE_RATE_HZ, FPS

SECONDS = 15.0
LEAD_S = 0.8  # of speech before the first picture


@lru_cache
def speaker(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Landmarks [B, 68, 2] of a face that says something, as a detector sees them; and the sound."""
    wav, phones, _ = speak(SECONDS + 4.0, seed)
    times_s = LEAD_S + (np.arange(round(SECONDS * FPS)) + 0.5) / FPS
    opening = np.array([mouth_shapes(weights).get("jawOpen", 0.0) for weights in viseme_track(phones, times_s)])
    landmarks = np.zeros((len(times_s), 68, 2))
    landmarks[:, 16, 0] = 100.0
    landmarks[:, (65, 66, 67), 1] = (30.0 * opening)[:, None]
    return landmarks + np.random.default_rng(seed).normal(0.0, 0.4, landmarks.shape), wav


def estimated(landmarks: np.ndarray, wav: np.ndarray, late_s: float) -> Offset:
    first = round((LEAD_S - REACH_S - late_s) * AUDIO_RATE_HZ)
    padded = np.pad(wav, (AUDIO_RATE_HZ, AUDIO_RATE_HZ))[first + AUDIO_RATE_HZ :]
    return estimate_offset(landmarks, padded[: round((len(landmarks) / FPS + 2 * REACH_S) * AUDIO_RATE_HZ)])


@pytest.mark.parametrize("late_s", [0.0, 0.2, -0.2, 0.5])
def test_the_offset_is_found(late_s):
    landmarks, wav = speaker(1)
    offset = estimated(landmarks, wav, late_s)
    assert offset.is_sure and offset.offset_s == pytest.approx(late_s, abs=0.03)


@pytest.mark.parametrize("seconds", [9.0, 10.0, 12.6])
def test_a_short_clip_that_follows_plainly_is_believed(seconds):
    landmarks, wav = speaker(1)
    offset = estimated(landmarks[: round(seconds * FPS)], wav, 0.2)
    assert offset.is_sure and offset.offset_s == pytest.approx(0.2, abs=0.03) and not np.isfinite(offset.spread_s)
    shorter = estimated(landmarks[: round(8.9 * FPS)], wav, 0.2)
    assert shorter.correlation > PLAIN_R and not shorter.is_long_enough and not shorter.is_sure


def test_pictures_without_a_face_are_left_out():
    landmarks, wav = speaker(1)
    gappy = landmarks.copy()
    gappy[40:70] = np.nan
    assert estimated(gappy, wav, 0.2).offset_s == pytest.approx(0.2, abs=0.03)


def test_other_peoples_sound_is_never_sure():
    for lips, voice in ((1, 2), (2, 3), (3, 1)):
        assert not estimated(speaker(lips)[0], speaker(voice)[1], 0.0).is_sure
        assert not estimated(speaker(lips)[0][:225], speaker(voice)[1], 0.0).is_sure


def test_too_few_pictures_and_closed_lips_are_never_sure():
    landmarks, wav = speaker(1)
    assert not estimated(landmarks[:200], wav, 0.0).is_sure
    assert not estimated(np.full_like(landmarks, np.nan), wav, 0.0).is_sure
    assert not estimated(np.broadcast_to(landmarks[:1], landmarks.shape), wav, 0.0).is_sure
    assert not estimated(landmarks, np.zeros_like(wav), 0.0).is_sure


def test_a_peak_between_two_lags():
    lags_s = np.arange(-5, 6) * 0.04
    assert peak(lags_s, -((lags_s - 0.053) ** 2)) == pytest.approx(0.053)
    assert peak(lags_s, lags_s) == pytest.approx(0.2)


def test_the_stretch_holds_speech_a_face_and_no_cut():
    levels = np.full(60 * FEATURE_RATE_HZ, -70.0)
    levels[30 * FEATURE_RATE_HZ : 48 * FEATURE_RATE_HZ] = -20.0
    faces = np.ones(300, bool)
    start_s, end_s = choose_stretch((10.0, 70.0), levels, -20.0, faces, [], 15.0)
    assert 40.0 <= start_s <= 43.0 and end_s - start_s == 15.0
    assert choose_stretch((10.0, 70.0), levels, -20.0, faces, [42.5], 15.0)[0] == pytest.approx(43.0, abs=0.51)
    faces[150:200] = False
    start_s, _ = choose_stretch((10.0, 70.0), levels, -20.0, faces, [], 15.0)
    assert start_s >= 43.0
    assert choose_stretch((0.0, 5.0), levels[:250], -20.0, faces, [], 15.0) == (0.0, 5.0)


def test_the_crop_holds_the_faces_travels():
    boxes = np.array([[100.0, 100, 200, 200], [150, 120, 250, 220], [np.nan] * 4])
    crop = face_crop(boxes, (640, 480))
    assert crop.x0 <= 100 and crop.x0 + crop.side >= 250 and crop.side < 320
    assert face_crop(boxes[2:], (640, 480)) is None
    assert face_crop(boxes, (256, 256)).side <= 256
