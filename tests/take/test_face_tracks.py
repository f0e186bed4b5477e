"""Who is seen when: stretches of one face are compared, and whoever is seen longest is the speaker."""

from __future__ import annotations

import numpy as np
import pytest

from talker.core.errors import Missing
from talker.take.even_sample import EvenSample
from talker.take.face_tracks import FACES_COMPARED, FaceSamples, FaceTracker, SpeakerTracks, same_person
from tests.take.test_face_similarity import drawn

SIDE = 200
BOX = np.array([50.0, 50.0, 150.0, 150.0])
NOBODY = np.full(4, np.nan)


class Points:
    """The same landmarks in every face."""

    ibug = tuple(range(68))
    oval: tuple[int, ...] = ()

    def detect_still(self, rgb: np.ndarray) -> np.ndarray | None:
        points = drawn(0)[1] * rgb.shape[0] / SIDE
        return np.column_stack([points, np.zeros(len(points))]) if rgb.std() > 5 else None


@pytest.fixture(autouse=True)
def without_weights(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing() -> None:
        raise Missing("no weights")

    monkeypatch.setattr("talker.take.face_tracks.FaceIdentity.load", missing)


def cast_of(looks: list[tuple[int | None, np.ndarray]], cuts: list[int]) -> SpeakerTracks:
    """`looks` are persons and boxes, five frames apart."""
    tracker = FaceTracker(Points(), cuts)
    for index, (person, box) in enumerate(looks):
        noise = np.random.default_rng(index).normal(0, 3, (SIDE, SIDE, 3))
        rgb = np.zeros((SIDE, SIDE, 3)) if person is None else drawn(person, SIDE)[0] + noise
        tracker.watch(5 * index, rgb.clip(0, 255).astype(np.uint8), NOBODY if person is None else box)
    return tracker.tracks(5 * len(looks))


def test_one_stretch_needs_no_comparison():
    assert cast_of([(1, BOX)] * 10, []) == SpeakerTracks((range(50),), ())
    assert cast_of([(None, BOX)] * 10, []) == SpeakerTracks((), ())


def test_other_peoples_shots_are_told_from_the_speakers():
    looks = [(1, BOX)] * 16 + [(2, BOX)] * 8 + [(1, BOX)] * 6
    assert cast_of(looks, [80, 120]) == SpeakerTracks((range(80), range(120, 150)), (range(80, 120),))


def test_the_speaker_is_who_is_seen_longest_in_all():
    looks = [(2, BOX)] * 10 + [(1, BOX)] * 6 + [(2, BOX)] * 2 + [(1, BOX)] * 7
    assert cast_of(looks, [50, 80, 90]).speaker == (range(50, 80), range(90, 125))


def test_somebody_who_comes_in_without_a_cut_is_somebody_else():
    aside = BOX + 40.0
    for box in (BOX, aside + [80, 0, 80, 0]):  # in the same place after a while, or at once elsewhere
        gap = [(None, BOX)] * (5 if box is BOX else 0)
        found = cast_of([(1, BOX)] * 20 + gap + [(2, box)] * 10, [])
        assert [len(found.speaker), len(found.others)] == [1, 1] and 95 < found.speaker[0].stop <= 115
        assert found.others[0].stop == 5 * (30 + len(gap))


def test_a_speaker_who_comes_back_is_the_same_and_who_shows_no_landmarks_is_nobody():
    found = cast_of([(1, BOX)] * 10 + [(None, BOX)] * 10 + [(1, BOX)] * 10, [])
    assert found.others == () and [len(piece) for piece in found.speaker] == [73, 77]
    tracker = FaceTracker(Points(), [50])
    for index in range(20):
        picture = drawn(1, SIDE)[0] if index < 10 else np.full((SIDE, SIDE, 3), 90, np.uint8)  # a face in a pattern
        tracker.watch(5 * index, picture, BOX)
    assert tracker.tracks(100) == SpeakerTracks((range(50),), ())


def test_where_there_are_embeddings_they_decide():
    generator = np.random.default_rng(0)
    pattern = np.eye(4)
    near, far = (np.full((3, 128), step) + generator.normal(0, 0.005, (3, 128)) for step in (0.01, 0.09))
    speaker = FaceSamples(pattern, np.zeros((2, 128)))
    assert same_person(FaceSamples(-pattern, near), speaker) and not same_person(FaceSamples(pattern, far), speaker)
    assert same_person(FaceSamples(pattern, None), speaker) and not same_person(FaceSamples(-pattern, None), speaker)


def test_an_even_sample_keeps_few_things_evenly_spread():
    sample: EvenSample[int] = EvenSample(FACES_COMPARED)
    for number in range(1000):
        sample.offer(number)
    kept = sample.kept
    assert FACES_COMPARED <= len(kept) < 2 * FACES_COMPARED and kept[0] == 0 and len(set(np.diff(kept))) == 1
