"""Pictures against the true ones: PSNR, SSIM, LPIPS, sharpness of the mouth and the seam between head and torso.

Notation: N frames, H x W pixels.

The nulls are what one would show without any field: the mean training frame, and the training frame whose head pose
is nearest.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import cv2
import numpy as np
import torch

from talker.core import losses
from talker.core.lpips import load_lpips
from talker.core.metrics import as_float, blur, border_band, psnr_db, sharpness_ratio
from talker.core.types import HEAD_PARTS, LIP_LANDMARKS, TORSO_PARTS, Reporter, mask_of
from talker.evaluation.footage import Footage
from talker.evaluation.held_out import mean_frame, nearest_in_training

WINDOW_PX, WINDOW_SIGMA_PX = 11, 1.5  # Wang et al. 2004, section III-C
K1, K2 = 0.01, 0.03
LUMA = (0.299, 0.587, 0.114)
SEAM_REACH = 0.012  # of the image's height: how near to both head and torso a pixel of the seam lies
MOUTH_MARGIN = 0.25  # of the lips' width and height, around them
SOFT_PX = 1.0  # blur of the true picture that sharpness is compared with

Perceptual = Callable[[np.ndarray, np.ndarray], float]  # two [H, W, 3] uint8 pictures -> distance


@dataclass(frozen=True)
class ImageFigures:
    """Means over the frames; nan where no frame has what is measured."""

    psnr_db: float  # inside the head mask
    psnr_mean_frame_db: float
    psnr_nearest_db: float
    ssim: float  # inside the head mask
    ssim_mean_frame: float
    ssim_nearest: float
    lpips: float | None  # whole pictures
    lpips_nearest: float | None
    mouth_sharpness: float  # in the mouth's box, as far as it is head, over the true picture's
    mouth_sharpness_blurred: float  # the true picture's own, blurred by `SOFT_PX`
    seam: float  # PSNR where head and torso meet, dB
    seam_nearest: float
    tracks: Mapping[str, np.ndarray] = field(repr=False)  # per frame: psnr_db, psnr_nearest_db, ssim, ssim_nearest


def measure_images(
    footage: Footage,
    perceptual: Perceptual | None,
    reporter: Reporter,
) -> ImageFigures:
    """Every frame of the footage against the true one, and the nulls against the same."""
    take = footage.take
    mean = mean_frame(take.frames[index] for index in take.training)
    shown = {name: {"psnr": [], "seam": [], "ssim": [], "lpips": []} for name in ("found", "mean", "nearest")}
    sharpness, blurred_sharpness = [], []
    for number, pose in enumerate(footage.poses):
        reporter.progress("compare pictures", number / len(footage))
        found, wanted, parts = footage.found[number], footage.reference[number], take.parts[pose]
        head, seam = mask_of(parts, HEAD_PARTS), seam_of(parts)
        pictures = {"found": found, "mean": mean, "nearest": take.frames[nearest_in_training(take, pose)]}
        for name, picture in pictures.items():
            shown[name]["psnr"].append(psnr_db(picture, wanted, head))
            shown[name]["seam"].append(psnr_db(picture, wanted, seam))
            shown[name]["ssim"].append(ssim(picture, wanted, head))
            if perceptual is not None and name != "mean":
                shown[name]["lpips"].append(perceptual(picture, wanted))
        mouth = mouth_box(take.landmarks_px[pose].numpy(), parts.shape) & head
        if mouth.any():
            soft = blur(wanted, SOFT_PX)
            sharpness.append(sharpness_ratio(found, wanted, mouth))
            blurred_sharpness.append(sharpness_ratio(soft, wanted, mouth))
    reporter.progress("compare pictures", 1.0)
    return ImageFigures(
        psnr_db=_mean(shown["found"]["psnr"]),
        psnr_mean_frame_db=_mean(shown["mean"]["psnr"]),
        psnr_nearest_db=_mean(shown["nearest"]["psnr"]),
        ssim=_mean(shown["found"]["ssim"]),
        ssim_mean_frame=_mean(shown["mean"]["ssim"]),
        ssim_nearest=_mean(shown["nearest"]["ssim"]),
        lpips=None if perceptual is None else _mean(shown["found"]["lpips"]),
        lpips_nearest=None if perceptual is None else _mean(shown["nearest"]["lpips"]),
        mouth_sharpness=_mean(sharpness),
        mouth_sharpness_blurred=_mean(blurred_sharpness),
        seam=_mean(shown["found"]["seam"]),
        seam_nearest=_mean(shown["nearest"]["seam"]),
        tracks={
            "psnr_db": np.array(shown["found"]["psnr"]),
            "psnr_nearest_db": np.array(shown["nearest"]["psnr"]),
            "ssim": np.array(shown["found"]["ssim"]),
            "ssim_nearest": np.array(shown["nearest"]["ssim"]),
        },
    )


def ssim(
    found: np.ndarray,  # [H, W, 3]
    wanted: np.ndarray,  # [H, W, 3]
    mask: np.ndarray | None = None,  # [H, W] bool
) -> float:
    """Structural similarity of luma, averaged inside the mask (Wang et al. 2004); nan when the mask is empty.

    At the picture's edge, where the window does not fit, the picture is mirrored.
    """
    x, y = (as_float(image) @ np.array(LUMA) for image in (found, wanted))

    def local(values: np.ndarray) -> np.ndarray:
        return cv2.GaussianBlur(values, (WINDOW_PX, WINDOW_PX), WINDOW_SIGMA_PX)

    mean_x, mean_y = local(x), local(y)
    var_x, var_y, cov = local(x * x) - mean_x**2, local(y * y) - mean_y**2, local(x * y) - mean_x * mean_y
    c1, c2 = K1**2, K2**2
    similarity = ((2 * mean_x * mean_y + c1) * (2 * cov + c2)) / ((mean_x**2 + mean_y**2 + c1) * (var_x + var_y + c2))
    chosen = similarity if mask is None else similarity[mask]
    return float(chosen.mean()) if chosen.size else float("nan")


def mouth_box(
    landmarks: np.ndarray,  # [68, 2] iBUG order, pixels
    shape: tuple[int, int],  # (H, W)
) -> np.ndarray:  # [H, W] bool
    """The box about the lips, with a margin."""
    low, high = landmarks[LIP_LANDMARKS].min(axis=0), landmarks[LIP_LANDMARKS].max(axis=0)
    margin = MOUTH_MARGIN * (high - low)
    (x0, y0), (x1, y1) = np.floor(low - margin).astype(int), np.ceil(high + margin).astype(int)
    box = np.zeros(shape, bool)
    box[max(0, y0) : max(0, y1), max(0, x0) : max(0, x1)] = True
    return box


def _mean(values: list[float]) -> float:
    known = [value for value in values if np.isfinite(value)]
    return float(np.mean(known)) if known else float("nan")


def seam_of(
    parts: np.ndarray,  # [H, W] uint8 indices into PARTS
) -> np.ndarray:  # [H, W] bool
    """The narrow band where head and torso meet."""
    head, torso = mask_of(parts, HEAD_PARTS), mask_of(parts, TORSO_PARTS)
    return border_band(head, torso, max(1.0, SEAM_REACH * len(parts)))


def load_perceptual() -> Perceptual:
    """LPIPS of two pictures. Missing without the package or its weights."""
    bank = load_lpips()

    @torch.no_grad()
    def distance(found: np.ndarray, wanted: np.ndarray) -> float:
        pictures = torch.from_numpy(np.stack([found, wanted]).astype(np.float32) / 255.0)
        first, second = ([layer[side : side + 1] for layer in bank.features(pictures)] for side in (0, 1))
        return float(losses.perceptual(first, second))

    return distance
