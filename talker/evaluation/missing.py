"""Why a figure that could be expected is not there, in words for people."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from talker.core.types import FPS
from talker.evaluation import syncnet
from talker.take.sync import LEAST_S

LIPS = ("lmd_px", "lmd_centred_px", "mouth_corr_self", "mouth_amplitude", "mouth_lag_ms", "mouth_width_corr")
LIPS_OF_OTHER_WORDS = ("mouth_follows_loudness",)
# What one cause leaves out: the measure's name, its figures, and the cause.
CAUSES = (
    ("pictures of the head", ("psnr_db", "ssim"), "no frame shows the head"),
    ("sharpness of the mouth", ("mouth_sharpness",), "no frame shows the mouth"),
    ("seam", ("seam",), "head and neck meet in no frame"),
    ("mouth", (*LIPS, *LIPS_OF_OTHER_WORDS), "the detector finds a face in too few frames"),
    ("lips with the sound", ("lip_sync",), f"fewer than {LEAST_S:g} s have a face"),
    ("offset of the sound", ("lip_sync_offset_ms",), f"no offset stands out, or fewer than {LEAST_S:g} s have a face"),
    ("pose jitter", ("jitter_px",), "no three successive frames have a face"),
    ("warping error", ("e_w", "warp_previous", "warp_first"), "nothing is seen in two frames at once"),
    ("face distance", ("face_distance", "face_distance_turned"), "no face in both videos, or from the sides"),
    ("identity distance", ("identity_distance",), "no frame has a face in both videos"),
    ("SyncNet confidence", ("sync_confidence", "sync_offset_ms"), "fewer than half of the frames have a face"),
)


def causes_of_gaps(
    values: Mapping[str, float | None],  # by the names in `talker.evaluation.figures.METRICS`, of what was tried
    frames: int,
    *,
    same_speech: bool,  # whether the reference says the same words
) -> dict[str, str]:
    """Measure -> why some of its figures are not there."""
    inapplicable = LIPS_OF_OTHER_WORDS if same_speech else LIPS
    gaps = {key for key, value in values.items() if value is None or not np.isfinite(value)} - {*inapplicable}
    found = {name: cause for name, keys, cause in CAUSES if gaps & {*keys}}
    if "SyncNet confidence" in found and frames < syncnet.FEWEST_FRAMES:
        found["SyncNet confidence"] = (
            f"{frames / FPS:.1f} s are judged, and {syncnet.FEWEST_FRAMES / FPS:g} s are the least"
        )
    return found
