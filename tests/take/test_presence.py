"""Who is there when: short gaps are bridged, flashes are not, the way in and out is trimmed, and half must remain."""

from __future__ import annotations

import re

import numpy as np
import pytest

from talker.core.errors import BadInput
from talker.take.cuts import Pace
from talker.take.face_tracks import SpeakerTracks
from talker.take.presence import bridged, trimmed
from tests.take.searches import calm_pace, search_of

RATE_HZ = 25.0
ONE_SHOT = np.zeros(200, int)


def flags(count: int, *gone: range) -> np.ndarray:
    found = np.ones(count, bool)
    for piece in gone:
        found[list(piece)] = False
    return found


def test_only_short_gaps_within_a_shot_are_bridged():
    seen = flags(200, range(0, 5), range(50, 65), range(100, 116), range(195, 200))
    assert np.flatnonzero(~bridged(seen, ONE_SHOT, RATE_HZ)).tolist() == [*range(5), *range(100, 116), *range(195, 200)]
    assert (bridged(seen, (np.arange(200) >= 60).astype(int), RATE_HZ)[50:65] == seen[50:65]).all()


def test_a_flash_of_something_else_is_not_bridged():
    seen, steps = flags(200, range(50, 56)), calm_pace(40).steps
    assert bridged(seen, ONE_SHOT, RATE_HZ, steps)[50:56].all()
    steps[[49, 55]] = 40.0  # into picture 50, and into picture 56
    assert not bridged(seen, ONE_SHOT, RATE_HZ, steps)[50:56].any()


def test_faces_on_their_way_are_trimmed_at_the_ends_of_a_piece_alone():
    usable, whole = flags(200, range(100, 140)), flags(200, range(0, 4), range(60, 64), range(92, 100), range(140, 141))
    gone = [*range(4), *range(92, 141)]
    assert np.flatnonzero(~trimmed(usable, ONE_SHOT, whole, RATE_HZ)).tolist() == gone
    never = trimmed(usable, ONE_SHOT, np.zeros(200, bool), RATE_HZ)
    assert never.sum() == 160 - 4 * 25, "who is never whole loses a second at each end, not everything"


def attendance(seen: np.ndarray, cuts: tuple[int, ...] = (), tracks: SpeakerTracks | None = None, start_s: float = 0.0):
    looks = len(seen) // 5
    boxes = np.tile([10.0, 10.0, 50.0, 50.0], (looks, 1))
    boxes[~seen[::5]] = np.nan
    steps = calm_pace(looks).steps
    steps[[cut - 1 for cut in cuts]] = 40.0
    return search_of(boxes, pace=Pace(steps, start_s), tracks=tracks).attendance(seen, RATE_HZ, start_s)


def test_what_is_left_out_is_told_with_its_times():
    tracks = SpeakerTracks((range(0, 80), range(120, 200)), (range(80, 120),))
    there = attendance(flags(200, range(0, 30), range(80, 120)), (80, 120), tracks, start_s=2.0)
    assert there.usable.sum() == 130 and there.shots.tolist() == [0] * 80 + [1] * 40 + [2] * 80
    assert [one.sentence for one in there.gone] == [
        "Somebody else is seen (at 5.2-6.8 s); left out of the training: the speaker is who is seen longest",
        "No face, or not all of it (at 2.0-3.2 s); left out of the training",
    ]
    there.require_enough()


def test_up_to_half_may_be_missing_and_then_the_longest_piece_is_offered():
    attendance(flags(200, range(0, 100))).require_enough()
    with pytest.raises(
        BadInput, match=r"for only 3\.9 s of 8\.0 \(no face.* at 7\.0-11\.1 s\); .*--start 11\.2 --end 15\.0"
    ):
        attendance(flags(200, range(0, 103)), start_s=7.0).require_enough()
    with pytest.raises(BadInput, match="never for 3 s in one piece; film again"):
        attendance(flags(200, range(0, 60), range(90, 150))).require_enough()


@pytest.mark.parametrize("first", range(0, 12))
def test_what_is_offered_is_not_refused(first):
    seen = np.zeros(400, bool)
    seen[first : first + 76] = True
    with pytest.raises(BadInput) as refused:
        attendance(seen).require_enough()
    offered = re.search(r"--start ([\d.]+) --end ([\d.]+)", str(refused.value))
    assert offered is None or float(offered[2]) - float(offered[1]) > 3.0 - 1e-6


def test_a_gap_that_the_search_saw_a_face_in_is_told_as_one_that_cannot_be_followed():
    seen = flags(200, range(50, 90))
    boxes = np.tile([10.0, 10.0, 50.0, 50.0], (40, 1))
    (told,) = search_of(boxes).attendance(seen, RATE_HZ, 0.0).gone
    assert told.key == "unfollowed" and told.where_s == ((2.0, 3.6),)
