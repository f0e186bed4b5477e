"""How late the sound is against the lips.

Notation: B pictures at 25 Hz, L lags, C bands. A ridge regression guesses how far the lips are open from the sound of
one moment, at every lag anew; where it guesses pictures that it did not learn from best, sound and lips belong
together. Loudness alone finds the lag, too, but 10 to 30 ms beside it, and more often not at all.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from scipy.ndimage import gaussian_filter1d

from talker.metrics import face_width, lip_opening, pearson
from talker.take.level import level_of
from talker.take.mel import MEL_BINS, MelStream
from talker.types import FEATURE_RATE_HZ, FPS

REACH_S = 0.8  # offsets beyond this are not found
LAG_STEP_S = 0.04
MEL_RATE_HZ = 2 * FEATURE_RATE_HZ
BANDS = 16  # C
SMOOTH_S, DRIFT_S = 0.02, 0.5  # what is faster is noise, what is slower no speech
FOLDS = 5
FEWEST = 2 * FOLDS * BANDS  # pictures that a lag can be judged by: 6.4 s
RIDGE = 0.3
# Of 300 pairs of 15 s of lips and of sound that do not belong together, none was taken for sure: the highest
# correlation was 0.41, the widest margin 0.27, of different pairs. Where they belong together: 0.43-0.71, 0.18-0.53.
SURE_R, SURE_MARGIN, SURE_SPREAD_S = 0.40, 0.15, 0.08
# Plain whatever the halves say: one may hold little speech, or be too short. Of 306 pairs of demo speakers that do
# not belong together, none was taken for sure over 9 s; over 6.4 s, 3 of 66.
PLAIN_R, PLAIN_MARGIN, PLAIN_S = 0.45, 0.25, 9.0
ELSEWHERE_S = 0.24


@dataclass(frozen=True)
class Offset:
    """What was found on one stretch."""

    offset_s: float  # the sound comes so much later than the lips; negative: earlier
    spread_s: float  # how far apart the two halves of the stretch put it; infinite where a half is too short to say
    lags_s: np.ndarray  # [L]
    correlations: np.ndarray  # [L] of guessed and seen lips
    seen_s: float  # of the stretch, in which there was a face

    @property
    def correlation(self) -> float:
        return float(self.correlations.max())

    @property
    def margin(self) -> float:
        """How far the peak stands above everything elsewhere."""
        elsewhere = np.abs(self.lags_s - self.offset_s) > ELSEWHERE_S
        return self.correlation - float(self.correlations[elsewhere].max())

    @property
    def is_long_enough(self) -> bool:
        return self.seen_s >= PLAIN_S

    @property
    def is_sure(self) -> bool:
        plain = self.correlation >= PLAIN_R and self.margin >= PLAIN_MARGIN
        agreed = self.correlation >= SURE_R and self.margin >= SURE_MARGIN and self.spread_s <= SURE_SPREAD_S
        return (plain or agreed) and self.is_long_enough and abs(self.offset_s) < REACH_S - LAG_STEP_S


def estimate_offset(
    landmarks: np.ndarray,  # [B, 68, 2] of a stretch; NaN where there is no face
    wav: np.ndarray,  # [n] 16 kHz: the same stretch, with `REACH_S` more on either side
) -> Offset:
    opening = lip_opening(landmarks) / face_width(landmarks)
    seen = np.isfinite(opening)
    opening = np.where(seen, opening, np.nanmedian(opening) if seen.any() else 0.0)
    opening = opening - gaussian_filter1d(opening, DRIFT_S * FPS)
    bands = speech_bands(wav)
    half = len(opening) // 2
    lags_s = np.arange(-REACH_S, REACH_S + LAG_STEP_S / 2, LAG_STEP_S)
    curves = [
        np.array([guessed(opening, seen, bands, lag_s, part) for lag_s in lags_s])
        for part in (slice(None), slice(0, half), slice(half, None))
    ]
    whole, first, second = (peak(lags_s, curve) for curve in curves)
    told = min(seen[:half].sum(), seen[half:].sum()) >= FEWEST
    return Offset(whole, abs(first - second) if told else np.inf, lags_s, curves[0], seen.sum() / FPS)


def speech_bands(
    wav: np.ndarray,  # [n]
) -> np.ndarray:  # [T, C] log energies at `MEL_RATE_HZ`, without their drift
    stream = MelStream(level_of([wav]))
    mel = torch.cat([stream.push(wav), stream.finish()]).numpy().reshape(-1, MEL_BINS)
    bands = mel.reshape(len(mel), BANDS, -1).mean(axis=2)
    bands = gaussian_filter1d(bands, SMOOTH_S * MEL_RATE_HZ, axis=0)
    return bands - gaussian_filter1d(bands, DRIFT_S * MEL_RATE_HZ, axis=0)


def guessed(
    opening: np.ndarray,  # [B]
    seen: np.ndarray,  # [B] bool
    bands: np.ndarray,  # [T, C]; they begin `REACH_S` before the first picture
    lag_s: float,
    part: slice,  # of the pictures
) -> float:
    """Correlation of the lips with what the sound so much later says of them, each fold guessed from the others."""
    places = np.arange(len(opening))[part][seen[part]]
    if len(places) < FEWEST:
        return 0.0
    heard = np.round(((places + 0.5) / FPS + REACH_S + lag_s) * MEL_RATE_HZ - 0.5).astype(int)
    sound = bands[np.clip(heard, 0, len(bands) - 1)]
    sound = (sound - sound.mean(axis=0)) / (sound.std(axis=0) + 1e-6)
    wanted = opening[places] - opening[places].mean()
    fold = np.arange(len(places)) * FOLDS // len(places)
    guess = np.zeros_like(wanted)
    for number in range(FOLDS):
        learn = fold != number
        normal = sound[learn].T @ sound[learn] + RIDGE * learn.sum() * np.eye(BANDS)
        guess[~learn] = sound[~learn] @ np.linalg.solve(normal, sound[learn].T @ wanted[learn])
    return pearson(guess, wanted)


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
