"""Every figure that `talker eval` knows: what it is, which way is better, what it is held against, whose idea it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Better = Literal["higher", "lower", "near 0", "near 1"]


@dataclass(frozen=True)
class Metric:
    key: str
    text: str
    better: Better
    source: str
    controls: tuple[tuple[str, str], ...] = ()  # (name, key): what the figure means something beside
    digits: int = 2


METRICS = (
    Metric(
        "psnr_db",
        "PSNR in the head, dB",
        "higher",
        "10 log10 1/MSE",
        (("mean frame", "psnr_mean_frame_db"), ("nearest pose", "psnr_nearest_db")),
    ),
    Metric(
        "ssim",
        "SSIM in the head",
        "higher",
        "Wang et al. 2004",
        (("mean frame", "ssim_mean_frame"), ("nearest pose", "ssim_nearest")),
        3,
    ),
    Metric(
        "lpips", "LPIPS, whole picture", "lower", "Zhang et al. 2018, AlexNet", (("nearest pose", "lpips_nearest"),), 3
    ),
    Metric(
        "mouth_sharpness",
        "sharpness of the mouth",
        "near 1",
        "high-pass rms over the true",
        (("true, blurred", "mouth_sharpness_blurred"),),
    ),
    Metric(
        "seam",
        "PSNR where head and neck meet, dB",
        "higher",
        "10 log10 1/MSE",
        (("whole head", "psnr_db"), ("nearest pose", "seam_nearest")),
    ),
    Metric(
        "lmd_px",
        "lip landmark distance, px",
        "lower",
        "mean distance, not centred: head misalignment counts",
        (("nearest pose", "lmd_nearest_px"), ("0.2 s off", "lmd_shifted_px")),
    ),
    Metric(
        "lmd_centred_px",
        "  mouths centred first, px",
        "lower",
        "LMD, Chen et al. 2018, as RAD-NeRF evaluates",
        (("nearest pose", "lmd_centred_nearest_px"), ("0.2 s off", "lmd_centred_shifted_px")),
    ),
    Metric(
        "mouth_corr_self",
        "mouth opening, r",
        "higher",
        "Pearson; inner lips",
        (("0.2 s off", "mouth_corr_shifted"), ("loudness", "mouth_corr_loudness")),
    ),
    Metric("mouth_amplitude", "mouth opening, amplitude", "near 1", "ratio of standard deviations"),
    Metric("mouth_lag_ms", "mouth opening, lag, ms", "near 0", "cross-correlation", digits=0),
    Metric(
        "mouth_width_corr",
        "mouth width, r",
        "higher",
        "Pearson; mouth corners",
        (("0.2 s off", "mouth_width_corr_shifted"), ("loudness", "mouth_width_corr_loudness")),
    ),
    Metric(
        "mouth_follows_loudness",
        "mouth opening with loudness, r",
        "higher",
        "Pearson; regression on energy",
        (("0.2 s off", "mouth_follows_loudness_shifted"),),
    ),
    Metric(
        "lip_sync",
        "lips with the sound, r",
        "higher",
        "Pearson; lips heard by a map of all voices",
        (("0.4 s off", "lip_sync_shifted"), ("reference", "lip_sync_reference")),
    ),
    Metric(
        "lip_sync_offset_ms",
        "  sound late by, ms",
        "near 0",
        "where that r peaks",
        (("reference", "lip_sync_offset_reference_ms"),),
        0,
    ),
    Metric("faces_found", "frames with a face in both", "near 1", "the take's landmark detector"),
    Metric(
        "jitter_px",
        "pose jitter, px",
        "lower",
        "rms 2nd difference, nose, eyes",
        (("reference", "jitter_reference_px"),),
    ),
    Metric(
        "e_w",
        "warping error E_w",
        "lower",
        "as Lei et al. 2020: mean L1; DIS flow",
        (("reference", "e_w_reference"),),
        4,
    ),
    Metric(
        "warp_previous",
        "  to the previous frame",
        "lower",
        "masked mean L1",
        (("reference", "warp_previous_reference"),),
        4,
    ),
    Metric(
        "warp_first", "  to the first frame", "lower", "masked mean L1", (("reference", "warp_first_reference"),), 4
    ),
    Metric(
        "face_distance",
        "face distance, one person below 0.6",
        "lower",
        "dlib's network, King 2017",
        (("reference with itself", "face_distance_itself"),),
    ),
    Metric(
        "face_distance_turned",
        "  turned by 10 and 20 degrees",
        "lower",
        "dlib's network, King 2017",
        (("as posed", "face_distance"), ("unedited, turned", "face_distance_turned_unedited")),
    ),
    Metric(
        "identity_distance",
        "identity distance",
        "lower",
        "ArcFace, Deng et al. 2019",
        (("reference with itself", "identity_distance_itself"),),
        3,
    ),
    Metric(
        "clip_direction",
        "CLIP direction",
        "higher",
        "Gal et al. 2022",
        (("motion alone", "clip_direction_motion"),),
        4,
    ),
    Metric(
        "sync_confidence",
        "SyncNet confidence",
        "higher",
        "Chung and Zisserman 2016",
        (("reference", "sync_confidence_reference"),),
    ),
    Metric("sync_offset_ms", "SyncNet offset, ms", "near 0", "Chung and Zisserman 2016", digits=0),
)
