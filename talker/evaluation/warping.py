"""Flicker: how far frames differ from their predecessors once what moved is moved back.

Notation: N frames, H x W pixels; w is the flow from frame t to frame s, in pixels, so that t(x) is s(x + w(x)).

E_w = mean over t of E(t, t - 1) + E(t, 0), where E(t, s) is the mean absolute difference of t and s warped onto it,
over the pixels that both show. The idea is Lai et al.'s (2018); this form, a mean L1 with a term for the first frame,
is that of Lei et al. 2020 (blind video temporal consistency via deep video prior), as in Instruct-NeuralTalker. Lai et
al. take squares and know no first frame: their figures are on another scale. An edit's flow is the unedited video's, so
that flicker cannot hide in it. Optical flow: DIS (Kroeger et al. 2016).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import cv2
import numpy as np

from talker.core.metrics import as_float
from talker.core.types import Reporter

# Forward and backward flow that disagree by more than this mark what is hidden (Sundaram et al. 2010, eq. 5).
RELATIVE, ABSOLUTE_PX2 = 0.01, 0.5


@dataclass(frozen=True)
class WarpingFigures:
    """Means over the frames after the first; images in [0, 1]."""

    e_w: float  # the sum of the next two
    warp_previous: float
    warp_first: float
    e_w_reference: float
    warp_previous_reference: float
    warp_first_reference: float
    tracks: Mapping[str, np.ndarray] = field(repr=False)  # per frame, nan at the first


def measure_warping(
    found: np.ndarray,  # [N, H, W, 3] uint8, N > 1
    reference: np.ndarray,  # [N, H, W, 3] uint8
    reporter: Reporter,
    *,
    one_motion: bool,  # whether both move alike: then the reference's flow serves both
) -> WarpingFigures:
    """The warping error of both videos."""
    if one_motion:
        errors = warping_errors((found, reference), reference, reporter)
    else:
        errors = np.concatenate([warping_errors((frames,), frames, reporter) for frames in (found, reference)])
    (previous, first), (true_previous, true_first) = (_means(video) for video in errors)
    return WarpingFigures(
        e_w=previous + first,
        warp_previous=previous,
        warp_first=first,
        e_w_reference=true_previous + true_first,
        warp_previous_reference=true_previous,
        warp_first_reference=true_first,
        tracks={"warp_previous": errors[0, 0], "warp_previous_reference": errors[1, 0]},
    )


def warping_errors(
    videos: Sequence[np.ndarray],  # V of [N, H, W, 3] uint8
    moving: np.ndarray,  # [N, H, W, 3] uint8: whose flow it is
    reporter: Reporter,
) -> np.ndarray:  # [V, 2, N] to the previous and to the first frame, nan at the first
    greys = [cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY) for frame in moving]
    errors = np.full((len(videos), 2, len(greys)), np.nan)
    for t in range(1, len(greys)):
        reporter.progress("follow motion", t / len(greys))
        for kind, s in enumerate((t - 1, 0)):
            flow, visible = flow_between(greys[t], greys[s])
            for video, frames in enumerate(videos):
                errors[video, kind, t] = warping_error(frames[t], frames[s], flow, visible)
    reporter.progress("follow motion", 1.0)
    return errors


def flow_between(
    here: np.ndarray,  # [H, W] uint8, frame t
    there: np.ndarray,  # [H, W] uint8, frame s
) -> tuple[np.ndarray, np.ndarray]:
    """The flow [H, W, 2] from t to s, and where [H, W] bool both frames show the same thing."""
    dis = cv2.DISOpticalFlow_create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    forth, back = dis.calc(here, there, None), dis.calc(there, here, None)
    returned = warp(back, forth)
    disagreement = ((forth + returned) ** 2).sum(axis=-1)
    allowed = RELATIVE * ((forth**2).sum(axis=-1) + (returned**2).sum(axis=-1)) + ABSOLUTE_PX2
    height, width = here.shape
    y, x = np.mgrid[:height, :width]
    target_x, target_y = x + forth[..., 0], y + forth[..., 1]
    inside = (target_x >= 0) & (target_x <= width - 1) & (target_y >= 0) & (target_y <= height - 1)
    return forth, inside & (disagreement <= allowed)


def warp(
    image: np.ndarray,  # [H, W, C] of frame s
    flow: np.ndarray,  # [H, W, 2] from t to s
) -> np.ndarray:  # [H, W, C]
    """Frame s seen from t: bilinear, edges repeat."""
    y, x = np.mgrid[: flow.shape[0], : flow.shape[1]].astype(np.float32)
    places = (x + flow[..., 0], y + flow[..., 1])
    return cv2.remap(image, *places, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)


def warping_error(
    here: np.ndarray,  # [H, W, 3] uint8, frame t
    there: np.ndarray,  # [H, W, 3] uint8, frame s
    flow: np.ndarray,  # [H, W, 2] from t to s
    visible: np.ndarray,  # [H, W] bool
) -> float:
    """E(t, s); nan where nothing is visible in both."""
    if not visible.any():
        return float("nan")
    warped = warp(as_float(there).astype(np.float32), flow)
    return float(np.abs(as_float(here) - warped)[visible].mean())


def _means(
    errors: np.ndarray,  # [2, N]
) -> tuple[float, float]:
    known = [row[np.isfinite(row)] for row in errors]
    return tuple(float(row.mean()) if len(row) else float("nan") for row in known)
