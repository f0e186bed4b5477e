from __future__ import annotations

import numpy as np

from talker.speaker.mesh import SKIN, TONGUE
from talker.speaker.raster import draw_strands, draw_triangles, empty_buffer, in_bands

ROWS, COLUMNS = 40, 50


def _triangles(count: int) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(3)
    points = np.stack(
        [
            generator.uniform(-5, 55, 3 * count),
            generator.uniform(-5, 45, 3 * count),
            generator.uniform(2, 9, 3 * count),
        ],
        1,
    )
    return points.astype(np.float32), np.arange(3 * count, dtype=np.int32).reshape(-1, 3)


def _draw(points: np.ndarray, triangles: np.ndarray, kinds: np.ndarray, bands: int, cull: bool = True):
    buffer = empty_buffer(ROWS, COLUMNS)
    in_bands(lambda first, last: draw_triangles(buffer, first, last, points, triangles, kinds, cull), ROWS, bands)
    return buffer


def test_triangles_match_a_plain_loop():
    points, triangles = _triangles(12)
    kinds = np.full(12, TONGUE, np.int32)
    buffer = _draw(points, triangles, kinds, bands=3)
    wrong = 0
    for y in range(ROWS):
        for x in range(COLUMNS):
            best, nearest = -1, 0.0
            for t, corners in enumerate(points[triangles].astype(float)):
                matrix = np.stack([corners[:, 0], corners[:, 1], np.ones(3)])
                weights = np.linalg.solve(matrix, [x + 0.5, y + 0.5, 1.0])
                near = weights @ (1.0 / corners[:, 2])
                if (weights >= 0).all() and near > nearest:
                    best, nearest = t, near
            wrong += best != buffer.primitive[y, x]
    assert wrong <= 2  # a sample on an edge may fall to either side


def test_weights_give_the_point_back():
    points, triangles = _triangles(1)
    buffer = _draw(points, triangles, np.array([TONGUE], np.int32), bands=1)
    seen = np.argwhere(buffer.primitive == 0)
    assert len(seen) > 20
    local = points.astype(float).copy()  # unproject: x = screen x * depth
    local[:, :2] *= local[:, 2:]
    for y, x in seen[:: len(seen) // 10]:
        wb, wc = buffer.weights[y, x]
        point = (1 - wb - wc) * local[0] + wb * local[1] + wc * local[2]
        np.testing.assert_allclose(point[:2] / point[2], [x + 0.5, y + 0.5], atol=1e-2)
        np.testing.assert_allclose(1 / point[2], buffer.inverse_depth[y, x], rtol=1e-4)


def test_bands_change_nothing():
    points, triangles = _triangles(30)
    one, many = (_draw(points, triangles, np.full(30, TONGUE, np.int32), bands) for bands in (1, 7))
    for a, b in zip(one, many, strict=True):
        np.testing.assert_array_equal(a, b)


def test_skin_that_faces_away_is_left_out():
    points = np.array([[5, 5, 3], [5, 35, 3], [45, 5, 3]], np.float32)
    for order, seen in (([0, 1, 2], True), ([0, 2, 1], False)):
        buffer = _draw(points, np.array([order], np.int32), np.array([SKIN], np.int32), bands=1)
        assert (buffer.primitive >= 0).any() == seen


def test_a_strand_is_as_wide_as_its_radius_says():
    buffer = empty_buffer(ROWS, COLUMNS)
    points = np.array([[5.0, 20.0, 2.0], [45.0, 20.0, 2.0]], np.float32)
    segments, radii = np.array([[0, 1]], np.int32), np.array([0.1, 0.1], np.float32)
    draw_strands(buffer, 0, ROWS, points, segments, radii, 80.0, 7)  # 0.1 * 80 / 2 = 4 samples to either side
    column = buffer.primitive[:, 25]
    assert (column == 7).sum() == 8 and column[15] == -1 and column[16] == 7 and column[23] == 7 and column[24] == -1
    np.testing.assert_allclose(buffer.weights[20, 25, 0], 20.5 / 40, atol=1e-3)
    assert (buffer.primitive[:, :0] == -1).all() and buffer.primitive[20, 0] == -1
