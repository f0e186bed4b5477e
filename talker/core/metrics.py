"""Measures of images and of mouth tracks, pure functions on numpy arrays.

Notation: B frames, H x W pixels, T samples of a track. Images are floats in [0, 1] or uint8.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np
from scipy import ndimage

from talker.core.types import FPS, LIP_LANDMARKS

COARSE_PX = 2.0  # in a picture of 256 px: brush strokes that differ from frame to frame no field can show
SEEN_LEVELS = 4.0  # grey levels: a pixel that changes less is left as it was
LEAST_LEVELS = 0.5  # grey levels, rms of the picture: a smaller change is none
PSNR_CEILING_DB = 99.0  # of identical images: finite, so that means and JSON stay finite


def as_float(image: np.ndarray) -> np.ndarray:
    """The image in [0, 1], float64."""
    return image.astype(np.float64) / 255 if image.dtype == np.uint8 else image.astype(np.float64)


def psnr_db(
    found: np.ndarray,  # [H, W, 3]
    wanted: np.ndarray,  # [H, W, 3]
    mask: np.ndarray | None = None,  # [H, W] bool
) -> float:
    """Peak signal-to-noise ratio inside the mask; nan when the mask is empty."""
    squared = ((as_float(found) - as_float(wanted)) ** 2).mean(axis=-1)
    if mask is not None:
        squared = squared[mask]
    if squared.size == 0:
        return math.nan
    error = float(squared.mean())
    return min(PSNR_CEILING_DB, -10 * math.log10(error)) if error > 0 else PSNR_CEILING_DB


def blur(
    image: np.ndarray,  # [H, W, 3]
    sigma_px: float,
) -> np.ndarray:
    """Gaussian blur of each channel, float64 in [0, 1]."""
    return ndimage.gaussian_filter(as_float(image), (sigma_px, sigma_px, 0), mode="nearest")


def change_taken(
    frames: Iterable[tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]],
    # [H, W, 3] each, unedited, as the editor made them, as the edit shows them; and [H, W] bool, the person
) -> tuple[float, float]:
    """How much an edit was to change, in grey levels (rms), and how far it went: 0 is as before, 1 all the way.

    The way is that of the pixels which change, in the person or in the whole picture, whichever went less far: a
    background is painted in one go and says nothing of what the field has learnt. Edits that ended farther off than
    they began went below 0.
    """
    wanted, missed, pixels = np.zeros(2), np.zeros(2), np.zeros(2)
    for unedited, asked, shown, person in frames:
        sigma_px = COARSE_PX * min(person.shape) / 256
        before = blur(unedited, sigma_px)
        change, found = blur(asked, sigma_px) - before, blur(shown, sigma_px) - before
        changed = np.abs(change).max(axis=-1) > SEEN_LEVELS / 255
        for place, where in enumerate((changed, changed & person)):
            wanted[place] += (change[where] ** 2).sum()
            missed[place] += ((change[where] - found[where]) ** 2).sum()
            pixels[place] += change.size
    levels = 255 * np.sqrt(wanted / np.maximum(pixels, 1))
    counts = levels >= LEAST_LEVELS
    way = 1 - np.sqrt(missed[counts] / wanted[counts])
    return float(levels.max()), float(way.min()) if counts.any() else 0.0


def pearson(
    x: np.ndarray,  # [T]
    y: np.ndarray,  # [T]
) -> float:
    """Correlation coefficient; 0 where either track does not move."""
    x, y = np.asarray(x, np.float64), np.asarray(y, np.float64)
    x, y = x - x.mean(), y - y.mean()
    scale = math.sqrt(float((x @ x) * (y @ y)))
    return float(x @ y) / scale if scale > 1e-12 else 0.0


def amplitude_ratio(
    found: np.ndarray,  # [T]
    wanted: np.ndarray,  # [T]
) -> float:
    """Standard deviation of one track over the other's."""
    return float(np.std(found) / max(float(np.std(wanted)), 1e-12))


def shifted_pearson(
    found: np.ndarray,  # [T]
    wanted: np.ndarray,  # [T]
    shift: int,  # samples by which `found` is late
) -> float:
    """Correlation of found[t + shift] with wanted[t], over the samples that both have."""
    length = len(wanted) - abs(shift)
    if length < 3:
        return 0.0
    return pearson(found[max(0, shift) :][:length], wanted[max(0, -shift) :][:length])


def peak_lag_ms(
    found: np.ndarray,  # [T] at 25 Hz
    wanted: np.ndarray,  # [T] at 25 Hz
    reach_s: float = 0.4,
) -> float:
    """Where the correlation peaks, in steps of one frame; positive when `found` is late."""
    reach = round(reach_s * FPS)
    return 1000 / FPS * max(range(-reach, reach + 1), key=lambda shift: shifted_pearson(found, wanted, shift))


def lip_opening(
    landmarks: np.ndarray,  # [..., 68, 2 or 3] iBUG order
) -> np.ndarray:
    """Mean gap of the inner lips (61-67, 62-66, 63-65), in the landmarks' own unit."""
    gaps = landmarks[..., (61, 62, 63), :] - landmarks[..., (67, 66, 65), :]
    return np.linalg.norm(gaps, axis=-1).mean(axis=-1)


def mouth_width(
    landmarks: np.ndarray,  # [..., 68, 2 or 3] iBUG order
) -> np.ndarray:
    """Distance of the mouth's corners (48-54)."""
    return np.linalg.norm(landmarks[..., 48, :] - landmarks[..., 54, :], axis=-1)


def face_width(
    landmarks: np.ndarray,  # [..., 68, 2 or 3] iBUG order
) -> np.ndarray:
    """Distance of the jaw contour's ends."""
    return np.linalg.norm(landmarks[..., 0, :] - landmarks[..., 16, :], axis=-1)


def lip_shift_fraction(
    found: np.ndarray,  # [..., 68, 2]
    wanted: np.ndarray,  # [..., 68, 2]
) -> np.ndarray:
    """Mean distance of the 20 lip landmarks, as a fraction of the face width (both from one detector)."""
    distance = np.linalg.norm(found[..., LIP_LANDMARKS, :] - wanted[..., LIP_LANDMARKS, :], axis=-1).mean(axis=-1)
    return distance / face_width(wanted)


def iou(
    found: np.ndarray,  # [H, W] bool
    wanted: np.ndarray,  # [H, W] bool
) -> float:
    """Intersection over union of two masks; 1 where both are empty."""
    union = np.count_nonzero(found | wanted)
    return np.count_nonzero(found & wanted) / union if union else 1.0


def unsteadiness(
    points: np.ndarray,  # [B, P, 2] positions over time
) -> float:
    """Root mean square of the second difference in time, in the positions' unit: what shakes, without what moves."""
    second = points[2:] - 2.0 * points[1:-1] + points[:-2]
    return float(np.sqrt((second**2).sum(axis=-1).mean()))


def sharpness_ratio(
    found: np.ndarray,  # [H, W, 3]
    wanted: np.ndarray,  # [H, W, 3]
    mask: np.ndarray,  # [H, W] bool
    sigma_px: float = 1.5,
) -> float:
    """Strength of fine detail over the true picture's: the root mean square of what a blur takes away.

    Noise counts as detail, so that above 1 is no virtue.
    """

    def detail(image: np.ndarray) -> float:
        grey = as_float(image).mean(axis=-1)
        fine = grey - ndimage.gaussian_filter(grey, sigma_px, mode="nearest")
        return float(np.sqrt((fine[mask] ** 2).mean()))

    return detail(found) / max(detail(wanted), 1e-6)


def border_band(
    one: np.ndarray,  # [H, W] bool
    other: np.ndarray,  # [H, W] bool
    reach_px: float,
) -> np.ndarray:  # [H, W] bool
    """Pixels within reach of both masks: the seam between two parts."""
    away = [
        ndimage.distance_transform_edt(~mask) if mask.any() else np.full(mask.shape, np.inf) for mask in (one, other)
    ]
    return (away[0] <= reach_px) & (away[1] <= reach_px)
