"""Faces are found in the picture's own pixels, whatever size the detector saw."""

from __future__ import annotations

import numpy as np
import pytest

from talker.evaluate.faces import find_faces, has_face
from talker.types import Silent
from tests.evaluate.faces import DarkestSpot, a_face


@pytest.mark.parametrize("side", [64, 300])
def test_a_face_is_where_it_is_and_missing_where_there_is_none(side):
    frames = np.full((3, side, side, 3), 200, np.uint8)
    frames[0, 20:23, 40:43] = 0
    frames[2, 50:53, 10:13] = 0
    found = find_faces(frames, DarkestSpot, "find", Silent())
    assert has_face(found).tolist() == [True, False, True]
    scale = 1 if side == 300 else 4
    middle = found[[0, 2]] - a_face(40.0) / scale
    assert middle.mean(axis=1) == pytest.approx(np.array([[41.0, 21.0], [11.0, 51.0]]), abs=1.1)
