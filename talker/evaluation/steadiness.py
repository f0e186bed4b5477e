"""Does the head shake? Rigid points of the face over time, beside the reference's."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from talker.core.metrics import unsteadiness
from talker.evaluation.faces import has_face

RIGID = (*range(27, 36), 36, 39, 42, 45)  # iBUG: nose and eye corners, which neither speech nor blinks move


@dataclass(frozen=True)
class SteadinessFigures:
    """None where no three successive frames have a face."""

    jitter_px: float | None  # root mean square second difference in time
    jitter_reference_px: float | None


def measure_steadiness(
    found: np.ndarray,  # [N, 68, 2] landmarks, pixels; nan where no face is found
    reference: np.ndarray,  # [N, 68, 2]
) -> SteadinessFigures:
    """Both from one detector, whose own noise is therefore in both."""
    return SteadinessFigures(jitter(found), jitter(reference))


def jitter(
    landmarks: np.ndarray,  # [N, 68, 2]
) -> float | None:
    """`unsteadiness` of the rigid points over all runs of three frames with a face."""
    there = has_face(landmarks)
    whole = there[:-2] & there[1:-1] & there[2:]
    if not whole.any():
        return None
    points = landmarks[:, RIGID]
    triples = np.stack([points[:-2][whole], points[1:-1][whole], points[2:][whole]])  # [3, K, P, 2]
    return unsteadiness(triples.reshape(3, -1, 2))
