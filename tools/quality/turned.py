"""A calm speaker seen from where no camera stood: the field under a view, against the speaker under the same view."""

from __future__ import annotations

import numpy as np

from talker.core.camera import apply_view
from talker.core.images import spaced, to_bytes
from talker.core.metrics import psnr_db
from talker.core.types import HEAD_PARTS, View, mask_of
from talker.driving.render import Portrait
from talker.evaluation.held_out import mean_frame, nearest_pose
from talker.speaker.record import SpeakerOptions, render_truth
from talker.speaker.truth import Truth
from tools.quality.alignment import Alignment, align_poses, rotation_errors_deg, turn_about
from tools.quality.dump import Dump
from tools.quality.held_out import AgainstNulls

YAWS_DEG = (-20.0, 20.0)
FRAMES = 12


def align_take(portrait: Portrait, truth: Truth) -> Alignment:
    """The constant alignment of a take's head frame to the true one, found on training frames."""
    training = portrait.take.training
    return align_poses(portrait.take.c2w[training], truth.c2w[training])


def held_out_rotation_errors_deg(portrait: Portrait, truth: Truth) -> np.ndarray:
    """Angles between tracked and true heads on held-out frames, after the alignment of the training frames."""
    take = portrait.take
    held_out = [index for index in take.held_out if index < len(truth)]
    return rotation_errors_deg(take.c2w[held_out], truth.c2w[held_out], align_take(portrait, truth)).numpy()


def turned_psnr(
    portrait: Portrait,  # with the take's own audio set
    truth: Truth,
    dump: Dump,
) -> AgainstNulls:
    """Head PSNR at yaw +-20 on held-out frames. The null's nearest pose is chosen by the true poses."""
    take = portrait.take
    options = SpeakerOptions(**truth.options)
    pivot = align_take(portrait, truth).true_origin
    training = take.training
    mean = mean_frame(truth.frames[index] for index in training)
    poses = truth.c2w[training]
    scores = []
    for index in spaced([index for index in take.held_out if index < len(truth)], FRAMES):
        for yaw_deg in YAWS_DEG:
            view = View(yaw_deg=yaw_deg)
            true_camera = apply_view(truth.camera(index), view)
            true_frame = render_truth(options, index, true_camera)
            camera = turn_about(take.camera(index), view, pivot)
            found = to_bytes(portrait.scene.render(camera, portrait.condition(index, index, index)).rgb)
            name = f"{index:05d}_yaw{yaw_deg:+.0f}"
            dump.picture(name, found)
            dump.picture(f"{name}_true", true_frame.rgb)
            nearest = truth.frames[training[nearest_pose(poses, true_camera.c2w, truth.landmarks_head)]]
            head = mask_of(true_frame.parts, HEAD_PARTS)
            scores.append([psnr_db(guess, true_frame.rgb, head) for guess in (found, mean, nearest)])
    return AgainstNulls(*(float(score) for score in np.nanmean(scores, axis=0)))
