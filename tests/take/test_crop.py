"""Where the speaker is: a face that shows for a moment is none."""

import numpy as np

from talker.take.crop import FACE_SHARE_SEEN, most_seen


def test_a_pattern_taken_for_a_face_now_and_then_is_no_speaker():
    seen = np.zeros(20, bool)
    seen[[2, 3, 9]] = True
    assert most_seen(seen) < FACE_SHARE_SEEN


def test_a_speaker_who_is_there_for_three_seconds_of_a_minute_is_one():
    seen = np.zeros(300, bool)
    seen[100:115] = True
    assert most_seen(seen) == 1.0


def test_a_face_in_every_look_is_seen_always_however_short_the_clip():
    assert most_seen(np.ones(3, bool)) == 1.0
