"""What a face looks like under its landmarks: whether it is the same person's, and whether something hides it.

Brightness and redness count: hands are brighter than the lips that they hide, and less red. Both are taken without
their mean over the face, so that an exposure does not matter.

Notation: n pictures, M landmarks, D = 2 M numbers of a pattern.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from talker.core.axis import runs
from talker.core.metrics import pearson
from talker.take.landmarks import LandmarkDetector

NOSE_TIP = 30  # iBUG
REDNESS = 2.0  # weight against brightness
FACE_PX, BLUR_PX = 64, 1.7  # patterns are compared in faces of this width, softened: sizes and lenses differ
HIDDEN_LIKENESS = 0.55  # of the lower half of the face, where something hides it. Five real clips: never below 0.60
HIDDEN_BESIDE = 0.68  # and just before and after that, while what hides it comes and goes
HIDDEN_S = 0.3  # for shorter than this it may be a mistake
MOST_HIDDEN = 0.5  # share of the pictures beyond which what hides the face is what it usually looks like


def colours_under(
    rgb: np.ndarray,  # [H, W, 3] uint8
    points: np.ndarray,  # [M, 2 or 3] pixels
) -> np.ndarray:  # [M, 3]
    """Colours of small surroundings of the points."""
    width = np.ptp(points[:, 0])
    return _at(cv2.blur(rgb, (max(1, round(0.03 * width)),) * 2), points)


def patterns(
    colours: np.ndarray,  # [n, M, 3] in [0, 255]
) -> np.ndarray:  # [n, M, 2]
    """Brightness and redness, without their means."""
    light = np.log(colours + 16.0)
    found = np.stack([light.mean(axis=-1), REDNESS * (light[..., 0] - light[..., 1])], axis=-1)
    return found - found.mean(axis=-2, keepdims=True)


def face_pattern(
    rgb: np.ndarray,  # [H, W, 3] uint8
    points: np.ndarray,  # [M, 2 or 3] pixels
    inner: np.ndarray,  # [M] bool: landmarks that do not lie on the face's outline
) -> np.ndarray:  # [D] of unit length: the product of two is their correlation
    """The pattern of a face whatever its size in the picture."""
    scale = FACE_PX / max(float(np.ptp(points[:, 0])), 1.0)
    small = cv2.resize(rgb, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA if scale < 1.0 else cv2.INTER_LINEAR)
    colours = _at(cv2.GaussianBlur(small, (0, 0), BLUR_PX), scale * points)
    pattern = patterns(colours[None, inner])[0].ravel()
    return pattern / max(float(np.linalg.norm(pattern)), 1e-9)


@dataclass(frozen=True)
class FaceLandmarks:
    """Which landmarks of a detector say what a face looks like, and which of its halves they are in."""

    inner: np.ndarray  # [M] bool: they do not lie on the face's outline
    below: np.ndarray  # [M] bool: below the nose's tip

    @classmethod
    def of(
        cls,
        points: np.ndarray,  # [n, M, 2 or 3] pixels of upright faces; NaN where there is none
        detector: LandmarkDetector,
    ) -> FaceLandmarks:
        inner = np.ones(points.shape[1], bool)
        inner[list(detector.oval)] = False
        height = points[np.isfinite(points[:, 0, 0]), :, 1]
        return cls(inner, np.median(height - height[:, [detector.ibug[NOSE_TIP]]], axis=0) > 0.0)


def likeness(
    colours: np.ndarray,  # [n, M, 3] under the landmarks; NaN where there is no face
    inner: np.ndarray,  # [M] bool: landmarks that do not lie on the face's outline
    below: np.ndarray,  # [M] bool: landmarks below the nose's tip
) -> np.ndarray:  # [n, 2] of the upper and the lower half; NaN where there is no face
    """How much each half of the face looks as it usually does: a correlation over its landmarks.

    What hides a face leaves its landmarks, which detectors then guess, but not the pattern under them.
    """
    seen = np.isfinite(colours[:, 0, 0])
    found = np.full((len(colours), 2), np.nan)
    if not seen.any():
        return found
    for number, half in enumerate((inner & ~below, inner & below)):
        here = patterns(colours[seen][:, half])
        usual = np.median(here, axis=0)
        found[seen, number] = [pearson(one.ravel(), usual.ravel()) for one in here]
    return found


def hidden_mouths(
    lower_likeness: np.ndarray,  # [n] NaN where there is no face
    rate_hz: float,  # of the pictures
) -> np.ndarray:  # [n] bool
    """Where something hides the lower half of the face."""
    seen, hidden = np.isfinite(lower_likeness), np.zeros(len(lower_likeness), bool)
    for run in runs(~(lower_likeness >= HIDDEN_BESIDE)):  # what hides a mouth may hide the face from the detector
        if (lower_likeness[list(run)] < HIDDEN_LIKENESS).any() and len(run) >= HIDDEN_S * rate_hz:
            hidden[list(run)] = True
    return hidden if (hidden & seen).sum() <= MOST_HIDDEN * seen.sum() else np.zeros(len(hidden), bool)


def _at(image: np.ndarray, points: np.ndarray) -> np.ndarray:  # [M, 3] float32
    x = np.clip(points[:, 0], 0, image.shape[1] - 1).astype(int)
    y = np.clip(points[:, 1], 0, image.shape[0] - 1).astype(int)
    return image[y, x].astype(np.float32)
