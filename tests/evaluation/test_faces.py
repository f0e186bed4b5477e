"""Faces are found in the picture's own pixels, whatever size the detector saw."""

from __future__ import annotations

import numpy as np
import pytest

from talker.core.types import Silent
from talker.evaluation.faces import find_faces, has_face
from tests.evaluation.faces import DarkestSpot, a_face


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


class Follower(DarkestSpot):
    """Once it has a face, it goes on seeing it where it was."""

    def __init__(self):
        self.last = None

    def detect(self, rgb):
        if self.last is None:
            self.last = super().detect(rgb)
        return self.last


def test_pictures_that_do_not_follow_each_other_are_each_looked_at_anew():
    frames = np.full((2, 300, 300, 3), 200, np.uint8)
    frames[0, 20, 40], frames[1, 50, 10] = 0, 0
    followed = find_faces(frames, Follower, "find", Silent())
    apart = find_faces(frames, Follower, "find", Silent(), successive=False)
    assert (followed[0] == followed[1]).all()
    assert apart.mean(axis=1)[1] - apart.mean(axis=1)[0] == pytest.approx([-30.0, 30.0])
