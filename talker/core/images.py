"""Small things that are done to pictures, and to the frames they come from, everywhere."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
import torch
from torch import Tensor


def to_bytes(
    rgb: Tensor,  # [..., 3] in [0, 1]
) -> np.ndarray:
    return (rgb.clamp(0, 1) * 255).round().to(torch.uint8).cpu().numpy()


def grown(
    mask: np.ndarray,  # [H, W] bool
    reach_px: int,
) -> np.ndarray:  # [H, W] bool
    """The mask, and every pixel at most so far from it in x and in y."""
    side = 2 * reach_px + 1
    return cv2.dilate(mask.astype(np.uint8), np.ones((side, side), np.uint8)) > 0


def spaced(frames: Sequence[int], count: int) -> list[int]:
    """At most `count` of some frames, evenly spaced."""
    if len(frames) <= count:
        return list(frames)
    return [frames[int(place)] for place in torch.linspace(0, len(frames) - 1, count).round()]
