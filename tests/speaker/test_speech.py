from __future__ import annotations

import numpy as np
import pytest

from talker.core.types import AUDIO_RATE_HZ
from talker.speaker.lexicon import PRONUNCIATIONS, WORD_CLASSES, phones_of, random_sentence
from talker.speaker.phonetics import AFFRICATES, CONSONANTS, DIPHTHONGS, STOPS, VOWELS
from talker.speaker.speech import say_sentence, speak
from talker.speaker.visemes import VISEME_OF_PHONE, VISEMES, mouth_shapes, viseme_track


def _spectrum(wav: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    power = np.abs(np.fft.rfft(wav * np.hanning(len(wav)))) ** 2
    return np.fft.rfftfreq(len(wav), 1 / AUDIO_RATE_HZ), power


def _said(wav: np.ndarray, phones: list, name: str) -> np.ndarray:
    phone = max((p for p in phones if p.name == name), key=lambda p: p.end_s - p.start_s)
    return wav[round(phone.start_s * AUDIO_RATE_HZ) : round(phone.end_s * AUDIO_RATE_HZ)]


def test_every_word_and_phone_is_known():
    sounds = {*VOWELS, *DIPHTHONGS, *CONSONANTS, *STOPS, *AFFRICATES}
    assert len(PRONUNCIATIONS) >= 110
    assert PRONUNCIATIONS["coffee"] == ("K", "AO", "F", "IY") and PRONUNCIATIONS["welcome"][-1] == "M"
    for phones in PRONUNCIATIONS.values():
        assert set(phones) <= sounds
    assert sounds - set(DIPHTHONGS) <= set(VISEME_OF_PHONE)
    generator = np.random.default_rng(0)
    for _ in range(200):
        assert phones_of(random_sentence(generator))[0] == "SIL"
    for words in WORD_CLASSES.values():
        assert set(words) <= set(PRONUNCIATIONS)


def test_the_same_seed_says_the_same_and_lengths_are_exact():
    first, again, other = speak(3.3, 5), speak(3.3, 5), speak(3.3, 6)
    assert len(first[0]) == round(3.3 * AUDIO_RATE_HZ) and first[0].dtype == np.float32
    np.testing.assert_array_equal(first[0], again[0])
    assert first[1:] == again[1:] and first[2] != other[2]
    assert np.abs(first[0]).max() <= 0.8 + 1e-6


def test_phones_follow_each_other_without_gaps():
    wav, phones, sentences = speak(8.0, 1)
    for before, after in zip(phones, phones[1:], strict=False):
        assert after.start_s == pytest.approx(before.end_s, abs=1e-9) and before.end_s > before.start_s
    assert sentences[0].start_s == 0.0 and phones[-1].end_s >= len(wav) / AUDIO_RATE_HZ - 1e-9


def test_sounds_have_their_formants_and_hiss():
    wav, phones = say_sentence("see father", generator=np.random.default_rng(2))
    hertz, power = _spectrum(_said(wav, phones, "S"))
    assert 5000 < (hertz * power).sum() / power.sum() < 7000
    for name, second_hz in (("IY", 2250), ("AA", 1090)):
        hertz, power = _spectrum(_said(wav, phones, name))
        band = (hertz > 800) & (hertz < 2700)
        assert abs((hertz * power)[band].sum() / power[band].sum() - second_hz) < 450
    hertz, power = _spectrum(_said(wav, phones, "AA"))
    assert power[hertz < 1500].sum() > 20 * power[hertz > 4000].sum()
    assert np.abs(wav[: int(0.15 * AUDIO_RATE_HZ)]).max() < 0.01  # it begins in silence


def test_visemes_sum_to_one_and_lips_close_for_p():
    _, phones, _ = speak(6.0, 0)
    times = np.arange(150) / 25 + 0.02
    weights = viseme_track(phones, times)
    np.testing.assert_allclose(weights.sum(1), 1.0, atol=1e-2)
    assert weights.min() >= 0
    _, phones = say_sentence("baby apple", generator=np.random.default_rng(0))
    closure = next(p for p in phones if p.name == "P")
    middle = np.array([closure.start_s + 0.3 * (closure.end_s - closure.start_s)])
    assert viseme_track(phones, middle)[0, VISEMES.index("PP")] > 0.7


def test_mouth_shapes_mix_linearly_and_come_in_pairs():
    one, other = np.eye(15)[VISEMES.index("aa")], np.eye(15)[VISEMES.index("U")]
    half = mouth_shapes(0.5 * one + 0.5 * other)
    for name, amount in half.items():
        assert amount == pytest.approx(0.5 * mouth_shapes(one).get(name, 0) + 0.5 * mouth_shapes(other).get(name, 0))
        if name.endswith("Left"):
            assert half[name[:-4] + "Right"] == amount
    assert not any("Both" in name for name in half)
