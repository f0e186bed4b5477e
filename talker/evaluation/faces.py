"""Landmarks of pictures, by one detector: distances between different detectors' points mean nothing."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import cv2
import numpy as np

from talker.core.types import Reporter
from talker.take.landmarks import LandmarkDetector

DETECTION_PX = 256  # smaller pictures are enlarged first: detectors lose faces in them


def find_faces(
    frames: Sequence[np.ndarray],  # N of [H, W, 3] uint8
    load: Callable[[], LandmarkDetector],  # a fresh one: it follows the face from frame to frame
    task: str,
    reporter: Reporter,
    *,
    successive: bool = True,  # whether the frames follow each other; each is looked at by itself where they do not
) -> np.ndarray:  # [N, 68, 2] iBUG order, pixels of the frames; nan where no face is found
    detector = load()
    detect = detector.detect if successive else detector.detect_still
    found = np.full((len(frames), 68, 2), np.nan)
    for number, frame in enumerate(frames):
        reporter.progress(task, number / len(frames))
        points = enlarged(detect, frame)
        if points is not None:
            found[number] = points[list(detector.ibug), :2]
    reporter.progress(task, 1.0)
    return found


def enlarged(
    detect: Callable[[np.ndarray], np.ndarray | None],
    rgb: np.ndarray,  # [H, W, 3] uint8
) -> np.ndarray | None:  # [M, 3] pixels of the picture as it was given
    """What a detector sees in a picture that is made large enough for it."""
    scale = max(1, -(-DETECTION_PX // min(rgb.shape[:2])))
    picture = rgb if scale == 1 else cv2.resize(rgb, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC)
    points = detect(picture)
    return None if points is None else points / scale


def has_face(
    landmarks: np.ndarray,  # [N, 68, 2]
) -> np.ndarray:  # [N] bool
    return np.isfinite(landmarks).all(axis=(1, 2))
