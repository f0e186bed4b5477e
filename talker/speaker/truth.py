"""What is known exactly about a recording of the demo speaker, on disk and in memory.

Notation: B frames, iBUG 68 landmarks, 15 visemes. Layout of the folder: truth.safetensors, truth.json, audio.wav,
background.png, and frames/, parts/, alpha/ with one lossless PNG per frame.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from safetensors.torch import save_file
from torch import Tensor
from typing_extensions import TypedDict

from talker.core.errors import BadInput
from talker.core.files import load_tensors, taken_from
from talker.core.records import Size, open_ended, read_record, write_record
from talker.core.types import Camera
from talker.speaker.speech import Phone, Sentence

SCHEMA = 1
_TENSORS = ("c2w", "landmarks_px", "landmarks_head", "visemes", "mouth_opening", "mouth_width", "eye")


@dataclass(frozen=True)
class Truth:
    folder: Path
    c2w: Tensor  # [B, 4, 4] camera to head frame, head units
    focal_px: float
    centre_px: tuple[float, float]
    size_px: tuple[int, int]
    landmarks_px: Tensor  # [B, 68, 2]
    landmarks_head: Tensor  # [68, 3] the face at rest, head frame
    visemes: Tensor  # [B, 15]
    viseme_names: tuple[str, ...]
    mouth_opening: Tensor  # [B] mean gap of the inner lips (61-67, 62-66, 63-65), head units
    mouth_width: Tensor  # [B] distance of the mouth's corners (48-54), head units
    eye: Tensor  # [B, 3] lid openness in [0, 1]; gaze right and down, 1 at 30 degrees
    phones: tuple[Phone, ...]
    sentences: tuple[Sentence, ...]
    options: dict  # of the recording, as in record.SpeakerOptions

    def __len__(self) -> int:
        return len(self.c2w)

    def camera(self, index: int) -> Camera:
        return Camera(self.c2w[index], self.focal_px, self.centre_px, self.size_px)

    @cached_property
    def frames(self) -> np.ndarray:
        """[B, H, W, 3] uint8 lossless, read when first asked for."""
        return self._read("frames")

    @cached_property
    def parts(self) -> np.ndarray:
        """[B, H, W] uint8 indices into types.PARTS."""
        return self._read("parts")

    @cached_property
    def alpha(self) -> np.ndarray:
        """[B, H, W] uint8 exact coverage."""
        return self._read("alpha")

    @cached_property
    def background(self) -> np.ndarray:
        """[H, W, 3] uint8: the room without the speaker."""
        return np.asarray(Image.open(self.folder / "background.png"))

    @property
    def audio_path(self) -> Path:
        return self.folder / "audio.wav"

    def _read(self, kind: str) -> np.ndarray:
        return np.stack([np.asarray(Image.open(frame_path(self.folder, kind, index))) for index in range(len(self))])


def frame_path(folder: Path, kind: str, index: int) -> Path:
    return folder / kind / f"{index:05d}.png"


def write_png(
    path: Path,
    image: np.ndarray,  # [H, W] or [H, W, 3] uint8
) -> None:
    Image.fromarray(image).save(path, compress_level=1)


def save_tracks(
    folder: Path,
    tensors: dict[str, Tensor],  # the tensors of Truth, by name
    facts: dict,  # all else, for truth.json
) -> None:
    save_file({name: tensors[name].contiguous() for name in _TENSORS}, str(folder / "truth.safetensors"))
    write_record(folder / "truth.json", {"schema": SCHEMA, **facts})


@open_ended
class TruthFacts(TypedDict):
    """truth.json"""

    schema: int
    focal_px: float
    centre_px: tuple[float, float]
    size_px: Size
    visemes: list[str]
    phones: list[Phone]
    sentences: list[Sentence]
    options: dict[str, Any]


def load_truth(folder: Path) -> Truth:
    """Read what `record_speaker` wrote. BadInput when the folder holds no truth."""
    folder = Path(folder)
    if not (folder / "truth.json").is_file():
        raise BadInput(f"No truth in {folder}; make it with: talker speaker OUT.mp4 --truth {folder}")
    facts = read_record(folder / "truth.json", TruthFacts)
    if facts["schema"] != SCHEMA:
        raise BadInput(
            f"{folder} is of another version of talker; make it again with: talker speaker OUT.mp4 --truth {folder}"
        )
    tensors = load_tensors(folder / "truth.safetensors")
    with taken_from(folder / "truth.safetensors"):
        return Truth(
            folder=folder,
            focal_px=facts["focal_px"],
            centre_px=facts["centre_px"],
            size_px=tuple(facts["size_px"]),
            viseme_names=tuple(facts["visemes"]),
            phones=tuple(facts["phones"]),
            sentences=tuple(facts["sentences"]),
            options=facts["options"],
            **{name: tensors[name].to(torch.float32) for name in _TENSORS},
        )
