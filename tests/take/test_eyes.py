"""Lids and gaze."""

from __future__ import annotations

import numpy as np
import pytest

from talker.take.eyes import GAZE_RANGE, gaze, lid_ratio, openness
from tests.take.toy import nodding

IBUG = tuple(range(68))


def test_lid_ratio_does_not_care_about_size_or_place():
    landmarks = np.random.default_rng(0).normal(size=(4, 68, 2))
    assert lid_ratio(3.0 * landmarks + 7.0) == pytest.approx(lid_ratio(landmarks))


def test_openness_follows_blinks_between_shut_and_open():
    ratio = np.full(100, 0.3) + np.random.default_rng(0).normal(0, 0.003, 100)
    ratio[[20, 21, 60, 61]] = 0.05
    share = openness(ratio)
    assert share.min() == 0.0 and share.max() <= 1.0
    assert share[[20, 60]].max() < 0.05 and share[:15].min() > 0.9


def test_a_speaker_who_never_blinks_has_open_eyes():
    ratio = np.full(100, 0.3) + np.random.default_rng(0).normal(0, 0.005, 100)
    assert openness(ratio).min() > 0.85


def test_gaze_is_the_irises_travel_whatever_the_head_does():
    motion = nodding(60)
    look = 0.5 * np.stack([np.sin(np.arange(60) / 15.0), np.cos(np.arange(60) / 15.0)], axis=1)
    irises = []
    for corner, other in ((36, 39), (42, 45)):
        middle = (motion.shape[corner] + motion.shape[other]) / 2.0
        width = np.linalg.norm(motion.shape[corner] - motion.shape[other])
        place = middle + np.concatenate([GAZE_RANGE * width * look, np.zeros((60, 1))], axis=1)
        camera = np.einsum("bij,bj->bi", motion.rotation, place) + motion.translation
        irises.append(camera[:, :2] / camera[:, 2:] * motion.focal_px + np.array(motion.centre_px))
    lids = np.ones(60)
    lids[30:33] = 0.0
    found = gaze(motion, np.stack(irises, axis=1), lids, IBUG)
    expected = look - np.median(look, axis=0)
    assert np.abs(found - expected).max() < 0.08
    assert found[31] == pytest.approx((found[29] + found[33]) / 2.0, abs=0.05)  # held through the blink
