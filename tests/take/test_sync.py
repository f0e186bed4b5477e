"""Sound against lips: the demo speaker's own mouth, with the sound moved by known amounts."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import pytest
from safetensors.torch import load_file

from talker.core.errors import Missing
from talker.core.types import AUDIO_RATE_HZ, FPS
from talker.speaker.head import HeadState, head_model
from talker.speaker.speech import speak
from talker.speaker.visemes import VISEMES, mouth_shapes, viseme_track
from talker.take import lips_from_speech
from talker.take.audio import channels_of
from talker.take.lips_from_speech import ENCODERS, WEIGHTS, LipsFromSpeech, lip_measures, plain_encoder
from talker.take.sync import LEAST_S, REACH_S, Offset, correlations, estimate_offset, filled, peak, without_drift

SECONDS = 15.0
LEAD_S = 0.8  # of speech before the first picture


@lru_cache
def ear() -> LipsFromSpeech:
    """By the encoder that every machine has."""
    return LipsFromSpeech(plain_encoder("viseme"), load_file(str(WEIGHTS))["viseme"])


@lru_cache
def faces() -> np.ndarray:  # [V, 68, 2]
    """The demo speaker in every viseme, from the front, about 100 px wide."""
    heads = [head_model().pose(HeadState(mouth_shapes(weights))) for weights in np.eye(len(VISEMES), dtype=np.float32)]
    return 100.0 * np.stack([head.landmarks_head[:, :2] for head in heads])


@lru_cache
def speaker(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Landmarks [B, 68, 2] of a face that says something, as a detector sees them; and the sound."""
    wav, phones, _ = speak(SECONDS + 4.0, seed)
    times_s = LEAD_S + (np.arange(round(SECONDS * FPS)) + 0.5) / FPS
    landmarks = np.einsum("bv,vpc->bpc", viseme_track(phones, times_s), faces())
    return landmarks + np.random.default_rng(seed).normal(0.0, 0.4, landmarks.shape), wav


def estimated(landmarks: np.ndarray, wav: np.ndarray, late_s: float, around_s: float = REACH_S) -> Offset:
    first = round((LEAD_S - around_s - late_s) * AUDIO_RATE_HZ)
    padded = np.pad(wav, (AUDIO_RATE_HZ, AUDIO_RATE_HZ))[first + AUDIO_RATE_HZ :]
    sound = padded[: round((len(landmarks) / FPS + 2 * around_s) * AUDIO_RATE_HZ)]
    return estimate_offset(landmarks, sound, around_s, ear())


@pytest.mark.parametrize("late_s", [0.0, 0.2, -0.2, 0.5])
def test_the_offset_is_found(late_s):
    landmarks, wav = speaker(1)
    offset = estimated(landmarks, wav, late_s)
    assert offset.is_sure and offset.offset_s == pytest.approx(late_s, abs=0.03)
    assert offset.at(round(late_s / 0.04) * 0.04) > 0.6 > 0.3 > offset.at(late_s - 0.28)


@pytest.mark.parametrize("late_s", [0.0, 0.2, -0.2])
@pytest.mark.parametrize("first", [0, 120, 240])
def test_four_seconds_with_no_sound_around_them_suffice(late_s, first):
    landmarks, wav = speaker(2)
    piece = landmarks[first : first + round(LEAST_S * FPS)]
    offset = estimated(piece, wav[round(first / FPS * AUDIO_RATE_HZ) :], late_s, around_s=0.0)
    assert offset.is_sure and offset.offset_s == pytest.approx(late_s, abs=0.04)
    shorter = estimated(piece[:-1], wav[round(first / FPS * AUDIO_RATE_HZ) :], late_s)
    assert not shorter.is_long_enough and not shorter.is_sure


def test_pictures_without_a_face_are_left_out():
    landmarks, wav = speaker(1)
    gappy = landmarks.copy()
    gappy[40:70] = np.nan
    offset = estimated(gappy, wav, 0.2)
    assert offset.offset_s == pytest.approx(0.2, abs=0.03) and offset.seen_s == pytest.approx(SECONDS - 1.2)


def test_other_peoples_sound_is_never_sure():
    for lips, voice in ((1, 2), (2, 3), (3, 1)):
        assert not estimated(speaker(lips)[0], speaker(voice)[1], 0.0).is_sure
        assert not estimated(speaker(lips)[0][:225], speaker(voice)[1], 0.0).is_sure


def test_closed_lips_silence_and_nobody_are_never_sure():
    landmarks, wav = speaker(1)
    assert not estimated(np.full_like(landmarks, np.nan), wav, 0.0).is_sure
    assert not estimated(np.broadcast_to(landmarks[:1], landmarks.shape), wav, 0.0).is_sure
    assert not estimated(landmarks, np.zeros_like(wav), 0.0).is_sure


def test_what_has_to_be_told_is_less_the_longer_it_is_seen_and_more_the_farther_it_lies():
    lags_s = np.arange(-REACH_S, REACH_S + 0.02, 0.04)

    def told(height: float, late_s: float, seen_s: float) -> bool:
        return Offset(lags_s, height * np.exp(-(((lags_s - late_s) / 0.08) ** 2)), seen_s).is_sure

    assert told(0.30, 0.0, 4.0) and not told(0.25, 0.0, 4.0) and told(0.26, 0.0, 9.0)
    assert not told(0.30, 0.4, 4.0) and told(0.40, 0.4, 4.0)
    assert not told(0.20, 0.0, 60.0) and not told(0.9, 0.8, 15.0) and not told(0.9, 0.0, 3.9)


def test_the_better_encoder_is_taken_where_its_weights_are(monkeypatch):
    def there(*names: str) -> str:
        def load(name: str):
            if name not in names:
                raise Missing("no weights")
            return plain_encoder("viseme")

        monkeypatch.setattr(lips_from_speech, "plain_encoder", load)
        return LipsFromSpeech.load()

    maps = load_file(str(WEIGHTS))
    assert set(maps) == set(ENCODERS)
    for name, map_ in maps.items():
        assert map_.shape == (len(lips_from_speech.TAPS), channels_of(name), lips_from_speech.LIPS)
    assert there("viseme")._weights.shape == maps["viseme"].shape
    assert there("hama", "viseme")._weights.shape == maps["hama"].shape


def test_measures_know_no_size_and_no_place():
    face = faces()[VISEMES.index("aa")]
    assert lip_measures(3.0 * face + 50.0) == pytest.approx(lip_measures(face))
    aa, pp, o, e = (lip_measures(faces()[VISEMES.index(name)]) for name in ("aa", "PP", "O", "E"))
    assert aa[0] > 3 * pp[0] and aa[2] > pp[2] and o[1] < e[1]


def test_gaps_are_bridged_and_drift_is_taken_out():
    track = np.arange(10.0)[:, None] ** [1.0, 0.0]
    there = np.ones(10, bool)
    there[[0, 4, 5]] = False
    assert filled(track, there)[1:] == pytest.approx(track[1:]) and filled(track, there)[0, 0] == 1.0
    slow = np.sin(np.arange(250) / 60.0)[:, None]
    quick = np.sin(np.arange(250) / 0.9)[:, None]
    assert np.abs(without_drift(slow, FPS)).max() < 0.06 and without_drift(quick, FPS).std() > 0.6


def test_correlations_are_pearsons_and_zero_for_what_stands_still():
    one, other = np.random.default_rng(0).normal(size=(2, 50, 3))
    other[:, 2] = 1.0
    wanted = [np.corrcoef(one[:, 0], other[:, 0])[0, 1], np.corrcoef(one[:, 1], other[:, 1])[0, 1], 0.0]
    assert correlations(one, other) == pytest.approx(wanted)


def test_a_peak_between_two_lags():
    lags_s = np.arange(-5, 6) * 0.04
    assert peak(lags_s, -((lags_s - 0.053) ** 2)) == pytest.approx(0.053)
    assert peak(lags_s, lags_s) == pytest.approx(0.2)
