"""The network that hears visemes: what it knows, what it looks at, and that it keeps the mouth shut."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from talker.core.metrics import pearson
from talker.core.types import AUDIO_RATE_HZ, FEATURE_RATE_HZ
from talker.speaker.lexicon import phones_of
from talker.speaker.speech import Voice, say_phones, speak
from talker.speaker.visemes import VISEMES, viseme_track
from talker.take import viseme
from talker.take.audio import VisemeEncoder
from talker.take.loudness import RunningLoudness, measure_loudness
from tests.threads import one_thread as one_thread

CLOSED = VISEMES.index("sil")
OPEN = [VISEMES.index(name) for name in ("aa", "E", "O")]


def heard_visemes(wav: np.ndarray) -> np.ndarray:  # [T, 15]
    stream = viseme.VisemeStream(measure_loudness([wav]), viseme.load_net())
    return torch.cat([stream.push(wav), stream.finish()])[:, viseme.SILENCE :].numpy()


def true_visemes(phones, count: int) -> np.ndarray:  # [T, 15]
    return viseme_track(phones, (np.arange(count) + 0.5) / FEATURE_RATE_HZ)


def test_the_demo_speakers_visemes_are_heard_in_speech_that_was_never_heard():
    wav, phones, _ = speak(10.0, seed=4321)
    found = heard_visemes(wav)
    wanted = true_visemes(phones, len(found))
    assert len(VISEMES) == viseme.VISEMES == found.shape[1]
    for index, name in enumerate(VISEMES):
        assert pearson(found[:, index], wanted[:, index]) > 0.8, name
    assert pearson(found[:, OPEN].sum(1), wanted[:, OPEN].sum(1)) > 0.93


@pytest.mark.parametrize("voice", [Voice(pitch_hz=230.0, tract=1.2, breath=0.05), Voice(pitch_hz=85.0, tract=0.9)])
def test_other_voices_are_understood_in_noise_and_at_any_level(voice: Voice):
    generator = np.random.default_rng(3)
    text = "my mother bought the yellow boat now but the judge saw five people before you move"
    wav, phones = say_phones(phones_of(text), voice=voice, generator=generator)
    wanted = true_visemes(phones, len(heard_visemes(wav)))[:, OPEN].sum(1)
    noisy = 0.01 * (wav + 0.05 * wav.std() * generator.standard_normal(len(wav)))
    for sound in (wav, noisy.astype(np.float32)):
        assert pearson(heard_visemes(sound)[:, OPEN].sum(1), wanted) > 0.88


@pytest.mark.parametrize("noise", [0.0, 3e-4, 3e-3])
def test_the_mouth_is_closed_in_silence(noise: float):
    """Before, between and after sentences; speech itself has an RMS of 0.1."""
    pause = np.zeros(AUDIO_RATE_HZ, np.float32)
    wav = np.concatenate([pause, speak(3.0, seed=5)[0], pause, speak(3.0, seed=6)[0], pause])
    wav = wav + noise * np.random.default_rng(0).standard_normal(len(wav)).astype(np.float32)
    found = heard_visemes(wav)
    for first_s in (0.0, 4.0, 8.0):  # half a second in the middle of each pause
        quiet = found[round((first_s + 0.3) * FEATURE_RATE_HZ) : round((first_s + 0.8) * FEATURE_RATE_HZ)]
        assert quiet[:, CLOSED].min() > 0.9, first_s


@pytest.mark.parametrize("noise", [0.0, 1e-3, 0.1])
def test_where_nobody_speaks_at_all_the_mouth_stays_closed(noise: float):
    wav = noise * np.random.default_rng(0).standard_normal(2 * AUDIO_RATE_HZ).astype(np.float32)
    assert heard_visemes(wav)[:, CLOSED].min() > 0.85


def test_nothing_begins_or_ends_at_the_edges():
    """Without any sound, every feature is like the next."""
    encoder = VisemeEncoder().fit(speak(2.0, seed=1)[0])
    features = encoder.encode(np.zeros(AUDIO_RATE_HZ, np.float32))
    assert torch.allclose(features, features[:1].expand_as(features), atol=1e-4)


def test_a_feature_depends_on_its_past_and_the_look_ahead_that_is_stated_only():
    wav, feature = speak(2.0, seed=8)[0], 50

    class Unity:
        gain, mean, deviation = 1.0, 0.0, 1.0

    def after_changing(sample: int) -> bool:
        changed = wav.copy()
        changed[sample] += 0.5
        streams = [viseme.VisemeStream(Unity, viseme.load_net()) for _ in range(2)]
        one, other = (stream.push(sound)[feature] for stream, sound in zip(streams, (wav, changed), strict=True))
        return not torch.equal(one, other)

    last = (feature + 1) * AUDIO_RATE_HZ // FEATURE_RATE_HZ + viseme.LOOKAHEAD_SAMPLES
    assert VisemeEncoder.lookahead_s == viseme.LOOKAHEAD_SAMPLES / AUDIO_RATE_HZ == pytest.approx(0.131)
    assert after_changing(last - 70) and not after_changing(last)  # 70: the window's faint end
    earliest = (feature - viseme.PAST) * AUDIO_RATE_HZ // FEATURE_RATE_HZ
    assert after_changing(earliest) and not after_changing(earliest - AUDIO_RATE_HZ // FEATURE_RATE_HZ)


def test_pauses_are_what_the_encoder_says_they_are():
    wav, phones, _ = speak(12.0, seed=2)
    encoder = VisemeEncoder().fit(wav)
    features = encoder.encode(wav)
    silent = true_visemes(phones, len(features))[:, CLOSED]
    assert silent[encoder.speaking(features).argsort()[:30]].min() > 0.8


def test_live_sound_gives_what_a_file_gives():
    """But for the level, which an estimate gives that runs along."""
    wav = speak(6.0, seed=3)[0]
    loudness = RunningLoudness()
    stream = viseme.VisemeStream(loudness, viseme.load_net())
    found = []
    for first in range(0, len(wav), 640):
        loudness.hear(wav[first : first + 640])
        found.append(stream.push(wav[first : first + 640]))
    found = torch.cat([*found, stream.finish()])[:, viseme.SILENCE :].numpy()
    whole = heard_visemes(wav)
    assert pearson(found[100:, OPEN].sum(1), whole[100:, OPEN].sum(1)) > 0.98
