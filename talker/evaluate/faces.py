"""Landmarks of successive pictures, by one detector: distances between different detectors' points mean nothing."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import cv2
import numpy as np

from talker.take.landmarks import LandmarkDetector
from talker.types import Reporter

DETECTION_PX = 256  # smaller pictures are enlarged first: detectors lose faces in them


def find_faces(
    frames: Sequence[np.ndarray],  # N of [H, W, 3] uint8, successive
    load: Callable[[], LandmarkDetector],  # a fresh one: it follows the face from frame to frame
    task: str,
    reporter: Reporter,
) -> np.ndarray:  # [N, 68, 2] iBUG order, pixels of the frames; nan where no face is found
    detector = load()
    found = np.full((len(frames), 68, 2), np.nan)
    for number, frame in enumerate(frames):
        reporter.progress(task, number / len(frames))
        scale = max(1, -(-DETECTION_PX // min(frame.shape[:2])))
        picture = frame if scale == 1 else cv2.resize(frame, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC)
        points = detector.detect(picture)
        if points is not None:
            found[number] = points[list(detector.ibug), :2] / scale
    reporter.progress(task, 1.0)
    return found


def has_face(
    landmarks: np.ndarray,  # [N, 68, 2]
) -> np.ndarray:  # [N] bool
    return np.isfinite(landmarks).all(axis=(1, 2))
