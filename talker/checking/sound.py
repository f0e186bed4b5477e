"""What speech was recorded with: its level, the noise, echo and music under it, and whether all of it is there.

Sound is heard in stretches of ten seconds, of which only a few numbers a second are kept. Levels are in dB, 0 at full
scale.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from scipy.ndimage import uniform_filter1d

from talker.core.axis import runs
from talker.core.types import AUDIO_RATE_HZ
from talker.take.loudness import HOP, Band, loud_rms, piece_powers

STRETCH_S = 10
FULL_SCALE = 0.985  # an amplitude from here on is cut off: encoders round a little
CLIPPED_RUN = 3  # samples in a row there; single ones are peaks
FLOOR_PERCENTILE = 5.0  # pieces of 20 ms quieter than this share are pauses, and hold the room's noise alone
DIGITAL_SILENCE_DB = -100.0

# A sound that comes back later stands out in the mean cepstrum, where voices average out: a copy as a peak at its
# delay, a room as a tail that is gone after half a second.
ECHO_WINDOW = 2 * AUDIO_RATE_HZ
ECHO_S = (0.04, 0.6)
ROOM_S, QUIET_S = (0.08, 0.15), (0.6, 0.95)

# Music holds its notes; voices glide.
TONE_WINDOW, TONE_STEP = 2048, 512  # samples
TONE_HZ = (300.0, 4000.0)
TONE_FRAMES = 10  # a third of a second
TONE_CREST = 10.0  # power over its neighbourhood's
TONE_UNDER_SPEECH_DB = 45.0  # fainter tones are nobody's business


@dataclass(frozen=True)
class Sound:
    """What was heard."""

    levels_db: np.ndarray  # [T] of pieces of 20 ms
    clipped_share: float  # of the samples
    echo_s: float  # the delay at which a copy is likeliest
    echo_strength: float  # its amplitude, roughly; up to 0.05 is chance
    room_tail: float  # what the room gives back about a tenth of a second later, in thousandths; dry rooms 1 to 3
    tonal_share: float  # of the time in which a tone is held
    is_narrow: bool = False  # hardly anything is above 5 kHz
    peak: float = 1.0  # largest amplitude

    @property
    def speech_db(self) -> float:
        return float(10.0 * np.log10(loud_rms(10.0 ** (self.levels_db / 10.0)) ** 2 + 1e-10))

    @property
    def noise_db(self) -> float:
        return float(np.percentile(self.levels_db, FLOOR_PERCENTILE))


class Ear:
    """Hears stretch after stretch."""

    def __init__(self) -> None:
        self._levels: list[np.ndarray] = []
        self._clipped = self._heard = 0
        self._spectrum, self._windows = np.zeros(ECHO_WINDOW + 1), 0
        self._tonal = self._frames = 0
        self._band = Band()
        self._peak = 0.0

    def hear(
        self,
        samples: np.ndarray,  # [n] float, at most a stretch
    ) -> None:
        whole = samples[: len(samples) // HOP * HOP]
        if not len(whole):
            return
        levels = 10.0 * np.log10(piece_powers(whole) + 10.0 ** (DIGITAL_SILENCE_DB / 10.0))
        self._levels.append(levels)
        self._heard += len(whole)
        self._clipped += clipped_samples(whole)
        self._band.hear(whole)
        self._peak = max(self._peak, float(np.abs(whole).max()))
        for start in range(0, len(whole) - ECHO_WINDOW + 1, ECHO_WINDOW // 2):
            piece = whole[start : start + ECHO_WINDOW] * np.hanning(ECHO_WINDOW)
            power = np.abs(np.fft.rfft(piece, 2 * ECHO_WINDOW)) ** 2
            self._spectrum += np.log(power + 1e-6 * power.mean() + 1e-12)
            self._windows += 1
        tonal = held_tones(whole)
        self._tonal += int(tonal.sum())
        self._frames += len(tonal)

    def report(self) -> Sound:
        cepstrum = mean_cepstrum(self._spectrum / max(1, self._windows))
        echo_s, strength = loudest_copy(cepstrum)
        return Sound(
            levels_db=np.concatenate(self._levels) if self._levels else np.full(1, DIGITAL_SILENCE_DB),
            clipped_share=self._clipped / max(1, self._heard),
            echo_s=echo_s,
            echo_strength=strength,
            room_tail=room_tail(cepstrum),
            tonal_share=self._tonal / max(1, self._frames),
            is_narrow=self._band.is_narrow,
            peak=self._peak,
        )


def listen(
    blocks: Iterable[np.ndarray],  # of a recording, [n] float each
) -> Sound:
    ear = Ear()
    for stretch in stretches(blocks):
        ear.hear(stretch)
    return ear.report()


def stretches(blocks: Iterable[np.ndarray]) -> Iterator[np.ndarray]:
    """The same samples, `STRETCH_S` at a time."""
    waiting, count = [], 0
    for block in blocks:
        waiting.append(block)
        count += len(block)
        if count >= STRETCH_S * AUDIO_RATE_HZ:
            yield np.concatenate(waiting)
            waiting, count = [], 0
    if waiting:
        yield np.concatenate(waiting)


def clipped_samples(
    samples: np.ndarray,  # [n]
) -> int:
    """Samples in runs at full scale."""
    lengths = map(len, runs(np.abs(samples) >= FULL_SCALE))
    return sum(length for length in lengths if length >= CLIPPED_RUN)


def power_spectra(
    samples: np.ndarray,  # [n]
    window: int,
    step: int,
) -> np.ndarray:  # [t, window / 2 + 1]
    if len(samples) < window:
        return np.zeros((0, window // 2 + 1))
    pieces = np.lib.stride_tricks.sliding_window_view(samples, window)[::step]
    return np.abs(np.fft.rfft(pieces * np.hanning(window).astype(np.float32), axis=1)) ** 2


def mean_cepstrum(
    log_power: np.ndarray,  # [F] mean log power spectrum of windows of `ECHO_WINDOW`, padded to twice that
) -> np.ndarray:  # [2 (F - 1)] by delay in samples
    smooth = uniform_filter1d(log_power, 801, mode="nearest")  # the voice's own spectrum: short delays
    return np.fft.irfft(log_power - smooth)


def loudest_copy(
    cepstrum: np.ndarray,  # by delay in samples
) -> tuple[float, float]:  # delay in seconds, amplitude
    """The highest peak between the delays of a voice and of a phrase."""
    first, last = (round(delay * AUDIO_RATE_HZ) for delay in ECHO_S)
    place = first + int(np.argmax(cepstrum[first:last]))
    return place / AUDIO_RATE_HZ, float(cepstrum[place])


def room_tail(
    cepstrum: np.ndarray,  # by delay in samples
) -> float:
    """How much more there is about a tenth of a second late than where no room reaches."""

    def power(span_s: tuple[float, float]) -> float:
        first, last = (round(delay * AUDIO_RATE_HZ) for delay in span_s)
        return float((cepstrum[first:last] ** 2).mean())

    return 1000.0 * float(np.sqrt(max(0.0, power(ROOM_S) - power(QUIET_S))))


def held_tones(
    samples: np.ndarray,  # [n]
) -> np.ndarray:  # [t] bool, every 32 ms: a tone is held
    """Whether some narrow peak stays where it is for a third of a second."""
    power = power_spectra(samples, TONE_WINDOW, TONE_STEP)
    hertz = np.fft.rfftfreq(TONE_WINDOW, 1.0 / AUDIO_RATE_HZ)
    if len(power) < TONE_FRAMES:
        return np.zeros(len(power), bool)
    around = np.exp(uniform_filter1d(np.log(power + 1e-12), 15, axis=1))
    audible = np.percentile(power.sum(axis=1), 75) * 10.0 ** (-TONE_UNDER_SPEECH_DB / 10.0)
    peak = (power > TONE_CREST * around) & (power > audible)
    peak[:, 1:-1] &= (power[:, 1:-1] > power[:, :-2]) & (power[:, 1:-1] > power[:, 2:])
    peak &= (hertz >= TONE_HZ[0]) & (hertz <= TONE_HZ[1])
    held = np.lib.stride_tricks.sliding_window_view(peak, TONE_FRAMES, axis=0).all(axis=-1).any(axis=1)
    tonal = np.zeros(len(power), bool)
    for start in np.flatnonzero(held):
        tonal[start : start + TONE_FRAMES] = True
    return tonal
