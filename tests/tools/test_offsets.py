"""Shifts of a speaker's sound are told rightly, and another one's sound is not told at all."""

from __future__ import annotations

from dataclasses import replace

from talker.core.types import AUDIO_RATE_HZ
from tests.take.test_sync import LEAD_S, ear, speaker
from tools import offsets
from tools.offsets import Clip, offset_right_share


def clip(seed: int, own_s: float | None = 0.0) -> Clip:
    landmarks, wav = speaker(seed)
    first = round(LEAD_S * AUDIO_RATE_HZ)
    return Clip(f"speaker {seed}", landmarks, wav[first : first + len(landmarks) * AUDIO_RATE_HZ // 25], own_s)


def test_shares_of_speakers_whose_offset_is_known(monkeypatch):
    monkeypatch.setattr(offsets, "PIECES", 2)
    clips = [clip(1), clip(2, None)]
    shares = offset_right_share(clips, ear(), 6.0)
    assert shares.right >= 0.9 and shares.wrong == 0.0 and shares.nearest >= shares.right and shares.strangers <= 0.5
    wrong = offset_right_share([replace(clips[0], own_s=0.3)], ear(), 6.0)
    assert wrong.right == wrong.nearest == 0.0 and wrong.wrong >= 0.9 and wrong.strangers == 0.0
