"""Pictures against true ones: figures whose value is known, and the nulls beside them."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from talker.core.metrics import PSNR_CEILING_DB, psnr_db
from talker.core.types import HEAD_PARTS, TORSO_PARTS, Silent, Take, mask_of
from talker.evaluation.footage import Footage
from talker.evaluation.held_out import nearest_in_training
from talker.evaluation.images import LUMA, ImageFigures, measure_images, mouth_box, ssim


def noise(shape, seed=0):
    return np.random.default_rng(seed).random(shape)


def loop_ssim(found: np.ndarray, wanted: np.ndarray, y: int, x: int) -> float:
    """Wang et al. 2004, eq. 13-16 at one pixel, as it is written there."""
    weights = [[math.exp(-(dy * dy + dx * dx) / (2 * 1.5**2)) for dx in range(-5, 6)] for dy in range(-5, 6)]
    total = sum(map(sum, weights))
    weights = [[weight / total for weight in row] for row in weights]

    def window(image):
        return [
            (weights[dy + 5][dx + 5], sum(c * v for c, v in zip(LUMA, image[y + dy, x + dx])))
            for dy in range(-5, 6)
            for dx in range(-5, 6)
        ]

    a, b = window(found), window(wanted)
    mean_a, mean_b = sum(w * v for w, v in a), sum(w * v for w, v in b)
    var_a = sum(w * (v - mean_a) ** 2 for w, v in a)
    var_b = sum(w * (v - mean_b) ** 2 for w, v in b)
    cov = sum(w * (v - mean_a) * (u - mean_b) for (w, v), (_, u) in zip(a, b))
    c1, c2 = 0.01**2, 0.03**2
    return (2 * mean_a * mean_b + c1) * (2 * cov + c2) / ((mean_a**2 + mean_b**2 + c1) * (var_a + var_b + c2))


def test_ssim_of_identical_pictures_is_one():
    image = noise((20, 24, 3))
    assert ssim(image, image) == pytest.approx(1.0)
    assert math.isnan(ssim(image, image, np.zeros((20, 24), bool)))


def test_ssim_agrees_with_a_plain_loop():
    wanted = noise((16, 17, 3))
    found = np.clip(0.7 * wanted + 0.3 * noise((16, 17, 3), 1) + 0.05, 0, 1)
    inside = np.zeros((16, 17), bool)
    inside[5:11, 5:12] = True
    oracle = np.mean([loop_ssim(found, wanted, y, x) for y, x in zip(*np.nonzero(inside))])
    assert ssim(found, wanted, inside) == pytest.approx(oracle, abs=1e-9)
    assert 0.3 < oracle < 0.95


@pytest.fixture
def take(toy_take) -> Take:
    """80 frames of 48x48: a head above a torso, with landmarks at the mouth."""
    count, side = 80, 48
    again = np.arange(count) % len(toy_take)
    parts = toy_take.parts[again].repeat(3, axis=1).repeat(3, axis=2)
    landmarks = torch.zeros(count, 68, 2)
    landmarks[:, 48:68] = torch.tensor([[18.0, 26.0], [30.0, 30.0]]).repeat(10, 1)
    return replace(
        toy_take,
        frames=np.random.default_rng(3).integers(40, 200, (count, side, side, 3), np.uint8),
        parts=parts,
        alpha=((parts > 0) * 255).astype(np.uint8),
        c2w=toy_take.c2w[again],
        landmarks_px=landmarks,
        landmarks_head=torch.rand(68, 3, generator=torch.Generator().manual_seed(0)) - 0.5,
        eye=toy_take.eye[again],
    )


def footage_of(take: Take, found: np.ndarray) -> Footage:
    held_out = take.held_out
    reference = take.frames[held_out]
    return Footage(take, tuple(held_out), found, reference, "original", True, np.zeros(1), 0.0)


def measure(take: Take, change) -> ImageFigures:
    reference = take.frames[take.held_out]
    found = np.stack([change(frame.copy(), index) for frame, index in zip(reference, take.held_out)])
    return measure_images(footage_of(take, found), None, Silent())


def test_the_true_frames_themselves_are_perfect(take):
    figures = measure(take, lambda frame, index: frame)
    assert figures.psnr_db == PSNR_CEILING_DB and figures.ssim == pytest.approx(1.0)
    assert figures.mouth_sharpness == pytest.approx(1.0) and figures.mouth_sharpness_blurred < 0.7
    assert figures.seam == PSNR_CEILING_DB and figures.lpips is None


def test_the_nulls_are_what_their_names_say(take):
    nulls = measure(take, lambda frame, index: frame)
    as_nearest = np.stack([take.frames[nearest_in_training(take, index)] for index in take.held_out])
    figures = measure_images(footage_of(take, as_nearest), None, Silent())
    assert figures.psnr_db == pytest.approx(nulls.psnr_nearest_db) and figures.ssim == pytest.approx(nulls.ssim_nearest)
    assert figures.seam == pytest.approx(nulls.seam_nearest)
    mean = take.frames[take.training].mean(axis=0) / 255
    scores = [psnr_db(mean, take.frames[i], mask_of(take.parts[i], HEAD_PARTS)) for i in take.held_out]
    assert nulls.psnr_mean_frame_db == pytest.approx(np.mean(scores))


def test_a_torn_neck_shows_at_the_seam_and_an_even_error_shows_nowhere_more(take):
    even = measure(take, lambda frame, index: frame + 10)
    assert even.seam == even.psnr_db == pytest.approx(20 * math.log10(25.5))

    def torn(frame, index):
        first = np.flatnonzero(mask_of(take.parts[index], TORSO_PARTS).any(axis=1))[0]
        frame[first - 1 : first + 1] += 20
        return frame

    figures = measure(take, torn)
    assert figures.seam == pytest.approx(20 * math.log10(12.75)) and figures.psnr_db > figures.seam + 10


def test_the_mouths_box_is_about_the_lips_and_inside_the_picture():
    landmarks = np.zeros((68, 2))
    landmarks[48:68] = np.tile([[10.0, 20.0], [18.0, 24.0]], (10, 1))
    box = mouth_box(landmarks, (30, 40))
    assert box[19:25, 8:20].all() and box.sum() == 6 * 12
    assert not mouth_box(landmarks - 100, (30, 40)).any()
