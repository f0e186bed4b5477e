"""What a sound track holds, before any of it is used: its channels, its level, and numbers that are no sound.

Notation: n samples of C channels as the file has them, at its own rate; 1 is full scale; t pieces of 20 ms.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

SILENT_PEAK = 10 ** (-50 / 20)  # amplitude; even whispered speech stays 20 dB above this
BEYOND = 8.0  # amplitude that no recording has
FLOAT_MAX = 3.4e38
_PIECES_HZ = 50
_LONGEST_PIECE = 1 << 14  # samples: a header may claim any rate
_CANCELLED = 0.2  # power of the channels' mean, over what it would be if they had nothing in common
_WINDOW, _SYLLABLES_HZ = 2 * _PIECES_HZ, (2.0, 8.0)


@dataclass(frozen=True)
class Survey:
    """One track, looked through."""

    seconds: float
    numbers: int  # n C
    stray: int  # numbers that are no sound: not finite, or `BEYOND`
    beyond: int  # the finite ones among them
    highest: float  # amplitude of the finite ones
    peak: float  # amplitude of the sound
    loudest: int | None  # the channel to be heard alone, because they cancel each other out; None: their mean
    swelling: float

    @property
    def is_silent(self) -> bool:
        return self.peak < SILENT_PEAK


class Surveyor:
    """Looks at sound as it comes by, and keeps 50 numbers a second of it."""

    def __init__(self, rate_hz: int, channels: int) -> None:
        self._rate_hz, self._hop = rate_hz, min(max(1, rate_hz // _PIECES_HZ), _LONGEST_PIECE)
        self._rest = np.zeros((0, channels), np.float32)
        self._count = self._not_finite = self._beyond = 0
        self._highest = self._peak = 0.0
        self._powers = np.zeros(channels + 1)  # summed squares of each channel, and of their mean
        self._loudness: list[np.ndarray] = []

    def look(
        self,
        samples: np.ndarray,  # [n, C] float32
    ) -> None:
        samples = np.concatenate([self._rest, samples])
        whole = len(samples) // self._hop * self._hop
        self._add(samples[:whole], self._hop)
        self._rest = samples[whole:]

    def _add(self, samples: np.ndarray, hop: int) -> None:
        if not len(samples):
            return
        amplitude = np.abs(samples)
        finite, sound = amplitude <= FLOAT_MAX, amplitude <= BEYOND  # what is not a number is neither
        self._count += len(samples)
        self._not_finite += samples.size - np.count_nonzero(finite)
        self._beyond += np.count_nonzero(finite) - np.count_nonzero(sound)
        self._highest = max(self._highest, float(amplitude.max(where=finite, initial=0.0)))
        self._peak = max(self._peak, float(amplitude.max(where=sound, initial=0.0)))
        clean = np.where(sound, samples, np.float32(0.0)).astype(np.float64)
        powers = clean**2
        self._powers[:-1] += powers.sum(axis=0)
        self._powers[-1] += (clean.mean(axis=1) ** 2).sum()
        self._loudness.append(np.sqrt(powers.mean(axis=1).reshape(-1, hop).mean(axis=1)))

    def report(self) -> Survey:
        self._add(self._rest, max(1, len(self._rest)))
        self._rest = self._rest[:0]
        *channels, mean = self._powers
        cancel = mean < _CANCELLED * sum(channels) / len(channels) ** 2
        return Survey(
            seconds=self._count / self._rate_hz,
            numbers=self._count * len(channels),
            stray=self._not_finite + self._beyond,
            beyond=self._beyond,
            highest=self._highest,
            peak=self._peak,
            loudest=int(np.argmax(channels)) if cancel else None,
            swelling=swelling(np.concatenate(self._loudness)) if self._loudness else 0.0,
        )


def swelling(
    loudness: np.ndarray,  # [t] RMS
) -> float:
    """How much loudness changes at the rate of syllables, in squares of its own mean (after Scheirer and Slaney, 1997).

    Speech has 0.3 to 1, steady sounds and chords 0.0 to 0.1, a drum much more.
    """
    loudness = np.pad(loudness, (0, max(0, _WINDOW - len(loudness))))
    windows = np.lib.stride_tricks.sliding_window_view(loudness, _WINDOW)[:: _WINDOW // 2]
    windows = windows / max(float(loudness.mean()), 1e-9)
    spectrum = np.fft.rfft((windows - windows.mean(axis=1, keepdims=True)) * np.hanning(_WINDOW), axis=1)
    hertz = np.fft.rfftfreq(_WINDOW, 1.0 / _PIECES_HZ)
    syllables = (hertz >= _SYLLABLES_HZ[0]) & (hertz <= _SYLLABLES_HZ[1])
    return float(8.0 * (np.abs(spectrum[:, syllables]) ** 2).sum(axis=1).mean() / _WINDOW**2)
