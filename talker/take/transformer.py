"""Hidden states of a wav2vec2 or HuBERT as features: the stream, and where the weights are found."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from talker.errors import Missing
from talker.hub import folder_or_name, hub_folder, is_folder, quiet_libraries
from talker.take.heard import HeardChunks
from talker.take.level import HOP, Level
from talker.take.pieces import feature_count
from talker.types import FEATURE_RATE_HZ

CHUNK_S, CHUNK_CONTEXT_S = 20.0, 1.0  # a transformer's memory grows with the square of the length

HUB_MODELS = {"wav2vec2": "facebook/wav2vec2-base-960h", "hubert": "facebook/hubert-large-ls960-ft"}


class TransformerStream:
    """Chunk after chunk through the model, each with a second on either side for context."""

    def __init__(self, level: Level, model: torch.nn.Module, heard: HeardChunks) -> None:
        self._level, self._model, self._recall = level, model, heard.recall
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
        samples = self._samples[: (last - self._first) * HOP]
        # The convolutions swallow 400 - 320 samples; half of that on either side centres the features.
        scaled = (samples - self._level.mean) / (self._level.deviation + 1e-7)
        padded = np.pad(scaled, (40, 40 + (last - self._first) * HOP - len(samples))).astype(np.float32)
        hidden = self._recall(padded, lambda: self._hidden(padded, last - self._first))
        found = hidden[self._done - self._first :][:wanted]
        self._done += wanted
        first = max(0, self._done - self._context)
        self._samples, self._first = self._samples[(first - self._first) * HOP :], first
        return found

    @torch.no_grad()
    def _hidden(
        self,
        samples: np.ndarray,  # [n] float32, normalised and padded
        count: int,
    ) -> Tensor:  # [count, C]
        device = next(self._model.parameters()).device
        hidden = self._model(torch.from_numpy(samples)[None].to(device)).last_hidden_state[0].float().cpu()
        return torch.nn.functional.interpolate(hidden.T[None], size=count, mode="linear")[0].T

    def _none(self) -> Tensor:
        return torch.zeros(0, int(self._model.config.hidden_size))


def load_model(name: str, model: str | None = None) -> torch.nn.Module:
    """A wav2vec2 or HuBERT from a local folder or the hub. Missing at once when the hub cannot be reached."""
    source = folder_or_name(model or HUB_MODELS[name], "--audio-model", f"a {name} model")
    try:
        import transformers
    except ImportError as error:
        raise Missing(f"--audio {name} needs transformers; pip install transformers, or use --audio mel") from error
    kind = {"wav2vec2": transformers.Wav2Vec2Model, "hubert": transformers.HubertModel}[name]
    way_out = "use --audio mel, or give a local folder with --audio-model"
    folder = source if is_folder(source) else hub_folder(source, name, way_out)
    try:
        with quiet_libraries():
            return kind.from_pretrained(folder, local_files_only=True, use_safetensors=True)
    except (OSError, ValueError) as error:
        raise Missing(f"{source} holds no {name} weights as safetensors; give another with --audio-model") from error
