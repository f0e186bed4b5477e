"""Everything that was measured on one clip, for findings and plots to read."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from talker.checking.frame_stats import FrameStats
from talker.checking.sound import Sound
from talker.core.axis import runs
from talker.core.types import FPS
from talker.take.crop import SEARCH_FPS, FaceSearch, choose_crop
from talker.take.cuts import Pace
from talker.take.presence import Attendance
from talker.take.sync import Offset
from talker.video import Crop, VideoInfo


@dataclass(frozen=True)
class ClipStats:
    name: str  # of the file
    info: VideoInfo
    span_s: tuple[float, float]  # the part that was looked at
    size_px: int  # of the take to be made
    av_offset_s: float  # that the fit is told to take out
    search: FaceSearch
    looks: FrameStats
    sound: Sound | None  # None: the file has none
    offset: Offset | None  # None: it was not measured
    no_offset: str | None = None  # why not, where there are sound and a face

    @property
    def pace(self) -> Pace:
        return self.search.pace

    @cached_property
    def attendance(self) -> Attendance:
        """Who is there in each look."""
        return self.search.attendance(self.looks.seen, SEARCH_FPS, self.span_s[0])

    @property
    def new_per_second(self) -> float:
        """Pictures of the speaker that differ from the one before."""
        usable, steps = self.attendance.usable, len(self.pace.steps)
        looks = (np.arange(steps) * SEARCH_FPS / FPS).astype(int).clip(max=max(0, len(usable) - 1))
        return self.pace.new_per_second(usable[looks] if len(usable) else None)

    @property
    def seconds(self) -> float:
        return self.span_s[1] - self.span_s[0]

    @property
    def crop(self) -> Crop | None:
        """The square that the take will cut out."""
        return choose_crop(self.search, self.info.size_px) if self.has_face else None

    @property
    def has_face(self) -> bool:
        return bool(np.isfinite(self.search.boxes[:, 0]).any())

    @property
    def room_unrest(self) -> np.ndarray:  # [k] grey levels: `FrameStats.unrest` where the take will see the room
        unrest, crop = self.looks.unrest, self.crop
        if crop is not None and unrest.size > 1:
            scale = unrest.shape[1] / self.info.size_px[0]
            rows = slice(int(crop.y0 * scale), int((crop.y0 + crop.side) * scale))
            columns = slice(int(crop.x0 * scale), int((crop.x0 + crop.side) * scale))
            unrest = unrest[rows, columns]
        return unrest[np.isfinite(unrest)]


def stretches_where(
    flags: np.ndarray,  # [n] bool
    times_s: np.ndarray,  # [n]
) -> tuple[tuple[float, float], ...]:
    """First and last second of every run of looks."""
    return tuple((float(times_s[run[0]]), float(times_s[run[-1]])) for run in runs(flags))
