"""Takes a tracked frame apart: what the head covers, what the torso covers, and what stands behind the head.

The torso goes on a little under the chin, so that a head that turns or lifts uncovers skin and not a hole. Pure
functions on arrays; H x W pixels.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from talker.core.types import HEAD_PARTS, TORSO_PARTS, mask_of

UNDER_CHIN = 0.10  # how far the torso is continued under the head, of the image's height
FAINT = 5  # matte values below this are background


@dataclass(frozen=True)
class FrameLayers:
    behind: np.ndarray  # [H, W, 3] uint8: torso over plate without the head
    head_alpha: np.ndarray  # [H, W] uint8
    torso_alpha: np.ndarray  # [H, W] uint8, continued under the chin


def _distance_to(mask: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Distance [H, W] to the nearest set pixel and that pixel's flat index."""
    if not mask.any():
        return np.full(mask.shape, np.inf, np.float32), np.zeros(mask.shape, np.int64)
    away = np.where(mask, 0, 1).astype(np.uint8)
    distance, label = cv2.distanceTransformWithLabels(away, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL)
    index_of = np.zeros(label.max() + 1, np.int64)
    index_of[label[mask]] = np.flatnonzero(mask)
    return distance, index_of[label]


def separate(
    rgb: np.ndarray,  # [H, W, 3] uint8
    alpha: np.ndarray,  # [H, W] uint8
    parts: np.ndarray,  # [H, W] uint8
    plate: np.ndarray,  # [H, W, 3] uint8
) -> FrameLayers:
    """Splits the person's matte between head and torso by the nearer part, and continues the torso under the head."""
    head, torso = mask_of(parts, HEAD_PARTS), mask_of(parts, TORSO_PARTS)
    to_head, _ = _distance_to(head)
    to_torso, nearest_torso = _distance_to(torso)
    is_torso = to_torso < to_head
    matte = np.where(alpha < FAINT, 0, alpha)
    head_alpha = np.where(is_torso, 0, matte).astype(np.uint8)
    torso_alpha = np.where(is_torso, matte, 0).astype(np.uint8)

    under = head & (to_torso < UNDER_CHIN * len(rgb)) & _rows_below(torso, nearest_torso)
    behind = np.where((torso_alpha > 0)[..., None], rgb, plate)
    behind[under] = rgb.reshape(-1, 3)[nearest_torso[under]]
    torso_alpha[under] = 255
    return FrameLayers(behind, head_alpha, torso_alpha)


def _rows_below(mask: np.ndarray, nearest: np.ndarray) -> np.ndarray:
    """Where the nearest set pixel lies lower in the picture: skin continues upward from it, not sideways."""
    height, width = mask.shape
    return nearest // width > np.arange(height)[:, None]
