"""How loud speech is, of a whole recording and as it comes in."""

from __future__ import annotations

import numpy as np
import pytest

from talker.core.types import AUDIO_RATE_HZ
from talker.take.loudness import SPEECH_RMS, RunningLoudness, measure_loudness


def speech(seconds: float, rms: float, silent_share: float = 0.3) -> np.ndarray:
    """Noise, and a pause in every second."""
    generator = np.random.default_rng(0)
    loud = generator.normal(0, rms, round(seconds * AUDIO_RATE_HZ))
    pause = np.arange(len(loud)) % AUDIO_RATE_HZ < silent_share * AUDIO_RATE_HZ
    return np.where(pause, loud / 1000, loud).astype(np.float32)


@pytest.mark.parametrize("size", [1, 319, 320, 5000, 100_000])
def test_a_level_does_not_depend_on_the_blocks(size: int):
    wav = speech(0.4 if size == 1 else 3.01, 0.02)
    loudness = measure_loudness(wav[first : first + size] for first in range(0, len(wav), size))
    assert loudness.samples == len(wav) and loudness.peak == np.abs(wav).max()
    assert loudness.mean == pytest.approx(float(wav.mean()), abs=1e-6)
    assert loudness.deviation == pytest.approx(float(wav.std()), rel=1e-4)
    # The louder half of all pieces of 20 ms, in plain loops.
    padded = [*wav, *[0.0] * (-len(wav) % 320)]
    powers = sorted(sum(float(x) ** 2 for x in padded[at : at + 320]) / 320 for at in range(0, len(padded), 320))
    louder = powers[len(powers) // 2 :]
    assert loudness.gain == pytest.approx(SPEECH_RMS / (sum(louder) / len(louder)) ** 0.5, rel=1e-5)


def test_silence_has_no_level():
    for nothing in ([], [np.zeros(0, np.float32)], [np.zeros(1000, np.float32)]):
        loudness = measure_loudness(nothing)
        assert (loudness.gain, loudness.peak, loudness.deviation) == (1.0, 0.0, 0.0)


@pytest.mark.parametrize("rms", [0.01, 0.05, 0.3])
def test_a_running_level_finds_the_recordings(rms: float):
    wav = speech(10.0, rms)
    running, gains = RunningLoudness(), []
    for first in range(0, len(wav), 700):
        running.hear(wav[first : first + 700])
        gains.append(running.gain)
    expected = measure_loudness([wav]).gain
    after_2_s = gains[2 * AUDIO_RATE_HZ // 700 :]
    assert np.abs(20 * np.log10(np.array(after_2_s) / expected)).max() < 4.0
    assert abs(20 * np.log10(gains[-1] / expected)) < 1.0
    assert np.abs(np.diff(20 * np.log10(gains))).max() < 6.0  # dB from one block to the next


def test_a_pause_does_not_turn_the_noise_up():
    running = RunningLoudness()
    running.hear(speech(5.0, 0.05))
    before = running.gain
    running.hear(np.random.default_rng(1).normal(0, 1e-4, 20 * AUDIO_RATE_HZ).astype(np.float32))
    assert running.gain == pytest.approx(before, rel=0.1)
    running.hear(np.random.default_rng(1).normal(0, 1e-4, 40 * AUDIO_RATE_HZ).astype(np.float32))
    assert running.gain == pytest.approx(1.0)  # the speech is forgotten, and the noise still is not speech


def test_a_noisy_room_is_no_speech_beside_a_loud_voice():
    running = RunningLoudness()
    running.hear(speech(5.0, 0.3, silent_share=0.0))
    before = running.gain
    running.hear(np.random.default_rng(1).normal(0, 7e-3, 20 * AUDIO_RATE_HZ).astype(np.float32))
    assert running.gain == pytest.approx(before, rel=0.05) and all(running.silent(range(300, 1200)))


def test_silence_is_a_quiet_that_lasts():
    running = RunningLoudness()
    loud, quiet = speech(1.0, 0.05, silent_share=0.0), np.full(AUDIO_RATE_HZ, 1e-3, np.float32)
    running.hear(np.concatenate([loud, quiet[:1600], loud, quiet]))  # a closure of 0.1 s; then a pause
    silent = np.flatnonzero(running.silent(range(155)))
    assert silent.tolist() == list(range(50 + 5 + 50 + 9, 155))
