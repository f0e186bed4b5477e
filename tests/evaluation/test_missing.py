"""No figure is missing without a word."""

from __future__ import annotations

import numpy as np
import pytest

from talker.evaluation.figures import METRICS
from talker.evaluation.missing import CAUSES, LIPS, LIPS_OF_OTHER_WORDS, causes_of_gaps

# Always there where it was tried: a share, and what needs an instrument but neither faces nor masks.
NEVER_MISSING = {"faces_found", "lpips", "clip_direction"}
SAID = {key: (name, cause) for name, keys, cause in CAUSES for key in keys}


def test_every_figure_has_a_cause_ready():
    assert set(SAID) == {metric.key for metric in METRICS} - NEVER_MISSING
    assert causes_of_gaps(dict.fromkeys(SAID, 0.5), 100, same_speech=True) == {}


@pytest.mark.parametrize("key", SAID)
@pytest.mark.parametrize("nothing", [None, np.nan])
def test_a_figure_that_is_missing_says_why(key, nothing):
    name, cause = SAID[key]
    same_speech = key not in LIPS_OF_OTHER_WORDS
    values = {other: nothing if other == key else 0.5 for other in SAID}
    assert causes_of_gaps(values, 100, same_speech=same_speech) == {name: cause}


def test_what_does_not_apply_is_no_gap():
    assert causes_of_gaps(dict.fromkeys(LIPS), 100, same_speech=False) == {}
    assert causes_of_gaps(dict.fromkeys(LIPS_OF_OTHER_WORDS), 100, same_speech=True) == {}


def test_too_few_frames_for_syncnet_say_how_many_there_must_be():
    said = causes_of_gaps({"sync_confidence": None}, 40, same_speech=True)
    assert said == {"SyncNet confidence": "1.6 s are judged, and 2 s are the least"}
