"""What a phone recogniser makes of speech: the first two conformer blocks of pip's `hama`, piece by piece.

The recogniser (Apache-2.0, its training data undisclosed) tells 189 phones of any language. Its middle layers know more
of lips than its last, and half of it costs half. Its conformer (Gulati et al. 2020) was trained on whole utterances;
here a layer sees four seconds back, and ahead only what its convolution is given, so that the rest can wait.

The network's norms take the loudness out, which is put beside its features again: it tells pauses.

Notation: t features at 50 Hz, inside the network of WIDTH channels; log-mel frames at 100 Hz, frame k centred at
k / 100 s, so that feature i is made of frames 2 i, 2 i + 1 and 2 i + 2: of its own 20 ms and the window's edges.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from talker.core.packaged_weights import PackagedFile
from talker.take.loudness import HOP, Loudness
from talker.take.pieces import Pieces

WEIGHTS = PackagedFile(
    what="hama's phone recogniser",
    module="hama",
    path="assets/asr_waveform.hama",
    sha256="a9fcfe73e179ca48e399cd76a90a6b3e1887bf5037ecc52b778d13a149563328",
    way_out="pip install hama==1.7.0 (23 MB), or use --audio viseme",
)
WIDTH, HEADS, INNER = 144, 4, 576
CHANNELS = WIDTH + 1
LOUDNESS = WIDTH  # the channel that is no network's
MEL_BINS, MEL_WINDOW = 80, 400  # 25 ms
LOWEST_POWER = 1e-10  # of a bin, to the network
QUIET_POWER = 1e-6  # mean of the bins under which all is silence, about 60 dB below speech
TAPS = 31  # of the convolution in time, centred
PAST_TAPS = TAPS // 2
MOST_AT_ONCE = 100  # features: attention's memory grows with the square


class Reach(NamedTuple):
    """How far a block sees from a feature, in features."""

    back: int | None  # None: its attention sees everything there is, before and after
    ahead: int  # of its convolution


# Ridge regression from features to the mouth's opening and width, r in the mean of four clips: 0.596 and 0.536 with 4 s
# of the past and (6, 8) features ahead, 0.595 and 0.523 with 2 s and (4, 8), 0.595 and 0.534 from whole utterances.
# These reaches, 4 s and (4, 8), hear live sooner than the first; they were measured on three of the clips only.
REACHES = (Reach(200, 4), Reach(200, 8))
LOOKAHEAD_SAMPLES = sum(reach.ahead for reach in REACHES) * HOP + MEL_WINDOW // 2  # beyond a feature's own 20 ms


@dataclass
class Memory:
    """What a block needs of the features before."""

    keys: Tensor = field(default_factory=lambda: torch.zeros(0, WIDTH))
    values: Tensor = field(default_factory=lambda: torch.zeros(0, WIDTH))
    gated: Tensor = field(default_factory=lambda: torch.zeros(PAST_TAPS, WIDTH))  # from the convolution's next on
    waiting: Tensor = field(default_factory=lambda: torch.zeros(0, WIDTH))  # for what comes after, to be convolved with


class FeedForward(nn.Sequential):
    def __init__(self) -> None:
        super().__init__(nn.LayerNorm(WIDTH), nn.Linear(WIDTH, INNER), nn.SiLU(), nn.Linear(INNER, WIDTH))


class Block(nn.Module):
    """Half a feed-forward layer, attention, a convolution in time, half a feed-forward layer; each beside what it
    changes."""

    def __init__(self, reach: Reach) -> None:
        super().__init__()
        self.reach = reach
        self.before, self.after = FeedForward(), FeedForward()
        self.attention_norm, self.convolution_norm, self.norm = (nn.LayerNorm(WIDTH) for _ in range(3))
        self.attention_in, self.attention_out = nn.Linear(WIDTH, 3 * WIDTH), nn.Linear(WIDTH, WIDTH)
        self.gate, self.mix = nn.Linear(WIDTH, 2 * WIDTH), nn.Linear(WIDTH, WIDTH)
        self.taps = nn.Conv1d(WIDTH, WIDTH, TAPS, groups=WIDTH)

    def forward(
        self,
        hidden: Tensor,  # [t, WIDTH]
        memory: Memory,  # of this block, from the call before; brought up to date
        ended: bool,  # nothing follows
    ) -> Tensor:  # [t', WIDTH] what is complete: `ahead` features behind, until the end
        hidden = hidden + 0.5 * self.before(hidden)
        hidden = hidden + self._attend(self.attention_norm(hidden), memory)
        gated = functional.glu(self.gate(self.convolution_norm(hidden)), dim=-1)
        after = torch.zeros(self.reach.ahead if ended else 0, WIDTH)
        memory.gated = torch.cat([memory.gated, gated, after])
        memory.waiting = torch.cat([memory.waiting, hidden])
        count = max(0, len(memory.gated) - PAST_TAPS - self.reach.ahead)
        hidden, memory.waiting = memory.waiting[:count], memory.waiting[count:]
        hidden = hidden + self.mix(functional.silu(self._convolve(memory.gated, count)))
        memory.gated = memory.gated[count:]
        return self.norm(hidden + 0.5 * self.after(hidden))

    def _attend(self, heard: Tensor, memory: Memory) -> Tensor:
        query, key, value = self.attention_in(heard).split(WIDTH, dim=-1)
        keys, values = torch.cat([memory.keys, key]), torch.cat([memory.values, value])
        seen = None
        if self.reach.back is not None:
            back = torch.arange(len(query))[:, None] + len(memory.keys) - torch.arange(len(keys))
            seen = (back >= 0) & (back <= self.reach.back)
            memory.keys, memory.values = keys[-self.reach.back :], values[-self.reach.back :]
        heads = (rows.unflatten(-1, (HEADS, -1)).transpose(0, 1)[None] for rows in (query, keys, values))
        mixed = functional.scaled_dot_product_attention(*heads, attn_mask=seen)[0]
        return self.attention_out(mixed.transpose(0, 1).flatten(1))

    def _convolve(
        self,
        gated: Tensor,  # [PAST_TAPS + count + ahead, WIDTH]
        count: int,
    ) -> Tensor:  # [count, WIDTH]
        if not count:
            return gated[:0]
        kernel = self.taps.weight[..., : PAST_TAPS + 1 + self.reach.ahead]
        return functional.conv1d(gated.T[None], kernel, self.taps.bias, groups=WIDTH)[0].T


class HamaNet(nn.Module):
    """Log-mel energies, halved in rate, and conformer blocks."""

    def __init__(self, reaches: Sequence[Reach] = REACHES) -> None:
        super().__init__()
        self.register_buffer("mel", torch.zeros(MEL_WINDOW // 2 + 1, MEL_BINS))
        self.first = nn.Conv1d(MEL_BINS, WIDTH, 3, stride=2)
        self.blocks = nn.ModuleList(Block(reach) for reach in reaches)

    def log_mel(
        self,
        samples: Tensor,  # [MEL_WINDOW + (n - 1) * HOP / 2]
    ) -> Tensor:  # [n, MEL_BINS]
        window = torch.hann_window(MEL_WINDOW)
        spectrum = torch.stft(samples, MEL_WINDOW, HOP // 2, window=window, center=False, return_complex=True)
        return (spectrum.abs().square().T @ self.mel).clamp(min=LOWEST_POWER).log()

    def begin(
        self,
        mel: Tensor,  # [2 t + 1, MEL_BINS]
    ) -> Tensor:  # [t, WIDTH]
        return functional.gelu(self.first(mel.T[None]))[0].T

    @torch.no_grad()
    def fill(
        self,
        data: bytes,  # of the package's file
    ) -> HamaNet:
        """This network with the file's weights, of as many blocks as it has."""
        tensors = read_tensors(data)
        self.mel.copy_(tensors["mel_fb"])
        _fill(self.first, tensors["onnx::Conv_801"], tensors["onnx::Conv_802"])
        # ONNX has numbered what lost its name: six matrices a block and a kernel with its bias, in order.
        matrices = [tensor.T for name, tensor in tensors.items() if "MatMul" in name]
        for index, block in enumerate(self.blocks):
            own = {name.split(f"blocks.{index}.")[1]: tensors[name] for name in tensors if f"blocks.{index}." in name}
            before_in, before_out, attention_in, attention_out, after_in, after_out = matrices[6 * index :][:6]
            for layer, name, kernels in (
                (block.before, "ffn1", (before_in, before_out)),
                (block.after, "ffn2", (after_in, after_out)),
            ):
                _fill(layer[0], own[f"{name}.norm.weight"], own[f"{name}.norm.bias"])
                _fill(layer[1], kernels[0], own[f"{name}.fc1.bias"])
                _fill(layer[3], kernels[1], own[f"{name}.fc2.bias"])
            _fill(block.attention_in, attention_in, own["attn.in_proj_bias"])
            _fill(block.attention_out, attention_out, own["attn.out_proj.bias"])
            _fill(block.taps, *(tensors[f"onnx::Conv_{804 + 3 * index + part}"] for part in (0, 1)))
            for layer, name in (
                (block.attention_norm, "attn_norm"),
                (block.convolution_norm, "conv.norm"),
                (block.gate, "conv.pointwise1"),
                (block.mix, "conv.pointwise2"),
                (block.norm, "norm"),
            ):
                _fill(layer, own[f"{name}.weight"], own[f"{name}.bias"])
        return self.eval().requires_grad_(False)


def _fill(layer: nn.Module, weight: Tensor, bias: Tensor) -> None:
    layer.weight.copy_(weight.reshape(layer.weight.shape))
    layer.bias.copy_(bias)


def read_tensors(
    data: bytes,  # a .hama: a table of names, types, shapes and places; then the numbers, little-endian
) -> dict[str, Tensor]:  # float32
    (count,) = struct.unpack_from("<I", data, 8)
    at, table = 12, []
    for _ in range(count):
        (length,) = struct.unpack_from("<H", data, at)
        name = data[at + 2 : at + 2 + length].decode()
        at += 2 + length
        is_half, rank = data[at], data[at + 1]
        *shape, place, _ = struct.unpack_from(f"<{rank}IQQ", data, at + 2)
        at += 2 + 4 * rank + 16
        table.append((name, "<f2" if is_half else "<f4", shape, place))
    start = (at + 15) // 16 * 16
    return {
        name: torch.from_numpy(
            np.frombuffer(data, kind, int(np.prod(shape)), start + place).reshape(shape).astype(np.float32)
        )
        for name, kind, shape, place in table
    }


class HamaStream:
    """Samples in, features out. Before the sound and after its end, the recogniser hears what it took for the edges of
    an utterance."""

    def __init__(
        self,
        loudness: Loudness,
        net: HamaNet,
        mean: Tensor | float = 0.0,  # [CHANNELS], what features are normalised with
        deviation: Tensor | float = 1.0,
    ) -> None:
        self._level, self._net, self._mean, self._deviation = loudness, net, mean, deviation
        self._pieces = Pieces(MEL_WINDOW // 2, MEL_WINDOW // 2)
        self._memories = [Memory() for _ in net.blocks]
        self._loudness = torch.zeros(0)  # of the features that the blocks have not completed

    def push(
        self,
        samples: np.ndarray,  # [n] float, 16 kHz
    ) -> Tensor:  # [t, CHANNELS]
        return self._hear(self._pieces.push(samples), ended=False)

    def finish(self) -> Tensor:  # [t, CHANNELS]
        return self._hear(self._pieces.finish(), ended=True)  # never nothing: the last feature waits for sound

    @torch.no_grad()
    def _hear(self, piece: np.ndarray, ended: bool) -> Tensor:
        if not len(piece):
            return torch.zeros(0, CHANNELS)
        mel = self._net.log_mel(torch.from_numpy(piece) * self._level.gain)
        found = [torch.cat(list(self._blocks(self._net.begin(mel), ended)))]
        loudness = torch.cat([self._loudness, loudness_of(mel)])
        found.append(loudness[: len(found[0]), None])
        self._loudness = loudness[len(found[0]) :]
        return (torch.cat(found, dim=1) - self._mean) / self._deviation

    def _blocks(self, begun: Tensor, ended: bool) -> Iterator[Tensor]:
        parts = begun.split(MOST_AT_ONCE)
        for number, hidden in enumerate(parts, 1):
            for block, memory in zip(self._net.blocks, self._memories):
                hidden = block(hidden, memory, ended and number == len(parts))
            yield hidden


def loudness_of(
    mel: Tensor,  # [2 t + 1, MEL_BINS] log energies
) -> Tensor:  # [t]
    powers = mel.exp().mean(dim=1).unfold(0, 3, 2).mean(dim=1)
    return (powers + QUIET_POWER).log()


@lru_cache(maxsize=1)
def load_net() -> HamaNet:
    """The network with the weights that pip's hama carries; Missing without them, with the way to them."""
    return HamaNet().fill(WEIGHTS.read())
