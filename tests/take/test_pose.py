"""Bundle adjustment, its gauges and its pieces, on exact projections."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from talker.core.types import EYE_MIDPOINT, OUTER_EYE_SPAN
from talker.take.pose import (
    align_similarity,
    change_frame,
    fill_gaps,
    head_frame,
    mean_shape,
    pose_jacobian,
    pose_step,
    project_points,
    rescale_motion,
    shape_step,
    smooth_motion,
    solve_motion,
)
from tests.take.toy import face_landmarks, nodding, rotation_errors_deg

IBUG = tuple(range(68))


def detections(count: int, noise_px: float, seed: int = 0):
    """Landmarks as a detector gives them: x and y in pixels with noise, z in the same scale, free of depth."""
    generator = np.random.default_rng(seed)
    motion = nodding(count)
    images, turned, _ = project_points(motion)
    z = turned[..., 2:] * motion.focal_px / motion.translation[:, None, 2:]
    return motion, np.concatenate([images, z], axis=-1) + generator.normal(0.0, noise_px, (count, 68, 3))


def test_exact_landmarks_give_exact_poses():
    motion, points = detections(60, 0.0)
    found = solve_motion(points, IBUG, (96, 96), rounds=25)
    assert np.median(rotation_errors_deg(found, motion)) < 0.25  # the focal length is a guess, hence not zero
    assert np.abs(project_points(found)[0] - points[..., :2]).max() < 0.25


def test_a_talking_jaw_does_not_nod_the_head():
    motion, points = detections(80, 0.3)
    opening = 2.5 * np.sin(np.arange(80) * 1.3) ** 2
    points[:, 4:13, 1] += opening[:, None]
    points[:, 55:60, 1] += opening[:, None]
    found = solve_motion(points, IBUG, (96, 96))
    pitch = (Rotation.from_matrix(found.rotation) * Rotation.from_matrix(motion.rotation).inv()).as_rotvec()[:, 0]
    assert abs(np.corrcoef(pitch, opening)[0, 1]) < 0.3
    assert np.median(rotation_errors_deg(found, motion)) < 1.0


def test_the_head_frame_is_where_the_program_expects_it():
    found = solve_motion(detections(40, 0.2)[1], IBUG, (96, 96))
    assert np.linalg.norm(found.shape[45] - found.shape[36]) == pytest.approx(OUTER_EYE_SPAN)
    assert (found.shape[45] + found.shape[36]) / 2 == pytest.approx(np.array(EYE_MIDPOINT))
    assert found.shape[30, 2] < found.shape[36, 2] < found.shape[0, 2]  # the nose comes first along -z
    assert np.isfinite(found.c2w()).all()
    assert found.c2w()[:, :3, 3] == pytest.approx(
        -np.einsum("bji,bj->bi", found.rotation, found.translation)
    )  # the camera's own place


def test_head_frame_does_not_care_where_a_face_came_from():
    landmarks = face_landmarks()
    scale, rotation, shift = head_frame(landmarks)
    usual = scale * landmarks @ rotation.T + shift
    turn = Rotation.from_rotvec([0.3, -0.8, 0.2]).as_matrix()
    moved = 37.0 * landmarks @ turn.T + (5.0, -3.0, 11.0)
    scale, rotation, shift = head_frame(moved)
    assert scale * moved @ rotation.T + shift == pytest.approx(usual)
    assert np.linalg.det(rotation) == pytest.approx(1.0)


def test_similarity_is_found_exactly_and_never_mirrors():
    generator = np.random.default_rng(1)
    source = generator.normal(size=(20, 3))
    turn = Rotation.random(5, random_state=2).as_matrix()
    target = 2.5 * np.einsum("bij,mj->bmi", turn, source) + np.array([1.0, 2.0, 3.0])
    scale, rotation, shift = align_similarity(target, source, np.ones(20))
    assert scale == pytest.approx(np.full(5, 2.5)) and rotation == pytest.approx(turn)
    assert shift == pytest.approx(np.tile([1.0, 2.0, 3.0], (5, 1)))
    mirrored = align_similarity((source * (-1, 1, 1))[None], source, np.ones(20))[1]
    assert np.linalg.det(mirrored) == pytest.approx(np.ones(1))


def test_mean_shape_undoes_turns_and_sizes():
    shape = face_landmarks()
    turn = Rotation.random(7, random_state=0).as_matrix()
    sizes = np.linspace(1.0, 3.0, 7)[:, None, None]
    points = sizes * np.einsum("bij,mj->bmi", turn, shape) + 4.0
    found = mean_shape(points)
    scale, rotation, shift = align_similarity(found[None], shape, np.ones(68))
    assert scale[0] * shape @ rotation[0].T + shift[0] == pytest.approx(found)


def test_derivative_of_the_image_by_the_pose():
    motion = nodding(3)
    images, jacobian = pose_jacobian(motion)
    step = 1e-6
    for axis, nudge in enumerate(step * np.eye(3)):
        turned = replace(motion, rotation=Rotation.from_rotvec(nudge).as_matrix() @ motion.rotation)
        shifted = replace(motion, translation=motion.translation + nudge)
        for moved, column in ((turned, axis), (shifted, 3 + axis)):
            numeric = (project_points(moved)[0] - images) / step
            assert numeric == pytest.approx(jacobian[..., column], abs=1e-3)


def test_steps_go_downhill_to_the_truth():
    motion = nodding(5)
    observed = project_points(motion)[0]
    weight = np.ones((5, 68))
    off = replace(motion, translation=motion.translation + 0.05)
    for _ in range(6):
        off = pose_step(off, observed, weight)
    assert off.rotation == pytest.approx(motion.rotation, abs=1e-6)
    bent = replace(motion, shape=motion.shape + np.random.default_rng(0).normal(0, 0.01, (68, 3)))
    for _ in range(4):
        bent = shape_step(bent, observed, weight, motion.shape)
    assert np.abs(project_points(bent)[0] - observed).max() < 0.05


def test_images_do_not_depend_on_the_head_frame_or_the_picture_size():
    motion = nodding(4)
    turn = Rotation.from_rotvec([0.1, 0.2, 0.3]).as_matrix()
    moved = change_frame(motion, 1.7, turn, np.array([0.1, -0.2, 0.3]))
    assert project_points(moved)[0] == pytest.approx(project_points(motion)[0])
    assert project_points(rescale_motion(motion, 2.0))[0] == pytest.approx(2.0 * project_points(motion)[0])


def test_smoothing_has_no_lag():
    motion = nodding(50)
    smoothed = smooth_motion(motion, 1.5)
    steps = np.arange(-3, 4)
    centre = motion.translation[10:40, 0]
    like = [np.corrcoef(smoothed.translation[10 + s : 40 + s, 0], centre)[0, 1] for s in steps]
    assert steps[int(np.argmax(like))] == 0
    assert smoothed.rotation @ smoothed.rotation.swapaxes(1, 2) == pytest.approx(np.tile(np.eye(3), (50, 1, 1)))


def test_gaps_are_bridged_by_their_neighbours():
    motion = nodding(30)
    seen = np.ones(30, bool)
    seen[[0, 12, 13, 29]] = False
    known = replace(motion, rotation=motion.rotation[seen], translation=motion.translation[seen])
    filled = fill_gaps(known, seen)
    assert len(filled.rotation) == 30
    assert rotation_errors_deg(filled, motion)[1:-1].max() < 0.5
    assert filled.rotation[0] == pytest.approx(motion.rotation[1])
