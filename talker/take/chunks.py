"""Speech through a network that hears a stretch at a time: chunk after chunk, with context on either side."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from talker.core.types import FEATURE_RATE_HZ
from talker.take.feature_cache import CachedChunks
from talker.take.loudness import HOP, Loudness
from talker.take.pieces import feature_count

CHUNK_S, CHUNK_CONTEXT_S = 20.0, 1.0  # a transformer's memory grows with the square of the length
MARGIN = 40  # samples on either side of a stretch: networks hear 400 samples at a time, 320 apart


class StretchModel(Protocol):
    """A network that makes features of a stretch of sound."""

    network: torch.nn.Module  # with all weights that the features depend on
    channels: int  # C

    def scaled(
        self,
        samples: np.ndarray,  # [n] float
        loudness: Loudness,
    ) -> np.ndarray:  # [n] float, as the network wants them
        ...

    def hear(
        self,
        samples: np.ndarray,  # [MARGIN + t * HOP + MARGIN] float32, scaled
        count: int,  # t
    ) -> Tensor:  # [t, C]
        ...


class ChunkStream:
    """Samples in, the features of whole chunks out."""

    def __init__(
        self,
        loudness: Loudness,
        model: StretchModel,
        heard: CachedChunks,
        finished: Callable[[Tensor], Tensor] = lambda features: features,  # what is done to features, from [t, C]
    ) -> None:
        self._level, self._model, self._recall, self._finished = loudness, model, heard.recall, finished
        self._chunk, self._context = round(CHUNK_S * FEATURE_RATE_HZ), round(CHUNK_CONTEXT_S * FEATURE_RATE_HZ)
        self._samples = np.zeros(0, np.float32)  # from feature `_first` on
        self._first = self._done = 0  # features
        self._heard = 0  # samples

    def push(
        self,
        samples: np.ndarray,  # [n] float, 16 kHz
    ) -> Tensor:  # [t, C]
        self._heard += len(samples)
        self._samples = np.concatenate([self._samples, np.asarray(samples, np.float32)])
        found = [self._none()]
        while self._heard >= (self._done + self._chunk + self._context) * HOP:
            found.append(self._next(self._chunk, self._done + self._chunk + self._context))
        return torch.cat(found)

    def finish(self) -> Tensor:  # [t, C]
        count = feature_count(self._heard)
        found = [self._none()]
        while self._done < count:
            wanted = min(self._chunk, count - self._done)
            found.append(self._next(wanted, min(count, self._done + self._chunk + self._context)))
        return torch.cat(found)

    def _next(
        self,
        wanted: int,  # features
        last: int,  # where the model stops listening
    ) -> Tensor:  # [wanted, C]
        count = last - self._first
        scaled = self._model.scaled(self._samples[: count * HOP], self._level)
        padded = np.pad(scaled, (MARGIN, MARGIN + count * HOP - len(scaled))).astype(np.float32)
        hidden = self._recall(padded, lambda: self._model.hear(padded, count))
        found = hidden[self._done - self._first :][:wanted]
        self._done += wanted
        first = max(0, self._done - self._context)
        self._samples, self._first = self._samples[(first - self._first) * HOP :], first
        return self._finished(found)

    def _none(self) -> Tensor:
        return torch.zeros(0, self._model.channels)
