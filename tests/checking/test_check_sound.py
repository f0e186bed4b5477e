"""Level, band, noise, echo and music: heard where they are, and only there."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import pytest
from scipy.signal import fftconvolve, resample_poly

from talker.checking.findings import CLIPPED_SHARE, ECHO_STRENGTH, FAINT_DB, MUSIC_SHARE, NOISY_DB, ROOM_TAIL
from talker.checking.sound import Sound, clipped_samples, listen
from talker.core.types import AUDIO_RATE_HZ
from talker.speaker.speech import speak

SECONDS = 24


@lru_cache
def speech() -> np.ndarray:
    return 0.3 * speak(SECONDS, seed=3)[0]


def heard(wav: np.ndarray) -> Sound:
    return listen(np.array_split(wav.astype(np.float32), 7))


def troubles(sound: Sound) -> set[str]:
    found = {
        "faint": sound.speech_db < FAINT_DB,
        "clipped": sound.clipped_share > CLIPPED_SHARE,
        "noise": sound.speech_db - sound.noise_db < NOISY_DB,
        "copy": sound.echo_strength > ECHO_STRENGTH,
        "room": sound.room_tail > ROOM_TAIL,
        "music": sound.tonal_share > MUSIC_SHARE,
        "narrow": sound.is_narrow,
    }
    return {name for name, there in found.items() if there}


def noise(level: float) -> np.ndarray:
    return level * np.random.default_rng(0).normal(size=len(speech()))


def room(decay_s: float) -> np.ndarray:
    """An impulse response: the direct sound, and noise that dies away with half its power."""
    count = round(decay_s * AUDIO_RATE_HZ)
    tail = np.random.default_rng(1).normal(size=count) * 10.0 ** (-3.0 * np.arange(count) / count)
    tail *= np.sqrt(0.5 / (tail**2).sum())
    tail[0] += 1.0
    return tail


def chords() -> np.ndarray:
    """Three notes at a time, each with its overtones, changing twice a second."""
    generator, half = np.random.default_rng(2), AUDIO_RATE_HZ // 2
    time_s = np.arange(half) / AUDIO_RATE_HZ
    bars = []
    for _ in range(2 * SECONDS):
        notes = generator.choice([220, 247, 262, 294, 330, 349, 392, 440], 3)
        bars.append(sum(np.sin(2 * np.pi * note * k * time_s) / k for note in notes for k in range(1, 6)))
    return np.concatenate(bars)


def test_clean_speech_has_no_trouble():
    assert troubles(heard(speech())) == set()
    assert heard(speech()).tonal_share < 0.02


@pytest.mark.parametrize(
    ("change", "trouble"),
    [
        (lambda wav: 0.01 * wav, {"faint"}),
        (lambda wav: np.clip(20.0 * wav, -1.0, 1.0), {"clipped"}),
        (lambda wav: resample_poly(resample_poly(wav, 1, 2), 2, 1), {"narrow"}),
        (lambda wav: wav + noise(0.2 * np.sqrt((wav**2).mean())), {"noise"}),
        (lambda wav: wav + 0.4 * np.pad(wav, (3200, 0))[: len(wav)], {"copy"}),
        (lambda wav: fftconvolve(wav, room(0.7))[: len(wav)], {"room"}),
        (lambda wav: wav + 0.05 * np.sqrt((wav**2).mean()) * chords()[: len(wav)], {"music"}),
    ],
    ids=["faint", "clipped", "8 kHz", "noise", "copy", "room", "music"],
)
def test_each_trouble_is_heard_and_no_other(change, trouble):
    assert troubles(heard(change(speech()))) == trouble


def test_a_copy_is_heard_when_it_comes():
    delayed = speech() + 0.3 * np.pad(speech(), (round(0.21 * AUDIO_RATE_HZ), 0))[: len(speech())]
    sound = heard(delayed)
    assert sound.echo_s == pytest.approx(0.21, abs=1e-3) and sound.echo_strength == pytest.approx(0.3, abs=0.05)


def test_levels_are_decibels_of_full_scale():
    tone = np.sin(2 * np.pi * 300 * np.arange(3 * AUDIO_RATE_HZ) / AUDIO_RATE_HZ)
    assert heard(0.1 * tone).speech_db == pytest.approx(-23.0, abs=0.1)


def test_pieces_change_nothing():
    wav = speech().astype(np.float32)
    whole, pieces = listen([wav]), listen(np.array_split(wav, 24))
    assert whole.speech_db == pytest.approx(pieces.speech_db, abs=0.01)
    assert abs(whole.room_tail - pieces.room_tail) < 1.0 and whole.clipped_share == pieces.clipped_share


def test_silence_and_next_to_nothing():
    assert heard(np.zeros(4 * AUDIO_RATE_HZ)).speech_db < -90
    assert listen([np.zeros(100, np.float32)]).speech_db < -90
    assert listen([]).tonal_share == 0.0


def test_single_peaks_are_not_clipping():
    wav = np.zeros(100)
    wav[[3, 7, 11]] = 1.0
    assert clipped_samples(wav) == 0
    wav[40:45] = -1.0
    assert clipped_samples(wav) == 5
