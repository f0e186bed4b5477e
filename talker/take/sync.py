"""How late the sound is against the lips.

Notation: B pictures at 25 Hz, T moments of sound at 50 Hz, L lags. The lips that are seen are held against the lips
that are heard (`talker.take.lips_from_speech`), at every lag: where they agree best, sound and lips belong together.
Nothing is fitted to the speaker, so that what agrees by chance has little to choose from, and four seconds can tell.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import gaussian_filter1d

from talker.core.types import FEATURE_RATE_HZ, FPS
from talker.take.lips_from_speech import LipsFromSpeech, lip_measures

REACH_S = 0.8  # offsets beyond this are not found
LAG_STEP_S = 0.04
DRIFT_S = 0.2  # what is slower is a head that turns
MEASURE_WEIGHTS = (0.5, 1.0, 1.0)  # of opening, width, height: the first and the last tell much of the same
LEAST_S = 4.0  # with a face
# Chance agrees the less the longer it is asked: by the root of the time. Most cameras are off by little, so that a
# second of lag must agree by so much more, and what is told must agree by so much, over one second; and at length by
# `SURE_R`. Of 4 s of sound that belong to somebody else's lips, 1 in 20 agree so well; of 9 s, 1 in 100.
FAR_COST = 0.6
SURE_SHORT, SURE_R = 0.55, 0.25


@dataclass(frozen=True)
class Offset:
    """What was found on one stretch."""

    lags_s: np.ndarray  # [L]
    correlations: np.ndarray  # [L] of lips heard and seen
    seen_s: float  # of the stretch, in which there was a face

    @property
    def support(self) -> np.ndarray:  # [L]
        """The correlations, less what large lags cost."""
        return self.correlations - FAR_COST * np.abs(self.lags_s) / max(self.seen_s, 1.0) ** 0.5

    @property
    def offset_s(self) -> float:
        """The sound comes so much later than the lips; negative: earlier."""
        return peak(self.lags_s, self.support)

    @property
    def is_long_enough(self) -> bool:
        return self.seen_s >= LEAST_S

    @property
    def is_sure(self) -> bool:
        needed = max(SURE_R, SURE_SHORT / max(self.seen_s, 1.0) ** 0.5)
        inside = abs(self.offset_s) < REACH_S - LAG_STEP_S
        return self.is_long_enough and inside and bool(self.support.max() >= needed)

    def at(self, lag_s: float) -> float:
        """The correlation at a lag."""
        return float(np.interp(lag_s, self.lags_s, self.correlations))


def estimate_offset(
    landmarks: np.ndarray,  # [B, 68, 2] of a stretch; NaN where there is no face
    wav: np.ndarray,  # [n] 16 kHz: the sound of the stretch, and around it as far as there is any, up to `REACH_S`
    lead_s: float,  # by how much the sound begins before the first picture
    ear: LipsFromSpeech,
) -> Offset:
    seen, heard = lip_measures(landmarks), without_drift(ear.hear(wav), FEATURE_RATE_HZ)
    there = np.isfinite(seen).all(axis=1)
    seen = without_drift(filled(seen, there), FPS)
    lags_s = np.arange(-REACH_S, REACH_S + LAG_STEP_S / 2, LAG_STEP_S)
    curve = np.array([agreement(seen, there, heard, lead_s + lag_s) for lag_s in lags_s])
    return Offset(lags_s, curve, there.sum() / FPS)


def agreement(
    seen: np.ndarray,  # [B, M]
    there: np.ndarray,  # [B] bool
    heard: np.ndarray,  # [T, M]
    lag_s: float,  # from the first picture's time to the sound's
) -> float:
    """Weighted mean correlation of the measures. Where the sound is too short for all pictures, less is believed."""
    moments = ((np.arange(len(seen)) + 0.5) / FPS + lag_s) * FEATURE_RATE_HZ - 0.5
    told = there & (moments >= 0.0) & (moments <= len(heard) - 1.0)
    if told.sum() < 2:
        return 0.0
    before = moments[told].astype(int)
    share = (moments[told] - before)[:, None]
    sound = (1.0 - share) * heard[before] + share * heard[np.minimum(before + 1, len(heard) - 1)]
    found = np.average(correlations(seen[told], sound), weights=MEASURE_WEIGHTS)
    return float(found * (told.sum() / there.sum()) ** 0.5)


def correlations(
    one: np.ndarray,  # [N, M]
    other: np.ndarray,  # [N, M]
) -> np.ndarray:  # [M] Pearson's, 0 for what does not move
    one, other = one - one.mean(axis=0), other - other.mean(axis=0)
    spread = np.sqrt((one**2).sum(axis=0) * (other**2).sum(axis=0))
    return np.divide((one * other).sum(axis=0), spread, out=np.zeros(len(spread)), where=spread > 1e-12)


def without_drift(
    track: np.ndarray,  # [N, M]
    rate_hz: float,
) -> np.ndarray:  # [N, M]
    return track - gaussian_filter1d(track, DRIFT_S * rate_hz, axis=0, mode="nearest")


def filled(
    track: np.ndarray,  # [N, M]
    there: np.ndarray,  # [N] bool
) -> np.ndarray:  # [N, M]
    """Straight over the gaps, so that they leave no edges."""
    if not there.any():
        return np.zeros_like(track)
    places = np.arange(len(track))
    return np.stack([np.interp(places, places[there], column[there]) for column in track.T], axis=1)


def peak(
    lags_s: np.ndarray,  # [L]
    curve: np.ndarray,  # [L]
) -> float:
    """Where a curve is highest, by the parabola through the highest value and its neighbours."""
    top = int(np.argmax(curve))
    if not 0 < top < len(curve) - 1:
        return float(lags_s[top])
    before, at, after = curve[top - 1 : top + 2]
    bend = before - 2.0 * at + after
    return float(lags_s[top] + (0.5 * (before - after) / bend * LAG_STEP_S if bend < 0 else 0.0))
