"""Hidden states of a wav2vec2 or HuBERT as features, and where the weights are found."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from talker.core.errors import Missing, out_of_memory
from talker.core.hub import folder_or_name, hub_folder, is_folder, quiet_libraries
from talker.take.loudness import Loudness

HUB_MODELS = {"wav2vec2": "facebook/wav2vec2-base-960h", "hubert": "facebook/hubert-large-ls960-ft"}


class HiddenStates:
    """The last layer, resampled to 50 Hz: a `StretchModel`."""

    def __init__(self, network: torch.nn.Module) -> None:
        self.network = network.eval()
        self.channels = int(network.config.hidden_size)

    def scaled(self, samples: np.ndarray, loudness: Loudness) -> np.ndarray:
        return (samples - loudness.mean) / (loudness.deviation + 1e-7)

    @torch.no_grad()
    def hear(self, samples: np.ndarray, count: int) -> Tensor:  # [count, C]
        device = next(self.network.parameters()).device
        hidden = self.network(torch.from_numpy(samples)[None].to(device)).last_hidden_state[0].float().cpu()
        return torch.nn.functional.interpolate(hidden.T[None], size=count, mode="linear")[0].T


def load_model(name: str, model: str | None = None) -> torch.nn.Module:
    """A wav2vec2 or HuBERT from a local folder or the hub. Missing at once when the hub cannot be reached."""
    source = folder_or_name(model or HUB_MODELS[name], "--audio-model", f"a {name} model")
    try:
        import transformers
    except ImportError as error:
        raise out_of_memory(error) or Missing(
            f"--audio {name} needs transformers; pip install transformers, or use --audio mel"
        ) from error
    kind = {"wav2vec2": transformers.Wav2Vec2Model, "hubert": transformers.HubertModel}[name]
    way_out = "use --audio mel, or give a local folder with --audio-model"
    folder = source if is_folder(source) else hub_folder(source, name, way_out)
    try:
        with quiet_libraries():
            return kind.from_pretrained(folder, local_files_only=True, use_safetensors=True)
    except (OSError, ValueError) as error:
        raise out_of_memory(error) or Missing(
            f"{source} holds no {name} weights as safetensors; give another with --audio-model"
        ) from error
