"""The lips at every picture of one stretch: the one that holds most speech."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from talker.core.types import FEATURE_RATE_HZ, FPS, Reporter
from talker.take.landmarks import LandmarkDetector
from talker.take.lips_from_speech import LipsFromSpeech
from talker.take.sync import LEAST_S, REACH_S, Offset, estimate_offset
from talker.video import Crop, SoundSource, read_audio, read_frames

STRETCH_S = 15.0
PICTURES_S = 12.0  # a detector that needs longer for a stretch gets a shorter one, but none that says nothing
TOO_SHORT = f"too short to tell: {LEAST_S:g} s with the face are needed"
SPEECH_UNDER_DB = 20.0  # pieces of sound up to so far below the usual level are speech
CUT_COST_S = 4.0  # seconds of speech that a stretch without a cut may have less
FACE_ROOM = 0.3  # of the face's width: kept around its travels
SIDE_PX = 288


def stretch_length_s(
    clip_s: float,
    picture_s: float,  # that the detector takes for one
) -> float:
    return min(STRETCH_S, clip_s, PICTURES_S / (FPS * picture_s))


def why_not(
    clip_s: float,
    picture_s: float,  # that the detector takes for one
) -> str | None:
    """Why the lips of a clip are not held against its sound, for people; None: they are."""
    if clip_s < LEAST_S:
        return TOO_SHORT
    if stretch_length_s(clip_s, picture_s) < LEAST_S:
        return f"not measured: {LEAST_S * FPS:.0f} pictures at {picture_s:.2f} s each would take too long here"
    return None


def measure_offset(
    video: Path,
    source: SoundSource,  # of its tracks, the one that is listened to
    stretch_s: tuple[float, float],
    boxes: np.ndarray,  # [n, 4] the face during the stretch, source pixels; NaN where there is none
    size_px: tuple[int, int],  # of the source
    detector: LandmarkDetector,
    reporter: Reporter,
) -> Offset | None:
    """The offset of the sound on a stretch; None where no face was found in it."""
    crop = face_crop(boxes, size_px)
    if crop is None:
        return None
    expected = max(1, round((stretch_s[1] - stretch_s[0]) * FPS))
    landmarks = []
    for index, rgb in enumerate(
        read_frames(video, start_s=stretch_s[0], end_s=stretch_s[1], crop=crop, size_px=min(SIDE_PX, crop.side))
    ):
        points = detector.detect(rgb)
        landmarks.append(np.full((68, 2), np.nan) if points is None else points[list(detector.ibug), :2])
        reporter.progress("lips", min(1.0, (index + 1) / expected), "lips against sound")
    lead_s = min(REACH_S, stretch_s[0])
    end_s = stretch_s[0] + len(landmarks) / FPS
    wav = read_audio(source, start_s=stretch_s[0] - lead_s, end_s=end_s + REACH_S)
    return estimate_offset(np.array(landmarks), wav, lead_s, LipsFromSpeech.load())


def choose_stretch(
    span_s: tuple[float, float],  # of the clip
    levels_db: np.ndarray,  # [T] of its sound, at `FEATURE_RATE_HZ`
    speech_db: float,
    faces: np.ndarray,  # [n] bool: a face is there, evenly spread over the clip
    cuts_s: list[float],
    length_s: float,
) -> tuple[float, float]:
    """The stretch in which most is said by somebody who is seen."""
    length_s = min(length_s, span_s[1] - span_s[0])
    times_s = span_s[0] + (np.arange(len(levels_db)) + 0.5) / FEATURE_RATE_HZ
    share = (times_s - span_s[0]) / (span_s[1] - span_s[0])
    seen = faces[np.clip((share * len(faces)).astype(int), 0, len(faces) - 1)]
    spoken = np.concatenate([[0.0], np.cumsum(seen & (levels_db > speech_db - SPEECH_UNDER_DB))]) / FEATURE_RATE_HZ

    def worth(start_s: float) -> float:
        ends = np.searchsorted(times_s, (start_s, start_s + length_s))
        cuts = sum(start_s < cut_s < start_s + length_s for cut_s in cuts_s)
        return spoken[ends[1]] - spoken[ends[0]] - CUT_COST_S * cuts

    starts = np.arange(span_s[0], span_s[1] - length_s + 1e-6, 1.0)
    best_s = float(max(starts, key=worth))
    return best_s, best_s + length_s


def face_crop(
    boxes: np.ndarray,  # [n, 4]
    size_px: tuple[int, int],
) -> Crop | None:
    """A square that holds the face all the time, as tightly as its travels allow."""
    boxes = boxes[np.isfinite(boxes[:, 0])]
    if not len(boxes):
        return None
    low, high = np.percentile(boxes[:, :2], 2, axis=0), np.percentile(boxes[:, 2:], 98, axis=0)
    room = 2.0 * FACE_ROOM * float(np.median(boxes[:, 2] - boxes[:, 0]))
    side = int(min(float((high - low).max()) + room, *size_px))
    corner = (low + high - side) / 2.0
    x0, y0 = (int(np.clip(place, 0, whole - side)) for place, whole in zip(corner, size_px))
    return Crop(x0, y0, side)
