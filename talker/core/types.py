"""The few values that every room of the house passes to the next.

Notation: B frames, N rays, S samples, H x W pixels, C audio channels, A = 64 audio-code channels.

Conventions, once for the whole program: the head frame is canonical and its axes are OpenCV's (x to the
viewer's right, y down, z away from the viewer of a frontal face); pixel centres lie at +0.5; images are RGB in
[0, 1] (uint8 on disk and in a `Take`); angles are degrees at the CLI and radians below it; video runs at
25 frames a second, sound at 16 kHz.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Literal, Protocol, runtime_checkable

import numpy as np
import torch
from annotated_types import Interval
from torch import Tensor

from talker.core.bounds import Seed, check_fields

FPS = 25
AUDIO_RATE_HZ = 16_000
FEATURE_RATE_HZ = 50  # audio features per second: two to a frame

# The head frame's unit: the field's box is [-1, 1]^3, and a grown-up's head fits it with room for hair.
OUTER_EYE_SPAN = 0.606  # distance of the outer eye corners (iBUG 36 and 45), head units
EYE_MIDPOINT = (0.0, 0.04, -0.57)  # midpoint of the outer eye corners, head frame
LIP_LANDMARKS = slice(48, 68)  # iBUG

# One vocabulary of parts for the demo speaker's truth and for tracked masks.
PARTS = ("background", "face", "brows", "eyes", "lips", "mouth", "hair", "ears", "neck", "torso")
BACKGROUND, FACE, BROWS, EYES, LIPS, MOUTH, HAIR, EARS, NECK, TORSO = range(len(PARTS))
HEAD_PARTS = (FACE, BROWS, EYES, LIPS, MOUTH, HAIR, EARS)  # drawn by the 3-D field
TORSO_PARTS = (NECK, TORSO)  # drawn by the 2-D torso layer


@dataclass(frozen=True)
class Camera:
    """A pinhole camera seen from the head: the head stands still, the camera moves."""

    c2w: Tensor  # [4, 4] camera to head frame, OpenCV axes, float32
    focal_px: float
    centre_px: tuple[float, float]  # (x, y)
    size_px: tuple[int, int]  # (width, height)


@dataclass(frozen=True)
class View:
    """What a viewer asks for on top of the head's own motion.

    Positive yaw turns the speaker toward the viewer's right, positive pitch lifts the chin, positive roll tilts
    the head clockwise as seen by the viewer, zoom above 1 enlarges head and torso about the image centre.
    """

    yaw_deg: Annotated[float, Interval(ge=-90, le=90)] = 0.0
    pitch_deg: Annotated[float, Interval(ge=-90, le=90)] = 0.0
    roll_deg: Annotated[float, Interval(ge=-180, le=180)] = 0.0
    zoom: Annotated[float, Interval(ge=0.2, le=5)] = 1.0

    def __post_init__(self) -> None:
        check_fields(self)


@dataclass(frozen=True)
class Rays:
    origins: Tensor  # [N, 3] head frame
    directions: Tensor  # [N, 3] unit length, head frame


@dataclass(frozen=True)
class Condition:
    """What B frames are rendered under, besides their cameras."""

    audio: Tensor  # [B, A] audio codes, from `Scene.encode_audio`
    eye: Tensor  # [B, 3] lid openness in [0, 1]; gaze right and down in about [-1, 1]
    appearance: Tensor  # [B, 4] frame code (exposure drift and the like); zeros for new audio
    head_pose: Tensor  # [B, 4, 4] camera to head frame of the *take* (before any View): the torso follows it

    def to(self, device: torch.device) -> Condition:
        """The same condition for a field on that device. Poses stay: cameras are the CPU's business."""
        return Condition(self.audio.to(device), self.eye.to(device), self.appearance.to(device), self.head_pose)


@dataclass(frozen=True)
class Render:
    rgb: Tensor  # [H, W, 3] (or [N, 3] for loose rays), composited over torso and background
    alpha: Tensor  # [H, W] coverage of head and torso together
    depth: Tensor  # [H, W] expected distance along the ray where the head is, 0 elsewhere; head units


@dataclass(frozen=True)
class Frame:
    """One tracked frame of a take."""

    camera: Camera
    rgb: np.ndarray  # [H, W, 3] uint8
    alpha: np.ndarray  # [H, W] uint8 soft person matte
    parts: np.ndarray  # [H, W] uint8 indices into PARTS


@dataclass(frozen=True)
class FrameUse:
    """What each frame of a take may be used for."""

    usable: np.ndarray  # [B] bool: it shows the speaker, in a pose that is known; others have interpolated tracks
    lips_usable: np.ndarray  # [B] bool: and nothing hides the mouth
    shots: np.ndarray  # [B] int: which shot it belongs to, counted from 0

    @classmethod
    def of_all(cls, count: int) -> FrameUse:
        """Every frame for everything, in one shot."""
        return cls(np.ones(count, bool), np.ones(count, bool), np.zeros(count, int))


@dataclass(frozen=True)
class Take:
    """A speaker video, understood: everything that fitting needs, all frames in one crop and one camera."""

    frames: np.ndarray  # [B, H, W, 3] uint8
    alpha: np.ndarray  # [B, H, W] uint8 soft person matte
    parts: np.ndarray  # [B, H, W] uint8 indices into PARTS
    background: np.ndarray  # [H, W, 3] uint8 plate: the room without the speaker
    c2w: Tensor  # [B, 4, 4] camera to head frame
    focal_px: float
    centre_px: tuple[float, float]
    landmarks_px: Tensor  # [B, 68, 2] iBUG order, pixels of the crop
    landmarks_head: Tensor  # [68, 3] the speaker's mean shape, head frame
    eye: Tensor  # [B, 3] as in Condition
    audio_features: Tensor  # [T, C] at 50 Hz; frame i is centred on feature 2 i + 1
    audio_encoder: str  # the name in talker.take.audio.AUDIO_ENCODERS that made them
    frame_use: FrameUse | None = None  # None: every frame serves for everything

    def __len__(self) -> int:
        return len(self.frames)

    @property
    def size_px(self) -> tuple[int, int]:
        return self.frames.shape[2], self.frames.shape[1]

    @cached_property
    def use(self) -> FrameUse:
        return self.frame_use or FrameUse.of_all(len(self))

    @cached_property
    def held_out(self) -> list[int]:
        """The last 15 % of the frames that show all of the face: never trained on, always measured on."""
        whole = np.flatnonzero(self.use.lips_usable)
        return whole[math.ceil(len(whole) * 0.85) :].tolist()

    @cached_property
    def trained(self) -> np.ndarray:
        """[B] bool: the usable frames before the held-out ones."""
        end = self.held_out[0] if self.held_out else len(self)
        return self.use.usable & (np.arange(len(self)) < end)

    @cached_property
    def training(self) -> list[int]:
        return np.flatnonzero(self.trained).tolist()

    @cached_property
    def lip_training(self) -> list[int]:
        """Those of `training` in which nothing hides the mouth."""
        return [index for index in self.training if self.use.lips_usable[index]]

    @property
    def own_features(self) -> Tensor:
        """[T', C] what was heard while the speaker was seen."""
        frame_of = (torch.arange(len(self.audio_features)) // 2).clamp(max=len(self) - 1)
        return self.audio_features[torch.from_numpy(self.use.usable)[frame_of]]

    def camera(self, index: int) -> Camera:
        return Camera(self.c2w[index], self.focal_px, self.centre_px, self.size_px)

    def frame(self, index: int) -> Frame:
        return Frame(self.camera(index), self.frames[index], self.alpha[index], self.parts[index])


Strategy = Literal["progressive", "iterative", "once"]
TextGuidance = Annotated[float, Interval(ge=0, le=30)]
ImageGuidance = Annotated[float, Interval(ge=1, le=30)]
SamplingSteps = Annotated[int, Interval(ge=1, le=1000)]


@dataclass(frozen=True)
class EditPlan:
    """An edit, decided before anything is computed (Instruct-NeuralTalker, section 3.2)."""

    instruction: str
    seed: Seed = 0
    rounds: Annotated[int, Interval(ge=1, le=100)] = 3  # K
    text_guidance: tuple[TextGuidance, TextGuidance] = (3.0, 6.0)  # s_l, s_u
    steps: tuple[SamplingSteps, SamplingSteps] = (10, 20)  # t_l, t_u
    image_guidance: ImageGuidance = 1.5
    frames: Annotated[int, Interval(ge=1, le=100_000)] = 200  # N, edited in every round
    strategy: Strategy = "progressive"  # talker.pdu.schedule says what each does

    def __post_init__(self) -> None:
        check_fields(self)


class Reporter(Protocol):
    """Where long work tells how far it is. Only the CLI and the studio print or draw."""

    def progress(self, task: str, fraction: float, note: str = "") -> None: ...

    def notice(self, text: str) -> None: ...


@runtime_checkable
class Onlooker(Reporter, Protocol):
    """A Reporter who also likes to see what becomes."""

    def picture(
        self,
        rgb: np.ndarray,  # [H, W, 3] uint8
    ) -> None: ...


class Silent:
    """The Reporter of tests and scripts."""

    def progress(self, task: str, fraction: float, note: str = "") -> None:
        pass

    def notice(self, text: str) -> None:
        pass


def mask_of(parts: np.ndarray | Tensor, names: tuple[int, ...]):
    """Boolean mask of the pixels whose part is one of `names`; same kind of array as `parts`."""
    if isinstance(parts, Tensor):
        return torch.isin(parts, torch.tensor(names, dtype=parts.dtype, device=parts.device))
    return np.isin(parts, names)
