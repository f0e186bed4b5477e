"""Measures on signals whose answer is known."""

from __future__ import annotations

import math

import numpy as np
import pytest

from talker.core import metrics


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


def edited_frame(rng, share: float):
    """A frame of which an edit was to darken the person, and did so in part; the background it did change."""
    unedited = rng.integers(60, 200, (64, 64, 3), np.uint8)
    person = np.zeros((64, 64), bool)
    person[16:, 16:48] = True
    asked = np.where(person[..., None], unedited * 0.5, unedited * 1.2).astype(np.uint8)
    shown = np.where(person[..., None], unedited + share * (asked.astype(float) - unedited), asked).astype(np.uint8)
    return unedited, asked, shown, person


@pytest.mark.parametrize("share", [0.0, 0.3, 1.0, -0.5])
def test_how_far_an_edit_went_is_how_far_the_person_went(rng, share):
    levels, way = metrics.change_taken([edited_frame(rng, share), edited_frame(rng, share)])
    assert 25 < levels < 60 and way == pytest.approx(share, abs=0.03)


def test_an_edit_that_asks_for_nothing_went_nowhere(rng):
    unedited, _, shown, person = edited_frame(rng, 0.5)
    assert metrics.change_taken([(unedited, unedited, shown, person)]) == (0.0, 0.0)


def test_what_an_edit_leaves_alone_does_not_count(rng):
    """Lips are few pixels: a little unrest elsewhere says nothing of whether they took."""
    unedited, asked, _, person = edited_frame(rng, 1.0)
    lips = np.zeros((64, 64), bool)
    lips[40:46, 26:38] = True
    asked = np.where(lips[..., None], asked, unedited)
    restless = np.where(lips[..., None], asked, np.roll(unedited, 1, axis=1))
    levels, way = metrics.change_taken([(unedited, asked, restless, person)])
    assert levels < 15 and way > 0.5


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


def test_overlap_of_known_masks():
    left, right = np.zeros((4, 6), bool), np.zeros((4, 6), bool)
    left[:, :4], right[:, 2:] = True, True
    assert metrics.iou(left, right) == pytest.approx(8 / 24)
    assert metrics.iou(left & ~left, right & ~right) == 1.0


def test_unsteadiness_forgives_motion_and_counts_shaking():
    time = np.arange(40.0)
    moving = np.stack([3.0 * time, -time], axis=1)[:, None].repeat(5, axis=1)
    assert metrics.unsteadiness(moving) == pytest.approx(0.0, abs=1e-9)
    moving[..., 0] += 0.5 * (-1.0) ** time[:, None]  # second difference of +-0.5: +-2
    assert metrics.unsteadiness(moving) == pytest.approx(2.0)


def test_a_blurred_picture_is_less_sharp_and_the_same_one_as_sharp(rng):
    image = rng.random((40, 40, 3))
    mask = np.zeros((40, 40), bool)
    mask[8:32, 8:32] = True
    assert metrics.sharpness_ratio(image, image, mask) == pytest.approx(1.0)
    assert metrics.sharpness_ratio(metrics.blur(image, 2.0), image, mask) < 0.2


def test_the_seam_lies_between_its_parts():
    head, torso = np.zeros((20, 8), bool), np.zeros((20, 8), bool)
    head[:8], torso[10:] = True, True  # a gap of two rows
    rows = np.flatnonzero(metrics.border_band(head, torso, 4.0).all(axis=1))
    assert rows.tolist() == [6, 7, 8, 9, 10, 11]
    assert not metrics.border_band(head, torso & ~torso, 4.0).any()
