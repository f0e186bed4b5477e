"""What is judged: successive renders of a speaker, what they are held against, and what they were made from.

Notation: N frames, H x W pixels, T samples of sound.

Three kinds: the speaker as fitted on the take's held-out frames, against the frames themselves; an edit, against the
unedited speaker under the same sound and poses; and either one saying new speech, where only the unedited speaker can
say what an edit should look like, and for the speaker as fitted there is nothing to compare lips with.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from talker.core.axis import runs
from talker.core.images import to_bytes
from talker.core.types import AUDIO_RATE_HZ, FPS, Reporter, Take, View
from talker.core.view import AS_TAKEN
from talker.driving.render import Portrait
from talker.take.motion_replay import forth_and_back

TURNS_DEG = (-20.0, -10.0, 10.0, 20.0)
FRAMES_PER_TURN = 3


@dataclass(frozen=True)
class Footage:
    """Successive frames of two videos in the same poses."""

    take: Take
    poses: tuple[int, ...]  # frame of the take that lends each frame its pose
    found: np.ndarray  # [N, H, W, 3] uint8
    reference: np.ndarray  # [N, H, W, 3] uint8
    reference_name: str  # for people: "original", "unedited" or "same pose"
    same_speech: bool  # whether the reference says the same words
    wav: np.ndarray  # [T] what is said in these frames, 16 kHz
    start_s: float  # where they begin in the take, or in the new speech

    def __len__(self) -> int:
        return len(self.poses)


def held_out_footage(
    portrait: Portrait,  # with the take's own audio set
    wav: np.ndarray,  # [T] the take's sound, 16 kHz
    frames: int,  # at most so many
    reporter: Reporter,
) -> Footage:
    """The fitted speaker on the first held-out frames, under their own sound and poses."""
    take = portrait.take
    chosen = successive(take)[:frames]
    found = _render(portrait, chosen, chosen, "render", reporter)
    reference = take.frames[chosen[0] : chosen[-1] + 1]
    return Footage(take, chosen, found, reference, "original", True, _sound_of(wav, chosen), chosen[0] / FPS)


def spoken_footage(
    portrait: Portrait,  # with the new speech set
    wav: np.ndarray,  # [T] of the new speech, 16 kHz
    frames: int,
    reporter: Reporter,
) -> Footage:
    """The fitted speaker saying new speech in the held-out poses, forth and back; beside the take in these poses."""
    take = portrait.take
    chosen = tuple(range(min(frames, len(portrait))))
    held_out = successive(take)
    poses = tuple(held_out[forth_and_back(index, len(held_out))] for index in chosen)
    found = _render(portrait, chosen, poses, "render", reporter)
    return Footage(take, poses, found, take.frames[list(poses)], "same pose", False, _sound_of(wav, chosen), 0.0)


def edited_footage(
    edited: Portrait,  # with the audio set that `unedited` shows
    unedited: Footage,
    first: int,  # frame of the audio that the footage begins with
    reporter: Reporter,
) -> Footage:
    """An edit under the sound and poses of the unedited speaker's footage, against it."""
    chosen = tuple(range(first, first + len(unedited)))
    found = _render(edited, chosen, unedited.poses, "render the edit", reporter)
    return replace(unedited, found=found, reference=unedited.found, reference_name="unedited", same_speech=True)


def turned_pictures(
    portrait: Portrait,  # with the audio set that the footage shows
    footage: Footage,
    reporter: Reporter,
) -> tuple[tuple[int, ...], np.ndarray]:
    """Some of the footage's frames, each from every view to the sides: which they are [n], and [n, H, W, 3] uint8."""
    some = np.linspace(0, len(footage) - 1, FRAMES_PER_TURN).round().astype(int).tolist()
    rows = tuple(row for row in some for _ in TURNS_DEG)
    views = tuple(View(yaw_deg=turn_deg) for _ in some for turn_deg in TURNS_DEG)
    first = round(footage.start_s * FPS)
    frames, poses = tuple(first + row for row in rows), tuple(footage.poses[row] for row in rows)
    return rows, _render(portrait, frames, poses, "render from the sides", reporter, views)


def successive(take: Take) -> tuple[int, ...]:
    """The longest piece of the held-out frames without a gap or a cut."""
    there = np.zeros(len(take), bool)
    there[take.held_out] = True
    return tuple(max(runs(there, take.use.shots), key=len, default=()))


def _render(
    portrait: Portrait,
    frames: tuple[int, ...],  # of the audio
    poses: tuple[int, ...],  # of the take
    task: str,
    reporter: Reporter,
    views: tuple[View, ...] | None = None,  # None: as taken
) -> np.ndarray:  # [N, H, W, 3] uint8
    width, height = portrait.take.size_px
    pictures = np.empty((len(frames), height, width, 3), np.uint8)
    for number, (index, pose) in enumerate(zip(frames, poses, strict=True)):
        reporter.progress(task, number / len(frames))
        view = AS_TAKEN if views is None else views[number]
        pictures[number] = to_bytes(portrait.render(index, view, pose=pose).rgb)
    reporter.progress(task, 1.0)
    return pictures


def _sound_of(
    wav: np.ndarray,  # [T] 16 kHz
    frames: tuple[int, ...],  # successive
) -> np.ndarray:
    """The sound of these frames, silence where it ends before them."""
    hop = AUDIO_RATE_HZ // FPS
    sound = wav[frames[0] * hop : (frames[-1] + 1) * hop]
    return np.pad(sound, (0, len(frames) * hop - len(sound)))
