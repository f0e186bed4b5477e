"""Log-mel energies of speech, piece by piece.

80 bins at 100 Hz, two stacked to a feature at 50 Hz. STFT frame k is centred in the 10 ms from k / 100 s.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import torch
from torch import Tensor

from talker.core.types import AUDIO_RATE_HZ
from talker.take.loudness import HOP, Loudness
from talker.take.pieces import Pieces

MEL_BINS = 80
MEL_WINDOW, MEL_FFT = 400, 512  # samples: 25 ms, padded to a power of two
LOG_FLOOR = 1e-6  # mel power under which all is silence, about 60 dB below speech
_LOWEST_HZ = 40.0
_STEP = HOP // 2  # samples between STFT frames
_LEAD = (MEL_FFT - _STEP) // 2  # samples of an STFT frame before its 10 ms
LOOKAHEAD = MEL_FFT - _STEP - _LEAD  # samples that a feature needs beyond its own 20 ms


class MelStream:
    """Samples in, features out as soon as all that they need is there."""

    def __init__(
        self,
        loudness: Loudness,
        mean: Tensor | float = 0.0,  # [2 * MEL_BINS], what features are normalised with
        deviation: Tensor | float = 1.0,
    ) -> None:
        self._level, self._mean, self._deviation = loudness, mean, deviation
        self._pieces = Pieces(_LEAD, LOOKAHEAD)

    def push(
        self,
        samples: np.ndarray,  # [n] float, 16 kHz
    ) -> Tensor:  # [t, 2 * MEL_BINS]
        return self._features(self._pieces.push(samples))

    def finish(self) -> Tensor:  # [t, 2 * MEL_BINS]
        """What is left, as if silence followed."""
        return self._features(self._pieces.finish())

    def _features(self, piece: np.ndarray) -> Tensor:
        if not len(piece):
            return torch.zeros(0, 2 * MEL_BINS)
        return (log_mel(piece, self._level.gain) - self._mean) / self._deviation


def log_mel(
    samples: np.ndarray,  # [n * HOP + MEL_FFT - HOP / 2]: `_LEAD` before the first feature, `LOOKAHEAD` after the last
    gain: float,
) -> Tensor:  # [n, 2 * MEL_BINS]
    spectrum = torch.stft(
        torch.from_numpy(np.ascontiguousarray(samples)),
        MEL_FFT,
        hop_length=_STEP,
        win_length=MEL_WINDOW,
        window=torch.hann_window(MEL_WINDOW),
        center=False,
        return_complex=True,
    )
    power = spectrum.abs().square().numpy() * np.float32(gain**2)
    return torch.from_numpy(np.log(mel_bank() @ power + LOG_FLOOR).T.astype(np.float32).reshape(-1, 2 * MEL_BINS))


@lru_cache
def mel_bank(
    bins: int = MEL_BINS,
    fft: int = MEL_FFT,
    lowest_hz: float = _LOWEST_HZ,
) -> np.ndarray:  # [bins, fft / 2 + 1] float32
    """Triangles of equal area, evenly spaced on Slaney's mel scale (Auditory Toolbox, 1998), as librosa has them.

    librosa itself takes a second to import.
    """
    edges = _hertz(np.linspace(_mel(lowest_hz), _mel(AUDIO_RATE_HZ / 2), bins + 2))
    at = np.linspace(0.0, AUDIO_RATE_HZ / 2, fft // 2 + 1)
    low, centre, high = edges[:-2, None], edges[1:-1, None], edges[2:, None]
    triangles = np.minimum((at - low) / (centre - low), (high - at) / (high - centre)).clip(min=0.0)
    return (triangles * 2.0 / (high - low)).astype(np.float32)


# Slaney's scale: linear up to 1 kHz, then 27 mels to a factor of 6.4.
_KNEE_HZ, _KNEE_MEL, _HZ_PER_MEL = 1000.0, 15.0, 200.0 / 3.0
_LOG_STEP = np.log(6.4) / 27.0


def _mel(hertz: float) -> float:
    return hertz / _HZ_PER_MEL if hertz < _KNEE_HZ else _KNEE_MEL + np.log(hertz / _KNEE_HZ) / _LOG_STEP


def _hertz(
    mels: np.ndarray,  # [n]
) -> np.ndarray:
    return np.where(mels < _KNEE_MEL, mels * _HZ_PER_MEL, _KNEE_HZ * np.exp(_LOG_STEP * (mels - _KNEE_MEL)))
