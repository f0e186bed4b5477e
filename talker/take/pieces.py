"""Sound cut into what features are made from: their own 20 ms each, and some sound on either side.

Notation: t features in a row need [before + t * HOP + after] samples.
"""

from __future__ import annotations

import numpy as np

from talker.take.loudness import HOP


class Pieces:
    """Samples in, and out, as soon as it is complete, the sound that the next features need. Silence is before the
    first sample and after the last."""

    def __init__(self, before: int, after: int) -> None:  # samples
        self._around = before + after
        self._waiting = np.zeros(before, np.float32)  # from where the next feature's sound begins
        self._heard = self._done = 0  # samples, features

    def push(
        self,
        samples: np.ndarray,  # [n] float, 16 kHz
    ) -> np.ndarray:  # [before + t * HOP + after], or nothing
        self._heard += len(samples)
        self._waiting = np.concatenate([self._waiting, np.asarray(samples, np.float32)])
        return self._take((len(self._waiting) - self._around) // HOP)

    def finish(self) -> np.ndarray:
        """What is left: enough features to cover the last sample."""
        count = feature_count(self._heard) - self._done
        self._waiting = np.pad(self._waiting, (0, max(0, count * HOP + self._around - len(self._waiting))))
        return self._take(count)

    def _take(self, count: int) -> np.ndarray:
        if count <= 0:
            return np.zeros(0, np.float32)
        piece, self._waiting = self._waiting[: count * HOP + self._around], self._waiting[count * HOP :]
        self._done += count
        return piece


def feature_count(samples: int) -> int:
    """T of a recording: enough features to cover its last sample."""
    return max(1, -(-samples // HOP))
