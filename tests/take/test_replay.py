"""The frames whose poses new speech replays: a path on which no head jumps, whatever was cut or left out."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from talker.core.types import FrameUse, Take
from talker.take.motion_replay import LIDS_FRAMES, Replay, head_points, moved, replayed_frames


@pytest.fixture
def swaying_take(toy_take) -> Take:
    """100 frames of a head that sways by at most 0.03 units a frame."""
    count = 100
    c2w = torch.eye(4).repeat(count, 1, 1)
    c2w[:, 0, 3] = -0.3 * torch.sin(torch.arange(count) / 10.0)
    c2w[:, 2, 3] = -6.0
    frames = np.zeros((count, 16, 16, 3), np.uint8)
    return replace(toy_take, frames=frames, c2w=c2w, eye=torch.ones(count, 3), landmarks_px=torch.zeros(count, 68, 2))


def used(take: Take, gone: range = range(0), cut: int | None = None, aside: float = 0.0) -> Take:
    """Frames left out, their poses interpolated; from a cut on, a head that is `aside`."""
    usable, shots = np.ones(len(take), bool), np.zeros(len(take), int)
    usable[list(gone)] = False
    c2w = take.c2w.clone()
    if cut is not None:
        shots[cut:] = 1
        c2w[cut:, 0, 3] += aside
    if len(gone):
        share = torch.linspace(0, 1, len(gone) + 2)[1:-1, None, None]
        c2w[list(gone)] = torch.lerp(c2w[gone.start - 1], c2w[gone.stop], share)
    return replace(take, c2w=c2w, frame_use=FrameUse(usable, usable, shots))


def largest_step(take: Take, path: list[int]) -> float:
    points = head_points(take.c2w[path], take.landmarks_head)
    return float(moved(points[:-1], points[1:]).max())


def test_a_take_without_gaps_is_replayed_as_it_was_filmed(swaying_take):
    assert replayed_frames(swaying_take) == list(range(100))
    frames = [Replay.of(swaying_take).at(index) for index in range(200)]
    assert frames[:100] == list(range(100)) and frames[100:102] == [98, 97]


def test_a_gap_is_crossed_at_the_heads_own_pace(swaying_take):
    take = used(swaying_take, range(30, 60), aside=0.0)
    path = replayed_frames(take)
    between = [frame for frame in path if 30 <= frame < 60]
    assert path[:30] == list(range(30)) and path[-40:] == list(range(60, 100))
    assert LIDS_FRAMES <= len(between) < 30 and largest_step(take, path) < 0.035
    assert Replay.of(take).still not in range(30, 60)


def test_nothing_jumps_over_a_cut(swaying_take):
    take = used(swaying_take, cut=40, aside=0.3)
    assert replayed_frames(take) == list(range(40, 100))
    assert replayed_frames(used(swaying_take, cut=40, aside=0.0)) == list(range(100)), "a cut that moves nothing"
    far = used(swaying_take, range(30, 60), cut=30, aside=2.0)
    assert replayed_frames(far) == list(range(60, 100)), "filmed anew, from elsewhere"
