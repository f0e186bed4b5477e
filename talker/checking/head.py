"""Whether the head is all there: upright, within the picture, and with hair on it.

Notation: n glances, M landmarks, h x w the pixels of a small picture.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from talker.core.types import BROWS, EYES, FACE, HAIR, LIPS, MOUTH, mask_of
from talker.take.label import Labeller
from talker.take.landmarks import LandmarkDetector
from talker.take.parts import PERSON
from talker.take.pose import solve_motion
from talker.video import Crop

MOST_HEAD_VIEWS = 8  # pictures that are kept until poses are known: at most twice as many
FEWEST_GLANCES = 5
EDGES = ("left", "upper", "right", "lower")
BROW_TIPS = (17, 26)  # iBUG
JAW, BOTH_EYES, WHOLE_MOUTH = slice(0, 17), slice(36, 48), slice(48, 68)  # iBUG
MOST_TURNED = 20  # pictures without a face that are turned to look for one


@dataclass(frozen=True)
class HeadView:
    """A picture that is kept for a closer look."""

    rgb: np.ndarray  # [h, w, 3] uint8
    matte: np.ndarray  # [h, w] in [0, 1]
    points: np.ndarray  # [M, 3] pixels

    def cropped(
        self,
        crop: Crop,  # in the pixels of the source
        width_px: int,  # of the source
    ) -> HeadView:
        """The square that the take will cut out."""
        scale = self.matte.shape[1] / width_px
        x0, y0, side = (round(scale * value) for value in (crop.x0, crop.y0, crop.side))
        square = slice(y0, y0 + side), slice(x0, x0 + side)
        return HeadView(self.rgb[square], self.matte[square], self.points - [x0, y0, 0.0])


def hair_share(
    head_views: list[HeadView],
    detector: LandmarkDetector,
) -> float:
    """Pixels of hair over pixels of face, as a take would label them; NaN where too little was seen."""
    if len(head_views) < FEWEST_GLANCES or not len(detector.oval):
        return float("nan")
    height, width = head_views[0].matte.shape
    points = np.stack([head_view.points for head_view in head_views])
    motion = solve_motion(points, detector.ibug, (width, height))
    seen = [(index, head_view.rgb, head_view.matte) for index, head_view in enumerate(head_views)]
    labeller = Labeller(motion, points, detector, (width, height), seen)
    hair = face = 0
    for head_view in seen:
        _, labels = labeller(*head_view)
        hair += np.count_nonzero(labels == HAIR)
        face += np.count_nonzero(mask_of(labels, (FACE, BROWS, EYES, LIPS, MOUTH)))
    return hair / max(1, face)


def cut_by_edges(
    landmarks: np.ndarray,  # [68, 2 or 3] pixels
    matte: np.ndarray,  # [h, w] in [0, 1]
) -> np.ndarray:  # [4] bool, as `EDGES`
    """Which edges of the picture the head goes beyond: with its jaw, or upward with its hair."""
    height, width = matte.shape
    jaw = landmarks[JAW, :2]
    first, last = (int(np.clip(landmarks[tip, 0], 0, width)) for tip in BROW_TIPS)
    above = matte[: max(1, round(0.01 * height)), first:last]
    over = bool(above.size) and float((above > PERSON).mean()) > 0.5
    return np.array([jaw[:, 0].min() < 0, over, jaw[:, 0].max() > width, jaw[:, 1].max() > height])


def quarters_off(
    landmarks: np.ndarray,  # [68, 2 or 3] pixels
) -> int:
    """How often a picture must be turned left by 90 degrees for the eyes to stand above the mouth."""
    x, y = (landmarks[BOTH_EYES].mean(axis=0) - landmarks[WHOLE_MOUTH].mean(axis=0))[:2]
    return round(float(np.degrees(np.arctan2(x, -y))) / 90.0) % 4


def search_turned(
    rgb: np.ndarray,  # [H, W, 3] uint8, in which no face was found
    detector: LandmarkDetector,
) -> int | None:
    """`quarters_off` of the face that shows when the picture is turned; None where none shows."""
    for turns in (1, 3, 2):
        turned = np.ascontiguousarray(np.rot90(rgb, turns))
        points = detector.detect_still(turned) if len(detector.find_faces(turned)) else None
        if points is not None:
            return (turns + quarters_off(points[list(detector.ibug)])) % 4
    return None


def usual_quarters(
    quarters: list[int],  # of the pictures in which a face showed, turned or not
) -> int:
    """What most pictures say; 0 where they disagree."""
    counts = np.bincount(quarters, minlength=4)
    return int(counts.argmax()) if counts.max() > len(quarters) / 2 else 0
