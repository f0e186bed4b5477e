"""A formant synthesiser: sentences to sound, with the time of every phone exact by construction.

Notation: parameters run at 200 frames a second (K frames), sound at 16 kHz (T samples).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import NamedTuple

import numba
import numpy as np

from talker.speaker.lexicon import phones_of, random_sentence
from talker.speaker.noise import KERNEL
from talker.speaker.phonetics import AFFRICATES, CONSONANTS, DIPHTHONGS, STOPS, VOWELS, Friction
from talker.types import AUDIO_RATE_HZ

PARAMETER_RATE_HZ = 200
_HOP = AUDIO_RATE_HZ // PARAMETER_RATE_HZ
_PITCH_HZ = 118.0
_SILENT = Friction(0.0, 4000.0, 2000.0)


class Phone(NamedTuple):
    name: str  # ARPAbet, or "SIL"
    start_s: float
    end_s: float


class Sentence(NamedTuple):
    start_s: float
    text: str


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


def _formants(values: tuple[float, float, float]) -> np.ndarray:
    return np.array(values, float)


def _say(
    score: _Score,
    phone: str,
    following: str,
    before: np.ndarray,  # [3] formants of the phone before
    tempo: float,
    leading: bool,
) -> np.ndarray:
    """Append one phone to the score; returns its last formants [3]."""
    slow = tempo * (1.35 if following == "SIL" else 1.0)  # the last vowel of a sentence is drawn out
    if phone == "SIL":
        score.hold(0.22 if leading else 0.35, before)
        return before
    if phone in VOWELS:
        formants, seconds = VOWELS[phone]
        score.hold(seconds * slow, _formants(formants), voice=1.0, breath=0.015)
        return _formants(formants)
    if phone in DIPHTHONGS:
        start, end, seconds = DIPHTHONGS[phone]
        target = _formants(VOWELS[end][0])
        score.hold(seconds * slow, _formants(VOWELS[start][0]), voice=1.0, breath=0.015, glide_to=target)
        return target
    if phone in CONSONANTS:
        sound = CONSONANTS[phone]
        formants = before if phone == "HH" else _formants(sound.formants_hz)
        score.hold(sound.seconds * tempo, formants, voice=sound.voice, breath=sound.breath, friction=sound.friction)
        return formants
    stop_name, release = AFFRICATES.get(phone, (phone, None))
    stop = STOPS[stop_name]
    formants = np.array([250.0, stop.locus_hz, 2500.0])
    score.hold((0.055 if stop.voiced else 0.065) * tempo, formants, voice=0.12 if stop.voiced else 0.0)
    score.hold(0.012, formants, breath=0.1, friction=stop.burst)
    if release:
        sound = CONSONANTS[release]
        score.hold(0.07 * tempo, _formants(sound.formants_hz), voice=sound.voice, friction=sound.friction)
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
    names = phones_of(text)
    score, phones = _Score(), []
    formants = np.array([500.0, 1450.0, 2450.0])
    for index, name in enumerate(names):
        start_s = score.seconds
        following = names[index + 1] if index + 1 < len(names) else "SIL"
        formants = _say(score, name, following, formants, tempo * generator.uniform(0.9, 1.15), leading=index == 0)
        phones.append(Phone(name, start_s, score.seconds))
    friction = np.array(score.friction)
    level = _smoothed(friction[:, 0], 1.2)
    for k in range(len(friction) - 1):  # a fricative keeps its colour while it fades
        if level[k + 1] < level[k] and friction[k + 1, 0] == 0.0:
            friction[k + 1, 1:] = friction[k, 1:]
    friction[:, 0] = level
    seconds = np.arange(len(friction)) / PARAMETER_RATE_HZ
    phases = generator.uniform(0.0, 2 * np.pi, 2)
    pitch = _PITCH_HZ * (1.12 - 0.22 * seconds / max(seconds[-1], 0.1))
    pitch *= (
        1.0
        + 0.05 * np.sin(2 * np.pi * 0.9 * seconds + phases[0])
        + 0.03 * np.sin(2 * np.pi * 2.3 * seconds + phases[1])
    )
    hiss = generator.standard_normal((2, len(pitch) * _HOP))
    wav = _synthesise(
        _smoothed(np.array(score.formants), 5.0),
        _smoothed(np.array(score.voice), 1.6),
        _smoothed(np.array(score.breath), 1.5),
        friction,
        pitch,
        hiss,
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
):
    """Rosenberg's glottal pulse through five formants in cascade, friction through one in parallel (Klatt 1980)."""
    samples = hiss.shape[1]
    wav = np.zeros(samples)
    last, older = np.zeros(6), np.zeros(6)
    widths = (60.0, 85.0, 130.0, 220.0, 300.0)
    phase, jitter = 0.0, 1.0
    for n in range(samples):
        position = min(n / _HOP, len(pitch) - 1.001)
        k = int(position)
        t = position - k
        phase += (pitch[k] * (1.0 - t) + pitch[k + 1] * t) * jitter / AUDIO_RATE_HZ
        if phase >= 1.0:
            phase -= 1.0
            jitter = 1.0 + 0.012 * hiss[1, n]
        voiced = voice[k] * (1.0 - t) + voice[k + 1] * t
        breathy = breath[k] * (1.0 - t) + breath[k + 1] * t
        pulse = 0.0  # derivative of the glottal flow: opening, then closing twice as fast
        if phase < 0.4:
            pulse = 0.5 * math.pi / 0.4 * math.sin(math.pi * phase / 0.4)
        elif phase < 0.56:
            pulse = -math.pi / 0.32 * math.sin(math.pi * (phase - 0.4) / 0.32)
        leak = 0.02 * voiced * (1.0 if phase < 0.56 else 0.2)
        sound = 0.12 * voiced * pulse + 0.25 * (breathy + leak) * hiss[0, n]
        for r in range(5):
            centre = 3400.0 if r == 3 else 4400.0
            if r < 3:
                centre = formants[k, r] * (1.0 - t) + formants[k + 1, r] * t
            a, b, c = _resonator(centre, widths[r] + 150.0 * breathy)
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
