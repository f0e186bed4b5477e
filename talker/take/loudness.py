"""How loud speech is: what must be known of a recording before its features can be made piece by piece.

A recording's gain means nothing, so that features are of speech brought to one level. A file is heard once beforehand
(`measure_loudness`); live sound has no beforehand, and its level is an estimate that runs along (`RunningLoudness`).
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from talker.core.errors import BadInput
from talker.core.types import AUDIO_RATE_HZ, FEATURE_RATE_HZ
from talker.video.survey import SILENT_PEAK

HOP = AUDIO_RATE_HZ // FEATURE_RATE_HZ  # samples in a piece of 20 ms
SPEECH_RMS = 0.05  # active speech is brought to this level
_FAINT_RMS = 1e-5  # no louder than this, a recording is left as it is
# What was recorded or sent at 8 kHz has 1e-10 of its power here, music coded at a low rate 1e-7, old records 5e-6.
HIGH_HZ, NARROW_SHARE = 5000.0, 3e-7

# Live sound. Until a second of speech was heard, what is missing is taken for speech at the usual level.
_GUESS = np.full(FEATURE_RATE_HZ, SPEECH_RMS**2)
_MEMORY_PIECES = 30 * FEATURE_RATE_HZ
_PAUSE = 1e-3  # of the loudest piece's power: quieter ones are pauses, however long they last
_QUIET = 1e-5  # power (-50 dB) of what is no speech at all: a microphone's noise is not turned up into speech
_SILENCE_PIECES = 10  # quiet for so long is silence; a consonant's closure is shorter


class Loudness(Protocol):
    """How samples are brought to the level that encoders expect."""

    @property
    def gain(self) -> float: ...  # brings speech to SPEECH_RMS

    @property
    def mean(self) -> float: ...  # of the samples

    @property
    def deviation(self) -> float: ...  # of the samples


@dataclass(frozen=True)
class WholeLoudness:
    """The level of a whole recording."""

    samples: int  # its length
    peak: float  # largest amplitude
    gain: float
    mean: float
    deviation: float
    is_narrow: bool = False  # hardly anything is above `HIGH_HZ`, as on telephones


class RunningLoudness:
    """The level of the speech in the last half minute. It starts from a guess and changes slowly."""

    def __init__(self) -> None:
        self._powers: deque[float] = deque(maxlen=_MEMORY_PIECES)
        self._silent: deque[bool] = deque(maxlen=_MEMORY_PIECES)
        self._rest = np.zeros(0, np.float32)
        self._pieces = self._quiet = 0  # heard; the latest of them that were quiet

    def hear(
        self,
        samples: np.ndarray,  # [n] float
    ) -> None:
        samples = np.concatenate([self._rest, samples])
        whole = len(samples) // HOP * HOP
        for power in piece_powers(samples[:whole]):
            self._powers.append(power)
            self._quiet = 0 if power > self._threshold() else self._quiet + 1
            self._silent.append(self._quiet >= _SILENCE_PIECES)
            self._pieces += 1
        self._rest = samples[whole:]

    def silent(
        self,
        pieces: range,  # that were heard, not half a minute ago; the last one's end may be missing
    ) -> list[bool]:
        """Whether nobody spoke in a piece, nor just before it."""
        first = self._pieces - len(self._silent)
        return [bool(self._silent) and self._silent[min(piece - first, len(self._silent) - 1)] for piece in pieces]

    @property
    def gain(self) -> float:
        return SPEECH_RMS / loud_rms(self._speech())

    @property
    def mean(self) -> float:
        return 0.0

    @property
    def deviation(self) -> float:
        return float(np.sqrt(self._speech().mean()))

    def _speech(self) -> np.ndarray:
        powers = np.array(self._powers)
        speech = powers[powers > self._threshold()]
        return np.concatenate([speech, _GUESS[len(speech) :]])

    def _threshold(self) -> float:
        """Power above which a piece is speech."""
        return max(_QUIET, _PAUSE * max(self._powers, default=0.0))


def measure_loudness(
    blocks: Iterable[np.ndarray],  # of a recording, [n] float each
) -> WholeLoudness:
    """One pass over a recording; it keeps 50 numbers a second."""
    powers, rest = [], np.zeros(0, np.float32)
    count, peak, total = 0, 0.0, 0.0
    band = Band()
    for block in blocks:
        block = np.asarray(block, np.float32)
        count += len(block)
        peak = max(peak, float(np.abs(block).max(initial=0.0)))
        total += float(block.sum(dtype=np.float64))
        samples = np.concatenate([rest, block])
        whole = len(samples) // HOP * HOP
        powers.append(piece_powers(samples[:whole]))
        band.hear(samples[:whole])
        rest = samples[whole:]
    if len(rest):
        powers.append(piece_powers(np.pad(rest, (0, HOP - len(rest)))))
    power = np.concatenate(powers) if powers else np.zeros(0)
    rms = loud_rms(power)
    mean = total / max(count, 1)
    variance = max(0.0, float(power.sum()) * HOP / max(count, 1) - mean**2)
    gain = SPEECH_RMS / rms if rms > _FAINT_RMS else 1.0
    return WholeLoudness(count, peak, gain, mean, float(np.sqrt(variance)), band.is_narrow)


class Band:
    """How much of a sound's power is high: fricatives, where there is speech."""

    def __init__(self) -> None:
        self._power = self._high = 0.0

    def hear(
        self,
        samples: np.ndarray,  # [n * HOP] float
    ) -> None:
        spectra = np.abs(np.fft.rfft(samples.reshape(-1, HOP) * np.hanning(HOP).astype(np.float32), axis=1)) ** 2
        self._power += float(spectra.sum())
        self._high += float(spectra[:, round(HIGH_HZ * HOP / AUDIO_RATE_HZ) :].sum())

    @property
    def is_narrow(self) -> bool:
        return self._high < NARROW_SHARE * self._power


def check_audible(
    loudness: WholeLoudness,
    name: str,  # of the file
) -> None:
    """BadInput when there is nothing to hear: lips cannot follow silence."""
    if loudness.peak < SILENT_PEAK:
        loudest = f"peak {20 * math.log10(loudness.peak):.0f} dB" if loudness.peak > 0 else "all samples are zero"
        raise BadInput(f"{name} is silent ({loudest}); give a recording in which somebody speaks")


def piece_powers(
    samples: np.ndarray,  # [n * HOP] float
) -> np.ndarray:  # [n] mean squares
    return (samples.reshape(-1, HOP).astype(np.float64) ** 2).mean(axis=1)


def loud_rms(
    powers: np.ndarray,  # [n] of pieces
) -> float:
    """RMS of the louder half of the pieces: of the speech, not of the pauses."""
    return float(np.sqrt(np.sort(powers)[len(powers) // 2 :].mean())) if len(powers) else 0.0
