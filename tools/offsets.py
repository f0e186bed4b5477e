"""How often the sound's offset is told rightly: `python -m tools.offsets PROJECT... [--truth FOLDER]`.

Each clip is cut into short ones, and their sound is shifted by known amounts. What is told is right when it lies within
40 ms of that beside the whole clip's own offset: cameras have offsets of their own, which nobody knows better. The
control is sound of another clip: whatever is told of it with certainty is wrong.

Notation: B frames at 25 Hz, n samples at 16 kHz.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from talker.api.artifacts import open_project
from talker.core.types import AUDIO_RATE_HZ, FPS
from talker.speaker.truth import load_truth
from talker.take.lips_from_speech import LipsFromSpeech
from talker.take.store import TakeFolder, load_take
from talker.take.sync import Offset, estimate_offset
from talker.video import read_audio

SHIFTS_S = (-0.2, -0.1, 0.0, 0.1, 0.2)
LENGTHS_S = (4.0, 6.0, 9.0, 15.0)
RIGHT_S = 0.04
PIECES = 6  # of a clip, evenly spread


@dataclass(frozen=True)
class Clip:
    name: str
    landmarks: np.ndarray  # [B, 68, 2]
    wav: np.ndarray  # [n] from the first frame on
    own_s: float | None = None  # by how much the sound is late; None: as the whole clip tells

    @classmethod
    def of_project(cls, folder: Path) -> Clip:
        project = open_project(folder)
        take = load_take(project.path("take"))
        landmarks = np.where(take.use.lips_usable[:, None, None], take.landmarks_px.numpy(), np.nan)
        return cls(folder.stem, landmarks, read_audio(TakeFolder(project.path("take")).audio))

    @classmethod
    def of_truth(cls, folder: Path) -> Clip:
        truth = load_truth(folder)
        return cls(folder.stem, truth.landmarks_px.numpy(), read_audio(truth.audio_path), 0.0)


@dataclass(frozen=True)
class Shares:
    """Of all pieces."""

    right: float  # told, and rightly
    wrong: float  # told, and wrongly
    nearest: float  # right if something had to be told
    strangers: float  # of sound that belongs to another clip: told with certainty


def offset_right_share(clips: Sequence[Clip], ear: LipsFromSpeech, length_s: float = LENGTHS_S[0]) -> Shares:
    """Mean over the clips that are long enough, of which each counts as much."""
    long = [clip for clip in clips if len(clip.landmarks) >= length_s * FPS]
    rows = []
    for number, clip in enumerate(long):
        own_s = clip.own_s if clip.own_s is not None else estimate_offset(clip.landmarks, clip.wav, 0.0, ear).offset_s
        found = [(shift_s, piece(clip, clip, start_s, length_s, shift_s, ear))
                 for start_s in starts(clip, length_s) for shift_s in SHIFTS_S]  # fmt: skip
        right = np.array([abs(each.offset_s - own_s - shift_s) <= RIGHT_S for shift_s, each in found])
        sure = np.array([each.is_sure for _, each in found])
        other = long[number - 1]
        strange = [piece(clip, other, start_s, length_s, 0.0, ear) for start_s in starts(clip, length_s)]
        rows.append((
            (right & sure).mean(), (~right & sure).mean(), right.mean(),
            np.mean([each.is_sure for each in strange]) if other is not clip else 0.0,
        ))  # fmt: skip
    return Shares(*np.mean(rows, axis=0).tolist())


def piece(
    clip: Clip,
    sound: Clip,  # whose sound
    start_s: float,
    length_s: float,
    late_s: float,  # by how much more the sound is late
    ear: LipsFromSpeech,
) -> Offset:
    """What is told of a piece as if there were nothing else: its sound begins and ends with its pictures."""
    first, count = round(start_s * FPS), round(length_s * FPS)
    begin, samples = round((start_s - late_s) * AUDIO_RATE_HZ), round(length_s * AUDIO_RATE_HZ)
    at = (begin + np.arange(samples)) % len(sound.wav)
    return estimate_offset(clip.landmarks[first : first + count], sound.wav[at], 0.0, ear)


def starts(clip: Clip, length_s: float) -> np.ndarray:
    return np.linspace(0.0, len(clip.landmarks) / FPS - length_s, PIECES)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tools.offsets", description=__doc__.split("\n")[0])
    parser.add_argument("projects", nargs="*", type=Path, metavar="PROJECT", help="fitted projects")
    parser.add_argument("--truth", action="append", default=[], type=Path, metavar="FOLDER", help="of demo speakers")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    clips = [*map(Clip.of_project, arguments.projects), *map(Clip.of_truth, arguments.truth)]
    ear = LipsFromSpeech.load()
    print(f"heard by {ear.encoder.name}; shares of pieces: told rightly, wrongly, nearest right, strangers told")
    for length_s in LENGTHS_S:
        shares = offset_right_share(clips, ear, length_s)
        print(f"{length_s:4.0f} s  {shares.right:.2f} {shares.wrong:.2f} {shares.nearest:.2f} {shares.strangers:.2f}")


if __name__ == "__main__":
    main()
