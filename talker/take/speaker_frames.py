"""From what was found in every frame to the speaker's own: which frames serve, and the head's motion in them.

Notation: B frames, U of them used, in order of time; M landmarks.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from talker.core.axis import runs
from talker.core.types import FPS, FrameUse, Reporter
from talker.take.crop import FaceSearch
from talker.take.face_similarity import FaceLandmarks, hidden_mouths, likeness
from talker.take.landmarks import LandmarkDetector
from talker.take.motion import head_motion, unsolved
from talker.take.pose import HeadMotion
from talker.take.presence import HIDDEN_MOUTH, LeftOut
from talker.take.track import Tracked

BEYOND = 0.05  # of the landmarks: so many more than usual outside the picture, and the face is leaving it
OTHER_LIGHT = 1.25  # times the usual brightness, or the usual so many times: a fade
UNLIKE = 0.68  # of the upper face's likeness to itself: another picture is blended in, or half of it is gone


@dataclass(frozen=True)
class SpeakerFrames:
    """The speaker, wherever there."""

    use: FrameUse
    frames: np.ndarray  # [U]
    mattes: list[bytes]  # of the U frames, PNG
    points: np.ndarray  # [U, M, 3] pixels, gaps filled
    motion: HeadMotion  # of the U frames
    left_out: list[LeftOut]  # for people


def follow_speaker(
    tracked: Tracked,  # B frames
    search: FaceSearch,
    start_s: float,  # of the clip, in the file
    detector: LandmarkDetector,
    size_px: int,
    reporter: Reporter,
) -> SpeakerFrames:
    """BadInput where too little of the clip shows the speaker."""
    seen = np.isfinite(tracked.points[:, 0, 0])
    face = FaceLandmarks.of(tracked.points, detector)
    like = likeness(tracked.colours, face.inner, face.below)
    there = search.attendance(seen, FPS, start_s, whole_faces(tracked, like[:, 0], size_px))
    there.require_enough()
    points = fill_points(tracked.points, seen)

    frames = np.flatnonzero(there.usable)
    marks = np.cumsum([0, *(len(run) for run in runs(there.usable, there.shots))]).tolist()
    pieces = [range(start, end) for start, end in pairwise(marks)]
    used = tracked.only(frames), points[frames], seen[frames]
    motion = head_motion(*used, pieces, detector, size_px, reporter)
    lost = unsolved(motion, points[frames], pieces)
    if lost.any():
        there = there.without(frames[lost])
        there.require_enough()
        motion, frames = motion.only(~lost), frames[~lost]
    hidden = there.usable & hidden_mouths(like[:, 1], FPS)
    use = FrameUse(there.usable, there.usable & ~hidden, there.shots)
    told = there.gone
    if hidden.any():
        told.append(there.places(HIDDEN_MOUTH, hidden))
    return SpeakerFrames(use, frames, [tracked.mattes[frame] for frame in frames], points[frames], motion, told)


def fill_points(
    points: np.ndarray,  # [B, M, 3]
    seen: np.ndarray,  # [B] bool
) -> np.ndarray:
    """Landmarks of frames without a face, interpolated in time."""
    if seen.all():
        return points
    known, every = np.flatnonzero(seen), np.arange(len(seen))
    flat = points.reshape(len(points), -1)
    return np.stack([np.interp(every, known, column[seen]) for column in flat.T], axis=1).reshape(points.shape)


def whole_faces(
    tracked: Tracked,
    upper_likeness: np.ndarray,  # [B]
    size_px: int,
) -> np.ndarray:  # [B] bool
    """Where as much of the face lies in the picture, as brightly, as it usually does, and looks like it."""
    seen = np.isfinite(upper_likeness)
    places = tracked.points[..., :2]
    share = ((places > 0.0) & (places < size_px)).all(axis=2).mean(axis=1)
    light = np.log(tracked.colours.mean(axis=(1, 2)) + 1.0)
    with np.errstate(invalid="ignore"):  # where there is no face
        found = (share >= np.median(share[seen]) - BEYOND) & (upper_likeness > UNLIKE)
        return found & (np.abs(light - np.median(light[seen])) < np.log(OTHER_LIGHT))
