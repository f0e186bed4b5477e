"""The head's motion in the frames that show the speaker: from landmarks first, then from the pictures themselves.

Notation: U used frames, in order of time; M landmarks. A piece is a run of them without a cut or a gap.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from talker.core.types import OUTER_EYE_SPAN, Reporter
from talker.take.consensus import refine_motion
from talker.take.flow import eye_span_px
from talker.take.landmarks import LandmarkDetector
from talker.take.pose import HeadMotion, project_points, rescale_motion, rigid_weights, smooth_motion, solve_motion
from talker.take.track import Tracked, decode

FLOW_EYE_SPAN_PX = 64.0  # pictures are compared not finer than this shows the face: larger faces only take longer
LANDMARKS_STEADY_FRAMES = 1.5  # poses from landmarks are smoothed by a Gaussian of this many frames,
STEADY_FRAMES = 0.8  # and poses from pictures by this many: their jitter goes, nods stay
# Of the eye span, by which landmarks miss where the poses put them: a frame, and the median of a piece. At most 0.044
# and 0.016 on five real clips.
UNSOLVED_FRAME, UNSOLVED_PIECE = 0.08, 0.05


def head_motion(
    tracked: Tracked,  # U frames
    points: np.ndarray,  # [U, M, 3], gaps filled
    seen: np.ndarray,  # [U] bool: a face was found
    pieces: Sequence[range],
    detector: LandmarkDetector,
    size_px: int,
    reporter: Reporter,
) -> HeadMotion:
    """Poses from landmarks, then from the pictures themselves, smooth without lag; pixels of the take's frames."""
    reporter.progress("pose", 0.0, "bundle adjustment")
    flow_px = tracked.grey.shape[1]
    scale = flow_px / size_px
    rough = solve_motion(np.where(seen[:, None, None], points, np.nan) * scale, detector.ibug, (flow_px, flow_px))
    rough = smooth_motion(rough, LANDMARKS_STEADY_FRAMES, pieces)
    grey = tracked.grey
    shrink = FLOW_EYE_SPAN_PX / eye_span_px(rough)
    if shrink < 1.0:
        flow_px = max(2, round(flow_px * shrink))
        grey = np.stack([cv2.resize(image, (flow_px, flow_px), interpolation=cv2.INTER_AREA) for image in grey])
        rough = rescale_motion(rough, flow_px / size_px / scale)
        scale = flow_px / size_px
    mattes = np.stack([cv2.resize(decode(png), (flow_px, flow_px)) for png in tracked.mattes])
    fine = refine_motion(rough, points[..., :2] * scale, detector.ibug, grey, mattes, reporter, pieces)
    return rescale_motion(smooth_motion(fine, STEADY_FRAMES, pieces), 1.0 / scale)


def unsolved(
    motion: HeadMotion,
    points: np.ndarray,  # [U, M, 3] pixels
    pieces: Sequence[range],
) -> np.ndarray:  # [U] bool
    """The frames, or whole pieces, whose landmarks do not lie where the poses put the speaker's face."""
    off_px = np.linalg.norm(project_points(motion)[0] - points[..., :2], axis=-1)
    rigid = rigid_weights(motion.shape)
    span_px = motion.focal_px * OUTER_EYE_SPAN / motion.translation[:, 2]
    off = (off_px * rigid).sum(axis=1) / rigid.sum() / span_px
    found = off > UNSOLVED_FRAME
    for piece in pieces:
        found[piece.start : piece.stop] |= np.median(off[piece.start : piece.stop]) > UNSOLVED_PIECE
    return found
