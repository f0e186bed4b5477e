"""Speech as features at 50 Hz: one small Protocol, and who implements it.

T features of C channels; feature t covers the 20 ms from t / 50 s, so frame i (40 ms long) is centred on the
border between features 2 i and 2 i + 1. A frame's condition is 8 neighbouring windows of 16 features (RAD-NeRF,
section 3.2, after AD-NeRF).

Features are made piece by piece: an encoder opens a stream, which takes samples and gives what features they complete.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from talker.core.errors import BadInput
from talker.core.types import AUDIO_RATE_HZ
from talker.take import hama, viseme
from talker.take.chunks import ChunkStream, StretchModel
from talker.take.feature_cache import CachedChunks
from talker.take.loudness import Loudness, measure_loudness
from talker.take.mel import LOOKAHEAD, MEL_BINS, MelStream
from talker.take.transformer import HiddenStates, load_model
from talker.take.whisper import load_whisper

WINDOW = 16  # features in a window: 320 ms
NEIGHBOURS = 8  # windows that the attention sees: frames i - 4 .. i + 3
# The last window's last feature, counted from the frame's own first.
LAST_FEATURE = 2 * (NEIGHBOURS - NEIGHBOURS // 2 - 1) + WINDOW // 2  # of frame i it is 2 i + LAST_FEATURE

LEAST_DEVIATION = 0.1  # what hardly ever changes is not blown up


class FeatureStream(Protocol):
    """Speech on its way to features: whatever the pieces, the features are the same."""

    def push(
        self,
        samples: np.ndarray,  # [n] float, 16 kHz: what follows the samples before
    ) -> Tensor: ...  # [t, C] features that are now complete, often none

    def finish(self) -> Tensor: ...  # [t, C] the rest


class AudioEncoder(Protocol):
    """Turns speech into features; what it learnt from the speaker's own clip travels in `state`."""

    name: str
    channels: int  # C
    lookahead_s: float | None  # sound that a feature needs beyond its own 20 ms; None: too much to hear live

    def fit(self, wav: np.ndarray) -> AudioEncoder: ...

    def stream(self, loudness: Loudness) -> FeatureStream: ...

    def state(self) -> dict[str, Tensor]: ...

    def encode(
        self,
        wav: np.ndarray,  # [n] float, 16 kHz
        loudness: Loudness | None = None,  # that it is heard at; None: the recording's own
    ) -> Tensor:  # [T, C] float32
        """The features of a whole recording."""
        stream = self.stream(loudness or measure_loudness([wav]))
        return torch.cat([stream.push(wav), stream.finish()])

    def speaking(
        self,
        features: Tensor,  # [T, C]
    ) -> Tensor:  # [T]
        """How much seems to be said in each, in no unit: it only orders them."""
        return features.mean(dim=1)


class NormalisedEncoder(AudioEncoder):
    """Features whose every channel is normalised with its statistics in the speaker's clip."""

    def __init__(self, state: dict[str, Tensor] | None = None) -> None:
        self._state = dict(state or {})
        if state is not None and {name: tensor.shape for name, tensor in state.items()} != {
            name: (self.channels,) for name in ("mean", "deviation")
        }:
            raise ValueError(f"not a state of the {self.name} encoder")

    def fit(self, wav: np.ndarray) -> NormalisedEncoder:
        plain = self._open(measure_loudness([wav]), {})
        features = torch.cat([plain.push(wav), plain.finish()])
        self._state = {"mean": features.mean(dim=0), "deviation": features.std(dim=0).clamp_min(LEAST_DEVIATION)}
        return self

    def stream(self, loudness: Loudness) -> FeatureStream:
        if not self._state:
            raise ValueError(f"{type(self).__name__} needs fit(wav) or a stored state before stream(loudness)")
        return self._open(loudness, self._state)

    def state(self) -> dict[str, Tensor]:
        return dict(self._state)

    def _open(
        self,
        loudness: Loudness,
        state: dict[str, Tensor],  # "mean" and "deviation", or nothing
    ) -> FeatureStream: ...


class MelEncoder(NormalisedEncoder):
    """Log-mel energies. No weights."""

    name = "mel"
    channels = 2 * MEL_BINS
    lookahead_s = LOOKAHEAD / AUDIO_RATE_HZ

    def _open(self, loudness: Loudness, state: dict[str, Tensor]) -> MelStream:
        return MelStream(loudness, **state)


class VisemeEncoder(NormalisedEncoder):
    """Log-mel energies, and the visemes that a small network hears in them. Its weights come with talker."""

    name = "viseme"
    channels = viseme.CHANNELS
    lookahead_s = viseme.LOOKAHEAD_SAMPLES / AUDIO_RATE_HZ

    def _open(self, loudness: Loudness, state: dict[str, Tensor]) -> viseme.VisemeStream:
        return viseme.VisemeStream(loudness, viseme.load_net(), **state)

    def speaking(self, features: Tensor) -> Tensor:
        return -features[:, viseme.SILENCE]


class HamaEncoder(NormalisedEncoder):
    """What the first half of a phone recogniser makes of speech, which knew real people's. Its weights come with pip's
    `hama`."""

    name = "hama"
    channels = hama.CHANNELS
    lookahead_s = hama.LOOKAHEAD_SAMPLES / AUDIO_RATE_HZ

    def _open(self, loudness: Loudness, state: dict[str, Tensor]) -> hama.HamaStream:
        return hama.HamaStream(loudness, hama.load_net(), **state)

    def speaking(self, features: Tensor) -> Tensor:
        return features[:, hama.LOUDNESS]


class WhisperEncoder(NormalisedEncoder):
    """Hidden states from the middle of a Whisper's encoder. The model is handed in; `load_whisper` finds it."""

    name = "whisper"
    lookahead_s = None

    def __init__(self, model: StretchModel, state: dict[str, Tensor] | None = None) -> None:
        self.channels = model.channels  # first: a state is checked against them
        super().__init__(state)
        self._model, self._heard = model, CachedChunks(model.network)

    def _open(self, loudness: Loudness, state: dict[str, Tensor]) -> ChunkStream:
        mean, deviation = state.get("mean", 0.0), state.get("deviation", 1.0)
        return ChunkStream(loudness, self._model, self._heard, lambda features: (features - mean) / deviation)


class TransformerEncoder(AudioEncoder):
    """Hidden states of a wav2vec2 or HuBERT, as they are. The model is handed in; `load_model` finds it."""

    lookahead_s = None

    def __init__(self, name: str, model: StretchModel) -> None:
        self.name = name
        self.channels = model.channels
        self._model, self._heard = model, CachedChunks(model.network)

    def fit(self, wav: np.ndarray) -> TransformerEncoder:
        return self

    def stream(self, loudness: Loudness) -> ChunkStream:
        return ChunkStream(loudness, self._model, self._heard)

    def state(self) -> dict[str, Tensor]:
        return {}


def _transformer(name: str, model: str | None) -> TransformerEncoder:
    return TransformerEncoder(name, HiddenStates(load_model(name, model)))


AUDIO_ENCODERS: dict[str, Callable[[dict[str, Tensor] | None, str | None], AudioEncoder]] = {  # of a state and a model
    "mel": lambda state, _: MelEncoder(state),
    "viseme": lambda state, _: VisemeEncoder(state),
    "hama": lambda state, _: HamaEncoder(state),
    "whisper": lambda state, model: WhisperEncoder(load_whisper(model), state),
    "wav2vec2": lambda _, model: _transformer("wav2vec2", model),
    "hubert": lambda _, model: _transformer("hubert", model),
}
_CHANNELS = {
    "mel": MelEncoder.channels,
    "viseme": VisemeEncoder.channels,
    "hama": HamaEncoder.channels,
    "whisper": 384,
    "wav2vec2": 768,
    "hubert": 1024,
}
SLOW = ("whisper", "wav2vec2", "hubert")  # whole transformers, whose weights --audio-model may name


def channels_of(name: str) -> int:
    """C before an encoder is loaded; a transformer's as its usual weights have it, others may differ."""
    check_encoder(name)
    return _CHANNELS[name]


def load_encoder(name: str, state: dict[str, Tensor] | None = None, model: str | None = None) -> AudioEncoder:
    """An encoder by name, with the state that it left in a take."""
    check_encoder(name, model)
    return AUDIO_ENCODERS[name](state, model)


def check_encoder(name: str, model: str | None = None) -> None:
    """BadInput for one that is not there, and for a model that it has no use for."""
    if name not in AUDIO_ENCODERS:
        raise BadInput(f"Unknown audio encoder {name!r}; choose from {', '.join(AUDIO_ENCODERS)}")
    if model is not None and name not in SLOW:
        ways_out = f"leave --audio-model out or choose --audio {', '.join(SLOW)}"
        raise BadInput(f"The {name} encoder takes no model; {ways_out}")


def audio_windows(
    features: Tensor,  # [T, C] at 50 Hz
    frames: Sequence[int] | Tensor,  # B frame indices at 25 fps
) -> Tensor:  # [B, 8, 16, C]
    """For each frame the 8 windows of its neighbours i - 4 .. i + 3, each of 16 features about the frame's centre.

    Frame i's centre, (i + 0.5) / 25 s, is where feature 2 i + 1 begins. Edges repeat.
    """
    index = torch.as_tensor(frames, dtype=torch.long, device=features.device)
    neighbour = torch.arange(-(NEIGHBOURS // 2), NEIGHBOURS // 2, device=features.device)
    step = torch.arange(-(WINDOW // 2), WINDOW // 2, device=features.device)
    at = 2 * (index[:, None, None] + neighbour[:, None]) + 1 + step
    return features[at.clamp(0, len(features) - 1)]


class FrameWindows:
    """Features in, the windows of the frames that they complete out; holds the features that frames to come need."""

    def __init__(self) -> None:
        self._features: Tensor | None = None  # [t, C] from feature 2 * `_skipped` on
        self._skipped = 0  # frames
        self.frames = 0  # given out so far

    def push(
        self,
        features: Tensor,  # [t, C]
    ) -> Tensor:  # [B, 8, 16, C]
        self._features = features if self._features is None else torch.cat([self._features, features])
        known = 2 * self._skipped + len(self._features)
        return self._next((known - LAST_FEATURE - 1) // 2 + 1)

    def finish(
        self,
        count: int,  # frames of the whole video
    ) -> Tensor:  # [B, 8, 16, C]
        """The windows of the last frames; beyond the end, the last feature repeats."""
        return self._next(count)

    def _next(self, count: int) -> Tensor:
        frames = range(self.frames, max(count, self.frames))
        windows = audio_windows(self._features, range(frames.start - self._skipped, frames.stop - self._skipped))
        self.frames = frames.stop
        # A window of the next frame begins NEIGHBOURS / 2 frames and half a window before it.
        skipped = max(0, self.frames - NEIGHBOURS // 2 - WINDOW // 4)
        self._features = self._features[2 * (skipped - self._skipped) :]
        self._skipped = skipped
        return windows
