"""Do lips and sound belong together? The lips that are seen against those that nobody in particular would move to the
sound (`talker.take.lips_from_speech`): needs no weights but those that are here.

Notation: N frames at 25 Hz.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from talker.take.lips_from_speech import LipsFromSpeech
from talker.take.sync import Offset, estimate_offset

SHIFT_S = 0.4  # beyond which lips are no longer like themselves


@dataclass(frozen=True)
class LipSyncFigures:
    """None where faces are found for too short a time, or where the reference says other words."""

    lip_sync: float | None = None  # mean correlation of the lips' measures with the sound as it is
    lip_sync_shifted: float | None = None  # the larger of the sound shifted either way
    lip_sync_reference: float | None = None
    lip_sync_offset_ms: float | None = None  # positive when the sound is late against the lips
    lip_sync_offset_reference_ms: float | None = None


def measure_lip_sync(
    ear: LipsFromSpeech,
    wav: np.ndarray,  # [T] 16 kHz: what is said in the N frames
    found_faces: np.ndarray,  # [N, 68, 2] landmarks; nan where no face is found
    reference_faces: np.ndarray | None,  # [N, 68, 2]; None when the reference says other words
) -> LipSyncFigures:
    found = estimate_offset(found_faces, wav, 0.0, ear)
    if not found.is_long_enough:
        return LipSyncFigures()
    reference = None if reference_faces is None else estimate_offset(reference_faces, wav, 0.0, ear)
    if reference is not None and not reference.is_long_enough:
        reference = None
    return LipSyncFigures(
        found.at(0.0),
        max(found.at(-SHIFT_S), found.at(SHIFT_S)),
        None if reference is None else reference.at(0.0),
        _offset_ms(found),
        None if reference is None else _offset_ms(reference),
    )


def _offset_ms(offset: Offset) -> float | None:
    return 1000.0 * offset.offset_s if offset.is_sure else None
