"""Log-mel energies: their timing, their bands."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from talker.core.types import AUDIO_RATE_HZ
from talker.take.loudness import WholeLoudness
from talker.take.mel import MelStream, mel_bank
from talker.take.pieces import feature_count

PLAIN = WholeLoudness(samples=0, peak=1.0, gain=1.0, mean=0.0, deviation=1.0)


def log_mel(wav: np.ndarray) -> np.ndarray:
    stream = MelStream(PLAIN)
    return torch.cat([stream.push(wav), stream.finish()]).numpy()


def test_features_cover_the_recording_at_50_hz():
    assert [feature_count(n) for n in (0, 1, 320, 321, 16000)] == [1, 1, 1, 2, 50]
    wav = np.random.default_rng(0).normal(0, 0.1, 2 * AUDIO_RATE_HZ).astype(np.float32)
    for samples in (0, 100, 16000, 16001):
        assert log_mel(wav[:samples]).shape == (feature_count(samples), 160)


def test_a_click_is_heard_in_its_own_feature():
    wav = np.zeros(AUDIO_RATE_HZ, np.float32)
    for feature in (7, 31):
        wav[:] = 0.0
        wav[feature * 320 + 160] = 1.0  # in the middle of the feature's 20 ms
        energy = log_mel(wav).reshape(-1, 2, 80).sum(axis=(1, 2))
        assert energy.argmax() == feature
        assert energy[feature - 1] == pytest.approx(energy[feature + 1], abs=0.05 * abs(energy[feature]))


def test_the_bands_are_slaneys():
    bank = mel_bank()
    assert bank.shape == (80, 257) and bank.dtype == np.float32
    librosa = pytest.importorskip("librosa")
    assert bank == pytest.approx(librosa.filters.mel(sr=AUDIO_RATE_HZ, n_fft=512, n_mels=80, fmin=40.0), abs=1e-8)


@pytest.mark.parametrize("tone_hz", [300.0, 1000.0, 3000.0, 7000.0])
def test_a_tone_is_loudest_in_its_own_band(tone_hz: float):
    wav = np.sin(2 * np.pi * tone_hz * np.arange(4000) / AUDIO_RATE_HZ).astype(np.float32)
    loudest = log_mel(wav)[5, :80].argmax()
    centre_hz = (mel_bank() * np.linspace(0, 8000, 257)).sum(1) / mel_bank().sum(1)
    assert abs(centre_hz[loudest] - tone_hz) == np.abs(centre_hz - tone_hz).min()
