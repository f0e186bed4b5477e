"""What is seen in single pictures, and in a search's looks, against pictures of which all is known."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from talker.checking.frame_stats import FrameStatsCollector, burnt_share, head_angles_deg, sharpness
from talker.take.pose import HeadMotion, project_points
from tests.take.searches import search_of
from tests.take.toy import face_landmarks

SIDE = 128


def points_of(rotation: np.ndarray) -> np.ndarray:  # [B, 68, 3] pixels
    place = np.tile([0.1, 0.0, 6.0], (len(rotation), 1))
    motion = HeadMotion(face_landmarks(), rotation, place, 2.6 * SIDE, (SIDE / 2, SIDE / 2))
    images, turned, _ = project_points(motion)
    return np.concatenate([images, turned[..., 2:] * motion.focal_px / 6.0], axis=-1)


@pytest.mark.parametrize("axis", [0, 1], ids=["yaw", "pitch"])
def test_angles_have_the_programs_signs(axis):
    """A turn by -a about y brings the face, which looks along -z, to the viewer's right; about x it lifts the chin."""
    wanted = 25.0 * np.sin(np.arange(40) / 6.0)
    turns = np.zeros((40, 3))
    turns[:, 1 - axis] = -np.radians(wanted)
    ahead = -Rotation.from_rotvec(turns).as_matrix()[:, :, 2]
    assert ((ahead[:, 0] if axis == 0 else -ahead[:, 1]) * wanted >= 0).all()
    found = head_angles_deg(points_of(Rotation.from_rotvec(turns).as_matrix()), (SIDE, SIDE))
    assert np.abs(found[:, axis] - found[:, axis].mean() - wanted + wanted.mean()).max() < 2.0
    assert np.abs(found[:, 1 - axis] - found[:, 1 - axis].mean()).max() < 2.0


def test_angles_of_few_looks_are_unknown():
    assert np.isnan(head_angles_deg(np.full((9, 68, 3), np.nan), (SIDE, SIDE))).all()


def test_blur_lowers_sharpness_whatever_the_size():
    generator = np.random.default_rng(0)
    noise = generator.normal(size=(96, 96))
    face = 128 + 40 * cv2.GaussianBlur(noise, (0, 0), 1.0) / cv2.GaussianBlur(noise, (0, 0), 1.0).std()
    grey = face.clip(0, 255).astype(np.uint8)
    sharp = sharpness(grey, 96.0)
    soft = sharpness(cv2.GaussianBlur(grey, (0, 0), 2.0), 96.0)
    large = sharpness(cv2.resize(grey, (288, 288), interpolation=cv2.INTER_CUBIC), 288.0)
    assert soft < 0.6 * sharp and large == pytest.approx(sharp, rel=0.2)


def test_warm_skin_is_not_burnt_and_white_is():
    skin = np.full((20, 20, 3), (255, 190, 170), np.uint8)
    assert burnt_share(skin) == 0.0
    skin[:5] = 252
    assert burnt_share(skin) == pytest.approx(0.25)


class StillFace:
    """Finds the same face in every picture that is not black."""

    ibug = tuple(range(68))
    oval: tuple[int, ...] = ()

    def find_faces(self, rgb: np.ndarray) -> np.ndarray:
        return np.zeros((0, 4))

    def detect(self, rgb: np.ndarray) -> np.ndarray | None:
        points = points_of(np.eye(3)[None])[0]
        return (points + [-16.0, -16.0, 0.0]).astype(np.float32) if rgb.any() else None


def test_a_lookout_sees_the_room_move_only_where_nobody_stands():
    generator = np.random.default_rng(0)
    matte = np.zeros((SIDE, SIDE), np.float32)
    matte[30:, 30:98] = 1.0
    collector = FrameStatsCollector(StillFace(), lambda rgb: matte)
    box = np.array([40.0, 40.0, 88.0, 88.0])
    room = generator.integers(0, 255, (SIDE, SIDE, 3))
    for index in range(12):
        picture = room.copy()
        picture[:, :10] = generator.integers(0, 255, (SIDE, 10, 3))  # moves
        picture[40:, 40:90] = generator.integers(0, 255, (88, 50, 3))  # the speaker
        shown = (picture * (0.8 + 0.02 * index)).clip(0, 255).astype(np.uint8)  # and the exposure drifts
        collector.watch(shown, box if index != 5 else np.full(4, np.nan))
    search = search_of(np.tile(box, (12, 1)))
    looks = collector.looks(search, 7.0, (SIDE, SIDE))
    assert looks.times_s[0] == 7.0 and looks.seen.sum() == 11 and not looks.seen[5]
    assert np.isnan(looks.unrest[64, 64])
    assert np.median(looks.unrest[:, 2:8]) > 10.0 and np.nanmedian(looks.unrest[:, 110:]) < 4.0
    assert len(collector.detect_s) == 11 and len(collector.segment_s) == 6


def test_a_lookout_that_saw_nobody():
    collector = FrameStatsCollector(StillFace(), lambda rgb: np.zeros(rgb.shape[:2], np.float32))
    for place in (np.nan, np.nan, -500.0, 500.0, *(np.nan,) * 4):  # or saw a face beside the picture
        collector.watch(np.full((SIDE, SIDE, 3), 90, np.uint8), np.array([place, place, place + 40, place + 40]))
    search = search_of(np.full((8, 4), np.nan))
    looks = collector.looks(search, 0.0, (SIDE, SIDE))
    assert not looks.seen.any() and np.isnan(looks.likeness).all()
    assert looks.quarters == 0 and np.isnan(looks.hair_share) and not looks.cut.any()
