"""Distances are zero to oneself and not to others; what has no face is left out; views meet the frames they show."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from talker.core.types import Silent
from talker.evaluation.identity import STEP, Looked, half_away, measure_face, measure_identity
from talker.take.dlib_face import FaceNetwork, ResidualStage
from talker.take.identity import FaceIdentity, distance
from tests.evaluation.faces import a_face

PEOPLE = np.random.default_rng(1).integers(0, 100, (2, 60, 60, 3), np.uint8)
PEOPLE[1, :, :, 2] += 150


def looked(*who: int, lost: tuple[int, ...] = ()) -> Looked:
    faces = np.repeat(a_face(50.0)[None] + 30.0, len(who), axis=0)
    faces[list(lost)] = np.nan
    return Looked(PEOPLE[list(who)], faces)


def unit(crops):
    flat = crops.reshape(len(crops), -1) - 127.5
    return flat / np.linalg.norm(flat, axis=1, keepdims=True)


@pytest.fixture(scope="module")
def network() -> FaceIdentity:
    torch.manual_seed(0)
    return FaceIdentity(FaceNetwork(4, (ResidualStage(6, True, 1),), 5).eval())


def test_cosines_are_zero_to_oneself_and_not_to_others():
    same = measure_identity(looked(0, 0, 0, 0), looked(0, 0, 0, 0), unit, Silent())
    assert same.identity_distance == pytest.approx(0.0, abs=1e-9)
    assert same.identity_distance_itself == pytest.approx(0.0, abs=1e-9)
    other = measure_identity(looked(1, 1, 1, 1, lost=(2,)), looked(0, 0, 0, 0), unit, Silent())
    assert other.identity_distance > 0.3 and np.isnan(other.tracks["identity_distance"][2])
    none = measure_identity(looked(1, 1, lost=(0, 1)), looked(0, 0), unit, Silent())
    assert none.identity_distance is None and none.identity_distance_itself == pytest.approx(0.0, abs=1e-9)


def test_face_distances_are_zero_to_oneself_and_not_to_others(network):
    count = 4 * STEP
    apart = distance(*(network.embed(PEOPLE[who], a_face(50.0) + 30.0) for who in (0, 1)))
    same = measure_face(looked(*[0] * count), looked(*[0] * count), network, Silent())
    assert same.face_distance == pytest.approx(0.0, abs=1e-6) and same.face_distance_turned is None
    assert same.face_distance_itself == pytest.approx(0.0, abs=1e-6)
    # Every `STEP`-th frame is looked at: of these, one has no face, and one of the others is of somebody else.
    shown = looked(*[0] * STEP, *[1] * STEP, *[0] * 2 * STEP, lost=(0,))
    found = measure_face(shown, looked(*[0] * count), network, Silent())
    assert apart > 0.01 and found.face_distance == pytest.approx(apart / 3, rel=1e-4)
    none = measure_face(looked(1, 1, lost=(0, 1)), looked(0, 0), network, Silent())
    assert none.face_distance is None and none.face_distance_itself == pytest.approx(0.0, abs=1e-6)


def test_views_are_held_against_the_frames_that_were_turned(network):
    reference, rows = looked(0, 1, 1, 0), (0, 0, 1)
    kept = measure_face(reference, reference, network, Silent(), turned=looked(0, 0, 1), rows=rows)
    assert kept.face_distance_turned == pytest.approx(0.0, abs=1e-6) and kept.face_distance_turned_unedited is None
    lost = measure_face(
        reference, reference, network, Silent(),
        turned=looked(1, 1, 0), unedited=looked(0, 1, 0, lost=(1, 2)), rows=rows,
    )  # fmt: skip
    assert lost.face_distance_turned > 0.01 and lost.face_distance_turned_unedited == pytest.approx(0.0, abs=1e-6)


def test_each_known_one_meets_another_half_of_the_known_away():
    values = np.array([[1.0], [np.nan], [2.0], [3.0], [np.nan], [4.0]])
    partners = half_away(values)[:, 0]
    assert partners[[0, 2, 3, 5]].tolist() == [3.0, 4.0, 1.0, 2.0] and np.isnan(partners[[1, 4]]).all()
