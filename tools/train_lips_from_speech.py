"""Train talker/take/lips_from_speech.safetensors: `python -m tools.train_lips_from_speech`.

Ridge regression from what an encoder hears in synthetic voices (`tools.voices`) to the demo speaker's exact lips. What
is slow is taken out of both, as where the map is used (`talker.take.sync`). Some minutes on one CPU thread.

Notation: T features at 50 Hz, V visemes, D = taps x channels numbers that a moment is told by.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file
from torch import Tensor

from talker.core.types import FEATURE_RATE_HZ
from talker.speaker.head import HeadState, head_model
from talker.speaker.visemes import VISEMES, mouth_shapes, viseme_track
from talker.take.audio import AudioEncoder
from talker.take.lips_from_speech import ENCODERS, LIPS, TAPS, WEIGHTS, lip_measures, plain_encoder, windows
from talker.take.sync import without_drift
from tools.voices import monologue, recorded

RECORDING_S = 12.0
LEAST_DEVIATION = 0.1  # of a channel, over its mean deviation: what hardly ever changes is not blown up
RIDGE = 1.0


def lips_of_visemes() -> np.ndarray:  # [V, LIPS]
    """The demo speaker's lips in every viseme."""
    rows = []
    for row in np.eye(len(VISEMES), dtype=np.float32):
        head = head_model().pose(HeadState(mouth_shapes(row)))
        rows.append(lip_measures(head.landmarks_head))
    return np.stack(rows)


def train(encoder: AudioEncoder, recordings: int, seed: int) -> Tensor:  # [K, C, LIPS]
    """The map, from the sums over all recordings: no more than one is in memory."""
    size, lips = len(TAPS) * encoder.channels, lips_of_visemes()
    normal, product = torch.zeros(size, size, dtype=torch.float64), torch.zeros(size, LIPS, dtype=torch.float64)
    for index in range(recordings):
        generator = np.random.default_rng((seed, index))
        said, phones = monologue(RECORDING_S, generator)
        features = encoder.encode(recorded(said, generator))
        times_s = (np.arange(len(features)) + 0.5) / FEATURE_RATE_HZ
        seen = without_drift(viseme_track(phones, times_s) @ lips, FEATURE_RATE_HZ)
        heard = without_drift(windows(features).flatten(1).double().numpy(), FEATURE_RATE_HZ)
        normal += torch.from_numpy(heard.T @ heard)
        product += torch.from_numpy(heard.T @ seen)
    spread = normal.diagonal().sqrt()
    spread = spread.clamp_min(LEAST_DEVIATION * float(spread.mean()))
    scaled = normal / spread[:, None] / spread + RIDGE * torch.eye(size, dtype=torch.float64)
    solved = torch.linalg.solve(scaled, product / spread[:, None]) / spread[:, None]
    return solved.float().view(len(TAPS), encoder.channels, LIPS)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tools.train_lips_from_speech", description=__doc__.split("\n")[0])
    parser.add_argument("--out", type=Path, default=WEIGHTS, help="[%(default)s]")
    parser.add_argument("--recordings", type=int, default=150, help="of 12 s, each in a voice of its own [%(default)s]")
    parser.add_argument("--seed", type=int, default=0, help="[%(default)s]")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    maps = {name: train(plain_encoder(name), arguments.recordings, arguments.seed) for name in ENCODERS}
    save_file({name: weights.contiguous() for name, weights in maps.items()}, str(arguments.out))
    print(f"{arguments.out}: {sum(weights.numel() for weights in maps.values())} numbers")


if __name__ == "__main__":
    main()
