"""What a search for faces found, made up: one person in one shot, unless told otherwise."""

from __future__ import annotations

import numpy as np

from talker.core.types import FPS
from talker.take.crop import SEARCH_FPS, FaceSearch
from talker.take.cuts import Pace
from talker.take.face_tracks import SpeakerTracks


def calm_pace(looks: int, start_s: float = 0.0) -> Pace:
    """Of a clip of so many looks: nothing is cut, nobody sits still."""
    pictures = round(looks * FPS / SEARCH_FPS)
    return Pace(np.random.default_rng(1).uniform(0.5, 1.5, pictures - 1), start_s)


def search_of(
    boxes: np.ndarray,  # [n, 4]
    rival: np.ndarray | None = None,  # [n] bool
    pace: Pace | None = None,
    tracks: SpeakerTracks | None = None,
) -> FaceSearch:
    count = len(boxes)
    pace = pace or calm_pace(count)
    everywhere = SpeakerTracks((range(len(pace.steps) + 1),), ())
    times_s = np.arange(count) / SEARCH_FPS
    return FaceSearch(boxes, times_s, np.zeros(count, bool) if rival is None else rival, pace, tracks or everywhere)
