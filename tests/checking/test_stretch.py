"""Which stretch of a clip is held against its sound, and which part of its pictures."""

from __future__ import annotations

import numpy as np
import pytest

from talker.checking.lips import choose_stretch, face_crop
from talker.core.types import FEATURE_RATE_HZ


def test_the_stretch_holds_speech_a_face_and_no_cut():
    levels = np.full(60 * FEATURE_RATE_HZ, -70.0)
    levels[30 * FEATURE_RATE_HZ : 48 * FEATURE_RATE_HZ] = -20.0
    faces = np.ones(300, bool)
    start_s, end_s = choose_stretch((10.0, 70.0), levels, -20.0, faces, [], 15.0)
    assert 40.0 <= start_s <= 43.0 and end_s - start_s == 15.0
    assert choose_stretch((10.0, 70.0), levels, -20.0, faces, [42.5], 15.0)[0] == pytest.approx(43.0, abs=0.51)
    faces[150:200] = False
    start_s, _ = choose_stretch((10.0, 70.0), levels, -20.0, faces, [], 15.0)
    assert start_s >= 43.0
    assert choose_stretch((0.0, 5.0), levels[:250], -20.0, faces, [], 15.0) == (0.0, 5.0)


def test_the_crop_holds_the_faces_travels():
    boxes = np.array([[100.0, 100, 200, 200], [150, 120, 250, 220], [np.nan] * 4])
    crop = face_crop(boxes, (640, 480))
    assert crop.x0 <= 100 and crop.x0 + crop.side >= 250 and crop.side < 320
    assert face_crop(boxes[2:], (640, 480)) is None
    assert face_crop(boxes, (256, 256)).side <= 256
