"""Lips against the reference's, both found by one detector; and what loudness alone would tell of them.

Notation: N frames at 25 Hz. A mouth's opening is told in lengths of the nose and its width in spans of the eyes: a head
that nods or turns shortens both alike, and neither counts as speech.

A correlation means something only beside its controls: the same track shifted by 0.2 s, and the opening that a
regression on loudness guesses, which knows nothing of phones.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from talker.core.metrics import amplitude_ratio, lip_opening, mouth_width, peak_lag_ms, pearson, shifted_pearson
from talker.core.types import FPS, LIP_LANDMARKS, Take
from talker.evaluation.faces import has_face
from talker.evaluation.loudness import LoudnessModel

SHIFT_FRAMES = round(0.2 * FPS)
FEWEST_FRAMES = 10  # with a face in both: below, a correlation says nothing


@dataclass(frozen=True)
class MouthFigures:
    """None where too few frames have a face, or where the reference says other words."""

    faces_found: float  # share of the frames in which the detector finds a face, in render and reference
    lmd_px: float | None = None  # mean distance of the lip landmarks, a misplaced head's included
    lmd_nearest_px: float | None = None  # of the training frames that are nearest in pose
    lmd_shifted_px: float | None = None  # of the reference 0.2 s before
    lmd_centred_px: float | None = None  # the three again, each mouth about its own mean point
    lmd_centred_nearest_px: float | None = None
    lmd_centred_shifted_px: float | None = None
    mouth_corr_self: float | None = None  # opening, render against reference
    mouth_corr_shifted: float | None = None  # the larger r with the track shifted by 0.2 s either way
    mouth_corr_loudness: float | None = None  # r of the loudness regression with the reference
    mouth_amplitude: float | None = None  # spread of the opening over the reference's
    mouth_lag_ms: float | None = None  # where r peaks; positive when the render is late
    mouth_width_corr: float | None = None
    mouth_width_corr_shifted: float | None = None
    mouth_width_corr_loudness: float | None = None
    mouth_follows_loudness: float | None = None  # r of the render's opening with the loudness regression
    mouth_follows_loudness_shifted: float | None = None
    tracks: Mapping[str, np.ndarray] = field(default_factory=dict, repr=False)  # per frame, nan without a face


@dataclass(frozen=True)
class LoudnessGuess:
    """What loudness alone says of the mouth in N frames."""

    opening: np.ndarray  # [N]
    width: np.ndarray  # [N]

    @classmethod
    def of(
        cls,
        take: Take,
        take_wav: np.ndarray,  # [T] the take's sound, 16 kHz: the regression learns from its training part
        wav: np.ndarray,  # [T'] what is said in the frames to be guessed, 16 kHz
        frames: int,  # N
    ) -> LoudnessGuess:
        landmarks = np.full((take.lip_training[-1] + 1, 68, 2), np.nan)
        landmarks[take.lip_training] = take.landmarks_px[take.lip_training]
        return cls(*(LoudnessModel.fit(take_wav, size).predict(wav, frames) for size in mouth_sizes(landmarks)))


def measure_mouth(
    found: np.ndarray,  # [N, 68, 2] landmarks of the renders, pixels; nan where no face is found
    reference: np.ndarray,  # [N, 68, 2]
    guess: LoudnessGuess,
    *,
    same_speech: bool,  # whether the reference says the same words
    nearest: np.ndarray | None = None,  # [N, 68, 2] of the training frames that are nearest in pose
) -> MouthFigures:
    there = has_face(found) & (has_face(reference) | (not same_speech))
    opening, width = mouth_sizes(found)
    true_opening, true_width = mouth_sizes(reference)
    tracks = {"mouth_opening": opening, "mouth_width": width, "mouth_opening_loudness": guess.opening}
    if same_speech:
        tracks |= {"mouth_opening_reference": true_opening, "mouth_width_reference": true_width}
        tracks["lmd_px"] = lip_distance(found, reference)
    share = float(there.mean())
    if there.sum() < FEWEST_FRAMES:
        return MouthFigures(share, tracks=tracks)
    opening, width = filled(opening, there), filled(width, there)
    if not same_speech:
        return MouthFigures(
            share,
            mouth_follows_loudness=pearson(opening[there], guess.opening[there]),
            mouth_follows_loudness_shifted=_best_shifted(opening, guess.opening),
            tracks=tracks,
        )
    true_opening, true_width = filled(true_opening, there), filled(true_width, there)
    centred, wanted = about_the_lips(found), about_the_lips(reference)
    return MouthFigures(
        share,
        lmd_px=float(tracks["lmd_px"][there].mean()),
        lmd_nearest_px=None if nearest is None else _known_mean(lip_distance(nearest, reference)),
        lmd_shifted_px=_known_mean(lip_distance(reference[:-SHIFT_FRAMES], reference[SHIFT_FRAMES:])),
        lmd_centred_px=float(lip_distance(centred, wanted)[there].mean()),
        lmd_centred_nearest_px=None if nearest is None else _known_mean(lip_distance(about_the_lips(nearest), wanted)),
        lmd_centred_shifted_px=_known_mean(lip_distance(wanted[:-SHIFT_FRAMES], wanted[SHIFT_FRAMES:])),
        mouth_corr_self=pearson(opening[there], true_opening[there]),
        mouth_corr_shifted=_best_shifted(opening, true_opening),
        mouth_corr_loudness=pearson(guess.opening[there], true_opening[there]),
        mouth_amplitude=amplitude_ratio(opening[there], true_opening[there]),
        mouth_lag_ms=peak_lag_ms(opening, true_opening),
        mouth_width_corr=pearson(width[there], true_width[there]),
        mouth_width_corr_shifted=_best_shifted(width, true_width),
        mouth_width_corr_loudness=pearson(guess.width[there], true_width[there]),
        tracks=tracks,
    )


def mouth_sizes(
    landmarks: np.ndarray,  # [N, 68, 2]
) -> tuple[np.ndarray, np.ndarray]:
    """Opening [N] in lengths of the nose (27-33), width [N] in spans of the outer eye corners (36-45)."""
    nose = np.linalg.norm(landmarks[:, 27] - landmarks[:, 33], axis=-1)
    eyes = np.linalg.norm(landmarks[:, 36] - landmarks[:, 45], axis=-1)
    return lip_opening(landmarks) / nose, mouth_width(landmarks) / eyes


def lip_distance(
    found: np.ndarray,  # [N, 68, 2]
    wanted: np.ndarray,  # [N, 68, 2]
) -> np.ndarray:  # [N]
    """Mean distance of the 20 lip points, pixels. On landmarks `about_the_lips` it is the landmark distance (LMD) of
    Chen et al. 2018 as RAD-NeRF's evaluation has it; on others it counts where the head stands, too."""
    return np.linalg.norm(found[:, LIP_LANDMARKS] - wanted[:, LIP_LANDMARKS], axis=-1).mean(axis=-1)


def about_the_lips(
    landmarks: np.ndarray,  # [N, 68, 2]
) -> np.ndarray:  # [N, 68, 2]
    """The same with the mean of the lip points at the origin."""
    return landmarks - landmarks[:, LIP_LANDMARKS].mean(axis=1, keepdims=True)


def filled(
    track: np.ndarray,  # [N]
    there: np.ndarray,  # [N] bool, somewhere true
) -> np.ndarray:  # [N]
    """The track with straight lines over the gaps: shifting it in time needs every frame."""
    frames = np.arange(len(track))
    return np.interp(frames, frames[there], track[there])


def _best_shifted(found: np.ndarray, wanted: np.ndarray) -> float:
    return max(shifted_pearson(found, wanted, shift) for shift in (-SHIFT_FRAMES, SHIFT_FRAMES))


def _known_mean(values: np.ndarray) -> float | None:
    known = values[np.isfinite(values)]
    return float(known.mean()) if len(known) else None
