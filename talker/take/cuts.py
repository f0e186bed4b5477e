"""Every picture of the clip, thumbnails of them: where it was cut, and how many pictures a second are new.

A cut is a single step that dwarfs all others within half a second: however fast somebody moves, the pictures around
show it, too.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import cv2
import numpy as np
from scipy.ndimage import percentile_filter

from talker.core.types import FPS, Reporter
from talker.video import read_frames

SIDE_PX = 96
CUT_STEP = 6.0  # mean change of a picture, grey levels
CUT_OVER_OTHERS = 2.5  # and so many times the largest other change within
NEARBY = 12  # pictures on either side
REPEATED = 0.1  # of the larger steps nearby: the same picture again, give or take what a codec does


@dataclass(frozen=True)
class Pace:
    """How much each picture differs from the one before."""

    steps: np.ndarray  # [B - 1] mean change from picture to picture, grey levels
    start_s: float

    @cached_property
    def cuts(self) -> list[int]:
        """Pictures with which another shot begins."""
        return [index + 1 for index in find_cuts(self.steps)]

    @property
    def cuts_s(self) -> list[float]:
        """The same as seconds of the file."""
        return [self.start_s + cut / FPS for cut in self.cuts]

    def new_per_second(
        self,
        counted: np.ndarray | None = None,  # [B - 1] bool: the pictures to count; None: all
    ) -> float:
        """Pictures a second that differ from the one before."""
        if not len(self.steps):
            return 0.0
        nearby = percentile_filter(self.steps, 90, 2 * NEARBY + 1)
        differ = self.steps > REPEATED * nearby
        return FPS * float((differ if counted is None or not counted.any() else differ[counted]).mean())


def find_cuts(
    steps: np.ndarray,  # [n]
) -> list[int]:
    found = []
    for index in np.flatnonzero(steps > CUT_STEP):
        others = np.delete(steps[max(0, index - NEARBY) : index + NEARBY + 1], min(index, NEARBY))
        if steps[index] > CUT_OVER_OTHERS * others.max(initial=0.0):
            found.append(int(index))
    return found


def watch_pace(video: Path, span_s: tuple[float, float], reporter: Reporter) -> Pace:
    expected = max(1, round((span_s[1] - span_s[0]) * FPS))
    steps: list[float] = []
    last: np.ndarray | None = None
    for index, rgb in enumerate(read_frames(video, start_s=span_s[0], end_s=span_s[1], max_side_px=SIDE_PX)):
        grey = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY).astype(np.float32)
        if last is not None:
            steps.append(float(np.abs(grey - last).mean()))
        last = grey
        reporter.progress("cuts", min(1.0, (index + 1) / expected), "looking for cuts")
    return Pace(np.array(steps), span_s[0])
