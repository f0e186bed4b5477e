"""Mouth figures on tracks whose answer is known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from talker.core.metrics import pearson
from talker.evaluation.mouth import LoudnessGuess, measure_mouth, mouth_sizes
from tests.evaluation.faces import a_face, smooth, talking

N = 120
NO_GUESS = LoudnessGuess(np.zeros(N), np.zeros(N))


def test_the_reference_itself_is_perfect_and_its_shift_is_not():
    faces = talking(smooth(N, 0))
    figures = measure_mouth(faces, faces, NO_GUESS, same_speech=True, nearest=faces + (3.0, 4.0))
    assert figures.faces_found == 1.0 and figures.lmd_px == 0.0 and figures.lmd_nearest_px == pytest.approx(5.0)
    assert figures.mouth_corr_self == pytest.approx(1.0) and figures.mouth_amplitude == pytest.approx(1.0)
    assert figures.mouth_lag_ms == 0.0 and figures.mouth_corr_shifted < 0.5
    assert figures.mouth_corr_loudness == 0.0 and figures.lmd_shifted_px > 0.1


def test_a_head_that_stands_elsewhere_counts_until_mouths_are_centred():
    faces = talking(smooth(N, 0))
    moved = measure_mouth(faces + (3.0, 4.0), faces, NO_GUESS, same_speech=True, nearest=faces - (6.0, 8.0))
    assert moved.lmd_px == pytest.approx(5.0) and moved.lmd_nearest_px == pytest.approx(10.0)
    assert moved.lmd_centred_px == pytest.approx(0.0, abs=1e-9)
    assert moved.lmd_centred_nearest_px == pytest.approx(0.0, abs=1e-9)
    wider = faces.copy()
    wider[:, 54] += (20.0, 0.0)  # a mouth's corner: its mean point moves by a twentieth of that
    centred = measure_mouth(wider, faces, NO_GUESS, same_speech=True)
    assert centred.lmd_px == pytest.approx(1.0) and centred.lmd_centred_px == pytest.approx((19.0 + 19 * 1.0) / 20)
    assert centred.lmd_centred_shifted_px > 0.1


def test_small_late_lips_are_found_small_and_late():
    opening = smooth(N + 3, 1)
    figures = measure_mouth(talking(0.5 * opening[:N]), talking(opening[3:]), NO_GUESS, same_speech=True)
    assert figures.mouth_lag_ms == 120.0
    assert figures.mouth_amplitude == pytest.approx(0.5, abs=0.02)


def test_frames_without_a_face_do_not_count():
    opening = smooth(N, 2)
    found, reference = talking(opening), talking(opening)
    found[10:20], reference[70:75] = np.nan, np.nan
    found[40] += 8.0
    figures = measure_mouth(found, reference, NO_GUESS, same_speech=True)
    assert figures.faces_found == pytest.approx(1 - 15 / N)
    assert figures.lmd_px == pytest.approx(8 * 2**0.5 / (N - 15))
    assert figures.mouth_corr_self == pytest.approx(1.0)


def test_without_faces_nothing_is_claimed():
    nothing = np.full((N, 68, 2), np.nan)
    figures = measure_mouth(nothing, talking(smooth(N, 0)), NO_GUESS, same_speech=True)
    assert figures.faces_found == 0.0 and figures.mouth_corr_self is None and figures.lmd_px is None


def test_a_head_that_turns_and_comes_nearer_does_not_speak():
    face = talking(np.array([9.0]))[0]
    nearer, turned = 1.3 * face, face * (0.8, 1.0)
    sizes = np.array(mouth_sizes(np.stack([face, nearer, turned])))
    assert sizes == pytest.approx(np.repeat(sizes[:, :1], 3, axis=1))
    assert sizes[0, 0] == pytest.approx(9.0 / np.linalg.norm(a_face()[27] - a_face()[33]))


def test_other_words_are_held_against_loudness(toy_take):
    rate = 640

    def spoken(opening, seed):
        return np.repeat(opening, rate) * 0.02 * np.random.default_rng(seed).standard_normal(len(opening) * rate)

    heard, new = smooth(400, 3).clip(0), smooth(N, 4).clip(0)
    again = np.arange(400) % len(toy_take)
    take = replace(toy_take, frames=toy_take.frames[again], landmarks_px=torch.from_numpy(talking(heard)))
    guess = LoudnessGuess.of(take, spoken(heard, 0), spoken(new, 1), N)
    assert pearson(guess.opening, new) > 0.8
    figures = measure_mouth(talking(new), talking(smooth(N, 5)), guess, same_speech=False)
    assert figures.mouth_follows_loudness > 0.8 > 0.5 > figures.mouth_follows_loudness_shifted
    assert figures.mouth_corr_self is None and "mouth_opening_reference" not in figures.tracks
