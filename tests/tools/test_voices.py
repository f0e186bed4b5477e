"""Voices that do not exist, and the network that learns from them."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from talker.core.types import AUDIO_RATE_HZ
from talker.speaker.speech import DEMO_VOICE, Voice, say_phones, say_sentence
from talker.take import viseme
from tools import train_visemes
from tools.train_visemes import PHONES, Speech, disturbed, mouth_of_visemes, phone_labels, train
from tools.voices import babble, monologue, random_voice, recorded


def spectral_mean_hz(wav: np.ndarray) -> float:
    power = np.abs(np.fft.rfft(wav)) ** 2
    return float((np.fft.rfftfreq(len(wav), 1 / AUDIO_RATE_HZ) * power).sum() / power.sum())


def period_s(wav: np.ndarray) -> float:
    """Of the voice: where the sound is most like itself."""
    shifts = range(AUDIO_RATE_HZ // 260, AUDIO_RATE_HZ // 80)
    return max(shifts, key=lambda shift: np.corrcoef(wav[shift:], wav[:-shift])[0, 1]) / AUDIO_RATE_HZ


def vowel(voice: Voice) -> np.ndarray:
    wav, phones = say_phones(["SIL", "AA", "SIL"], tempo=3.0, voice=voice, generator=np.random.default_rng(0))
    return wav[round(phones[1].start_s * AUDIO_RATE_HZ) : round(phones[1].end_s * AUDIO_RATE_HZ)]


def test_a_voice_is_as_high_and_as_bright_as_it_says():
    low, high = vowel(Voice(pitch_hz=100.0)), vowel(Voice(pitch_hz=200.0))
    assert period_s(high) == pytest.approx(0.5 * period_s(low), rel=0.1)
    long, short = (spectral_mean_hz(vowel(Voice(tract=tract))) for tract in (0.9, 1.2))
    assert short > 1.15 * long
    moved = Voice(accent={"AA": (0.5, 0.8, 1.0)})
    assert spectral_mean_hz(vowel(moved)) < 0.8 * spectral_mean_hz(vowel(DEMO_VOICE))


def test_voices_change_the_sound_and_not_the_times():
    saying = [
        say_phones(["SIL", "B", "AA", "S", "SIL"], voice=voice, generator=np.random.default_rng(1))
        for voice in (DEMO_VOICE, Voice(pitch_hz=210.0, tract=1.2, stress=0.0))
    ]
    assert saying[0][1] == saying[1][1] and not np.allclose(saying[0][0], saying[1][0], atol=0.1)


def test_a_recording_is_the_seeds():
    def take(seed: int):
        generator = np.random.default_rng(seed)
        wav, phones = monologue(5.0, generator)
        return recorded(wav, generator), phones

    (first, phones), (again, _), (other, _) = take(3), take(3), take(4)
    assert len(first) == 5 * AUDIO_RATE_HZ and np.isfinite(first).all()
    np.testing.assert_array_equal(first, again)
    assert not np.allclose(first, other)
    for before, after in zip(phones, phones[1:], strict=False):
        assert after.start_s == pytest.approx(before.end_s) and before.end_s > before.start_s
    assert phones[0].start_s == 0.0 and phones[-1].end_s >= 5.0


def test_babble_and_voices_hold_what_the_synthesiser_knows():
    generator = np.random.default_rng(0)
    said = [phone for _ in range(100) for phone in babble(generator)]
    assert set(said) == set(PHONES)
    assert len({random_voice(generator).pitch_hz for _ in range(5)}) == 5


def test_labels_and_lips_are_where_they_belong():
    _, phones = say_sentence("baby", generator=np.random.default_rng(0))
    labels = phone_labels(phones, 60)
    middle = round(25 * (phones[2].start_s + phones[2].end_s))
    assert PHONES[labels[0]] == "SIL" and PHONES[labels[middle]] == phones[2].name == "EY"
    lips = mouth_of_visemes()
    assert not lips[0].any() and lips.square().sum(dim=1).mean() == pytest.approx(1.0, rel=1e-4)


def test_a_disturbed_piece_keeps_its_shape_and_stays_above_the_floor():
    mel = torch.randn(4, 50, 160) * 2 - 7
    found = disturbed(mel, torch.Generator().manual_seed(0))
    assert found.shape == mel.shape and found.min() >= np.log(1e-6) - 1e-5
    again = disturbed(mel, torch.Generator().manual_seed(0))
    assert torch.equal(found, again) and not torch.allclose(found, mel, atol=0.1)


def test_a_few_steps_teach_something_and_the_same_things(monkeypatch: pytest.MonkeyPatch, capsys):
    for name, value in {"RECORDING_S": 3.0, "PIECE": 80, "BATCH": 2, "HELD_OUT": 1, "WARM_UP_STEPS": 1}.items():
        monkeypatch.setattr(train_visemes, name, value)
    monkeypatch.setattr(viseme, "WIDTH", 32)
    speech = Speech.make(3, seed=1)
    assert speech.mel.shape == (3, 150, 160) and speech.visemes.float().sum(-1).max() < 1.01
    nets = [train(speech, steps, seed=0) for steps in (1, 30, 30)]
    unexplained = [float(line.rsplit(" ", 1)[1]) for line in capsys.readouterr().out.splitlines()]
    assert unexplained[1] < 0.95 * unexplained[0] and unexplained[1] == unexplained[2]
    weights = [net.code.weight for net in nets[1:]]
    assert torch.equal(*weights)
