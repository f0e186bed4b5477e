"""A take on disk: a folder that a person can read, written so that half of one is never believed.

`take.json` is written last and read first: a folder without it is no take.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Annotated

import cv2
import numpy as np
import torch
from annotated_types import Ge, Gt, Le, Len
from torch import Tensor
from typing_extensions import NotRequired, TypedDict

from talker.core.errors import BadInput, out_of_memory
from talker.core.files import damaged, load_tensors, read_bytes, save_tensors, taken_from, write_whole
from talker.core.prefetch import side_by_side
from talker.core.records import Count, Size, json_text, open_ended, read_record
from talker.core.types import FPS, FrameUse, Take
from talker.take.audio import AudioEncoder, load_encoder

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
    write_whole(path, data.tobytes())


def decode_image(
    data: bytes,  # of a picture's file
    flags: int = cv2.IMREAD_UNCHANGED,
) -> np.ndarray | None:  # [H, W] or [H, W, channels] as OpenCV orders them
    """The picture; None where it is none. OpenCV opens no file itself: it knows no names but those in UTF-8."""
    try:
        return cv2.imdecode(np.frombuffer(data, np.uint8), flags) if data else None
    except cv2.error as error:  # a size that nobody's memory holds, say
        lack = out_of_memory(error)
        if lack is not None:
            raise lack from None
        return None


def read_image(path: Path) -> np.ndarray:
    """RGB [H, W, 3] or grey [H, W] uint8."""
    stage = path.parent.parent if path.parent.name in ("frames", "masks") else path.parent
    image = decode_image(read_bytes(path, stage))
    if image is None:
        raise damaged(path, stage)
    return np.ascontiguousarray(image[..., ::-1]) if image.ndim == 3 else image


@dataclass(frozen=True)
class Tracks:
    """A take without its pictures: what stays in memory while they wait on disk."""

    c2w: Tensor  # [B, 4, 4] camera to head frame
    focal_px: float
    centre_px: tuple[float, float]
    landmarks_px: Tensor  # [B, 68, 2]
    landmarks_head: Tensor  # [68, 3]
    eye: Tensor  # [B, 3]
    audio_features: Tensor  # [T, C]
    audio_encoder: str
    audio_state: dict[str, Tensor]  # what the encoder learnt from this clip
    use: FrameUse


def save_tracks(folder: TakeFolder, tracks: Tracks, size_px: tuple[int, int], facts: dict) -> None:
    """The numbers, then `take.json`: from here on the take is believed."""
    tensors = {
        "c2w": tracks.c2w,
        "landmarks_px": tracks.landmarks_px,
        "landmarks_head": tracks.landmarks_head,
        "eye": tracks.eye,
        "audio_features": tracks.audio_features,
        **{name: torch.from_numpy(values) for name, values in vars(tracks.use).items()},
        **{f"{AUDIO_STATE}{key}": value for key, value in tracks.audio_state.items()},
    }
    save_tensors(folder.tracks, {name: tensor.float() for name, tensor in tensors.items()})
    own = {
        "schema": SCHEMA,
        "frames": len(tracks.c2w),
        "size_px": list(size_px),
        "fps": FPS,
        "focal_px": tracks.focal_px,
        "centre_px": list(tracks.centre_px),
        "audio_encoder": tracks.audio_encoder,
    }
    write_whole(folder.facts, json_text({**own, **facts}).encode())


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
    tracks = Tracks(
        c2w=take.c2w,
        focal_px=take.focal_px,
        centre_px=take.centre_px,
        landmarks_px=take.landmarks_px,
        landmarks_head=take.landmarks_head,
        eye=take.eye,
        audio_features=take.audio_features,
        audio_encoder=take.audio_encoder,
        audio_state=audio_state or {},
        use=take.use,
    )
    save_tracks(folder, tracks, take.size_px, facts or {})


@open_ended
class TakeOptionFacts(TypedDict):
    audio_model: NotRequired[str | None]


@open_ended
class TakeFacts(TypedDict):
    """take.json"""

    schema: int
    frames: Annotated[Count, Ge(1)]
    size_px: Size
    focal_px: Annotated[float, Gt(0.0), Le(1e9)]
    centre_px: Annotated[list[Annotated[float, Ge(-1e9), Le(1e9)]], Len(2, 2)]
    audio_encoder: str
    options: NotRequired[TakeOptionFacts]


def load_facts(path: Path) -> TakeFacts:
    """take.json; BadInput where there is no finished take."""
    file = TakeFolder(Path(path)).facts
    if not os.path.lexists(file):
        raise BadInput(f"{path} holds no finished take; run `talker fit` first")
    facts = read_record(file, TakeFacts)
    if facts["schema"] != SCHEMA:
        raise BadInput(f"{path} was made by another version of talker; remove it and run `talker fit` again")
    return facts


class StoredPictures:
    """A take's pictures where they lie, read one by one: an array as far as one at a time is asked of it."""

    def __init__(self, path_of: Callable[[int], Path], shape: tuple[int, ...]) -> None:
        self._path_of = path_of
        self.shape = shape

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, index: int) -> np.ndarray:  # [H, W] or [H, W, 3] uint8
        if not 0 <= index < len(self):
            raise IndexError(index)
        path = self._path_of(index)
        picture = read_image(path)
        if picture.shape != self.shape[1:]:
            raise damaged(path, path.parent.parent, "is damaged (it has another size than the take)")
        return picture

    def read(self) -> np.ndarray:
        """All of them: [B, H, W] or [B, H, W, 3] uint8."""
        pictures = np.empty(self.shape, np.uint8)
        for index, picture in enumerate(side_by_side(self.__getitem__, range(len(self)))):
            pictures[index] = picture
        return pictures


def load_take(path: Path) -> Take:
    """A finished take, its pictures in memory as bytes."""
    take = open_take(path)
    return replace(take, frames=take.frames.read(), alpha=take.alpha.read(), parts=take.parts.read())


def open_take(path: Path) -> Take:
    """A finished take, its pictures (`StoredPictures`) on disk until they are asked for: driving asks for none."""
    facts = load_facts(path)
    folder = TakeFolder(Path(path))
    count, (width, height) = facts["frames"], facts["size_px"]
    tracks = load_tensors(folder.tracks)
    shapes = {"c2w": (count, 4, 4), "landmarks_px": (count, 68, 2), "landmarks_head": (68, 3), "eye": (count, 3)}
    if "usable" in tracks:  # not in takes from before frames could be left out
        shapes |= {each.name: (count,) for each in fields(FrameUse)}
    for name, shape in shapes.items():
        if name not in tracks or tracks[name].shape != shape:
            raise damaged(folder.tracks, why=f"is damaged (its {name} does not suit {folder.facts.name})")
    if "audio_features" not in tracks or tracks["audio_features"].ndim != 2:
        raise damaged(folder.tracks, why="is damaged (it has no audio_features)")
    background = read_image(folder.background)
    if background.shape != (height, width, 3):
        raise damaged(folder.background, why="is damaged (it has another size than the take)")
    return Take(
        frames=StoredPictures(folder.frame, (count, height, width, 3)),
        alpha=StoredPictures(folder.alpha, (count, height, width)),
        parts=StoredPictures(folder.parts, (count, height, width)),
        background=background,
        c2w=tracks["c2w"],
        focal_px=facts["focal_px"],
        centre_px=tuple(facts["centre_px"]),
        landmarks_px=tracks["landmarks_px"],
        landmarks_head=tracks["landmarks_head"],
        eye=tracks["eye"],
        audio_features=tracks["audio_features"],
        audio_encoder=facts["audio_encoder"],
        frame_use=frame_use_of(tracks),
    )


def frame_use_of(tracks: dict[str, Tensor]) -> FrameUse | None:
    """None for a take from before frames could be left out: all of them serve."""
    if "usable" not in tracks:
        return None
    usable, lips_usable, shots = (tracks[each.name].numpy() for each in fields(FrameUse))
    return FrameUse(usable > 0, lips_usable > 0, shots.astype(int))


def load_encoder_of(path: Path) -> AudioEncoder:
    """The audio encoder of a take, normalising as it did for the speaker's own clip."""
    facts = load_facts(path)
    file = TakeFolder(Path(path)).tracks
    tracks = load_tensors(file)
    state = {key[len(AUDIO_STATE) :]: value for key, value in tracks.items() if key.startswith(AUDIO_STATE)}
    with taken_from(file):
        return load_encoder(facts["audio_encoder"], state, facts.get("options", {}).get("audio_model"))


def torch_float(array: np.ndarray) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(array, np.float32))
