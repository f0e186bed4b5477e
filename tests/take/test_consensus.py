"""Flow between frames, and poses that agree with it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter1d
from scipy.spatial.transform import Rotation

from talker.core.types import Silent
from talker.take.consensus import agree, move_points, refine_motion, solve_blocks
from talker.take.flow import Comparisons, Surface, choose_pairs, compare, follow_points, rigid_surface, texture
from talker.take.pose import project_points
from tests.take.toy import HALF_AXES, face_landmarks, nodding, render, rotation_errors_deg

IBUG = tuple(range(68))


def skin() -> Surface:
    """Points exactly on the toy's front."""
    generator = np.random.default_rng(3)
    normals = generator.normal(size=(400, 3))
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    normals = normals[normals[:, 2] < -0.35]
    return Surface(normals * HALF_AXES, normals)


def disturbed(motion, degrees: float, seed: int = 0):
    """Poses with a smooth error, as landmarks have: it follows the pose."""
    generator = np.random.default_rng(seed)
    error = gaussian_filter1d(generator.normal(size=(len(motion.rotation), 3)), 4.0, axis=0)
    error *= np.radians(degrees) / error.std()
    return replace(motion, rotation=Rotation.from_rotvec(error).as_matrix() @ motion.rotation)


def test_flow_finds_where_the_skin_went():
    motion = nodding(12)
    pictures, mattes = render(motion)
    textures = np.stack([texture(picture, 25.0) for picture in pictures])
    surface = skin()
    pairs = np.array([(0, 2), (3, 6)])
    found = compare(disturbed(motion, 0.5), surface, pairs, textures, mattes)
    assert found.weight.mean() > 0.4
    images = project_points(replace(motion, shape=surface.points))[0]
    # What was followed started where the disturbed pose put the point: a near piece of skin, moving alike.
    error = np.linalg.norm(found.shift - (images[pairs[:, 1]] - images[pairs[:, 0]]), axis=-1)[found.weight > 0]
    assert np.median(error) < 0.25


@pytest.mark.parametrize("direction", [(1.0, 0.0), (0.0, 1.0), (1.0, 1.0), (0.0, 0.0)])
def test_points_in_a_line_do_no_harm(direction):
    pictures, _ = render(nodding(2))
    line = 20.0 + np.arange(14)[:, None] * np.array(direction)
    shift, found = follow_points(texture(pictures[0], 25.0), texture(pictures[1], 25.0), line, line + 1.0, 25.0)
    assert np.abs(shift).max() < 1.001  # no farther than was expected, and no NaN
    shift, found = follow_points(pictures[0], pictures[1], line[:2], line[:2], 25.0)  # nor do two
    assert shift.shape == (2, 2) and not found.any()


def test_exact_comparisons_give_exact_poses():
    motion = nodding(30)
    surface = skin()
    pairs = choose_pairs(motion, np.random.default_rng(0))
    images = project_points(replace(motion, shape=surface.points))[0]
    shift = (images[pairs[:, 1]] - images[pairs[:, 0]]).astype(np.float32)
    found = Comparisons(pairs, shift, np.ones(shift.shape[:2], np.float32))
    start = disturbed(motion, 1.0)
    refined = start
    for _ in range(8):
        refined = agree(refined, start, surface.points, found)
    before, after = rotation_errors_deg(start, motion), rotation_errors_deg(refined, motion)
    assert np.median(after) < 0.1 * np.median(before)


def test_parallax_tells_depth():
    motion = nodding(30)
    surface = skin()
    pairs = choose_pairs(motion, np.random.default_rng(0))
    images = project_points(replace(motion, shape=surface.points))[0]
    found = Comparisons(pairs, images[pairs[:, 1]] - images[pairs[:, 0]], np.ones((len(pairs), len(surface.points))))
    wrong = surface.points + (0.0, 0.0, 0.05)
    points = wrong
    for _ in range(15):
        points = move_points(motion, points, wrong, found)
    assert np.abs(points - surface.points)[:, 2].mean() < 0.6 * 0.05


def test_pictures_mend_what_landmarks_get_wrong():
    motion = nodding(48, 128)
    pictures, mattes = render(motion, 128)
    start = disturbed(motion, 1.2)
    refined = refine_motion(start, project_points(motion)[0], IBUG, pictures, mattes, Silent())
    before, after = rotation_errors_deg(start, motion), rotation_errors_deg(refined, motion)
    assert np.median(before) > 1.0 and np.median(after) < 0.7 * np.median(before)


def test_smooth_pictures_keep_the_landmarks_poses():
    motion = nodding(20)
    flat, mattes = np.full((20, 96, 96), 128, np.uint8), np.full((20, 96, 96), 255, np.uint8)
    said = []

    class Listener(Silent):
        def notice(self, text: str) -> None:
            said.append(text)

    assert refine_motion(motion, project_points(motion)[0], IBUG, flat, mattes, Listener()) is motion
    assert len(said) == 1 and "too smooth" in said[0]


def test_pairs_reach_near_and_far_in_time():
    pairs = choose_pairs(nodding(60), np.random.default_rng(0))
    apart = np.abs(pairs[:, 0] - pairs[:, 1])
    assert (pairs[:, 0] != pairs[:, 1]).all()
    assert (apart == 1).sum() == 59 and (apart > 12).sum() >= 60


def test_blocks_are_solved_as_the_dense_system():
    generator = np.random.default_rng(0)
    pairs = np.array([(0, 1), (1, 2), (2, 3), (0, 3)])
    dense = np.zeros((24, 24))
    across = 0.3 * generator.normal(size=(4, 6, 6))
    for (i, j), block in zip(pairs, across):
        dense[6 * i : 6 * i + 6, 6 * j : 6 * j + 6] += block
    dense = dense + dense.T
    diagonal = np.stack([np.diag(8.0 + generator.random(6)) for _ in range(4)])
    for i in range(4):
        dense[6 * i : 6 * i + 6, 6 * i : 6 * i + 6] = diagonal[i]
    right = generator.normal(size=(4, 6))
    found = solve_blocks(diagonal, pairs, across, right)
    assert found.ravel() == pytest.approx(np.linalg.solve(dense, right.ravel()), rel=1e-3, abs=1e-4)


def test_texture_forgets_shading():
    generator = np.random.default_rng(0)
    pattern = generator.normal(0, 12, (80, 80))
    ramp = np.linspace(-60, 60, 80)
    left, right = (np.clip(128 + pattern + side * ramp, 0, 255).astype(np.uint8) for side in (-1, 1))
    raw = np.corrcoef(left.ravel(), right.ravel())[0, 1]
    assert raw < 0 < 0.85 < np.corrcoef(texture(left, 40.0).ravel(), texture(right, 40.0).ravel())[0, 1]


def test_surface_leaves_out_what_moves_by_itself():
    surface = rigid_surface(face_landmarks())
    x, y = np.abs(surface.points[:, 0]), surface.points[:, 1]
    assert not ((np.abs(y - 0.04) < 0.06) & (np.abs(x - 0.21) < 0.1)).any()  # eyes
    assert (y < 0.3).all()  # mouth and jaw
    assert np.linalg.norm(surface.normals, axis=1) == pytest.approx(np.ones(len(x)))
