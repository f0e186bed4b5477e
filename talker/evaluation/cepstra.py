"""Mel-frequency cepstra as SyncNet heard them when it was trained (Davis and Mermelstein 1980).

Notation: T samples at 16 kHz, M frames of 25 ms every 10 ms, F bins of a spectrum.

13 coefficients of 26 triangular filters over the power spectrum of 512 samples; pre-emphasis 0.97, liftering 22; the
first coefficient is the log of the frame's energy. Samples count from -32768 to 32767.
"""

from __future__ import annotations

import numpy as np
from scipy.fft import dct

from talker.core.types import AUDIO_RATE_HZ

LENGTH, HOP, SPECTRUM = 400, 160, 512  # samples
FILTERS, COEFFICIENTS, LIFTER = 26, 13, 22
PRE_EMPHASIS = 0.97
FULL_SCALE = 32767.0
EPSILON = np.finfo(np.float64).eps


def mel_cepstra(
    wav: np.ndarray,  # [T] float in [-1, 1]
) -> np.ndarray:  # [M, 13]
    samples = np.round(wav.astype(np.float64) * FULL_SCALE)
    emphasised = np.concatenate([samples[:1], samples[1:] - PRE_EMPHASIS * samples[:-1]])
    count = 1 + max(0, -(-(len(emphasised) - LENGTH) // HOP))
    padded = np.pad(emphasised, (0, max(0, (count - 1) * HOP + LENGTH - len(emphasised))))
    frames = np.lib.stride_tricks.sliding_window_view(padded, LENGTH)[::HOP]
    power = np.abs(np.fft.rfft(frames, SPECTRUM)) ** 2 / SPECTRUM
    energy = np.maximum(power.sum(axis=1), EPSILON)
    banks = np.maximum(power @ mel_filters().T, EPSILON)
    cepstra = dct(np.log(banks), type=2, norm="ortho", axis=1)[:, :COEFFICIENTS]
    cepstra *= 1.0 + LIFTER / 2.0 * np.sin(np.pi * np.arange(COEFFICIENTS) / LIFTER)
    cepstra[:, 0] = np.log(energy)
    return cepstra


def mel_filters() -> np.ndarray:  # [26, F]
    """Triangles between bins that are evenly spaced in mels, 2595 log10(1 + f / 700)."""
    top_mel = 2595.0 * np.log10(1.0 + AUDIO_RATE_HZ / 2 / 700.0)
    corners_hz = 700.0 * (10.0 ** (np.linspace(0.0, top_mel, FILTERS + 2) / 2595.0) - 1.0)
    corners = np.floor((SPECTRUM + 1) * corners_hz / AUDIO_RATE_HZ)
    low, middle, high = corners[:-2, None], corners[1:-1, None], corners[2:, None]
    bins = np.arange(SPECTRUM // 2 + 1)
    rising, falling = (bins - low) / (middle - low), (high - bins) / (high - middle)
    return np.where(bins < middle, rising, falling).clip(min=0.0)
