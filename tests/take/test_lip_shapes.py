"""Lips in the head's own plane, and smoothed over looks."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import torch

from talker.core.camera import project_of_frames, view_rotation
from talker.core.types import LIP_LANDMARKS, Camera, View
from talker.take.lips import lip_shapes, refine_lips, smooth_over_looks

SIZE, FRAMES = 96, 60
SHAPE = torch.zeros(68, 3)
SHAPE[LIP_LANDMARKS] = torch.tensor([[0.2 * np.cos(t), 0.5, -0.7] for t in np.linspace(0, 2 * np.pi, 20)])


def nodding_cameras() -> tuple[Camera, torch.Tensor]:
    poses = torch.eye(4).repeat(FRAMES, 1, 1)
    for index in range(FRAMES):
        turn = view_rotation(View(yaw_deg=10.0 * np.sin(index), pitch_deg=12.0 * np.cos(1.3 * index)))
        poses[index, :3, :3] = turn.T
        poses[index, :3, 3] = -turn.T @ torch.tensor([0.0, 0.0, 6.0])
    return Camera(poses[0], 250.0, (SIZE / 2, SIZE / 2), (SIZE, SIZE)), poses


def talking(camera: Camera, poses: torch.Tensor) -> tuple[list[np.ndarray], torch.Tensor, torch.Tensor]:
    """Pictures of a dark mouth that opens, landmarks [B, 68, 2] and lip shapes [B, 20, 2], all without an error."""
    pictures, landmarks, shapes = [], torch.zeros(FRAMES, 68, 2), []
    for index in range(FRAMES):
        places = SHAPE[LIP_LANDMARKS].clone()
        places[:, 1] += (0.06 + 0.05 * np.sin(2.1 * index)) * torch.sin(torch.linspace(0, 2 * torch.pi, 20))
        landmarks[index, LIP_LANDMARKS] = project_of_frames(camera, poses[index : index + 1], places)[0]
        picture = np.full((SIZE, SIZE, 3), 200, np.uint8)
        fine = (landmarks[index, LIP_LANDMARKS].numpy() * 16 - 8).round().astype(np.int32)
        cv2.fillPoly(picture, [fine], (60, 20, 20), cv2.LINE_AA, shift=4)
        pictures.append(picture)
        shapes.append(places[:, :2])
    return pictures, landmarks, torch.stack(shapes)


def test_lip_shapes_know_nothing_of_the_pose():
    camera, poses = nodding_cameras()
    _, landmarks, shapes = talking(camera, poses)
    assert torch.allclose(lip_shapes(camera, poses, landmarks, SHAPE), shapes, atol=1e-4)


def test_what_a_detector_errs_by_goes_and_words_stay():
    camera, poses = nodding_cameras()
    pictures, landmarks, _ = talking(camera, poses)
    noise = torch.randn(FRAMES, 1, 2, generator=torch.Generator().manual_seed(0))
    wrong = landmarks.clone()
    wrong[:, LIP_LANDMARKS] += noise
    refined = refine_lips(pictures, camera, poses, wrong, SHAPE)
    assert torch.equal(refined[:, :48], wrong[:, :48])
    before, after = ((each - landmarks)[:, LIP_LANDMARKS].norm(dim=-1).mean() for each in (wrong, refined))
    assert after < 0.6 * before

    def opening(points: torch.Tensor) -> np.ndarray:
        return (points[:, 53] - points[:, 63]).norm(dim=-1).numpy()

    assert np.corrcoef(opening(refined), opening(landmarks))[0, 1] > 0.97
    assert opening(refined).std() == pytest.approx(opening(landmarks).std(), rel=0.2)


def test_looks_that_never_change_tell_nothing():
    shapes = np.random.default_rng(0).normal(size=(12, 40))
    assert smooth_over_looks(np.ones((12, 8), np.float32), shapes) is shapes
