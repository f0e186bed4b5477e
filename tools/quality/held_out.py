"""Held-out frames of one clip, and the edit of the same frames."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from talker.core.images import to_bytes
from talker.core.metrics import blur, lip_shift_fraction, psnr_db, sharpness_ratio
from talker.core.types import BROWS, EYES, FACE, HAIR, HEAD_PARTS, LIPS, MOUTH, Take, mask_of
from talker.driving.render import Portrait
from talker.evaluation.held_out import mean_frame, nearest_in_training
from talker.evaluation.images import seam_of
from tools.quality.dump import Dump
from tools.quality.mouth import Box

SOFT_PX = 2.0  # blur before an edit is marked: brush strokes are not held to the pixel
FACE_PARTS = (FACE, BROWS, EYES, LIPS, MOUTH)

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


def held_out_frames(
    portrait: Portrait,  # with the take's own audio set
    dump: Dump,
) -> dict[int, np.ndarray]:
    """Every held-out frame [H, W, 3] uint8 by its index, rendered under its own pose and audio."""
    found = {index: to_bytes(portrait.render(index, pose=index).rgb) for index in portrait.take.held_out}
    for index, rgb in found.items():
        dump.picture(f"{index:05d}", rgb)
    return found


def held_out_psnr(
    take: Take,
    found: Mapping[int, np.ndarray],  # rendered frames
    wanted: np.ndarray,  # [B, H, W, 3] uint8 true frames
    head: Frames,  # true head masks
) -> AgainstNulls:
    mean = mean_frame(wanted[index] for index in take.training)
    scores = []
    for index, rgb in found.items():
        nearest = wanted[nearest_in_training(take, index)]
        scores.append([psnr_db(guess, wanted[index], head(index)) for guess in (rgb, mean, nearest)])
    return AgainstNulls(*(float(score) for score in np.nanmean(scores, axis=0)))


def region_figures(
    found: Mapping[int, np.ndarray],  # rendered frames
    wanted: np.ndarray,  # [B, H, W, 3] uint8 true frames
    parts: np.ndarray,  # [B, H, W] uint8 true parts
    boxes: Sequence[Box],  # of the mouth in every frame
) -> dict[str, float]:
    """Face, hair and mouth box apart, the sharpness of the mouth, and the seam of head and neck; as in `Figures`."""
    rows = []
    for index, rgb in found.items():
        mouth = np.zeros(parts[index].shape, bool)
        boxes[index].cut(mouth)[:] = True
        mouth &= mask_of(parts[index], HEAD_PARTS)
        face = mask_of(parts[index], FACE_PARTS)
        regions = (parts[index] == FACE, face, parts[index] == HAIR, mouth, seam_of(parts[index]))
        scores = [psnr_db(rgb, wanted[index], region) for region in regions]
        rows.append([*scores, sharpness_ratio(rgb, wanted[index], mouth)])
    names = ("face_psnr_db", "face_with_features_psnr_db", "hair_psnr_db", "mouth_psnr_db", "seam", "mouth_sharpness")
    return dict(zip(names, np.nanmean(rows, axis=0).tolist(), strict=True))


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
