"""What is left out of the training teaches nothing: its pictures may show anything."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from talker.core.types import FACE, TORSO, FrameUse, Silent, Take
from talker.radfield.fit import conditions_for
from talker.radfield.fit_take import fit_scene
from talker.radfield.lip_pretraining import lip_targets
from talker.radfield.sampling import LipTargets, TakeTargets, row_of_the_nose
from tests.radfield.conftest import FRAMES, SIZE, TINY_FIT

GONE, HIDDEN = [3, 4, 5], [10, 11]


@pytest.fixture(scope="module")
def use() -> FrameUse:
    usable, lips = np.ones(FRAMES, bool), np.ones(FRAMES, bool)
    usable[GONE], lips[GONE + HIDDEN] = False, False
    return FrameUse(usable, lips, np.zeros(FRAMES, int))


def spoilt(take: Take, use: FrameUse, seed: int) -> Take:
    """Other pictures where nobody is, others below the nose where something hides the mouth, and lips anywhere."""
    generator = np.random.default_rng(seed)
    take = replace(take, frame_use=use)
    frames, parts, alpha, landmarks = (
        take.frames.copy(),
        take.parts.copy(),
        take.alpha.copy(),
        take.landmarks_px.clone(),
    )
    for index in GONE:
        frames[index] = generator.integers(0, 256, frames[index].shape)
        parts[index] = np.where(generator.random((SIZE, SIZE)) < 0.5, FACE, TORSO)
        alpha[index] = generator.integers(0, 256, alpha[index].shape)
    for index in HIDDEN:
        frames[index, row_of_the_nose(take, index) :] = generator.integers(0, 256, 3)
    landmarks[GONE + HIDDEN] = torch.from_numpy(generator.uniform(0, SIZE, (len(GONE + HIDDEN), 68, 2))).float()
    return replace(take, frames=frames, parts=parts, alpha=alpha, landmarks_px=landmarks)


def test_what_is_left_out_changes_nothing(ball_take, use, native, tmp_path):
    options = replace(TINY_FIT, steps=24, lip_steps=12, lesson_steps=8)
    fitted = [
        fit_scene(spoilt(ball_take, use, seed), options, native, Silent(), tmp_path / str(seed)).tensors()
        for seed in (1, 2)
    ]
    assert all(torch.equal(fitted[0][name], fitted[1][name]) for name in fitted[0])


def test_batches_come_from_what_may_teach(ball_take, use):
    take = replace(ball_take, frame_use=use)
    targets, generator = TakeTargets(take, 8, 64), torch.Generator().manual_seed(0)
    lips = LipTargets(targets, 4)
    drawn, patched = set(), set()
    for step in range(40):
        batch = targets.next_batch(step, generator)
        drawn |= set(batch.frames)
        for frame, pixels in zip(batch.frames, batch.pixels, strict=True):
            assert frame not in HIDDEN or pixels[:, 1].max() < row_of_the_nose(take, frame)
        patched |= set(lips.next_batch(2 * step, generator).frames)
    assert drawn == set(take.training) and set(HIDDEN) <= drawn
    assert patched and patched <= set(take.lip_training)


def test_lips_that_are_hidden_are_not_in_the_lesson(ball_take, use):
    first, second = (lip_targets(spoilt(ball_take, use, seed)) for seed in (1, 2))
    taught = spoilt(ball_take, use, 1).lip_training
    assert torch.equal(first[taught], second[taught]) and not torch.equal(first[HIDDEN], second[HIDDEN])


def test_frames_that_were_left_out_have_no_frame_code(ball_take, use, native, tmp_path):
    take = replace(ball_take, frame_use=use)
    scene = fit_scene(take, replace(TINY_FIT, steps=1, lip_steps=0, lesson_steps=0), native, Silent(), tmp_path)
    with torch.no_grad():
        scene.appearances.fill_(1.0)
    codes = conditions_for(scene, take, [2, *GONE, HIDDEN[0]]).appearance
    assert codes[[0, -1]].min() == 1.0 and codes[1:-1].abs().max() == 0.0
