"""People who do not exist, as microphones hear them: any number of voices, in rooms, in noise, through bad lines.

Notation: T samples at 16 kHz. Every choice is the generator's: same seed, same recording.
"""

from __future__ import annotations

import numpy as np
from scipy.signal import fftconvolve

from talker.core.types import AUDIO_RATE_HZ
from talker.speaker.lexicon import phones_of, random_sentence
from talker.speaker.phonetics import AFFRICATES, CONSONANTS, DIPHTHONGS, STOPS, VOWELS
from talker.speaker.speech import Phone, Voice, say_phones

_SYLLABLE_CORES = (*VOWELS, *DIPHTHONGS)
_SYLLABLE_EDGES = (*CONSONANTS, *STOPS, *AFFRICATES)
_ACCENT_SPREAD = (0.12, 0.10, 0.05)  # of the formants' logarithms, from voice to voice
_RUN_ON_S = 0.3  # what fluent speech leaves out of the pause between sentences
_NOBODY = 0.04  # share of recordings in which nobody speaks
_FAINT_RMS = 0.01
_EQUALISER_HZ = (0, 150, 400, 900, 1800, 3200, 5000, 8000)


def random_voice(generator: np.random.Generator) -> Voice:
    """Men, women and children: the shorter the vocal tract, the higher the voice, more or less."""
    tract = float(np.exp(generator.uniform(np.log(0.88), np.log(1.3))))
    pitch_hz = 110.0 * np.exp(1.9 * (tract - 0.95) + generator.normal(0.0, 0.15))
    return Voice(
        pitch_hz=float(np.clip(pitch_hz, 70.0, 330.0)),
        melody=generator.uniform(0.3, 3.0),
        tract=tract,
        damping=generator.uniform(0.7, 2.2),
        breath=generator.uniform(0.0, 0.08),
        pulse=generator.uniform(0.3, 0.55),
        roughness=generator.uniform(0.004, 0.03),
        slur_s=generator.uniform(0.015, 0.05),
        stress=generator.uniform(0.0, 0.5),
        accent={
            phone: tuple(np.exp(generator.normal(0.0, _ACCENT_SPREAD))) for phone in (*VOWELS, *CONSONANTS, *STOPS)
        },
    )


def babble(generator: np.random.Generator) -> list[str]:
    """Phones in syllables of no language, with silence before and after: what the lexicon's words never hold."""
    names = ["SIL"]
    for _ in range(generator.integers(3, 14)):
        names += generator.choice(_SYLLABLE_EDGES, generator.choice(3, p=(0.15, 0.65, 0.2))).tolist()
        names.append(str(generator.choice(_SYLLABLE_CORES)))
        if generator.uniform() < 0.35:
            names.append(str(generator.choice(_SYLLABLE_EDGES)))
    return [*names, "SIL"]


def monologue(seconds: float, generator: np.random.Generator) -> tuple[np.ndarray, list[Phone]]:
    """One voice, in sentences and babble, fluent or with pauses: sound [T] float32 and its phones."""
    voice, tempo = random_voice(generator), generator.uniform(0.7, 1.25)
    wav = np.zeros(round(seconds * AUDIO_RATE_HZ), np.float32)
    kind = generator.uniform()
    start_s = seconds if kind < _NOBODY else generator.uniform(0.0, 2.0) if kind < 0.3 else 0.0
    phones = [Phone("SIL", 0.0, start_s)] if start_s else []
    while start_s < seconds:
        names = phones_of(random_sentence(generator)) if generator.uniform() < 0.5 else babble(generator)
        sound, said = say_phones(names, tempo=tempo * generator.uniform(0.9, 1.1), voice=voice, generator=generator)
        first = round(start_s * AUDIO_RATE_HZ)
        sound = sound[: len(wav) - first] * np.float32(np.exp(generator.normal(0.0, 0.25)))
        wav[first : first + len(sound)] += sound
        phones += [Phone(phone.name, phone.start_s + start_s, phone.end_s + start_s) for phone in said]
        end_s = phones[-1].end_s
        kind = generator.uniform()
        if kind < 0.3:
            start_s = end_s + generator.exponential(0.6)
        elif kind < 0.7:
            start_s = end_s - _RUN_ON_S
        else:
            start_s = end_s
        phones[-1] = phones[-1]._replace(end_s=start_s)
    return wav, phones


def recorded(
    wav: np.ndarray,  # [T]
    generator: np.random.Generator,
) -> np.ndarray:  # [T] float32
    """As a microphone hears it: the room's echo, the microphone's own colour, noise, other voices."""
    sound = wav.astype(np.float64)
    if generator.uniform() < 0.5:
        sound = sound + 10 ** (generator.uniform(-18.0, 0.0) / 20) * fftconvolve(sound, _tail(generator))[: len(sound)]
    sound = _through_line(sound, generator)
    rms = max(_FAINT_RMS, np.sqrt((sound**2).mean()))
    if generator.uniform() < 0.7:
        sound += _noise(len(sound), rms * 10 ** (-generator.uniform(5.0, 45.0) / 20), generator)
    if generator.uniform() < 0.2:
        other, _ = monologue(len(sound) / AUDIO_RATE_HZ, generator)
        sound += rms * 10 ** (-generator.uniform(10.0, 30.0) / 20) * other / max(_FAINT_RMS, other.std())
    return sound.astype(np.float32)


def _tail(generator: np.random.Generator) -> np.ndarray:
    """A room's answer after the direct sound, of energy 1: noise that dies away by 60 dB in the reverberation time."""
    decay_s = np.exp(generator.uniform(np.log(0.08), np.log(0.7)))
    seconds = np.arange(round(decay_s * AUDIO_RATE_HZ)) / AUDIO_RATE_HZ
    tail = generator.standard_normal(len(seconds)) * 10 ** (-3 * seconds / decay_s) * (seconds > 0.002)
    return tail / np.sqrt((tail**2).sum())


def _through_line(
    sound: np.ndarray,  # [T]
    generator: np.random.Generator,
) -> np.ndarray:  # [T]
    """A microphone's response, and now and then a telephone's band."""
    hertz = np.fft.rfftfreq(len(sound), 1 / AUDIO_RATE_HZ)
    bumps_db = generator.normal(0.0, generator.uniform(0.0, 5.0), len(_EQUALISER_HZ))
    gain_db = np.interp(hertz, _EQUALISER_HZ, bumps_db) + generator.uniform(-4.0, 3.0) * np.log2((hertz + 200) / 1000)
    if generator.uniform() < 0.3:
        gain_db -= np.clip((generator.uniform(0.0, 300.0) - hertz) / 50, 0.0, 60.0)
    if generator.uniform() < 0.3:
        gain_db -= np.clip((hertz - generator.uniform(3000.0, 7500.0)) / 30, 0.0, 60.0)
    return np.fft.irfft(np.fft.rfft(sound) * 10 ** (gain_db / 20), len(sound))


def _noise(samples: int, rms: float, generator: np.random.Generator) -> np.ndarray:  # [samples]
    """From white to brown."""
    hertz = np.fft.rfftfreq(samples, 1 / AUDIO_RATE_HZ)
    spectrum = np.fft.rfft(generator.standard_normal(samples)) * (hertz + 60) ** -generator.uniform(0.0, 1.2)
    noise = np.fft.irfft(spectrum, samples)
    return rms * noise / noise.std()
