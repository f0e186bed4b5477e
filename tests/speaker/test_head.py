from __future__ import annotations

import numpy as np
import pytest
import torch

from talker.core.camera import project
from talker.core.types import EYE_MIDPOINT, OUTER_EYE_SPAN
from talker.speaker.head import HeadState, head_model
from talker.speaker.mesh import HAIR
from talker.speaker.motion import head_motion, head_states
from talker.speaker.render import head_camera, project_world, studio_camera, world_camera

TURNED = HeadState(rotation=(0.1, 0.4, -0.05), shift=(0.1, -0.05, 0.2))


def test_the_head_frame_is_the_project_s():
    marks = head_model().pose(HeadState()).landmarks_head
    assert np.linalg.norm(marks[36] - marks[45]) == pytest.approx(OUTER_EYE_SPAN, rel=0.02)
    np.testing.assert_allclose((marks[36] + marks[45]) / 2, EYE_MIDPOINT, atol=0.015)
    assert marks[8, 1] > marks[30, 1] and marks[30, 2] < marks[0, 2]  # y down, z away from the viewer
    assert np.abs(marks).max() < 1.0


def test_camera_in_the_head_frame_sees_landmarks_where_the_world_does():
    camera = studio_camera(256)
    for state in (HeadState(), TURNED):
        head = head_model().pose(state)
        expected = project_world(camera, head.landmarks)
        seen = project(head_camera(camera, head), torch.from_numpy(head.landmarks_head).float())
        np.testing.assert_allclose(seen.numpy(), expected, atol=0.02)


def test_world_camera_inverts_head_camera():
    camera, head = studio_camera(200), head_model().pose(TURNED)
    back = world_camera(head_camera(camera, head), head)
    np.testing.assert_allclose(back.rotation, camera.rotation, atol=1e-5)
    np.testing.assert_allclose(back.shift, camera.shift, atol=1e-4)
    assert back.size_px == (200, 200) and back.focal_px == camera.focal_px


def test_positive_yaw_turns_to_the_viewer_s_right():
    marks = head_model().pose(HeadState(rotation=(0.0, 0.4, 0.0))).landmarks
    nose, eyes = marks[30], (marks[36] + marks[45]) / 2
    assert nose[0] - eyes[0] > 0.05


def test_the_skull_moves_rigidly_and_the_trunk_not_at_all():
    model = head_model()
    still, turned = model.pose(HeadState()), model.pose(TURNED)
    top, trunk = still.points[:, 1] > 7.8, still.points[:, 1] < 5.6
    expected = still.points[top] @ turned.skull_rotation.T + turned.skull_shift
    np.testing.assert_allclose(turned.points[top], expected, atol=2e-3)
    np.testing.assert_allclose(turned.points[trunk], still.points[trunk], atol=1e-6)
    strands = still.strand_points @ turned.skull_rotation.T + turned.skull_shift
    np.testing.assert_allclose(turned.strand_points, strands, atol=2e-3)


def test_jaw_opens_and_lids_close():
    model = head_model()
    rest, opened = (model.pose(HeadState(shapes=s)).landmarks_head for s in ({}, {"jawOpen": 0.6}))
    assert np.linalg.norm(opened[62] - opened[66]) - np.linalg.norm(rest[62] - rest[66]) > 0.1
    assert opened[8, 1] > rest[8, 1] + 0.03
    shut = model.pose(HeadState(shapes={"eyeBlinkLeft": 1.0, "eyeBlinkRight": 1.0})).landmarks_head
    for above, below in ((37, 41), (44, 46)):
        assert np.linalg.norm(shut[above] - shut[below]) < 0.45 * np.linalg.norm(rest[above] - rest[below])


def test_every_pose_has_the_same_strands():
    model = head_model()
    blinking = model.pose(HeadState(shapes={"eyeBlinkLeft": 1.0, "eyeBlinkRight": 1.0}))
    assert len(blinking.strand_points) == len(model.strand_openness) == int(model.segments.max()) + 1


def test_hair_lies_on_the_skull_and_spares_the_face():
    model = head_model()
    points = model.pose(HeadState()).strand_points[model.segments[model.segment_kinds == HAIR].ravel()]
    from_centre = np.linalg.norm(points - [0.0, 8.3, 0.4], axis=1)
    assert from_centre.min() > 0.5 and from_centre.max() < 1.7
    in_the_face = (points[:, 2] > 1.2) & (points[:, 1] < 8.45) & (np.abs(points[:, 0]) < 0.5)
    assert not in_the_face.any()


def test_motion_scales_and_is_repeatable():
    full, again, half, none = (head_motion(300, 4, size) for size in (1.0, 1.0, 0.5, 0.0))
    np.testing.assert_array_equal(full.rotation, again.rotation)
    np.testing.assert_allclose(half.rotation, 0.5 * full.rotation)
    np.testing.assert_allclose(half.shift, 0.5 * full.shift)
    assert np.abs(none.rotation).max() == 0.0 and np.abs(none.gaze).max() > 0.02  # a still head still looks about
    assert 0.15 < np.abs(full.rotation[:, 1]).max() < 0.5
    assert full.blink.min() == 0.0 and full.blink.max() > 0.5 and full.blink.max() <= 1.0
    assert np.abs(np.diff(full.rotation, axis=0)).max() < 0.06  # no jumps


def test_states_name_only_shapes_that_the_asset_has():
    for state in head_states(head_motion(15, 0), np.eye(15)):
        head_model().deform(state.shapes)
