import numpy as np

from talker.editors.builtin.brush import find_seeds, follow
from talker.editors.builtin.picture import Picture
from talker.editors.builtin.texture import grain
from talker.editors.builtin.tiles import cut, filled
from tests.editors.portrait import draw_portrait


def test_grain_moves_with_the_head_and_stays_in_the_room():
    still, moved = (grain(picture, 4.0, salt=1) for picture in (draw_portrait(), draw_portrait(x=3, y=2)))
    face = (slice(50, 70), slice(55, 73))
    shifted = (slice(52, 72), slice(58, 76))
    assert np.allclose(still[face], moved[shifted], atol=0.02)
    assert not np.allclose(still[face], moved[face], atol=0.5)
    assert np.allclose(still[:20, :20], moved[:20, :20])
    assert 0.7 < still.std() < 1.3


def test_seeds_sit_where_their_anchor_is_and_keep_their_chance():
    """On anchors turned by 30 degrees and scaled, and again after a shift by a third of a pixel."""
    y, x = np.mgrid[0:64, 0:64].astype(np.float64)
    turn = np.array([[0.866, -0.5], [0.5, 0.866]])

    def anchors(shift_px):
        return (np.stack([x + 0.5 - shift_px, y + 0.5], axis=-1) @ turn.T) * 0.25

    everywhere = np.ones((64, 64), bool)
    first, second = (find_seeds(anchors(shift), 1.0, everywhere, salt=5) for shift in (0.0, 1 / 3))
    assert abs(len(first.positions) - 64 * 64 / 16) < 64 * 64 / 16 * 0.15, "one seed in each cell of 4 x 4 px"
    matched = 0
    for position, chance in zip(second.positions, second.chance, strict=True):
        same = np.nonzero((np.abs(first.chance - chance) < 1e-7).all(axis=1))[0]
        if len(same) == 1:
            matched += 1
            assert np.allclose(position - first.positions[same[0]], (1 / 3, 0.0), atol=1e-3)
    assert matched > 0.9 * len(second.positions)


def test_paths_follow_the_flow_whatever_its_sign():
    flow = np.zeros((32, 32, 2), np.float32)
    flow[..., 0] = np.where(np.arange(32) % 2, 1.0, -1.0)  # one line, its sign at random
    path = follow(flow, np.array([[16.5, 10.5]], np.float32), np.array([8.0], np.float32), points=5)[0]
    ordered = path[np.argsort(path[:, 0])]
    assert np.allclose(ordered, [[12.5, 10.5], [14.5, 10.5], [16.5, 10.5], [18.5, 10.5], [20.5, 10.5]])


def test_seeds_of_nothing():
    nothing = Picture(np.zeros((8, 8, 3), np.float32), np.zeros((8, 8), np.float32), np.zeros((8, 8), np.uint8))
    assert len(find_seeds(nothing.screen, 3.0, np.zeros((8, 8), bool), salt=1).positions) == 0


def test_pieces_are_the_nearest_lattice_points_and_squares_without_jitter():
    y, x = np.mgrid[0:24, 0:30].astype(np.float32)
    pieces = cut(np.stack([x + 0.5, y + 0.5], axis=-1), 6.0, 0.0, salt=3)
    assert len(np.unique(pieces.index)) == 4 * 5
    assert (pieces.index == pieces.index[6 * (y.astype(int) // 6), 6 * (x.astype(int) // 6)]).all()
    to_border = np.minimum(*(np.minimum((v + 0.5) % 6, 6 - (v + 0.5) % 6) for v in (x, y)))
    assert (np.abs(pieces.edge - to_border)[to_border < 1] < 0.35).all(), "near a border, its distance"
    shards = cut(np.stack([x + 0.5, y + 0.5], axis=-1), 6.0, 0.9, salt=3)
    assert len(np.unique(shards.index)) >= 16 and (shards.index != pieces.index).mean() > 0.1
    red = np.random.default_rng(0).random((24, 30, 3)).astype(np.float32)
    means = filled(red, shards.index)
    one = shards.index == shards.index[12, 15]
    assert np.allclose(means[one], red[one].mean(axis=0), atol=1e-5)
