"""Train talker/take/viseme.safetensors: `python -m tools.train_visemes [--steps N] [--out FILE]`.

The demo speaker's synthesiser says what nobody wrote down, in voices that do not exist (`tools.voices`); a network
(`talker.take.viseme`) learns to hear the visemes in it. Some 15 minutes on one CPU thread. The speech is made first,
2 minutes, and kept as features in --cache. Same seed and steps, same weights, as far as torch adds in the same order.

Notation: R recordings of T features at 50 Hz, B of them in a batch, V visemes, P phones.
"""

from __future__ import annotations

import argparse
import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.nn import functional

from talker.core.types import FEATURE_RATE_HZ, LIP_LANDMARKS
from talker.speaker.head import HeadState, head_model
from talker.speaker.phonetics import AFFRICATES, CONSONANTS, DIPHTHONGS, STOPS, VOWELS
from talker.speaker.speech import Phone
from talker.speaker.visemes import VISEMES, mouth_shapes, viseme_track
from talker.take.loudness import measure_loudness
from talker.take.mel import LOG_FLOOR, MEL_BINS, MelStream
from talker.take.viseme import AHEAD, CODE, PAST, WEIGHTS, VisemeNet
from tools.voices import monologue, recorded

RECORDING_S = 12.0
PIECE = 200  # features of a recording in a batch
BATCH = 24
HELD_OUT = 40  # recordings that are only measured on
WARM_UP_STEPS, LAST_RATE = 100, 0.02  # the learning rate rises, then follows half a cosine down to this share
MOUTH_WEIGHT, PHONE_WEIGHT = 3.0, 0.3
LOUDER_SPREAD = 1.0  # of log power: levels are estimates
COLOUR_SPREAD, COLOUR_KNOTS = 0.6, 6  # of log power, over the bands
MUTED_BINS = 12  # at most so many neighbouring mel bins are unheard
PHONES = (*sorted({*VOWELS, *DIPHTHONGS, *CONSONANTS, *STOPS, *AFFRICATES}), "SIL")


@dataclass(frozen=True)
class Speech:
    """Recordings with what is true of them."""

    mel: Tensor  # [R, T, 2 * MEL_BINS] float16 log energies
    visemes: Tensor  # [R, T, V] float16
    phones: Tensor  # [R, T] uint8 indices into PHONES

    @classmethod
    def make(cls, count: int, seed: int) -> Speech:
        found = []
        for index in range(count):
            found.append(one_recording(np.random.default_rng((seed, index))))
            if (index + 1) % 100 == 0:
                print(f"speech: {index + 1} of {count} recordings", flush=True)
        return cls(*(torch.stack(column) for column in zip(*found, strict=True)))

    @classmethod
    def cached(cls, count: int, seed: int, cache: Path) -> Speech:
        file = cache / f"speech-{count}-{seed}.safetensors"
        if not file.exists():
            cache.mkdir(parents=True, exist_ok=True)
            save_file(vars(cls.make(count, seed)), str(file))
        return cls(**load_file(str(file)))

    def pick(self, recordings: Tensor, starts: Tensor) -> Speech:
        """Pieces [B, PIECE, ..] of recordings [B] from features [B] on."""
        at = starts[:, None] + torch.arange(PIECE)
        return Speech(*(track[recordings[:, None], at] for track in (self.mel, self.visemes, self.phones)))


def one_recording(generator: np.random.Generator) -> tuple[Tensor, Tensor, Tensor]:
    said, phones = monologue(RECORDING_S, generator)
    wav = recorded(said, generator)
    stream = MelStream(measure_loudness([wav]))
    mel = torch.cat([stream.push(wav), stream.finish()])
    visemes = viseme_track(phones, (np.arange(len(mel)) + 0.5) / FEATURE_RATE_HZ)
    return mel.half(), torch.from_numpy(visemes).half(), phone_labels(phones, len(mel))


def phone_labels(phones: Sequence[Phone], count: int) -> Tensor:  # [count] uint8
    labels = torch.full((count,), PHONES.index("SIL"), dtype=torch.uint8)
    for phone in phones:
        labels[round(phone.start_s * FEATURE_RATE_HZ) : round(phone.end_s * FEATURE_RATE_HZ)] = PHONES.index(phone.name)
    return labels


def mouth_of_visemes() -> Tensor:  # [V, 60]
    """Where each viseme's lips lie, away from silence's, in units of their usual distance."""
    poses = [head_model().pose(HeadState(mouth_shapes(weights))) for weights in np.eye(len(VISEMES))]
    lips = np.stack([pose.landmarks_head[LIP_LANDMARKS].ravel() for pose in poses])
    lips -= lips[VISEMES.index("sil")]
    return torch.from_numpy(lips / np.sqrt((lips**2).sum(1).mean())).float()


def disturbed(
    mel: Tensor,  # [B, T, 2 * MEL_BINS]
    generator: torch.Generator,
) -> Tensor:
    """Another level, another microphone, and a few bands unheard: the same recording never comes twice."""
    count = len(mel)
    knots = torch.randn(count, 1, COLOUR_KNOTS, generator=generator) * COLOUR_SPREAD
    colour = functional.interpolate(knots, MEL_BINS, mode="linear", align_corners=True)
    louder = torch.randn(count, 1, 1, generator=generator) * LOUDER_SPREAD
    mel = (mel + louder + colour.repeat(1, 1, 2)).clamp_min(math.log(LOG_FLOOR))
    first = torch.randint(MEL_BINS, (count, 1), generator=generator)
    width = torch.randint(MUTED_BINS, (count, 1), generator=generator)
    bins = torch.arange(MEL_BINS)
    muted = ((bins >= first) & (bins < first + width)).repeat(1, 2)
    return torch.where(muted[:, None], mel.mean(dim=(1, 2), keepdim=True), mel)


class Lesson(nn.Module):
    """The network, and what is asked of it: visemes, the lips' places that follow from them, and phones."""

    def __init__(self) -> None:
        super().__init__()
        self.net = VisemeNet()
        self.phones = nn.Linear(CODE, len(PHONES))  # asked only here: a code that tells phones apart knows more
        self.register_buffer("mouths", mouth_of_visemes())

    def forward(
        self,
        mel: Tensor,  # [B, T, 2 * MEL_BINS]
        visemes: Tensor,  # [B, T, V]
        phones: Tensor,  # [B, T]
    ) -> Tensor:
        code, logits = self.net(mel)
        visemes, phones = visemes[:, PAST:-AHEAD], phones[:, PAST:-AHEAD]
        heard = -(visemes * logits.log_softmax(dim=-1)).sum(dim=-1).mean()
        moved = ((logits.softmax(dim=-1) - visemes) @ self.mouths).square().sum(dim=-1).mean()
        named = functional.cross_entropy(self.phones(code).flatten(0, 1), phones.flatten().long())
        return heard + MOUTH_WEIGHT * moved + PHONE_WEIGHT * named

    @torch.no_grad()
    def unexplained(self, speech: Speech) -> float:
        """Share of the lips' movement that is not found, over whole recordings."""
        mel = speech.mel.float()
        _, logits = self.net(
            torch.cat([mel[:, :1].expand(-1, PAST, -1), mel, mel[:, -1:].expand(-1, AHEAD, -1)], dim=1)
        )
        wanted = speech.visemes.float() @ self.mouths
        missed = (logits.softmax(dim=-1) @ self.mouths - wanted).square().sum()
        return float(missed / (wanted - wanted.mean(dim=(0, 1))).square().sum())


def learning_rate(step: int, steps: int) -> float:
    """As a share of the highest."""
    cosine = 0.5 * (1.0 + math.cos(math.pi * step / steps))
    return min(1.0, (step + 1) / WARM_UP_STEPS) * (LAST_RATE + (1.0 - LAST_RATE) * cosine)


def train(speech: Speech, steps: int, seed: int, rate: float = 2e-3) -> VisemeNet:
    torch.manual_seed(seed)
    generator = torch.Generator().manual_seed(seed)
    lesson = Lesson()
    tested = Speech(*(track[:HELD_OUT] for track in (speech.mel, speech.visemes, speech.phones)))
    optimiser = torch.optim.AdamW(lesson.parameters(), lr=rate, weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda step: learning_rate(step, steps))
    started_s = time.monotonic()
    for step in range(steps):
        recordings = torch.randint(HELD_OUT, len(speech.mel), (BATCH,), generator=generator)
        starts = torch.randint(speech.mel.shape[1] - PIECE, (BATCH,), generator=generator)
        piece = speech.pick(recordings, starts)
        loss = lesson(disturbed(piece.mel.float(), generator), piece.visemes.float(), piece.phones)
        optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(lesson.parameters(), 1.0)
        optimiser.step()
        schedule.step()
        if (step + 1) % 100 == 0 or step + 1 == steps:
            unexplained, seconds = lesson.unexplained(tested), time.monotonic() - started_s
            print(f"step {step + 1} of {steps}, {seconds:.0f} s: unexplained {unexplained:.3f}", flush=True)
    return lesson.net.eval()


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tools.train_visemes", description=__doc__.split("\n")[0])
    parser.add_argument("--out", type=Path, default=WEIGHTS, help="[%(default)s]")
    parser.add_argument("--cache", type=Path, default=Path("out/visemes"), metavar="DIR", help="[%(default)s]")
    parser.add_argument(
        "--recordings", type=int, default=1440, help="of 12 s, each in a voice of its own [%(default)s]"
    )
    parser.add_argument("--steps", type=int, default=3000, help="[%(default)s]")
    parser.add_argument("--seed", type=int, default=0, help="[%(default)s]")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    speech = Speech.cached(arguments.recordings, arguments.seed, arguments.cache)
    net = train(speech, arguments.steps, arguments.seed)
    save_file({name: tensor.half().contiguous() for name, tensor in net.state_dict().items()}, str(arguments.out))
    print(f"{arguments.out}: {sum(parameter.numel() for parameter in net.parameters())} parameters")


if __name__ == "__main__":
    main()
