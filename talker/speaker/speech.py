"""A formant synthesiser: sentences to sound, with the time of every phone exact by construction.

Notation: parameters run at 200 frames a second (K frames), sound at 16 kHz (T samples).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numba
import numpy as np

from talker.core.types import AUDIO_RATE_HZ
from talker.speaker.lexicon import phones_of, random_sentence
from talker.speaker.noise import KERNEL
from talker.speaker.phonetics import AFFRICATES, CONSONANTS, DIPHTHONGS, STOPS, VOWELS, Friction

PARAMETER_RATE_HZ = 200
_HOP = AUDIO_RATE_HZ // PARAMETER_RATE_HZ
_SILENT = Friction(0.0, 4000.0, 2000.0)


class Phone(NamedTuple):
    name: str  # ARPAbet, or "SIL"
    start_s: float
    end_s: float


class Sentence(NamedTuple):
    start_s: float
    text: str


@dataclass(frozen=True)
class Voice:
    """Who speaks. The demo speaker himself, unless told otherwise."""

    pitch_hz: float = 118.0  # of a sentence's middle
    melody: float = 1.0  # how much the pitch moves
    tract: float = 1.0  # factor of all formants: the shorter the vocal tract, the higher
    damping: float = 1.0  # factor of the formants' widths
    breath: float = 0.0  # noise at the glottis, added to every voiced sound
    pulse: float = 0.4  # of the glottal period until the flow is greatest: longer pulses have fewer overtones
    roughness: float = 0.012  # jitter of the glottal period
    slur_s: float = 0.025  # how fast formants move from target to target
    stress: float = 0.0  # spread of the phones' loudness, natural logarithm
    accent: Mapping[str, tuple[float, float, float]] = field(default_factory=dict)  # factors of a phone's formants


DEMO_VOICE = Voice()


@dataclass
class _Score:
    """Synthesiser parameters, growing phone by phone."""

    formants: list[np.ndarray] = field(default_factory=list)  # [3] hertz
    voice: list[float] = field(default_factory=list)
    breath: list[float] = field(default_factory=list)
    friction: list[Friction] = field(default_factory=list)

    @property
    def seconds(self) -> float:
        return len(self.voice) / PARAMETER_RATE_HZ

    def hold(
        self,
        seconds: float,
        formants: np.ndarray,  # [3] hertz
        *,
        voice: float = 0.0,
        breath: float = 0.0,
        friction: Friction | None = None,
        glide_to: np.ndarray | None = None,  # [3] hertz
    ) -> None:
        frames = max(1, round(seconds * PARAMETER_RATE_HZ))
        target = formants if glide_to is None else glide_to
        for frame in range(frames):
            moved = min(1.0, max(0.0, (frame / frames - 0.25) / 0.55))
            self.formants.append(formants + (target - formants) * moved)
        self.voice.extend([voice] * frames)
        self.breath.extend([breath] * frames)
        self.friction.extend([friction or _SILENT] * frames)


def _say(
    score: _Score,
    phone: str,
    following: str,
    before: np.ndarray,  # [3] formants of the phone before
    tempo: float,
    leading: bool,
    accent: Mapping[str, tuple[float, float, float]],
) -> np.ndarray:
    """Append one phone to the score; returns its last formants [3]."""

    def formants_of(name: str, values_hz: tuple[float, float, float]) -> np.ndarray:
        return np.array(values_hz, float) * accent.get(name, (1.0, 1.0, 1.0))

    slow = tempo * (1.35 if following == "SIL" else 1.0)  # the last vowel of a sentence is drawn out
    if phone == "SIL":
        score.hold(0.22 if leading else 0.35, before)
        return before
    if phone in VOWELS:
        formants, seconds = VOWELS[phone]
        score.hold(seconds * slow, formants_of(phone, formants), voice=1.0, breath=0.015)
        return formants_of(phone, formants)
    if phone in DIPHTHONGS:
        start, end, seconds = DIPHTHONGS[phone]
        first, target = formants_of(start, VOWELS[start][0]), formants_of(end, VOWELS[end][0])
        score.hold(seconds * slow, first, voice=1.0, breath=0.015, glide_to=target)
        return target
    if phone in CONSONANTS:
        sound = CONSONANTS[phone]
        formants = before if phone == "HH" else formants_of(phone, sound.formants_hz)
        score.hold(sound.seconds * tempo, formants, voice=sound.voice, breath=sound.breath, friction=sound.friction)
        return formants
    stop_name, release = AFFRICATES.get(phone, (phone, None))
    stop = STOPS[stop_name]
    formants = formants_of(stop_name, (250.0, stop.locus_hz, 2500.0))
    score.hold((0.055 if stop.voiced else 0.065) * tempo, formants, voice=0.12 if stop.voiced else 0.0)
    score.hold(0.012, formants, breath=0.1, friction=stop.burst)
    if release:
        sound = CONSONANTS[release]
        released = formants_of(release, sound.formants_hz)
        score.hold(0.07 * tempo, released, voice=sound.voice, friction=sound.friction)
    elif not stop.voiced:
        score.hold(0.035 * tempo, formants, breath=0.35)
    return formants


def _smoothed(
    track: np.ndarray,  # [K] or [K, C]
    sigma: float,  # frames
) -> np.ndarray:
    reach = 40
    kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) / sigma) ** 2) / (sigma * math.sqrt(2 * math.pi))
    columns = track.reshape(len(track), -1).T
    smooth = [np.convolve(np.pad(column, reach, "edge"), kernel, "same")[reach:-reach] for column in columns]
    return np.ascontiguousarray(np.stack(smooth, 1).reshape(track.shape))


def say_sentence(
    text: str,
    *,
    tempo: float = 1.0,  # above 1 is slower
    generator: np.random.Generator,
) -> tuple[np.ndarray, list[Phone]]:
    """Sound [T] float32 in [-0.8, 0.8] and its phones."""
    return say_phones(phones_of(text), tempo=tempo, generator=generator)


def say_phones(
    names: Sequence[str],  # "SIL" at both ends
    *,
    tempo: float = 1.0,  # above 1 is slower
    voice: Voice = DEMO_VOICE,
    generator: np.random.Generator,
) -> tuple[np.ndarray, list[Phone]]:
    """Sound [T] float32 in [-0.8, 0.8] and its phones."""
    score, phones, loudness = _Score(), [], []
    formants = np.array([500.0, 1450.0, 2450.0])
    for index, name in enumerate(names):
        start_s = score.seconds
        following = names[index + 1] if index + 1 < len(names) else "SIL"
        said_tempo = tempo * generator.uniform(0.9, 1.15)
        formants = _say(score, name, following, formants, said_tempo, index == 0, voice.accent)
        phones.append(Phone(name, start_s, score.seconds))
        stress = math.exp(generator.normal(0.0, voice.stress)) if voice.stress else 1.0
        loudness += [stress] * (len(score.voice) - len(loudness))
    friction = np.array(score.friction)
    friction[:, 0] *= loudness
    friction[:, 1:] *= voice.tract
    level = _smoothed(friction[:, 0], 1.2)
    for k in range(len(friction) - 1):  # a fricative keeps its colour while it fades
        if level[k + 1] < level[k] and friction[k + 1, 0] == 0.0:
            friction[k + 1, 1:] = friction[k, 1:]
    friction[:, 0] = level
    seconds = np.arange(len(friction)) / PARAMETER_RATE_HZ
    phases = generator.uniform(0.0, 2 * np.pi, 2)
    fall = 0.12 - 0.22 * seconds / max(seconds[-1], 0.1)
    sway = 0.05 * np.sin(2 * np.pi * 0.9 * seconds + phases[0]) + 0.03 * np.sin(2 * np.pi * 2.3 * seconds + phases[1])
    pitch = voice.pitch_hz * (1.0 + voice.melody * fall) * (1.0 + voice.melody * sway)
    voiced = loudness * np.array(score.voice)
    hiss = generator.standard_normal((2, len(pitch) * _HOP))
    wav = _synthesise(
        _smoothed(np.array(score.formants) * voice.tract, voice.slur_s * PARAMETER_RATE_HZ),
        _smoothed(voiced, 1.6),
        _smoothed(loudness * np.array(score.breath) + voice.breath * voiced, 1.5),
        friction,
        pitch,
        hiss,
        voice.tract,
        voice.damping,
        voice.pulse,
        voice.roughness,
    )
    return (wav / (np.abs(wav).max() + 1e-9) * 0.8).astype(np.float32), phones


def speak(seconds: float, seed: int) -> tuple[np.ndarray, list[Phone], list[Sentence]]:
    """Random sentences that fill `seconds`: sound [T] float32 at 16 kHz, phones, sentences."""
    generator = np.random.default_rng(seed)
    sounds, phones, sentences, start_s = [], [], [], 0.0
    while start_s < seconds:
        text = random_sentence(generator)
        wav, said = say_sentence(text, tempo=generator.uniform(0.95, 1.15), generator=generator)
        sounds.append(wav)
        phones += [Phone(p.name, p.start_s + start_s, p.end_s + start_s) for p in said if p.start_s + start_s < seconds]
        sentences.append(Sentence(start_s, text))
        start_s += len(wav) / AUDIO_RATE_HZ
    return np.concatenate(sounds)[: round(seconds * AUDIO_RATE_HZ)], phones, sentences


@numba.njit(**KERNEL)
def _resonator(centre_hz, width_hz):
    """Klatt's two-pole section y[n] = a x[n] + b y[n - 1] + c y[n - 2]: (a, b, c)."""
    c = -math.exp(-2.0 * math.pi * width_hz / AUDIO_RATE_HZ)
    b = 2.0 * math.exp(-math.pi * width_hz / AUDIO_RATE_HZ) * math.cos(2.0 * math.pi * centre_hz / AUDIO_RATE_HZ)
    return 1.0 - b - c, b, c


@numba.njit(**KERNEL)
def _synthesise(
    formants,  # [K, 3] hertz
    voice,  # [K]
    breath,  # [K]
    friction,  # [K, 3] level, centre, width
    pitch,  # [K] hertz
    hiss,  # [2, T] standard normal: noise, and jitter of the glottal period
    tract,  # the rest as in `Voice`
    damping,
    pulse_end,
    roughness,
):
    """Rosenberg's glottal pulse through five formants in cascade, friction through one in parallel (Klatt 1980)."""
    samples = hiss.shape[1]
    wav = np.zeros(samples)
    last, older = np.zeros(6), np.zeros(6)
    widths = (60.0, 85.0, 130.0, 220.0, 300.0)
    closing = 0.4 * pulse_end
    phase, jitter = 0.0, 1.0
    for n in range(samples):
        position = min(n / _HOP, len(pitch) - 1.001)
        k = int(position)
        t = position - k
        phase += (pitch[k] * (1.0 - t) + pitch[k + 1] * t) * jitter / AUDIO_RATE_HZ
        if phase >= 1.0:
            phase -= 1.0
            jitter = 1.0 + roughness * hiss[1, n]
        voiced = voice[k] * (1.0 - t) + voice[k + 1] * t
        breathy = breath[k] * (1.0 - t) + breath[k + 1] * t
        pulse = 0.0  # derivative of the glottal flow: opening, then closing twice as fast
        if phase < pulse_end:
            pulse = 0.5 * math.pi / pulse_end * math.sin(math.pi * phase / pulse_end)
        elif phase < pulse_end + closing:
            pulse = -0.5 * math.pi / closing * math.sin(0.5 * math.pi * (phase - pulse_end) / closing)
        leak = 0.02 * voiced * (1.0 if phase < pulse_end + closing else 0.2)
        sound = 0.12 * voiced * pulse + 0.25 * (breathy + leak) * hiss[0, n]
        for r in range(5):
            centre = tract * (3400.0 if r == 3 else 4400.0)
            if r < 3:
                centre = formants[k, r] * (1.0 - t) + formants[k + 1, r] * t
            a, b, c = _resonator(centre, damping * widths[r] + 150.0 * breathy)
            sound = a * sound + b * last[r] + c * older[r]
            older[r], last[r] = last[r], sound
        level = friction[k, 0] * (1.0 - t) + friction[k + 1, 0] * t
        rubbed = 0.0
        if level > 1e-4:
            gated = 1.0 if voiced < 0.05 else (1.0 if phase < 0.5 else 0.4)
            _, b, c = _resonator(min(7600.0, friction[k, 1]), friction[k, 2])
            rubbed = level * hiss[0, n] * gated + b * last[5] + c * older[5]
            older[5], last[5] = last[5], rubbed
            rubbed *= 0.35 * (1.0 + c)
        wav[n] = sound + rubbed
    return wav
