"""A head that is on its side, beyond the picture's edge, or bare, against drawings of which all is known."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from talker.checking.head import (
    HeadView,
    cut_by_edges,
    hair_share,
    quarters_off,
    search_turned,
    usual_quarters,
)
from talker.take.pose import project_points
from talker.video import Crop
from tests.take.toy import nodding

SIDE, COUNT = 128, 10
SKIN, HAIR, CLOTH, WALL = (210, 160, 130), (40, 30, 25), (30, 60, 140), (90, 90, 90)


class Toy:
    """Points as they come from the truth; finds a face where the picture's first row is white: its upper edge."""

    ibug = tuple(range(68))
    oval = (*range(17), *range(26, 16, -1))
    brows = None

    def __init__(self) -> None:
        motion = nodding(COUNT, SIDE)
        images, turned, _ = project_points(motion)
        depth = turned[..., 2:] * motion.focal_px / motion.translation[:, None, 2:]
        self.points = np.concatenate([images, depth], axis=-1)

    def find_faces(self, rgb: np.ndarray) -> np.ndarray:
        return np.array([[0.0, 0.0, 9.0, 9.0]] if rgb[0, :, 0].min() == 255 else np.zeros((0, 4)))

    def detect_still(self, rgb: np.ndarray) -> np.ndarray:
        return self.points[0]


def head_view(points: np.ndarray, hair: tuple[int, int, int]) -> HeadView:
    """A face with a cap on it, above clothes."""
    rgb = np.full((SIDE, SIDE, 3), WALL, np.uint8)
    x, y = points[:17, 0].mean(), points[27:31, 1].mean()
    width = np.ptp(points[:17, 0])
    cv2.rectangle(rgb, (10, round(y + 1.2 * width)), (SIDE - 10, SIDE), CLOTH, -1)
    cv2.ellipse(rgb, ((x, y - 0.1 * width), (1.25 * width, 1.8 * width), 0.0), hair, -1)
    cv2.ellipse(rgb, ((x, y + 0.15 * width), (1.05 * width, 1.5 * width), 0.0), SKIN, -1)
    return HeadView(rgb, (rgb != WALL).any(axis=-1).astype(np.float32), points)


def test_hair_is_counted_and_where_it_lies_beyond_the_crop_it_is_not():
    detector = Toy()
    head_views = [head_view(points, HAIR) for points in detector.points]
    assert 0.15 < hair_share(head_views, detector) < 1.0
    brows = round(float(np.mean([points[17:27, 1].mean() for points in detector.points])))
    low = Crop(0, brows, SIDE - brows)
    assert hair_share([one.cropped(low, SIDE) for one in head_views], detector) < 0.08
    assert np.isnan(hair_share(head_views[:4], detector))


def test_a_crop_takes_the_points_with_it():
    one = head_view(Toy().points[0], HAIR)
    cut = one.cropped(Crop(20, 40, 160), 2 * SIDE)  # of a source twice as wide
    assert cut.rgb.shape == (80, 80, 3) and np.array_equal(cut.matte, one.matte[20:100, 10:90])
    assert np.allclose(one.points - cut.points, [10, 20, 0])


@pytest.mark.parametrize("turns", [0, 1, 2, 3])
def test_a_picture_on_its_side_is_told_which_way_to_turn(turns):
    detector = Toy()
    x, y = (detector.points[0, :, :2] - SIDE / 2).T
    lying = [(x, y), (-y, x), (-x, -y), (y, -x)][turns]  # turned right by so many quarters
    assert quarters_off(np.stack(lying, axis=1) + SIDE / 2) == turns
    picture = np.zeros((SIDE, SIDE, 3), np.uint8)
    picture[0] = 255
    assert search_turned(np.rot90(picture, -turns), detector) == (turns or None)


def test_pictures_must_agree_on_how_they_lie():
    assert usual_quarters([1, 1, 1, 0]) == 1 and usual_quarters([1, 1, 0, 0]) == 0 and usual_quarters([]) == 0


@pytest.mark.parametrize(
    ("shift", "cut"),
    [((0, 0), ""), ((-60, 0), "left"), ((0, -70), "upper"), ((60, 0), "right"), ((0, 60), "lower")],
)
def test_a_head_beyond_an_edge_is_cut(shift, cut):
    one = head_view(Toy().points[0] + [*shift, 0.0], HAIR)
    found = cut_by_edges(one.points, one.matte)
    assert [edge for edge, over in zip(("left", "upper", "right", "lower"), found, strict=True) if over] == [
        edge for edge in [cut] if edge
    ]
