"""Speech as features at 50 Hz: one small Protocol, three encoders.

T features of C channels; feature t covers the 20 ms from t / 50 s, so frame i (40 ms long) is centred on the
border between features 2 i and 2 i + 1. A frame's condition is 8 neighbouring windows of 16 features (RAD-NeRF,
section 3.2, after AD-NeRF).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from talker.errors import BadInput, Missing
from talker.types import AUDIO_RATE_HZ, FEATURE_RATE_HZ

WINDOW = 16  # features in a window: 320 ms
NEIGHBOURS = 8  # windows that the attention sees: frames i - 4 .. i + 3
HOP = AUDIO_RATE_HZ // FEATURE_RATE_HZ  # samples per feature
MEL_BINS = 80
MEL_WINDOW, MEL_FFT = 400, 512  # samples: 25 ms, padded to a power of two
SPEECH_RMS = 0.05  # active speech is brought to this level, so that a recording's gain means nothing
LOG_FLOOR = 1e-6  # mel power under which all is silence, about 60 dB below speech
CHUNK_S, CHUNK_CONTEXT_S = 20.0, 1.0  # the transformers' memory grows with the square of the length

HUB_MODELS = {"wav2vec2": "facebook/wav2vec2-base-960h", "hubert": "facebook/hubert-large-ls960-ft"}


class AudioEncoder(Protocol):
    """Turns speech into features; what it learnt from the speaker's own clip travels in `state`."""

    name: str
    channels: int  # C

    def encode(
        self,
        wav: np.ndarray,  # [T * 320] float, 16 kHz
    ) -> Tensor:  # [T, C] float32
        ...

    def state(self) -> dict[str, Tensor]: ...


def feature_count(samples: int) -> int:
    """T of a recording: enough features to cover its last sample."""
    return max(1, -(-samples // HOP))


def level_speech(
    wav: np.ndarray,  # [n] float
) -> np.ndarray:
    """Scale so that the louder half of the recording's 20 ms pieces has the RMS `SPEECH_RMS`."""
    wav = np.asarray(wav, np.float32)
    pieces = np.pad(wav, (0, -len(wav) % HOP)).reshape(-1, HOP)
    power = np.sort((pieces.astype(np.float64) ** 2).mean(axis=1))
    speech = float(np.sqrt(power[len(power) // 2 :].mean())) if len(power) else 0.0
    return wav * np.float32(SPEECH_RMS / speech) if speech > 1e-5 else wav


def log_mel(
    wav: np.ndarray,  # [n] float, 16 kHz
) -> np.ndarray:
    """80 log-mel bins at 100 Hz, two stacked: [T, 160] at 50 Hz. Frames are centred in their 10 ms."""
    import librosa.filters

    count = feature_count(len(wav))
    hop = HOP // 2
    padded = np.pad(level_speech(wav), ((MEL_FFT - hop) // 2, count * HOP - len(wav) + MEL_FFT))
    spectrum = torch.stft(
        torch.from_numpy(padded),
        MEL_FFT,
        hop_length=hop,
        win_length=MEL_WINDOW,
        window=torch.hann_window(MEL_WINDOW),
        center=False,
        return_complex=True,
    )
    bank = librosa.filters.mel(sr=AUDIO_RATE_HZ, n_fft=MEL_FFT, n_mels=MEL_BINS, fmin=40.0)
    power = spectrum.abs().square().numpy()[:, : 2 * count]
    return np.log(bank @ power + LOG_FLOOR).T.astype(np.float32).reshape(count, 2 * MEL_BINS)


class MelEncoder:
    """Log-mel energies, normalised bin by bin with the statistics of the speaker's clip. No weights."""

    name = "mel"
    channels = 2 * MEL_BINS

    def __init__(self, state: dict[str, Tensor] | None = None, model: str | None = None) -> None:
        if model is not None:
            raise BadInput("The mel encoder has no model; leave --audio-model out or choose --audio wav2vec2 or hubert")
        self._state = dict(state or {})

    def fit(self, wav: np.ndarray) -> MelEncoder:
        features = torch.from_numpy(log_mel(wav))
        self._state = {"mean": features.mean(dim=0), "deviation": features.std(dim=0).clamp_min(0.1)}
        return self

    def encode(self, wav: np.ndarray) -> Tensor:
        if not self._state:
            raise ValueError("MelEncoder needs fit(wav) or a stored state before encode(wav)")
        return (torch.from_numpy(log_mel(wav)) - self._state["mean"]) / self._state["deviation"]

    def state(self) -> dict[str, Tensor]:
        return dict(self._state)


class TransformerEncoder:
    """Hidden states of a wav2vec2 or HuBERT, resampled to 50 Hz. The model is handed in; `load` finds it."""

    def __init__(self, name: str, model: torch.nn.Module) -> None:
        self.name = name
        self.channels = int(model.config.hidden_size)
        self._model = model.eval()

    def fit(self, _wav: np.ndarray) -> TransformerEncoder:
        return self

    def state(self) -> dict[str, Tensor]:
        return {}

    @torch.no_grad()
    def encode(self, wav: np.ndarray) -> Tensor:
        count = feature_count(len(wav))
        chunk, context = round(CHUNK_S * FEATURE_RATE_HZ), round(CHUNK_CONTEXT_S * FEATURE_RATE_HZ)
        device = next(self._model.parameters()).device
        mean, deviation = float(np.mean(wav)), float(np.std(wav)) + 1e-7
        pieces = []
        for start in range(0, count, chunk):
            first, last = max(0, start - context), min(count, start + chunk + context)
            samples = np.asarray(wav[first * HOP : last * HOP], np.float32)
            # The convolutions swallow 400 - 320 samples; half of that on either side centres the features.
            padded = np.pad((samples - mean) / deviation, (40, 40 + (last - first) * HOP - len(samples)))
            hidden = self._model(torch.from_numpy(padded)[None].float().to(device)).last_hidden_state[0].cpu()
            hidden = torch.nn.functional.interpolate(hidden.T[None], size=last - first, mode="linear")[0].T
            pieces.append(hidden[start - first : start - first + min(chunk, count - start)])
        return torch.cat(pieces).float()


def load_transformer(name: str, model: str | None = None) -> TransformerEncoder:
    """A wav2vec2 or HuBERT from a local folder or the hub. Missing at once when the hub cannot be reached."""
    source = model or HUB_MODELS[name]
    try:
        import transformers
    except ImportError as error:
        raise Missing(f"--audio {name} needs transformers; pip install transformers, or use --audio mel") from error
    kind = {"wav2vec2": transformers.Wav2Vec2Model, "hubert": transformers.HubertModel}[name]
    folder = source if Path(source).is_dir() else _from_hub(source, name)
    try:
        return TransformerEncoder(name, kind.from_pretrained(folder, local_files_only=True, use_safetensors=True))
    except (OSError, ValueError) as error:
        raise Missing(f"{source} holds no {name} weights as safetensors; give another with --audio-model") from error


def _from_hub(source: str, name: str) -> str:
    """The local folder of a hub model, downloaded when needed; a short timeout and no retries."""
    from huggingface_hub import HfApi, snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError

    wanted = ["*.json", "*.safetensors"]
    with_way_out = "use --audio mel, or give a local folder with --audio-model"
    try:
        return snapshot_download(source, allow_patterns=wanted, local_files_only=True)
    except LocalEntryNotFoundError:
        pass  # not downloaded yet
    except HFValidationError as error:
        raise Missing(f"{source} is neither a folder nor a model's name on the hub; {with_way_out}") from error
    try:
        HfApi().model_info(source, timeout=5.0)
        return snapshot_download(source, allow_patterns=wanted)
    except HfHubHTTPError as error:
        raise Missing(f"The hub does not give {source} for {name}; {with_way_out}") from error
    except Exception as error:  # requests, httpx and offline mode each have errors of their own
        raise Missing(f"The hub cannot be reached for {source}; {with_way_out}") from error


AUDIO_ENCODERS: dict[str, Callable[..., AudioEncoder]] = {
    "mel": lambda state=None, model=None: MelEncoder(state, model),
    "wav2vec2": lambda state=None, model=None: load_transformer("wav2vec2", model),
    "hubert": lambda state=None, model=None: load_transformer("hubert", model),
}


def load_encoder(name: str, state: dict[str, Tensor] | None = None, model: str | None = None) -> AudioEncoder:
    """An encoder by name, with the state that it left in a take."""
    if name not in AUDIO_ENCODERS:
        raise BadInput(f"Unknown audio encoder {name!r}; choose from {', '.join(AUDIO_ENCODERS)}")
    return AUDIO_ENCODERS[name](state=state, model=model)


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


def encode_audio(
    wav: np.ndarray,  # [n] float, 16 kHz
    take_dir: Path,
) -> Tensor:  # [T, C]
    """Features of new speech, made as the take's own were."""
    from talker.take.store import load_encoder_of

    return load_encoder_of(take_dir).encode(wav)
