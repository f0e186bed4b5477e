"""Measures on signals whose answer is known."""

from __future__ import annotations

import math

import numpy as np
import pytest

from talker import metrics


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(0)


def smooth_track(rng: np.random.Generator, length: int = 400) -> np.ndarray:
    return np.convolve(rng.standard_normal(length + 4), np.ones(5) / 5, mode="valid")


def test_psnr_of_a_known_error_inside_the_mask():
    wanted = np.zeros((4, 4, 3))
    found = np.full((4, 4, 3), 0.1)
    found[:2] = 0.9
    mask = np.zeros((4, 4), bool)
    mask[2:] = True
    assert metrics.psnr_db(found, wanted, mask) == pytest.approx(20.0)
    assert metrics.psnr_db(wanted, wanted) == metrics.PSNR_CEILING_DB
    assert math.isnan(metrics.psnr_db(found, wanted, np.zeros((4, 4), bool)))


def test_psnr_reads_bytes_as_fractions(rng):
    image = rng.integers(0, 255, (8, 8, 3), np.uint8)
    assert metrics.psnr_db(image, image + 1) == pytest.approx(20 * math.log10(255))


def test_blur_keeps_the_mean_and_halves_nothing_flat(rng):
    image = rng.random((40, 40, 3))
    assert metrics.blur(np.full((9, 9, 3), 0.3), 2.0) == pytest.approx(0.3)
    assert metrics.blur(image, 2.0)[10:30, 10:30].std() < 0.3 * image.std()


def test_pearson_agrees_with_numpy_and_is_zero_for_a_still_track(rng):
    x, y = rng.random(50), rng.random(50)
    assert metrics.pearson(x, y) == pytest.approx(np.corrcoef(x, y)[0, 1])
    assert metrics.pearson(x, np.ones(50)) == 0.0


def test_amplitude_ratio(rng):
    track = rng.random(60)
    assert metrics.amplitude_ratio(0.6 * track + 3, track) == pytest.approx(0.6)


@pytest.mark.parametrize("late_frames", [-3, 0, 2])
def test_peak_lag_finds_a_known_delay(rng, late_frames):
    track = smooth_track(rng)
    late = np.roll(track, late_frames) + 0.05 * rng.standard_normal(len(track))
    assert metrics.peak_lag_ms(late, track) == pytest.approx(40 * late_frames)


def test_shifted_pearson_undoes_the_shift_and_needs_samples(rng):
    track = smooth_track(rng)
    assert metrics.shifted_pearson(track[2:], track[:-2], -2) == pytest.approx(1.0)
    assert metrics.shifted_pearson(track[:5], track[:5], 4) == 0.0


def test_lip_shift_is_a_fraction_of_the_face_width():
    wanted = np.zeros((68, 2))
    wanted[16, 0] = 200.0
    found = wanted.copy()
    found[48:68, 1] += 3.0
    assert metrics.face_width(wanted) == pytest.approx(200)
    assert metrics.lip_shift_fraction(found, wanted) == pytest.approx(0.015)


def test_mouth_sizes():
    landmarks = np.zeros((2, 68, 3))
    landmarks[1, (65, 66, 67), 1] = (2.0, 5.0, 2.0)
    landmarks[1, 54, 2] = 7.0
    assert metrics.lip_opening(landmarks) == pytest.approx([0.0, 3.0])
    assert metrics.mouth_width(landmarks) == pytest.approx([0.0, 7.0])
