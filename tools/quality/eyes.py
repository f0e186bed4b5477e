"""Do lids close in the render where the truth's are closed? Read from pixels by the instrument that reads mouths."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from talker.core.metrics import pearson
from talker.speaker.truth import Truth
from tools.quality.mouth import Box, as_crops, crop_box, train_reader

EYES = (range(36, 42), range(42, 48))  # iBUG
EYE_WIDTH = 0.30  # head units: an eye with its lids, brows left out


def eye_boxes(truth: Truth, index: int) -> list[Box]:
    """Of both eyes, from the true pose."""
    depth = float(truth.c2w[:, :3, 3].norm(dim=-1).median())
    camera = truth.camera(index)
    return [crop_box(camera, truth.landmarks_head[list(eye)].mean(dim=0), EYE_WIDTH, depth) for eye in EYES]


def blink_corr(
    truth: Truth,
    training: Sequence[int],
    found: Mapping[int, np.ndarray],  # rendered frames by index
) -> float:
    """Correlation of lid openness read from renders with the true one, over frames and eyes."""

    def crops(index: int, rgb: np.ndarray) -> list[np.ndarray]:
        return [box.cut(rgb) for box in eye_boxes(truth, index)]

    lids = truth.eye[:, 0].numpy()
    seen = [crop for index in training for crop in crops(index, truth.frames[index])]
    reader = train_reader(as_crops(seen), np.repeat(lids[training], len(EYES))[:, None])
    rendered = [crop for index, rgb in found.items() for crop in crops(index, rgb)]
    opening = reader.read(as_crops(rendered))[:, 0].reshape(len(found), len(EYES)).mean(axis=1)
    return pearson(opening, lids[list(found)])
