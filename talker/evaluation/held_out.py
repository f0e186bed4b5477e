"""How good a fitted field is on frames that it never saw, and the picture that shows it.

Every figure stands beside its nulls: what one would score without any field, by always showing the mean training
frame, or the training frame whose head pose is nearest.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import torch
from torch import Tensor

from talker.core.contact_sheet import contact_sheet, depth_picture
from talker.core.images import spaced, to_bytes
from talker.core.metrics import psnr_db
from talker.core.types import HEAD_PARTS, Reporter, Take, View, mask_of
from talker.driving.render import Portrait

MEASURED_FRAMES = 50  # evenly spaced over the held-out part: more change the mean by less than 0.1 dB
PREVIEW_YAW_DEG = 20.0


def held_out_metrics(portrait: Portrait, reporter: Reporter) -> dict[str, float | int]:
    """PSNR inside the head mask on held-out frames, and the nulls'. Sets the portrait's audio to the take's own."""
    take = portrait.take
    mean = mean_frame(take.frames[index] for index in take.training)
    portrait.set_audio(take.audio_features, len(take))
    chosen = spaced(take.held_out, MEASURED_FRAMES)
    scores = []
    for done, index in enumerate(chosen):
        reporter.progress("measure", done / len(chosen))
        found = to_bytes(portrait.render(index, pose=index).rgb)
        head = mask_of(take.parts[index], HEAD_PARTS)
        nearest = take.frames[nearest_in_training(take, index)]
        guesses = (found, mean, nearest)
        scores.append([psnr_db(guess, take.frames[index], head) for guess in guesses])
    reporter.progress("measure", 1.0)
    head_psnr, mean_psnr, nearest_psnr = np.nanmean(scores, axis=0)
    if head_psnr < max(mean_psnr, nearest_psnr):
        reporter.notice(
            "The field shows frames that it never saw worse than the nearest frame or the mean of all would; "
            "train longer (--training-steps), or on more footage"
        )
    return {
        "head_psnr_db": round(float(head_psnr), 2),
        "null_psnr_db": round(float(max(mean_psnr, nearest_psnr)), 2),
        "null_mean_psnr_db": round(float(mean_psnr), 2),
        "null_nearest_psnr_db": round(float(nearest_psnr), 2),
        "frames": len(chosen),
    }


def fit_preview(portrait: Portrait, rows: int = 3) -> np.ndarray:
    """Original, fitted, depth and a yawed view of held-out frames: [H', W', 3] uint8. The take's audio must be set."""
    take = portrait.take
    pictures = []
    for index in spaced(take.held_out, rows):
        render = portrait.render(index, pose=index)
        # Toward the camera's side of the head: away from it, a head that is turned already shows what nobody filmed.
        side = 1.0 if take.c2w[index, 0, 3] > 0 else -1.0
        turned = portrait.render(index, View(yaw_deg=side * PREVIEW_YAW_DEG), pose=index)
        depth = depth_picture(render.depth.cpu().numpy())
        pictures.append([take.frames[index], to_bytes(render.rgb), depth, to_bytes(turned.rgb)])
    return contact_sheet(pictures, ("original", "fitted", "depth", f"yaw ±{PREVIEW_YAW_DEG:.0f}"), height_px=256)


def edit_preview(original: Portrait, edited: Portrait, rows: int = 3) -> np.ndarray:
    """Original, edited, and the edit turned to either side: [H', W', 3] uint8."""
    take = original.take
    for portrait in (original, edited):
        portrait.set_audio(take.audio_features, len(take))
    pictures = []
    for index in spaced(np.flatnonzero(take.use.usable).tolist(), rows):
        views = [View(yaw_deg=yaw) for yaw in (0.0, -20.0, 20.0)]
        turned = [to_bytes(edited.render(index, view, pose=index).rgb) for view in views]
        pictures.append([to_bytes(original.render(index, pose=index).rgb), *turned])
    return contact_sheet(pictures, ("original", "edited", "yaw -20", "yaw 20"), height_px=256)


# -------------------------------------------------------------------- the nulls


def mean_frame(
    frames: Iterable[np.ndarray],  # [H, W, 3] uint8 each
) -> np.ndarray:  # [H, W, 3] float in [0, 1]
    """The mean of all frames, summed one by one: a float copy of a clip would take gigabytes."""
    total, count = np.zeros(1), 0
    for frame in frames:
        total, count = total + frame, count + 1
    return total / (255 * count)


def nearest_in_training(take: Take, index: int) -> int:
    """The training frame whose head pose is nearest to that of frame `index`."""
    return take.training[nearest_pose(take.c2w[take.training], take.c2w[index], take.landmarks_head)]


def nearest_pose(
    candidates: Tensor,  # [B, 4, 4] camera to head frame
    wanted: Tensor,  # [4, 4] camera to head frame
    points: Tensor,  # [P, 3] on the head, head frame: they weigh rotation against translation as a picture would
) -> int:
    """The candidate under which the points lie nearest to where `wanted` puts them, in camera coordinates."""

    def in_camera(c2w: Tensor) -> Tensor:  # [B, P, 3]
        w2c = torch.linalg.inv(c2w)
        return points @ w2c[:, :3, :3].transpose(1, 2) + w2c[:, None, :3, 3]

    return int((in_camera(candidates) - in_camera(wanted[None])).square().sum(-1).mean(-1).argmin())
