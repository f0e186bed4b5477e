"""Eye conditions per frame: how open the lids are, where the irises look."""

from __future__ import annotations

import numpy as np
import torch
from scipy.ndimage import gaussian_filter1d

from talker.core.camera import meet_planes
from talker.take.pose import HeadMotion

RIGHT_EYE, LEFT_EYE = range(36, 42), range(42, 48)  # iBUG order: corner, two upper, corner, two lower
OPEN_PERCENTILE = 75.0  # eyes are open most of the time
CLOSED_SHARE = 0.35  # of the open lid ratio: below it an eye counts as shut where nobody blinked deeper
GAZE_RANGE = 0.25  # iris travel, in eye widths, at which gaze is 1
STEADY_FRAMES = 0.6  # gaze jitter is filtered by this much; lids are not, blinks are short


def lid_ratio(
    landmarks: np.ndarray,  # [B, 68, 2] pixels
) -> np.ndarray:  # [B] lid distance over eye width, mean of both eyes
    """The eye aspect ratio of Soukupova and Cech (2016)."""
    ratios = []
    for eye in (RIGHT_EYE, LEFT_EYE):
        corner, upper_a, upper_b, other_corner, lower_b, lower_a = (landmarks[:, i] for i in eye)
        height = np.linalg.norm(upper_a - lower_a, axis=1) + np.linalg.norm(upper_b - lower_b, axis=1)
        ratios.append(0.5 * height / np.linalg.norm(corner - other_corner, axis=1).clip(1e-6))
    return np.mean(ratios, axis=0)


def openness(
    ratio: np.ndarray,  # [B]
) -> np.ndarray:  # [B] in [0, 1]
    """Lid ratio between this speaker's own shut and open: 0 is shut."""
    wide = np.percentile(ratio, OPEN_PERCENTILE)
    shut = min(np.percentile(ratio, 0.5), CLOSED_SHARE * wide)
    return np.clip((ratio - shut) / max(wide - shut, 1e-6), 0.0, 1.0)


def gaze(
    motion: HeadMotion,
    irises: np.ndarray,  # [B, 2, 2] pixels, in iBUG's order of the eyes
    open_share: np.ndarray,  # [B] in [0, 1]
    ibug: tuple[int, ...],
) -> np.ndarray:  # [B, 2] to the viewer's right and down, about [-1, 1]
    """Iris positions between the eye corners, relative to this speaker's usual gaze; held through blinks.

    The corners are the rigid shape's: detected ones wander after the iris.
    """
    offsets, c2w = [], torch.from_numpy(motion.c2w())
    for eye, iris in ((RIGHT_EYE, irises[:, 0]), (LEFT_EYE, irises[:, 1])):
        corners = motion.shape[[ibug[eye[0]], ibug[eye[3]]]]
        depth = torch.tensor([corners[:, 2].mean()])
        place = meet_planes(c2w, motion.focal_px, motion.centre_px, torch.from_numpy(iris)[:, None].double(), depth)
        width = float(np.linalg.norm(corners[0] - corners[1]))
        offsets.append((place[:, 0].numpy() - corners[:, :2].mean(axis=0)) / width)
    offset = np.mean(offsets, axis=0)
    awake = open_share > 0.4
    if awake.sum() < 2:
        return np.zeros_like(offset)
    known, every = np.flatnonzero(awake), np.arange(len(offset))
    held = np.stack([np.interp(every, known, axis[awake]) for axis in offset.T], axis=1)
    held = gaussian_filter1d(held - np.median(held[awake], axis=0), STEADY_FRAMES, axis=0, mode="nearest")
    return np.clip(held / GAZE_RANGE, -1.5, 1.5)
