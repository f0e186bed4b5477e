"""The nulls that every figure stands beside are what their names say."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch

from talker.core.camera import view_rotation
from talker.core.types import View
from talker.evaluation.held_out import mean_frame, nearest_in_training, nearest_pose


def test_mean_frame_is_the_mean():
    frames = np.random.default_rng(0).integers(0, 256, (7, 4, 5, 3), np.uint8)
    assert np.allclose(mean_frame(frames), frames.mean(axis=0) / 255)


def pose(yaw_deg: float, x: float) -> torch.Tensor:
    w2c = torch.eye(4)
    w2c[:3, :3] = view_rotation(View(yaw_deg))
    w2c[:3, 3] = torch.tensor([x, 0.0, 6.0])
    return torch.linalg.inv(w2c)


def test_nearest_pose_weighs_turns_and_shifts():
    points = torch.rand(40, 3, generator=torch.Generator().manual_seed(0)) - 0.5
    candidates = torch.stack([pose(-20, 0.0), pose(0, 0.5), pose(0, 0.0), pose(18, 0.0)])
    assert nearest_pose(candidates, pose(20, 0.0), points) == 3
    assert nearest_pose(candidates, pose(2, 0.45), points) == 1
    assert nearest_pose(candidates, pose(-3, 0.02), points) == 2


def test_the_nearest_frame_is_one_of_the_training_frames(toy_take):
    """The toy's head turns steadily: the last training frame is nearest to every held-out one."""
    landmarks = torch.rand(68, 3, generator=torch.Generator().manual_seed(0)) - 0.5
    take = replace(toy_take, landmarks_head=landmarks)
    assert [nearest_in_training(take, index) for index in take.held_out] == [take.training[-1]] * len(take.held_out)
    assert nearest_in_training(take, take.training[2]) == take.training[2]
