"""The loudness baseline finds what loudness tells, and nothing where it tells nothing."""

from __future__ import annotations

import numpy as np

from talker.core.metrics import pearson
from talker.evaluation.loudness import LoudnessModel, log_energy

RATE = 640  # samples of a frame


def spoken(opening: np.ndarray, seed: int) -> np.ndarray:
    """Noise as loud as the mouth is open, two frames late."""
    late = np.roll(opening, 2)
    return np.repeat(late, RATE) * np.random.default_rng(seed).standard_normal(len(opening) * RATE)


def opening(seed: int) -> np.ndarray:
    noise = np.random.default_rng(seed).standard_normal(404)
    return np.abs(np.convolve(noise, np.ones(5) / 5, mode="valid"))


def test_log_energy_in_bins_of_20_ms_is_padded_with_silence():
    energy = log_energy(np.full(RATE, 0.5), frames=2)
    assert np.allclose(energy, np.log([0.5 + 1e-4, 0.5 + 1e-4, 1e-4, 1e-4]))


def test_unseen_speech_is_predicted_from_its_loudness():
    model = LoudnessModel.fit(spoken(opening(0), 0), opening(0))
    assert pearson(model.predict(spoken(opening(1), 1), 400), opening(1)) > 0.8


def test_a_track_that_loudness_does_not_tell_is_not_predicted():
    model = LoudnessModel.fit(spoken(opening(0), 0), opening(2))
    assert abs(pearson(model.predict(spoken(opening(1), 1), 400), opening(3))) < 0.3
