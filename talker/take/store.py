"""A take on disk: a folder that a person can read, written so that half of one is never believed.

`take.json` is written last and read first: a folder without it is no take.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from talker.errors import BadInput
from talker.take.audio import AudioEncoder, load_encoder
from talker.types import FPS, Take

SCHEMA = 1
AUDIO_STATE = "audio_state."


@dataclass(frozen=True)
class TakeFolder:
    """Names inside a take's folder."""

    path: Path

    def frame(self, index: int) -> Path:
        return self.path / "frames" / f"{index:05d}.png"

    def alpha(self, index: int) -> Path:
        return self.path / "masks" / f"{index:05d}_alpha.png"

    def parts(self, index: int) -> Path:
        return self.path / "masks" / f"{index:05d}_parts.png"

    @property
    def facts(self) -> Path:
        return self.path / "take.json"

    @property
    def tracks(self) -> Path:
        return self.path / "tracks.safetensors"

    @property
    def background(self) -> Path:
        return self.path / "background.png"

    @property
    def audio(self) -> Path:
        return self.path / "audio.wav"

    def make(self) -> None:
        (self.path / "frames").mkdir(parents=True, exist_ok=True)
        (self.path / "masks").mkdir(exist_ok=True)


def write_image(
    path: Path,
    image: np.ndarray,  # [H, W] or [H, W, 3] RGB, uint8
) -> None:
    """PNG, under its name only when complete."""
    swapped = image[..., ::-1] if image.ndim == 3 else image
    # Level 1 is three times faster than OpenCV's default and a tenth larger.
    done, data = cv2.imencode(".png", np.ascontiguousarray(swapped), [cv2.IMWRITE_PNG_COMPRESSION, 1])
    if not done:
        raise ValueError(f"not an image: {image.shape} {image.dtype}")
    write_atomically(path, data.tobytes())


def write_atomically(path: Path, data: bytes) -> None:
    partial = path.with_name(f".{path.name}.partial")
    try:
        partial.write_bytes(data)
        os.replace(partial, path)
    except OSError as error:
        partial.unlink(missing_ok=True)
        raise BadInput(f"Cannot write {path}: {error.strerror}; free some space and run again") from error


def read_image(path: Path) -> np.ndarray:
    """RGB [H, W, 3] or grey [H, W] uint8."""
    image = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    if image is None:
        raise BadInput(f"{path} is missing or broken; run `talker fit` again with --force")
    return np.ascontiguousarray(image[..., ::-1]) if image.ndim == 3 else image


def save_tracks(folder: TakeFolder, take: Take, audio_state: dict[str, Tensor], extra: dict[str, Tensor]) -> None:
    """Everything numeric of a take, and whatever else may serve (`extra`)."""
    tensors = {
        "c2w": take.c2w.float(),
        "landmarks_px": take.landmarks_px.float(),
        "landmarks_head": take.landmarks_head.float(),
        "eye": take.eye.float(),
        "audio_features": take.audio_features.float(),
        **{f"{AUDIO_STATE}{key}": value.float() for key, value in audio_state.items()},
        **extra,
    }
    partial = folder.tracks.with_name(".tracks.partial")
    save_file({name: tensor.contiguous() for name, tensor in tensors.items()}, str(partial))
    os.replace(partial, folder.tracks)


def save_facts(folder: TakeFolder, take: Take, facts: dict) -> None:
    """The last file of a take: from here on it is believed."""
    own = {
        "schema": SCHEMA,
        "frames": len(take),
        "size_px": list(take.size_px),
        "fps": FPS,
        "focal_px": take.focal_px,
        "centre_px": list(take.centre_px),
        "audio_encoder": take.audio_encoder,
    }
    write_atomically(folder.facts, json.dumps({**own, **facts}, indent=2).encode())


def save_take(
    take: Take,
    path: Path,
    *,
    audio_state: dict[str, Tensor] | None = None,
    facts: dict | None = None,
) -> None:
    """Write a whole take from memory (its sound apart: `audio.wav` is the builder's)."""
    folder = TakeFolder(Path(path))
    folder.facts.unlink(missing_ok=True)
    folder.make()
    for index in range(len(take)):
        write_image(folder.frame(index), take.frames[index])
        write_image(folder.alpha(index), take.alpha[index])
        write_image(folder.parts(index), take.parts[index])
    write_image(folder.background, take.background)
    save_tracks(folder, take, audio_state or {}, {})
    save_facts(folder, take, facts or {})


def load_facts(path: Path) -> dict:
    """take.json; BadInput where there is no finished take."""
    file = TakeFolder(Path(path)).facts
    if not file.exists():
        raise BadInput(f"{path} holds no finished take; run `talker fit` first")
    facts = json.loads(file.read_text())
    if facts.get("schema") != SCHEMA:
        raise BadInput(f"{path} was made by another version of talker; run `talker fit` again with --force")
    return facts


def load_take(path: Path) -> Take:
    """A finished take, frames in memory as bytes."""
    facts = load_facts(path)
    folder = TakeFolder(Path(path))
    count, (width, height) = facts["frames"], facts["size_px"]
    frames = np.empty((count, height, width, 3), np.uint8)
    alpha, parts = np.empty((2, count, height, width), np.uint8)
    for index in range(count):
        frames[index] = read_image(folder.frame(index))
        alpha[index] = read_image(folder.alpha(index))
        parts[index] = read_image(folder.parts(index))
    tracks = load_file(str(folder.tracks))
    return Take(
        frames=frames,
        alpha=alpha,
        parts=parts,
        background=read_image(folder.background),
        c2w=tracks["c2w"],
        focal_px=float(facts["focal_px"]),
        centre_px=(float(facts["centre_px"][0]), float(facts["centre_px"][1])),
        landmarks_px=tracks["landmarks_px"],
        landmarks_head=tracks["landmarks_head"],
        eye=tracks["eye"],
        audio_features=tracks["audio_features"],
        audio_encoder=facts["audio_encoder"],
    )


def load_encoder_of(path: Path) -> AudioEncoder:
    """The audio encoder of a take, normalising as it did for the speaker's own clip."""
    facts = load_facts(path)
    tracks = load_file(str(TakeFolder(Path(path)).tracks))
    state = {key[len(AUDIO_STATE) :]: value for key, value in tracks.items() if key.startswith(AUDIO_STATE)}
    return load_encoder(facts["audio_encoder"], state or None, facts.get("options", {}).get("audio_model"))


def torch_float(array: np.ndarray) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(array, np.float32))
