"""Lips are held against the sound as it is, the same sound 0.4 s off, and the reference's lips."""

from __future__ import annotations

import numpy as np
import pytest

from talker.core.types import AUDIO_RATE_HZ, FPS
from talker.evaluation.lip_sync import LipSyncFigures, measure_lip_sync
from tests.take.test_sync import LEAD_S, ear, speaker

FRAMES = 300


def spoken(late_s: float = 0.0) -> np.ndarray:
    """The sound of the first frames, late."""
    first = round((LEAD_S - late_s) * AUDIO_RATE_HZ)
    return speaker(1)[1][first : first + FRAMES * AUDIO_RATE_HZ // FPS]


def test_lips_that_follow_the_sound_are_told_from_those_that_do_not():
    lips, strange = speaker(1)[0][:FRAMES], speaker(2)[0][:FRAMES]
    found = measure_lip_sync(ear(), spoken(), lips, lips)
    assert found.lip_sync == found.lip_sync_reference > 0.6 > 0.3 > found.lip_sync_shifted
    assert found.lip_sync_offset_ms == found.lip_sync_offset_reference_ms == pytest.approx(0.0, abs=30)
    wrong = measure_lip_sync(ear(), spoken(), strange, lips)
    assert wrong.lip_sync < 0.3 < wrong.lip_sync_reference and wrong.lip_sync_offset_ms is None


def test_late_sound_is_told():
    lips = speaker(1)[0][:FRAMES]
    found = measure_lip_sync(ear(), spoken(0.2), lips, None)
    assert found.lip_sync_offset_ms == pytest.approx(200.0, abs=40) and found.lip_sync < 0.5
    assert found.lip_sync_reference is None and found.lip_sync_offset_reference_ms is None


def test_too_few_faces_say_nothing():
    lips = speaker(1)[0][:FRAMES].copy()
    lips[90:] = np.nan
    assert measure_lip_sync(ear(), spoken(), lips, lips) == LipSyncFigures()
    found = measure_lip_sync(ear(), spoken(), speaker(1)[0][:FRAMES], lips)
    assert found.lip_sync is not None and found.lip_sync_reference is None
