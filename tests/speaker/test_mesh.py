from __future__ import annotations

import numpy as np

from talker.speaker.mesh import LASH_CARD, catmull_clark, load_asset, vertex_normals

CUBE = np.array([[x, y, z] for z in (-1, 1) for y in (-1, 1) for x in (-1, 1)], float)
CUBE_QUADS = np.array([[0, 2, 3, 1], [4, 5, 7, 6], [0, 1, 5, 4], [2, 6, 7, 3], [0, 4, 6, 2], [1, 3, 7, 5]])


def test_catmull_clark_of_a_cube_is_the_textbook_one():
    matrix, quads = catmull_clark(CUBE_QUADS, 8)
    points = matrix @ CUBE
    assert points.shape == (8 + 12 + 6, 3) and quads.shape == (24, 4)
    np.testing.assert_allclose(points[:8], CUBE * 5 / 9)  # (mean of face points + 2 mean of midpoints) / 3
    np.testing.assert_allclose(np.sort(np.abs(points[8:20]), axis=1), np.tile([0, 0.75, 0.75], (12, 1)), atol=1e-12)
    np.testing.assert_allclose(np.linalg.norm(points[20:], axis=1), 1.0)
    assert np.bincount(quads.ravel()).tolist() == [3] * 8 + [4] * 12 + [4] * 6  # each corner 3 quads, all else 4


def test_catmull_clark_keeps_affine_maps_and_flat_borders():
    quads = np.array([[0, 1, 4, 3], [1, 2, 5, 4]])
    points = np.array([[x, y, 0.5] for y in (0.0, 1.0) for x in (0.0, 1.0, 2.0)])
    matrix, _ = catmull_clark(quads, 6)
    np.testing.assert_allclose(matrix.sum(1), 1.0)
    finer = matrix @ points
    np.testing.assert_allclose(finer[:, 2], 0.5)
    np.testing.assert_allclose(finer[1], points[1])  # amid a straight border
    np.testing.assert_allclose(finer[0], [0.125, 0.125, 0.5])


def test_vertex_normals_match_a_plain_loop():
    generator = np.random.default_rng(0)
    points = generator.normal(size=(9, 3))
    triangles = generator.permuted(np.tile(np.arange(9), (12, 1)), axis=1)[:, :3].astype(np.int32)
    expected = np.zeros_like(points)
    for a, b, c in triangles:
        for corner in (a, b, c):
            expected[corner] += np.cross(points[b] - points[a], points[c] - points[a])
    expected /= np.linalg.norm(expected, axis=1, keepdims=True)
    np.testing.assert_allclose(vertex_normals(points, triangles), expected, atol=1e-9)


def test_asset_has_four_lids_with_lashes_in_front_of_the_eyes():
    asset = load_asset()
    assert sorted(lid.is_upper for lid in asset.lids) == [False, False, True, True]
    for lid in asset.lids:
        roots, tips = asset.points[lid.roots], asset.points[lid.tips]
        assert (tips[:, 2] > roots[:, 2]).mean() > 0.9
        assert np.linalg.norm(tips - roots, axis=1).max() < 0.12  # matching rows: no lash crosses the lid
    assert (asset.kinds != LASH_CARD).any() and set(np.unique(asset.kinds)) == {0, 1, 2, 3}


def test_landmarks_are_symmetric_and_in_order():
    asset = load_asset()
    marks = (asset.points[asset.anchor_triangles] * asset.anchor_weights[..., None]).sum(1)
    for left, right in ((36, 45), (39, 42), (48, 54), (0, 16), (31, 35)):
        np.testing.assert_allclose(marks[left] * [-1, 1, 1], marks[right], atol=0.06)
        assert marks[left, 0] < 0 < marks[right, 0]  # iBUG counts from the viewer's left
    assert marks[27, 1] > marks[30, 1] > marks[51, 1] > marks[57, 1] > marks[8, 1]
