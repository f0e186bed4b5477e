"""The constant alignment recovers a known similarity; views turn about the right point."""

from __future__ import annotations

import math

import pytest
import torch

from talker.core.camera import apply_view, project, view_rotation
from talker.core.types import Camera, View
from tools.quality.alignment import align_poses, rotation_errors_deg, turn_about


def swaying_poses(count: int = 60) -> torch.Tensor:
    """[B, 4, 4] camera to head frame: a head 6 units away that turns, nods and sways."""
    poses = []
    for index in range(count):
        phase = 2 * math.pi * index / count
        w2c = torch.eye(4)
        w2c[:3, :3] = view_rotation(View(15 * math.sin(phase), 8 * math.cos(2 * phase), 5 * math.sin(3 * phase)))
        w2c[:3, 3] = torch.tensor([0.1 * math.sin(phase), 0.05 * math.cos(phase), 6 + 0.2 * math.sin(2 * phase)])
        poses.append(torch.linalg.inv(w2c))
    return torch.stack(poses)


ROTATION = view_rotation(View(4, -7, 2))
SCALE = 1.3
OFFSET = torch.tensor([0.05, -0.2, 0.3])


def tracked_from(true: torch.Tensor) -> torch.Tensor:
    """The same poses in a head frame with x_true = SCALE * ROTATION @ x_tracked + OFFSET."""
    w2c = torch.linalg.inv(true)
    tracked = torch.eye(4).repeat(len(true), 1, 1)
    tracked[:, :3, :3] = w2c[:, :3, :3] @ ROTATION
    tracked[:, :3, 3] = (w2c[:, :3, :3] @ OFFSET + w2c[:, :3, 3]) / SCALE
    return torch.linalg.inv(tracked)


def test_a_known_similarity_is_recovered():
    true = swaying_poses()
    alignment = align_poses(tracked_from(true), true)
    assert torch.allclose(alignment.rotation, ROTATION, atol=1e-5)
    assert alignment.scale == pytest.approx(SCALE, rel=1e-4)
    assert torch.allclose(alignment.offset, OFFSET, atol=1e-4)
    assert rotation_errors_deg(tracked_from(true), true, alignment).max() < 0.01


def test_lost_frames_and_a_wrong_focal_length_do_not_bend_it():
    true = swaying_poses()
    tracked = torch.linalg.inv(tracked_from(true))
    tracked[:, 2, 3] *= 1.2  # a focal length 20 % too long puts everything 20 % too far
    tracked[5:9, :3, :3] = view_rotation(View(60, 20, 0)) @ tracked[5:9, :3, :3]
    tracked = torch.linalg.inv(tracked)
    alignment = align_poses(tracked, true)
    assert torch.allclose(alignment.rotation, ROTATION, atol=2e-2)
    assert torch.allclose(alignment.offset, OFFSET, atol=5e-2)
    assert rotation_errors_deg(tracked, true, alignment).median() < 0.7


def test_rotation_errors_are_angles():
    true = swaying_poses()
    tracked = true.clone()
    alignment = align_poses(tracked, true)
    tracked[0, :3, :3] = tracked[0, :3, :3] @ view_rotation(View(3, 0, 0))
    errors = rotation_errors_deg(tracked, true, alignment)
    assert errors[0].item() == pytest.approx(3.0, abs=0.01)
    assert errors[1:].max() < 0.01


def test_a_view_about_the_origin_is_the_programs_own():
    camera = Camera(swaying_poses()[7], 500.0, (64.0, 64.0), (128, 128))
    view = View(20, -5, 3, 1.1)
    turned = turn_about(camera, view, torch.zeros(3))
    assert torch.allclose(turned.c2w, apply_view(camera, view).c2w, atol=1e-5)
    assert turned.focal_px == pytest.approx(550)


def test_tracked_and_true_cameras_see_the_same_after_a_view():
    """The point of it all: the same view, asked of both frames, puts the same point on the same pixel."""
    true = swaying_poses()
    tracked = tracked_from(true)
    pivot = align_poses(tracked, true).true_origin
    points = torch.rand(30, 3, generator=torch.Generator().manual_seed(1)) - 0.5
    for index in (0, 17):
        true_camera, tracked_camera = (Camera(c2w[index], 500.0, (64.0, 64.0), (128, 128)) for c2w in (true, tracked))
        wanted = project(apply_view(true_camera, View(20)), SCALE * points @ ROTATION.T + OFFSET)
        found = project(turn_about(tracked_camera, View(20), pivot), points)
        assert torch.allclose(found, wanted, atol=0.05)
