"""ClipStats as measured, without a camera: good by default, and bad where a test says so."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from talker.checking.clip_stats import ClipStats
from talker.checking.frame_stats import FrameStats
from talker.checking.sound import Sound
from talker.take.sync import REACH_S, Offset
from talker.video import VideoInfo
from tests.take.searches import calm_pace, search_of

LOOKS = 100  # 20 s
START_S = 2.0


def good_looks() -> FrameStats:
    generator = np.random.default_rng(0)
    pattern = generator.uniform(60, 190, (80, 3))
    angles = np.stack([20 * np.sin(np.arange(LOOKS) / 9.0), 5 * np.cos(np.arange(LOOKS) / 7.0), np.zeros(LOOKS)], 1)
    return FrameStats(
        times_s=START_S + np.arange(LOOKS) / 5.0,
        boxes=np.tile([500.0, 200.0, 740.0, 440.0], (LOOKS, 1)),
        rival=np.zeros(LOOKS, bool),
        angles_deg=angles,
        colours=pattern + generator.normal(0, 4, (LOOKS, 80, 3)),
        inner=np.arange(80) >= 10,
        below=np.arange(80) >= 45,
        sharpness=generator.uniform(0.38, 0.42, LOOKS),
        light=np.tile([60.0, 140.0, 190.0], (LOOKS, 1)),
        burnt=np.zeros(LOOKS),
        unrest=np.full((144, 256), 0.4),
        cut=np.zeros((LOOKS, 4), bool),
        hair_share=0.4,
        quarters=0,
    )


def good_offset(offset_s: float = 0.01) -> Offset:
    lags_s = np.arange(-REACH_S, REACH_S + 0.02, 0.04)
    return Offset(lags_s, 0.6 * np.exp(-(((lags_s - offset_s) / 0.08) ** 2)), 15.0)


def good_sound() -> Sound:
    levels = np.where(np.arange(1000) % 50 < 35, -20.0, -60.0)
    return Sound(levels, 0.0, 0.07, 0.01, 1.5, 0.0)


def clip_stats(**changes) -> ClipStats:
    looks, pace = changes.pop("looks", good_looks()), changes.pop("pace", calm_pace(LOOKS, START_S))
    good = ClipStats(
        name="clip.mp4",
        info=VideoInfo(30.0, (1280, 720), 25.0, True, True),
        span_s=(START_S, START_S + LOOKS / 5.0),
        size_px=256,
        av_offset_s=0.0,
        search=search_of(looks.boxes, looks.rival, pace, changes.pop("tracks", None)),
        looks=looks,
        sound=good_sound(),
        offset=good_offset(),
    )
    return replace(good, **changes)
