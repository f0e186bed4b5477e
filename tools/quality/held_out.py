"""Held-out frames of one clip, and the edit of the same frames."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from talker.drive import Portrait, to_bytes
from talker.measure import mean_frame, nearest_pose
from talker.metrics import blur, lip_shift_fraction, psnr_db
from tools.quality.dump import Dump

SOFT_PX = 2.0  # blur before an edit is marked: brush strokes are not held to the pixel

Frames = Callable[[int], np.ndarray]  # frame index -> [H, W, 3] uint8, or [H, W] bool


@dataclass(frozen=True)
class AgainstNulls:
    """Mean PSNR inside the head mask of a prediction, and of what one would score without any field."""

    found_db: float
    mean_db: float
    nearest_db: float

    @property
    def null_db(self) -> float:
        return max(self.mean_db, self.nearest_db)


def held_out_psnr(
    portrait: Portrait,  # with the take's own audio set
    wanted: np.ndarray,  # [B, H, W, 3] uint8 true frames
    head: Frames,  # true head masks
    dump: Dump,
) -> AgainstNulls:
    """Every held-out frame under its own pose and audio."""
    take = portrait.take
    training = take.training
    mean = mean_frame(wanted[training.start : training.stop])
    poses = take.c2w[training.start : training.stop]
    scores = []
    for index in take.held_out:
        found = to_bytes(portrait.render(index, pose=index).rgb)
        dump.picture(f"{index:05d}", found)
        nearest = wanted[training[nearest_pose(poses, take.c2w[index], take.landmarks_head)]]
        scores.append([psnr_db(guess, wanted[index], head(index)) for guess in (found, mean, nearest)])
    return AgainstNulls(*(float(score) for score in np.nanmean(scores, axis=0)))


def edited_psnr(
    edited: Frames,  # the edited field's final images
    expected: Frames,  # the operator applied to the original field's renders
    head: Frames,
    frames: Sequence[int],
    dump: Dump,
) -> float:
    """Mean PSNR inside the head mask, both pictures softened."""
    scores = []
    for index in frames:
        found, wanted = edited(index), expected(index)
        dump.picture(f"{index:05d}", found)
        dump.picture(f"{index:05d}_expected", wanted)
        scores.append(psnr_db(blur(found, SOFT_PX), blur(wanted, SOFT_PX), head(index)))
    return float(np.nanmean(scores))


def lip_shift_pct(
    edited: Frames,
    expected: Frames,
    landmarks: Callable[[np.ndarray], np.ndarray | None],  # picture -> [68, 2] pixels, None where no face is found
    frames: Sequence[int],
) -> float | None:
    """Mean shift of the lip landmarks between the two, per cent of the face width; None where no face is found.

    Both pictures are edits, so that a detector's taste for drawings or bronze moves both alike.
    """
    shifts = []
    for index in frames:
        found, wanted = landmarks(edited(index)), landmarks(expected(index))
        if found is not None and wanted is not None:
            shifts.append(100 * float(lip_shift_fraction(found, wanted)))
    return float(np.mean(shifts)) if shifts else None
