"""Driving a fitted or edited speaker with any audio, from any view, in front of any background.

Notation: B frames, H x W pixels, T audio features of C channels at 50 Hz, n frames of the take.

New audio has no head motion of its own: the head replays the take's poses and blinks, forth and back, so that no
frame jumps to the next. A `View` is composed with that motion; the background stays where it is.

Driving is a stream: sound is read, heard (features, codes), rendered and encoded at the same time, and each step holds
a few frames only, however long the speech.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Annotated, Literal, Protocol

import cv2
import numpy as np
import torch
from annotated_types import Interval
from torch import Tensor

from talker.core.bounds import Track, check_fields
from talker.core.camera import apply_view, resized
from talker.core.errors import BadInput
from talker.core.images import to_bytes
from talker.core.prefetch import ahead, side_by_side
from talker.core.text import path_of
from talker.core.types import Camera, Condition, Render, Reporter, Take, View
from talker.core.view import AS_TAKEN, ViewPath, view_at
from talker.take.audio import AudioEncoder, FeatureStream, FrameWindows, audio_windows
from talker.take.motion_replay import Replay
from talker.take.speech import Speech
from talker.take.store import decode_image
from talker.video import VideoWriter, stream_audio

Motion = Literal["take", "still"]
USUAL_DETAIL = 0.8  # the weight w that edits are trained with
_LIDS = (0.01, 0.95)  # quantiles of a take's lids that count as closed and open
_CODES_AT_ONCE = 64  # windows of 64 frames are 5 MB; those of an hour would be 7 GB
_CODES_AHEAD, _FRAMES_AHEAD = 64, 8  # what the renderer and the encoder never wait for
# x264's cheap preset at the PSNR of the costly one (medium, crf 16): half the CPU time, files a third larger.
_PRESET, _CRF = "veryfast", 14


class TalkingScene(Protocol):
    """A scene as driving sees it (`talker.radfield.scene.Scene`). Frames are rendered side by side."""

    @property
    def device(self) -> torch.device: ...

    def encode_audio(self, windows: Tensor) -> Tensor: ...  # [B, 8, 16, C] -> [B, A]

    def render(self, camera: Camera, condition: Condition, *, background: Tensor | None = None) -> Render: ...


class Refiner(Protocol):
    """The refinement network as driving sees it (`talker.refine.network.RefinementNet`)."""

    def refine(self, rendered: Tensor, weight: float) -> Tensor: ...


@dataclass(frozen=True)
class DriveOptions:
    """How a speaker is driven."""

    view: View | ViewPath = AS_TAKEN  # turn and zoom on top of the head's own motion: yaw=20,pitch=-5,roll=0,zoom=1.1
    motion: Motion = "take"  # whether the head replays the take's motion or keeps still; it blinks either way
    detail: Annotated[float, Interval(ge=0, le=1.5)] = USUAL_DETAIL
    """weight of the refinement network in an edited speaker: 0 without it"""
    strength: Annotated[float, Interval(ge=0, le=1)] = 1.0
    """how much of an edit is shown: 0 the speaker as filmed, 1 all of it, 0.5 half-way"""
    eyes: Annotated[float, Interval(ge=0, le=1)] | None = None
    """how far the eyes are open, instead of blinking as filmed"""
    size_px: Annotated[int, Interval(ge=32, le=2048)] | None = None  # the video's height, instead of the take's
    track: Track | None = None  # which sound track of AUDIO is said, counted from 1 [the first with speech]

    LATER = frozenset({"track"})  # see `talker.projects.project.inputs_of`

    def __post_init__(self) -> None:
        check_fields(self)


def lids_of(take: Take) -> tuple[float, float]:
    """How far the lids of a take are open where they count as closed, and as open."""
    return tuple(take.eye[take.use.usable, 0].quantile(torch.tensor(_LIDS)).tolist())


class Portrait:
    """The friendly door to a speaker: give it audio, ask it for frames. What frames share is computed once."""

    def __init__(
        self,
        scene: TalkingScene,
        take: Take,
        refiner: Refiner | None = None,
        motion: Motion = "take",
        strength: float = 1.0,  # of an edit that `scene` shows a part of: its detail counts as much
    ):
        self.scene = scene
        self.take = take
        self.refiner = refiner
        self.motion = motion
        self.strength = strength
        self._codes: Tensor | None = None  # [B, A]
        self._replay = Replay.of(take)
        self._lids = lids_of(take)
        self._heard = take.own_features.amin(0), take.own_features.amax(0)  # [C] each

    def __len__(self) -> int:
        """Frames of the audio that was set."""
        return 0 if self._codes is None else len(self._codes)

    def set_audio(
        self,
        features: Tensor,  # [T, C] at 50 Hz, from the encoder of the take
        frames: int | None = None,  # how many video frames; None takes what the features last for
    ) -> None:
        """Audio codes of all frames, in chunks: memory for the windows does not grow with the audio."""
        count = frames if frames is not None else max(1, len(features) // 2)
        chunks = [range(first, min(first + _CODES_AT_ONCE, count)) for first in range(0, count, _CODES_AT_ONCE)]
        self._codes = torch.cat([self.encode(audio_windows(features, chunk)) for chunk in chunks])

    @torch.no_grad()
    def encode(
        self,
        windows: Tensor,  # [B, 8, 16, C]
    ) -> Tensor:  # [B, A]
        """Audio codes of frames that are streamed: `render` takes them one by one.

        Sounds beyond those of the speaker's own clip are held at their edge: the field knows no mouth for them.
        """
        return self.scene.encode_audio(windows.clamp(*self._heard))

    def pose_index(self, index: int) -> int:
        """The frame of the take whose head pose frame `index` shows."""
        return self._replay.still if self.motion == "still" else self._replay.at(index)

    def condition(
        self,
        index: int,  # frame of the audio
        pose: int,  # frame of the take that lends the head pose
        blink: int,  # frame of the take that lends the lids
        code: Tensor | None = None,  # [A] of a frame that is streamed; None: of the audio that was set
        eyes: float | None = None,  # openness instead of that blink's
    ) -> Condition:
        if code is None:
            if self._codes is None:
                raise ValueError("set_audio comes before render")
            code = self._codes[index]
        eye = self.take.eye[pose].clone()
        # Gaze belongs to the pose it was seen with, blinks do not. No lid goes where none was filmed.
        low, high = self._lids
        eye[0] = self.take.eye[blink, 0] if eyes is None else low + eyes * (high - low)
        return Condition(
            audio=code[None],
            eye=eye[None],
            appearance=torch.zeros(1, 4),
            head_pose=self.take.c2w[pose][None],
        )

    @torch.no_grad()
    def render(
        self,
        index: int,  # frame of the audio
        view: View = AS_TAKEN,
        background: Tensor | None = None,  # [H, W, 3] in [0, 1]; None shows the speaker's own room
        detail: float = USUAL_DETAIL,  # weight w of the refinement network
        pose: int | None = None,  # frame of the take to pose as; None follows `motion`
        code: Tensor | None = None,  # [A] audio code of a frame that is streamed; None: of the audio that was set
        eyes: float | None = None,  # 0 closed, 1 open; None: as they blinked
        size_px: tuple[int, int] | None = None,  # (width, height) of the picture and of `background`; None: the take's
    ) -> Render:
        """One frame; `rgb` is the final image I_f = w g(I_r) + (1 - w) I_r where the speaker was edited."""
        if pose is None:
            pose, blink = self.pose_index(index), self._replay.at(index)
        else:
            blink = pose
        camera = apply_view(self.take.camera(pose), view)
        camera = camera if size_px is None else resized(camera, size_px)
        render = self.scene.render(camera, self.condition(index, pose, blink, code, eyes), background=background)
        if self.refiner is None or detail == 0:
            return render
        final = self.refiner.refine(render.rgb, detail * self.strength)
        if background is not None:  # a background that someone chose is shown as it is
            final = torch.lerp(render.rgb, final, render.alpha[..., None])
        return replace(render, rgb=final)


def drive(
    portrait: Portrait,
    speech: Speech,
    out: Path,
    options: DriveOptions,
    reporter: Reporter,
    encoder: AudioEncoder,  # the take's own
    background: Tensor | None = None,  # [H, W, 3] of the video's size
) -> int:
    """Write the video of the speaker saying `speech`, frame by frame, with the sound; returns the frame count."""
    size_px = picture_size(portrait.take, options)
    if speech.loudness.is_narrow:
        reporter.notice(
            f"{speech.source.path.name} holds nothing above 5 kHz, as on a telephone: s, f and sh are hard to tell "
            "apart, and lips are less sure of them"
        )

    def picture(frame: tuple[int, Tensor]) -> np.ndarray:
        index, code = frame
        view = view_at(options.view, index / max(1, speech.frames - 1))
        shown = portrait.render(index, view, background, options.detail, code=code, eyes=options.eyes, size_px=size_px)
        return to_bytes(shown.rgb)

    def pictures() -> Iterator[np.ndarray]:
        stream = encoder.stream(speech.loudness)
        codes = ahead(speak(portrait, stream_audio(speech.source), stream, speech.frames), _CODES_AHEAD)
        with closing(codes):
            yield from side_by_side(picture, enumerate(codes), workers, partial(torch.set_num_threads, 1))

    started = time.monotonic()
    pictures_made = ahead(pictures(), _FRAMES_AHEAD)
    writer = VideoWriter(out, size_px, audio=speech.source, crf=_CRF, preset=_PRESET)
    with _one_thread_each(portrait) as workers, closing(pictures_made), writer as video:
        for done, made in enumerate(pictures_made, 1):
            video.write(made)
            rate = done / max(time.monotonic() - started, 1e-6)
            reporter.progress("render", done / speech.frames, f"{rate:.1f} frames/s")
    return speech.frames


@contextmanager
def _one_thread_each(portrait: Portrait) -> Iterator[int]:
    """A frame for each core instead of all cores for each frame, so that nobody waits for the others at the end of
    every step; yields how many frames that is. Threads that start within compute on one core each."""
    threads = torch.get_num_threads()
    workers = threads if portrait.scene.device.type == "cpu" else 1
    if workers > 1:
        torch.set_num_threads(1)
    try:
        yield workers
    finally:
        torch.set_num_threads(threads)


def speak(
    portrait: Portrait,
    blocks: Iterable[np.ndarray],  # [n] float each: speech at 16 kHz
    stream: FeatureStream,
    frames: int,  # of the whole video
) -> Iterator[Tensor]:  # [A] each
    """The audio codes of all frames, as soon as they can be known."""
    windows = FrameWindows()
    for block in blocks:
        for features in stream.push(block).split(2 * _CODES_AT_ONCE):
            yield from portrait.encode(windows.push(features))
    for features in stream.finish().split(2 * _CODES_AT_ONCE):
        yield from portrait.encode(windows.push(features))
    yield from portrait.encode(windows.finish(frames))


# -------------------------------------------------------------------- pure functions


def picture_size(take: Take, options: DriveOptions) -> tuple[int, int]:
    """(width, height) of a video; even, where it is not the take's own: x264 wants that."""
    width, height = take.size_px
    if options.size_px is None:
        return width, height
    return tuple(2 * round(side * options.size_px / height / 2) for side in (width, height))


def check_options(options: DriveOptions, edit: str | None) -> None:
    """BadInput for what no drive can be asked for."""
    if edit is None and options.strength != 1:
        raise BadInput("--strength is of an edit; name it with --edit")


def load_background(
    text: str,  # a picture's path, or a colour as #rrggbb
    size_px: tuple[int, int],  # (width, height)
) -> Tensor:  # [H, W, 3] in [0, 1]
    """A background of the video's size; pictures are cropped at their centre to fill it."""
    width, height = size_px
    if text.startswith("#"):
        try:
            if len(text) != 7:
                raise ValueError
            colour = tuple(bytes.fromhex(text[1:]))
        except ValueError:
            raise BadInput(f"{text} is not a colour; write #rrggbb, for example #1e90ff") from None
        return torch.tensor(colour, dtype=torch.float32).div(255).expand(height, width, 3).contiguous()
    path = path_of(text)
    if not path.is_file():
        what = f"{text} is not a file" if text and path.exists() else f"No such background picture: {text!r}"
        raise BadInput(f"{what}; give a picture or a colour as #rrggbb")
    picture = decode_image(path.read_bytes(), cv2.IMREAD_COLOR)
    if picture is None:
        raise BadInput(f"{text} is not a picture that can be read; give a PNG or JPEG, or a colour as #rrggbb")
    scale = max(width / picture.shape[1], height / picture.shape[0])
    grown = (max(width, round(picture.shape[1] * scale)), max(height, round(picture.shape[0] * scale)))
    picture = cv2.resize(picture, grown, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC)
    left, top = (grown[0] - width) // 2, (grown[1] - height) // 2
    cut = picture[top : top + height, left : left + width, ::-1]
    return torch.from_numpy(np.ascontiguousarray(cut)).float() / 255
