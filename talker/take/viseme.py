"""Visemes heard in speech: a small network that knew speech before it met the speaker.

It was trained on the demo speaker's synthesiser, which makes speech with exact mouth shapes in any number of voices
(`tools.train_visemes`). Its code and the visemes that it reads from it stand beside the mel features that it hears.

Notation: B recordings, T features at 50 Hz. A layer sees features t - back, .., t + ahead, so that T shrinks from layer
to layer by `PAST` in front and by `AHEAD` at the end, all in all.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn import functional

from talker.take.loudness import HOP, Loudness
from talker.take.mel import LOOKAHEAD, MEL_BINS, MelStream

WEIGHTS = Path(__file__).with_name("viseme.safetensors")
VISEMES = 15  # talker.speaker.visemes: the first is silence
CODE = 32
WIDTH = 128
MEL_CHANNELS = 2 * MEL_BINS
CHANNELS = MEL_CHANNELS + CODE + VISEMES
SILENCE = MEL_CHANNELS + CODE  # the channel that says: closed, nothing is said
_MEL_CENTRE, _MEL_SPREAD = -7.0, 4.0  # of speech at its usual level


class Reach(NamedTuple):
    """Three taps, `step` features apart, of which the last is `ahead` of the feature that is made."""

    step: int
    ahead: int

    @property
    def back(self) -> int:
        return 2 * self.step - self.ahead


LAYERS = (Reach(1, 1), Reach(1, 1), Reach(2, 2), Reach(2, 2), Reach(4, 0), Reach(4, 0))
PAST, AHEAD = sum(reach.back for reach in LAYERS), sum(reach.ahead for reach in LAYERS)  # 440 and 120 ms
LOOKAHEAD_SAMPLES = LOOKAHEAD + AHEAD * HOP  # that a feature needs beyond its own 20 ms


class Layer(nn.Module):
    """A residual convolution in time."""

    def __init__(self, reach: Reach) -> None:
        super().__init__()
        self.reach = reach
        self.norm = nn.LayerNorm(WIDTH)
        self.taps = nn.Linear(3 * WIDTH, WIDTH)
        self.mix = nn.Linear(WIDTH, WIDTH)

    def forward(
        self,
        hidden: Tensor,  # [B, T, WIDTH]
    ) -> Tensor:  # [B, T - 2 * step, WIDTH], or nothing
        step = self.reach.step
        count = max(0, hidden.shape[1] - 2 * step)
        heard = self.norm(hidden)
        taps = torch.cat([heard[:, tap * step : tap * step + count] for tap in range(3)], dim=-1)
        kept = hidden[:, self.reach.back : self.reach.back + count]
        return kept + self.mix(functional.gelu(self.taps(taps)))


class VisemeNet(nn.Module):
    """Log mel energies to a code, and the code to visemes."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Linear(MEL_CHANNELS, WIDTH)
        self.layers = nn.ModuleList(Layer(reach) for reach in LAYERS)
        self.norm = nn.LayerNorm(WIDTH)
        self.code = nn.Linear(WIDTH, CODE)
        self.visemes = nn.Linear(CODE, VISEMES)

    def forward(
        self,
        mel: Tensor,  # [B, PAST + T + AHEAD, MEL_CHANNELS] log energies of speech at SPEECH_RMS
        memory: list[Tensor] | None = None,  # of the layers, from the call before; brought up to date
    ) -> tuple[Tensor, Tensor]:
        """Code [B, T, CODE] and logits [B, T, VISEMES]. With a memory, `mel` may go on where it ended."""
        hidden = self.first((mel - _MEL_CENTRE) / _MEL_SPREAD)
        for index, layer in enumerate(self.layers):
            if memory is not None:
                hidden = torch.cat([memory[index], hidden], dim=1)
                memory[index] = hidden[:, -2 * layer.reach.step :]
            hidden = layer(hidden)
        code = self.code(self.norm(hidden))
        return code, self.visemes(code)


class VisemeStream:
    """Mel features with what the network makes of them. Edges repeat: no sound begins or ends there."""

    def __init__(
        self,
        loudness: Loudness,
        net: VisemeNet,
        mean: Tensor | float = 0.0,  # [CHANNELS], what features are normalised with
        deviation: Tensor | float = 1.0,
    ) -> None:
        self._mel, self._net, self._mean, self._deviation = MelStream(loudness), net, mean, deviation
        self._memory = [torch.zeros(1, 0, WIDTH)] * len(LAYERS)
        self._waiting = torch.zeros(0, MEL_CHANNELS)  # mel features that the network has not made anything of yet
        self._begun = False

    def push(
        self,
        samples: np.ndarray,  # [n] float, 16 kHz
    ) -> Tensor:  # [t, CHANNELS]
        return self._hear(self._mel.push(samples))

    def finish(self) -> Tensor:  # [t, CHANNELS]
        mel = self._mel.finish()  # never nothing: the last feature waits for sound beyond its own
        return self._hear(torch.cat([mel, mel[-1:].expand(AHEAD, -1)]))

    @torch.no_grad()
    def _hear(
        self,
        mel: Tensor,  # [t, MEL_CHANNELS]
    ) -> Tensor:  # [t, CHANNELS]
        if not len(mel):
            return torch.zeros(0, CHANNELS)
        heard = mel if self._begun else torch.cat([mel[:1].expand(PAST, -1), mel])
        self._begun = True
        code, logits = self._net(heard[None], self._memory)
        waiting, count = torch.cat([self._waiting, mel]), code.shape[1]
        self._waiting = waiting[count:]
        features = torch.cat([waiting[:count], code[0], logits[0].softmax(dim=-1)], dim=-1)
        return (features - self._mean) / self._deviation


@lru_cache(maxsize=1)
def load_net() -> VisemeNet:
    """The network that comes with talker."""
    net = VisemeNet()
    net.load_state_dict({name: tensor.float() for name, tensor in load_file(str(WEIGHTS)).items()})
    return net.eval().requires_grad_(False)
