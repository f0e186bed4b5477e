"""A take against the truth of its recording, before any field: lids, lips, masks, plate and the steadiness of poses.

Notation: B frames; the take's crop is the whole of the demo speaker's picture, so both share their pixels.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from talker.core.camera import project_of_frames
from talker.core.metrics import iou, lip_opening, pearson, psnr_db, unsteadiness
from talker.core.types import HEAD_PARTS, LIP_LANDMARKS, LIPS, MOUTH, Camera, Take, mask_of
from talker.speaker.truth import Truth
from talker.take.lips import lip_shapes

MASK_STRIDE = 4  # every fourth frame: neighbours tell the same
PERSON = 128  # alpha from which a pixel is the person's


def tracked_figures(take: Take, truth: Truth) -> dict[str, float]:
    """Named as in `tools.quality.figures.Figures`."""
    count = min(len(take), len(truth))
    frames = range(0, count, MASK_STRIDE)
    pairs = {
        "iou_person": [(take.alpha[i] >= PERSON, truth.alpha[i] >= PERSON) for i in frames],
        "iou_head": [tuple(mask_of(each.parts[i], HEAD_PARTS) for each in (take, truth)) for i in frames],
        "iou_lips": [tuple(mask_of(each.parts[i], (LIPS, MOUTH)) for each in (take, truth)) for i in frames],
    }
    uncovered = (truth.alpha[:count] == 0).any(axis=0)
    return {
        "eye_corr": pearson(take.eye[:count, 0].numpy(), truth.eye[:count, 0].numpy()),
        "mouth_track_corr": pearson(_opening(take)[:count], truth.mouth_opening[:count].numpy()),
        **{name: float(np.mean([iou(found, wanted) for found, wanted in masks])) for name, masks in pairs.items()},
        "plate_psnr_db": psnr_db(take.background, truth.background, uncovered),
        "jitter_x": _unsteadiness_px(take.camera(0), take.c2w[:count], truth.landmarks_head)
        / _unsteadiness_px(truth.camera(0), truth.c2w[:count], truth.landmarks_head),
    }


def _opening(take: Take) -> np.ndarray:
    """Mouth opening [B] in the head's own plane: a nod is no word."""
    lips = lip_shapes(take.camera(0), take.c2w, take.landmarks_px, take.landmarks_head).numpy()
    return lip_opening(np.pad(lips, ((0, 0), (LIP_LANDMARKS.start, 0), (0, 0))))


def _unsteadiness_px(camera: Camera, c2w: Tensor, points: Tensor) -> float:
    """Of the images of points on the head, whose poses are c2w [B, 4, 4]."""
    return unsteadiness(project_of_frames(camera, c2w, points).to(torch.float64).numpy())
