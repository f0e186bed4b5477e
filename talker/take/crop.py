"""Where the speaker is in the source video: a quick, small, sparse look that decides the crop.

The crop is one square for the whole video: head and shoulders, so that the camera stands still in it.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np

from talker.core.axis import runs
from talker.core.errors import BadInput
from talker.core.types import FPS, Reporter
from talker.take.cuts import Pace, watch_pace
from talker.take.face_tracks import LONGEST_GAP, FaceTracker, SpeakerTracks, has_jumped
from talker.take.landmarks import LandmarkDetector
from talker.take.presence import MINIMUM_S, Attendance, bridged, trimmed
from talker.video import Crop, VideoInfo, read_frames

SEARCH_FPS = 5.0
SEARCH_SIDE_PX = 640
FACE_SHARE_SEEN = 0.5  # of the looks in the best 3 s: less is no speaker, or the detector's mistake
# What a head adds to the box that a detector puts around its face, in heights of that box, which ends at the chin. With
# hair a head is 1.32 to 1.52 of them high on ten clips of eight people.
HAIR_ABOVE, HAIR_BESIDE = 0.42, 0.1
HEADS_PER_SIDE = 2.0  # the crop's side over the head's height, where the speaker holds still
ROOM_ABOVE, ROOM_BESIDE = 0.08, 0.1  # of the side: kept free around wherever the head goes,
ROOM_BELOW = 0.27  # and below the chin, for neck and shoulders
SHARE_ABOVE = 0.25  # of the height that the head leaves free, how much of it lies above
WORTH_CUTTING = 0.8  # of the side of a square source: for a crop larger than this it is taken whole
RIVAL_SHARE = 0.3  # of the larger face's area: a second face smaller than this is a picture on the wall
RIVAL_FRAMES = 0.15  # share of looks in which a second face must show to be worth a word


@dataclass(frozen=True)
class FaceSearch:
    """Face boxes of one person at `SEARCH_FPS`, in source pixels; NaN rows where that face was not seen."""

    boxes: np.ndarray  # [n, 4] x0, y0, x1, y1
    times_s: np.ndarray  # [n] from the start of the trimmed clip
    rival: np.ndarray  # [n] bool: somebody else's face was there, too
    pace: Pace  # of all pictures, and with it where the clip was cut
    tracks: SpeakerTracks

    @property
    def rivals(self) -> bool:
        """Whether somebody else's face was there often enough to be worth a word."""
        return bool(self.rival.mean() > RIVAL_FRAMES)

    def attendance(
        self,
        seen: np.ndarray,  # [n] bool: in which of n pictures, evenly spread over the clip, the speaker was found
        rate_hz: float,  # of those pictures
        start_s: float,  # of the clip, in the file
        whole: np.ndarray | None = None,  # [n] bool: where all of the face is there, as usual; None: everywhere
    ) -> Attendance:
        """Who is there when, by this search and by those pictures."""
        frames = ((np.arange(len(seen)) + 0.5) * FPS / rate_hz).astype(int).clip(max=len(self.pace.steps))
        shots = np.searchsorted(self.pace.cuts, frames, side="right")
        other = np.array([self.tracks.shows_other(frame) for frame in frames], bool)
        usable = bridged(seen & ~other, shots, rate_hz, self.pace.steps if rate_hz == FPS else None)
        unfollowed = np.zeros(len(seen), bool)
        looks = (frames * SEARCH_FPS / FPS).astype(int).clip(max=len(self.boxes) - 1)
        boxed = np.isfinite(self.boxes[looks, 0])
        for run in runs(~usable):
            unfollowed[list(run)] = boxed[list(run)].mean() > 0.5
        if whole is not None:
            usable = trimmed(usable, shots, whole, rate_hz)
        return Attendance(usable, other, unfollowed, shots, rate_hz, start_s)

    def box_at(self, time_s: float) -> np.ndarray:
        """The box at any time, interpolated."""
        seen = np.isfinite(self.boxes[:, 0])
        return np.array([np.interp(time_s, self.times_s[seen], side) for side in self.boxes[seen].T])


def checked_span(
    info: VideoInfo,
    name: str,
    start_s: float | None,
    end_s: float | None,
) -> tuple[float, float]:
    """Start and end of the part to use, in seconds; BadInput unless they make sense and leave `MINIMUM_S`."""
    start = start_s or 0.0
    end = min(end_s if end_s is not None else info.duration_s, info.duration_s)
    if start < 0 or start >= info.duration_s:
        raise BadInput(f"--start {start:g} is outside {name}, which is {info.duration_s:.1f} s long")
    if end <= start:
        raise BadInput(f"--end {end:g} is not after --start {start:g}; give a later end")
    if end - start < MINIMUM_S:
        trimmed = start_s is not None or end_s is not None
        way_out = "move --start or --end apart" if trimmed else "film at least ten seconds"
        raise BadInput(f"{name} gives only {end - start:.1f} s and at least {MINIMUM_S:.0f} are needed; {way_out}")
    return start, end


class Search(Protocol):
    """`search_speaker`, or something that looks at more while it is at it."""

    def __call__(
        self,
        video: Path,
        info: VideoInfo,
        span_s: tuple[float, float],
        detector: LandmarkDetector,
        reporter: Reporter,
    ) -> FaceSearch: ...


def search_speaker(
    video: Path,
    info: VideoInfo,
    span_s: tuple[float, float],
    detector: LandmarkDetector,
    reporter: Reporter,
) -> FaceSearch:
    """`search_faces`, and a word about others in the picture."""
    found = search_faces(video, info, span_s, detector, reporter)
    if found.rivals:
        reporter.notice("More than one face in the picture: talker follows the larger one")
    return found


def search_faces(
    video: Path,
    info: VideoInfo,
    span_s: tuple[float, float],
    detector: LandmarkDetector,
    reporter: Reporter,
    watch: Callable[[np.ndarray, np.ndarray], None] = lambda rgb, box: None,
) -> FaceSearch:
    """Look for the speaker five times a second.

    `watch` is shown every look, [H, W, 3] uint8, and the face that is followed in it, whoever's, [4] in the look's
    pixels, NaN where there is none.
    """
    pace = watch_pace(video, span_s, reporter)
    tracker = FaceTracker(detector, pace.cuts)
    shrink = min(1.0, SEARCH_SIDE_PX / max(info.size_px))
    expected = max(1, round((span_s[1] - span_s[0]) * SEARCH_FPS))
    boxes, rival = [], []
    last, shot, met = None, 0, 0
    frames = read_frames(video, start_s=span_s[0], end_s=span_s[1], fps=SEARCH_FPS, max_side_px=SEARCH_SIDE_PX)
    for index, rgb in enumerate(frames):
        found = detector.find_faces(rgb)
        box, frame = np.full(4, np.nan), min(frame_of_look(index), len(pace.steps))
        if shot != (shot := bisect_right(pace.cuts, frame)):
            last = None  # whoever stood there in the shot before
        if len(found):
            near = follow(found, last)
            if (
                last is None or not has_jumped(last, near) or frame - met > LONGEST_GAP
            ):  # else it may be somebody else's
                box, last, met = near, near, frame
        tracker.watch(frame, rgb, box)
        rival.append(len(found) > 1 and (box_area(found) > RIVAL_SHARE * box_area(box)).sum() > 1)
        boxes.append(box / shrink)
        watch(rgb, box)
        reporter.progress("look", min(1.0, (index + 1) / expected), "finding the speaker")
    tracks = tracker.tracks(len(pace.steps) + 1)
    shown = [min(frame_of_look(index), len(pace.steps)) for index in range(len(boxes))]
    own = np.array([tracks.shows_speaker(frame) for frame in shown], bool)
    boxes = np.where(own[:, None], np.array(boxes).reshape(-1, 4), np.nan)
    return FaceSearch(boxes, np.array(shown) / FPS, np.array(rival, bool) & own, pace, tracks)


def frame_of_look(look: int) -> int:
    """The frame that a look shows: ffmpeg keeps the middle one of those that it stands for."""
    return int((look + 0.5) * FPS / SEARCH_FPS)


def check_faces(search: FaceSearch, name: str) -> None:
    """BadInput when there is no face, or hardly one, in the video of that name."""
    seen = np.isfinite(search.boxes[:, 0])
    if not seen.any():
        raise BadInput(
            f"No face in {name}; film one person from the front in good light, or cut to the part that shows one"
        )
    if most_seen(seen) < FACE_SHARE_SEEN:
        raise BadInput(
            f"Hardly a face in {name}: only {seen.sum()} of {len(seen)} looks show one; "
            "film one person from the front, close up, in good light"
        )


def most_seen(
    seen: np.ndarray,  # [n] bool, at `SEARCH_FPS`
) -> float:
    """The largest share of looks with a face in any `MINIMUM_S`: detectors now and then see one in a pattern."""
    window = min(len(seen), round(MINIMUM_S * SEARCH_FPS))
    return float(np.convolve(seen, np.ones(window), "valid").max() / window)


def box_area(boxes: np.ndarray) -> np.ndarray:
    return (boxes[..., 2] - boxes[..., 0]) * (boxes[..., 3] - boxes[..., 1])


def follow(
    boxes: np.ndarray,  # [n, 4]
    last: np.ndarray | None,  # [4]
) -> np.ndarray:  # [4]
    """The larger face, except that a face once chosen is kept while it is there."""
    if last is None:
        return boxes[np.argmax(box_area(boxes))]
    moved = np.linalg.norm((boxes[:, :2] + boxes[:, 2:] - last[:2] - last[2:]) / 2.0, axis=1)
    side = np.sqrt(box_area(last))
    return boxes[np.argmax(box_area(boxes) * np.exp(-2.0 * moved / side))]


def choose_crop(
    search: FaceSearch,
    size_px: tuple[int, int],  # (width, height) of the source
) -> Crop:
    """One square for the whole clip, in which the head keeps half of the height unless its motion needs more room.

    A square source is taken whole unless that would show the head much smaller.
    """
    width, height = size_px
    boxes = search.boxes[np.isfinite(search.boxes[:, 0])]
    face = float(np.median(boxes[:, 3] - boxes[:, 1]))
    low = np.percentile(boxes[:, :2], 2, axis=0) - [HAIR_BESIDE * face, HAIR_ABOVE * face]
    high = np.percentile(boxes[:, 2:], 98, axis=0) + [HAIR_BESIDE * face, 0.0]
    reach = high - low
    still = HEADS_PER_SIDE * (1.0 + HAIR_ABOVE) * face
    wanted = max(still, reach[0] / (1.0 - 2.0 * ROOM_BESIDE), reach[1] / (1.0 - ROOM_ABOVE - ROOM_BELOW))
    if width == height and wanted > WORTH_CUTTING * width:
        return Crop(0, 0, width)
    side = 2 * int(min(wanted, width, height) / 2.0)
    x0, y0 = (low[0] + high[0] - side) / 2.0, low[1] - SHARE_ABOVE * (side - reach[1])
    return Crop(int(np.clip(round(x0), 0, width - side)), int(np.clip(round(y0), 0, height - side)), side)
