"""Which frames of a take lend their poses to new speech, one after the other: a path on which no head jumps.

A take may be cut, and the speaker away for a while. The poses of the time between are interpolated: so much of it is
replayed as a head needs for the way, at the pace that it has elsewhere. Where that is not enough, the path ends.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from torch import Tensor

from talker.core.axis import runs
from talker.core.types import Take

FARTHEST = 0.5  # head units (about 8 cm): a head that is farther away after a gap was filmed anew
LIDS_FRAMES = 3  # that lids need from open to shut
PACE_PERCENTILE = 95.0  # of the steps from frame to frame: how fast a head goes when it goes


@dataclass(frozen=True)
class Replay:
    """The frames of a take that new speech is shown with."""

    frames: list[int]  # the path, in order of time
    still: int  # the most central of them, for a head that keeps still

    @classmethod
    def of(cls, take: Take) -> Replay:
        frames = replayed_frames(take)
        tracked = [index for index in frames if take.use.usable[index]]  # real ones, so that the torso has seen them
        return cls(frames, tracked[most_central(take.c2w[tracked])])

    def at(self, index: int) -> int:
        """The frame that frame `index` of the speech replays, forth and back."""
        return self.frames[forth_and_back(index, len(self.frames))]


def replayed_frames(take: Take) -> list[int]:
    """Frames in order of time: the longest path without a jump."""
    pieces = runs(take.use.usable, take.use.shots)
    if len(pieces) == 1:
        return list(pieces[0])
    points = head_points(take.c2w, take.landmarks_head)
    steps = [moved(points[piece[:-1]], points[piece[1:]]) for piece in map(list, pieces)]
    pace = max(float(np.percentile(np.concatenate([[0.0], *steps]), PACE_PERCENTILE)), 1e-6)
    paths = [list(pieces[0])]
    for before, after in zip(pieces[:-1], pieces[1:]):
        gap = after[0] - before[-1] - 1
        way = float(moved(points[before[-1]], points[after[0]]))
        needed = max(int(np.ceil(way / pace)) - 1, min(gap, LIDS_FRAMES))
        if way > FARTHEST or needed > gap:
            paths.append([])
        else:
            between = np.linspace(before[-1], after[0], needed + 2)[1:-1]
            paths[-1] += between.round().astype(int).tolist()
        paths[-1] += after
    return max(paths, key=len)


# -------------------------------------------------------------------- pure functions


def forth_and_back(index: int, count: int) -> int:
    """0, 1, ..., count - 1, count - 2, ..., 1, 0, 1, ...: neighbours differ by at most one."""
    if count == 1:
        return 0
    place = index % (2 * count - 2)
    return min(place, 2 * count - 2 - place)


def most_central(
    c2w: Tensor,  # [B, 4, 4]
) -> int:
    """The frame whose head pose is nearest to the mean pose."""
    flat = c2w[:, :3].flatten(1)
    return int((flat - flat.mean(0)).square().sum(1).argmin())


def head_points(
    c2w: Tensor,  # [B, 4, 4]
    points: Tensor,  # [P, 3] head frame
) -> np.ndarray:  # [B, P, 3] in the camera's axes, head units
    rotation, origin = c2w[:, :3, :3].numpy(), c2w[:, :3, 3].numpy()
    return (points.numpy() - origin[:, None]) @ rotation


def moved(
    here: np.ndarray,  # [..., P, 3]
    there: np.ndarray,  # [..., P, 3]
) -> np.ndarray:  # [...]
    """Root mean square distance of a head's points."""
    return np.sqrt(((here - there) ** 2).sum(axis=-1).mean(axis=-1))
