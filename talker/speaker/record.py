"""Recordings of the demo speaker: a video with sound, and on request everything that is known exactly about it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
import torch
from annotated_types import Interval, MultipleOf

from talker.core import links
from talker.core.bounds import Seed, check_fields
from talker.core.errors import BadInput, Conflict, cannot_write
from talker.core.temporary import replacing, unfinished
from talker.core.types import FPS, Camera, Reporter
from talker.speaker import NOT_KEPT, truth
from talker.speaker.head import HeadModel, HeadState, head_model
from talker.speaker.motion import head_motion, head_states
from talker.speaker.render import (
    SpeakerFrame,
    head_camera,
    project_world,
    render_frame,
    room_plate,
    studio_camera,
    world_camera,
)
from talker.speaker.speech import Phone, Sentence, speak
from talker.speaker.visemes import VISEMES, viseme_track
from talker.video import VideoWriter, write_wav

_GAZE_UNIT = math.sin(math.radians(30.0))
_INNER_LIPS = ((61, 67), (62, 66), (63, 65))  # iBUG: above, below
_MOUTH_CORNERS = (48, 54)


@dataclass(frozen=True)
class SpeakerOptions:
    seconds: Annotated[float, Interval(ge=0.2, le=3600)] = 12.0
    """Length of the recording."""
    size_px: Annotated[int, Interval(ge=32, le=2048), MultipleOf(2)] = 256
    """Side of the square picture."""
    seed: Seed = 0
    """Chooses the sentences, the motion and the room; the same seed gives the same frames."""
    motion: Annotated[float, Interval(ge=0, le=1.5)] = 1.0
    """Size of the head's motion; at 1 it turns up to about 25 degrees to either side."""
    light: Literal["world", "head"] = "world"
    """Where the key light hangs: in the "world", or on the "head", so that a face's shading never changes."""

    def __post_init__(self) -> None:
        check_fields(self)

    @property
    def frames(self) -> int:
        return round(self.seconds * FPS)


@dataclass(frozen=True)
class _Script:
    """All that is decided before anything is drawn."""

    wav: np.ndarray  # [T] float32
    phones: list[Phone]
    sentences: list[Sentence]
    visemes: np.ndarray  # [B, 15]
    states: list[HeadState]  # B
    eye: np.ndarray  # [B, 3]


@lru_cache(maxsize=4)
def _script(options: SpeakerOptions) -> _Script:
    wav, phones, sentences = speak(options.frames / FPS, options.seed)
    visemes = viseme_track(phones, (np.arange(options.frames) + 0.5) / FPS)
    motion = head_motion(options.frames, options.seed, options.motion)
    right, up = np.sin(motion.gaze).T / _GAZE_UNIT
    eye = np.stack([1.0 - motion.blink, right, -up], 1)
    return _Script(wav, phones, sentences, visemes, head_states(motion, visemes), eye)


def render_truth(
    options: SpeakerOptions,
    index: int | Sequence[int],  # frames of that recording
    camera: Camera | None = None,  # its c2w is in the head frame of the frame asked for; None is the recording's own
) -> SpeakerFrame | list[SpeakerFrame]:
    """Any frame of a recording from any other camera. The room's plate stays put in the picture."""
    if not isinstance(index, int | np.integer):
        return [render_truth(options, int(each), camera) for each in index]
    model, script = head_model(), _script(options)
    if not 0 <= index < len(script.states):
        raise BadInput(f"The recording has frames 0 to {len(script.states) - 1}, not {index}")
    head = model.pose(script.states[index])
    seen_from = studio_camera(options.size_px) if camera is None else world_camera(camera, head)
    return render_frame(model, head, seen_from, room_plate(seen_from.size_px, options.seed), light=options.light)


def record_speaker(
    out: Path,
    options: SpeakerOptions,
    truth_dir: Path | None,
    reporter: Reporter,
) -> None:
    """Write the video, and the truth folder if one is asked for; neither appears before it is whole.

    A truth folder of an earlier recording is replaced; Conflict when the folder holds anything else.
    """
    out = Path(out)
    if NOT_KEPT is not None:
        reporter.notice(f"{NOT_KEPT}; compiling the demo speaker's kernels for this run alone")
    model, script = head_model(), _script(options)
    camera = studio_camera(options.size_px)
    plate = room_plate(camera.size_px, options.seed)
    with (
        replacing(out) as whole,
        VideoWriter(whole, camera.size_px, audio=script.wav, crf=14) as video,
        _truth_folder(truth_dir) as folder,
    ):
        tracks: dict[str, list[torch.Tensor]] = {"c2w": [], "landmarks_px": [], "mouth_opening": [], "mouth_width": []}
        for index, state in enumerate(script.states):
            head = model.pose(state)
            frame = render_frame(model, head, camera, plate, light=options.light)
            video.write(frame.rgb)
            if folder is not None:
                for kind, image in (("frames", frame.rgb), ("parts", frame.parts), ("alpha", frame.alpha)):
                    truth.write_png(truth.frame_path(folder, kind, index), image)
                opening, width = _mouth_size(head.landmarks_head)
                tracks["c2w"].append(head_camera(camera, head).c2w)
                tracks["landmarks_px"].append(torch.from_numpy(project_world(camera, head.landmarks)).float())
                tracks["mouth_opening"].append(torch.tensor(opening))
                tracks["mouth_width"].append(torch.tensor(width))
            reporter.progress("speaker", (index + 1) / len(script.states), f"frame {index + 1} of {len(script.states)}")
        if folder is not None:
            _write_facts(folder, options, script, model, plate, {name: torch.stack(t) for name, t in tracks.items()})


def _mouth_size(
    landmarks: np.ndarray,  # [68, 3]
) -> tuple[float, float]:
    """(opening, width)."""
    gaps = [np.linalg.norm(landmarks[above] - landmarks[below]) for above, below in _INNER_LIPS]
    left, right = _MOUTH_CORNERS
    return float(np.mean(gaps)), float(np.linalg.norm(landmarks[left] - landmarks[right]))


def _write_facts(
    folder: Path,
    options: SpeakerOptions,
    script: _Script,
    model: HeadModel,
    plate: np.ndarray,
    tracks: dict[str, torch.Tensor],
) -> None:
    camera = studio_camera(options.size_px)
    truth.write_png(folder / "background.png", plate)
    write_wav(folder / "audio.wav", script.wav)
    tracks = {
        **tracks,
        "landmarks_head": torch.from_numpy(model.pose(HeadState()).landmarks_head).float(),
        "visemes": torch.from_numpy(script.visemes).float(),
        "eye": torch.from_numpy(script.eye).float(),
    }
    facts = {
        "options": asdict(options),
        "focal_px": camera.focal_px,
        "centre_px": camera.centre_px,
        "size_px": camera.size_px,
        "visemes": VISEMES,
        "phones": script.phones,
        "sentences": script.sentences,
    }
    truth.save_tracks(folder, tracks, facts)


@contextmanager
def _truth_folder(target: Path | None) -> Iterator[Path | None]:
    """A hidden sibling of `target` to write into, that takes its name at the end; removed at failure."""
    if target is None:
        yield None
        return
    target = links.place_of(Path(target))
    if target.exists() and not (target / "truth.json").is_file() and (not target.is_dir() or any(target.iterdir())):
        raise Conflict(f"{target} holds something else than a truth folder; give --truth another place")
    try:
        with unfinished(target) as partial:
            for kind in ("frames", "parts", "alpha"):
                (partial / kind).mkdir(parents=True)
            yield partial
            links.remove(target)
            partial.replace(target)
    except OSError as error:
        raise cannot_write(target, error) from error
