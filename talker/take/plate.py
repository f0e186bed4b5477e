"""The background plate: the room without the speaker, from the pixels that the speaker uncovers over time."""

from __future__ import annotations

import cv2
import numpy as np

MAX_SAMPLES = 160  # frames that enter the median; more change nothing and cost memory


def plate_samples(
    frames: int,
) -> np.ndarray:
    """Evenly spread frame indices to build the plate from."""
    return np.unique(np.linspace(0, frames - 1, min(frames, MAX_SAMPLES)).round().astype(int))


def background_plate(
    frames: np.ndarray,  # [n, H, W, 3] uint8
    covered: np.ndarray,  # [n, H, W] bool: the speaker may be here, with a margin
    minimum: int = 3,  # frames that must show a pixel before its median is believed
) -> tuple[np.ndarray, np.ndarray]:  # [H, W, 3] uint8, [H, W] bool: seen rather than filled in
    """Median of the frames that show each pixel; what none shows is filled in smoothly from around it."""
    height, width = frames.shape[1:3]
    plate = np.zeros((height, width, 3), np.float32)
    seen = np.zeros((height, width), bool)
    for row in range(0, height, 32):  # in strips, so that the sorted stack stays small
        hidden = covered[:, row : row + 32]
        shown = (~hidden).sum(axis=0)
        ordered = np.sort(np.where(hidden[..., None], np.uint16(999), frames[:, row : row + 32]), axis=0)
        middle = np.maximum(shown - 1, 0)  # hidden values sort behind all others
        lower = np.take_along_axis(ordered, (middle // 2)[None, ..., None], axis=0)[0]
        upper = np.take_along_axis(ordered, (-(-middle // 2))[None, ..., None], axis=0)[0]
        plate[row : row + 32] = 0.5 * (lower.astype(np.float32) + upper)
        seen[row : row + 32] = shown >= minimum
    if not seen.any():
        plate[:], seen[:] = np.median(frames, axis=0), True
    return fill_smoothly(plate, seen).round().clip(0, 255).astype(np.uint8), seen


def fill_smoothly(
    image: np.ndarray,  # [H, W, 3] float
    known: np.ndarray,  # [H, W] bool
) -> np.ndarray:
    """Push-pull: unknown pixels take the average of the known ones around them, from the nearest scale that has any."""
    weight = known.astype(np.float32)[..., None]
    levels = [(image.astype(np.float32) * weight, weight)]
    while min(levels[-1][0].shape[:2]) > 1:
        colour, weight = levels[-1]
        size = ((colour.shape[1] + 1) // 2, (colour.shape[0] + 1) // 2)
        small = cv2.resize(colour, size, interpolation=cv2.INTER_AREA)
        small_weight = cv2.resize(weight[..., 0], size, interpolation=cv2.INTER_AREA)[..., None]
        levels.append((small, small_weight))
    colour, weight = levels[-1]
    filled = colour / np.maximum(weight, 1e-8)
    for colour, weight in reversed(levels[:-1]):
        above = cv2.resize(filled, (colour.shape[1], colour.shape[0]), interpolation=cv2.INTER_LINEAR)
        own = np.clip(weight, 0.0, 1.0)
        filled = colour + (1.0 - own) * above
    return np.where(known[..., None], image, filled)
