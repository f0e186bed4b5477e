"""The baseline that every lip-sync figure must beat: mouth opening guessed from loudness alone.

Notation: B frames at 25 Hz, K frames of context.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from talker.core.types import AUDIO_RATE_HZ, FPS

CONTEXT_FRAMES = 4  # on either side
BINS_PER_FRAME = 2
FLOOR = 1e-4  # of the RMS: silence is not minus infinity


def log_energy(
    wav: np.ndarray,  # [T] at 16 kHz
    frames: int,
) -> np.ndarray:  # [frames * BINS_PER_FRAME]
    """Log RMS in bins of 20 ms."""
    hop = AUDIO_RATE_HZ // (FPS * BINS_PER_FRAME)
    bins = frames * BINS_PER_FRAME
    padded = np.zeros(bins * hop)
    padded[: min(len(wav), len(padded))] = wav[: len(padded)]
    return np.log(np.sqrt((padded.reshape(bins, hop) ** 2).mean(axis=1)) + FLOOR)


def energy_windows(
    wav: np.ndarray,  # [T] at 16 kHz
    frames: int,
) -> np.ndarray:  # [frames, (2 K + 1) * BINS_PER_FRAME + 1]
    """Log energies about each frame, edges repeated, and a constant."""
    energy = log_energy(wav, frames)
    reach = CONTEXT_FRAMES * BINS_PER_FRAME
    offsets = np.arange(-reach, reach + BINS_PER_FRAME)
    index = np.clip(np.arange(frames)[:, None] * BINS_PER_FRAME + offsets, 0, len(energy) - 1)
    return np.concatenate([energy[index], np.ones((frames, 1))], axis=1)


@dataclass(frozen=True)
class LoudnessModel:
    """A ridge regression from log energies to one number per frame."""

    weights: np.ndarray

    @classmethod
    def fit(
        cls,
        wav: np.ndarray,  # [T] at 16 kHz
        track: np.ndarray,  # [B] at 25 Hz, of the audio's first B frames; nan where unknown
    ) -> LoudnessModel:
        known = np.isfinite(track)
        windows, track = energy_windows(wav, len(track))[known], track[known]
        ridge = 1e-3 * len(track) * np.eye(windows.shape[1])
        return cls(np.linalg.solve(windows.T @ windows + ridge, windows.T @ track))

    def predict(
        self,
        wav: np.ndarray,  # [T] at 16 kHz
        frames: int,
    ) -> np.ndarray:  # [frames]
        return energy_windows(wav, frames) @ self.weights
