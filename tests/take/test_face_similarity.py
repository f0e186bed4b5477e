"""Under its landmarks a face looks like itself, in any light and size, and unlike what hides it or somebody else's."""

from __future__ import annotations

from functools import cache

import cv2
import numpy as np
import pytest

from talker.take.face_similarity import HIDDEN_LIKENESS, face_pattern, hidden_mouths, likeness

POINTS, INNER, BELOW = 80, np.arange(80) >= 10, np.arange(80) >= 45


def looks(count: int = 100) -> np.ndarray:
    generator = np.random.default_rng(0)
    return generator.uniform(60, 190, (POINTS, 3)) + generator.normal(0, 4, (count, POINTS, 3))


def test_likeness_falls_where_a_half_is_hidden_and_not_in_dim_light():
    colours = looks()
    colours[10] *= 0.7
    colours[20, 45:] = 160.0 + np.random.default_rng(0).normal(0, 4, (35, 3))
    colours[30] = np.nan
    found = likeness(colours, INNER, BELOW)
    assert np.isnan(found[30]).all() and (found[10] > 0.9).all()
    assert found[20, 1] < 0.4 and found[20, 0] > 0.9
    assert np.nanmin(np.delete(found, [20], axis=0)) > 0.9
    assert np.isnan(likeness(np.full((4, POINTS, 3), np.nan), INNER, BELOW)).all()


def test_a_hidden_mouth_is_found_with_its_coming_and_going_and_a_moment_is_a_mistake():
    lower = np.full(100, 0.9)
    lower[20:32], lower[18:20], lower[32:34] = 0.1, 0.62, 0.65
    lower[50:53] = 0.1  # for an eighth of a second
    lower[60:75] = 0.6  # a laugh
    assert np.flatnonzero(hidden_mouths(lower, 25.0)).tolist() == list(range(18, 34))


def test_what_hides_a_mouth_may_hide_the_face_from_the_detector():
    like = np.full(200, 0.9)
    like[50:70] = 0.1
    like[56:64] = np.nan
    like[120] = np.nan
    assert np.flatnonzero(hidden_mouths(like, 25.0)).tolist() == list(range(50, 70))


def test_what_hides_a_mouth_most_of_the_time_is_part_of_the_face():
    lower = np.where(np.arange(100) < 60, HIDDEN_LIKENESS - 0.1, 0.9)
    assert not hidden_mouths(lower, 25.0).any()


@cache
def drawn(seed: int, side: int = 200) -> tuple[np.ndarray, np.ndarray]:
    """A picture full of soft spots, and landmarks all over it."""
    generator = np.random.default_rng(seed)
    picture = cv2.GaussianBlur(generator.uniform(0, 255, (side, side, 3)), (0, 0), 12.0)
    picture = 60.0 + 140.0 * (picture - picture.min()) / np.ptp(picture)
    points = np.random.default_rng(7).uniform(0.1 * side, 0.9 * side, (POINTS, 2))
    return picture.astype(np.uint8), points


@pytest.mark.parametrize("change", [1.0, 0.35, 2.0], ids=["as it is", "small", "large"])
def test_a_pattern_does_not_depend_on_size_or_exposure(change):
    picture, points = drawn(0)
    own = face_pattern(picture, points, INNER)
    resized = cv2.resize(picture, None, fx=change, fy=change, interpolation=cv2.INTER_AREA)
    assert own @ face_pattern((0.7 * resized).astype(np.uint8), change * points, INNER) > 0.97
    other, points = drawn(1)
    assert own @ face_pattern(other, points, INNER) < 0.5
