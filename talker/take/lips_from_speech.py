"""How lips move to what is heard: those of nobody in particular.

A linear map from an encoder's features to three measures of the lips, learnt from the demo speaker's exact lips under
many voices (`tools.train_lips_from_speech`). Nothing is fitted to the speaker, so that a few seconds tell whether
somebody's lips belong to the sound.

Notation: T features at 50 Hz of C channels, K taps of the map in time.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file
from torch import Tensor

from talker.core.errors import Missing
from talker.core.metrics import face_width, lip_opening, mouth_width
from talker.take.audio import AudioEncoder, channels_of, load_encoder

WEIGHTS = Path(__file__).with_name("lips_from_speech.safetensors")
ENCODERS = ("hama", "viseme")  # that there are maps for, the better first
TAPS = (-4, -2, 0, 2, 4)  # features before and after
LIPS = 3  # opening, width, height
OUTER_PAIRS = ((50, 51, 52), (58, 57, 56))  # iBUG: above, below


class LipsFromSpeech:
    """Hears lips. Encoder and map are handed in; `load` finds them."""

    def __init__(
        self,
        encoder: AudioEncoder,  # that gives features as they are, not normalised to a speaker
        weights: Tensor,  # [K, C, LIPS]
    ) -> None:
        self.encoder = encoder
        self._weights = weights

    @classmethod
    def load(cls) -> LipsFromSpeech:
        """With the best encoder whose weights this machine has."""
        maps = load_file(str(WEIGHTS))
        for name in ENCODERS[:-1]:
            try:
                return cls(plain_encoder(name), maps[name])
            except Missing:
                continue
        return cls(plain_encoder(ENCODERS[-1]), maps[ENCODERS[-1]])

    def hear(
        self,
        wav: np.ndarray,  # [n] 16 kHz
    ) -> np.ndarray:  # [T, LIPS] in no unit and without a mean: only changes count
        taps = windows(self.encoder.encode(wav))
        return torch.einsum("tkc,kcl->tl", taps, self._weights.to(taps)).numpy()


def plain_encoder(name: str) -> AudioEncoder:
    """An encoder without any speaker's statistics. Missing where its weights are not here."""
    channels = channels_of(name)
    encoder = load_encoder(name, {"mean": torch.zeros(channels), "deviation": torch.ones(channels)})
    encoder.encode(np.zeros(1600, np.float32))  # weights are looked for when they are needed
    return encoder


def windows(
    features: Tensor,  # [T, C]
) -> Tensor:  # [T, K, C]; edges repeat
    at = torch.arange(len(features))[:, None] + torch.tensor(TAPS)
    return features[at.clamp(0, len(features) - 1)]


def lip_measures(
    landmarks: np.ndarray,  # [..., 68, 2 or 3] iBUG order
) -> np.ndarray:  # [..., LIPS] opening inside, width, height outside, in widths of the face
    above, below = (landmarks[..., pair, :] for pair in OUTER_PAIRS)
    height = np.linalg.norm(above - below, axis=-1).mean(axis=-1)
    lips = np.stack([lip_opening(landmarks), mouth_width(landmarks), height], axis=-1)
    return lips / face_width(landmarks)[..., None]
