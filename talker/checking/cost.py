"""How long a fit of this clip will take on this machine, from seconds measured here.

A take is landmarks, poses and mattes, which grow with the time that a detector and a matte's filter need here. A field
is its steps, and a few are made on a stand-in for the clip: a head and shoulders of the size asked for. Hearing the
speech is not counted: little for `viseme` and `mel`, much for a transformer without a GPU.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
import torch

from talker.core.types import FACE, HAIR, TORSO, Take
from talker.radfield.fit import Fitter
from talker.radfield.fit_take import FieldFitOptions, new_scene
from talker.radfield.kernels import Kernels
from talker.radfield.sampling import TakeTargets
from talker.radfield.targets import PixelObjective
from talker.take.masks import refine_matte

# What a picture of a take costs in units of what is measured, fitted to three real clips at 128, 256 and 512 px: within
# 10 % of each.
LOOKS_PER_PICTURE = 4.7  # of landmarks and matte together: with poses by flow, reading and writing
FILTERS_PER_PICTURE = 4.4  # of the matte's filter: masks, parts, plate
LIP_STEP = 1.15  # of a step on pixels
STAND_IN_FRAMES = 12
WARM_STEPS, TIMED_STEPS = 1, 5


def take_seconds(
    pictures: int,
    look_s: float,  # landmarks and matte of one picture, as measured
    size_px: int,
) -> float:
    picture = np.random.default_rng(0).integers(0, 256, (size_px, size_px, 3), np.uint8)
    matte = picture[..., 0].astype(np.float32) / 255.0
    filter_s = min(seconds_of(lambda: refine_matte(picture, matte)) for _ in range(3))
    return pictures * (LOOKS_PER_PICTURE * look_s + FILTERS_PER_PICTURE * filter_s)


def field_seconds(
    pictures: int,
    size_px: int,
    channels: int,  # of the audio features
    options: FieldFitOptions,
    kernels: Kernels,
) -> float:
    """Setting up, and all steps at the pace of a few on a stand-in."""
    take = stand_in(size_px, channels)
    pixel = PixelObjective()
    fitter = Fitter(new_scene(take, options, kernels), take, options.steps, [pixel])
    started = time.perf_counter()
    targets = TakeTargets(take, options.frames_per_step, options.pixels_per_frame)
    setting_up_s = (time.perf_counter() - started) / len(take.training)
    fitter.run(targets, WARM_STEPS)
    steps = range(WARM_STEPS, WARM_STEPS + TIMED_STEPS)
    pace_s = float(np.median([seconds_of(lambda step=step: fitter.run(targets, step + 1)) for step in steps]))
    return pictures * setting_up_s + pace_s * (options.steps + LIP_STEP * options.lip_steps)


def seconds_of(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def stand_in(size_px: int, channels: int) -> Take:
    """A take that costs what a real one costs: its head covers as much of the picture as heads do."""
    count, side = STAND_IN_FRAMES, size_px
    y, x = np.mgrid[:side, :side] / side - 0.5
    parts = np.zeros((count, side, side), np.uint8)
    parts[:, (y > 0.2) & (np.abs(x) < 0.15 + 1.2 * (y - 0.2))] = TORSO
    parts[:, (x / 0.22) ** 2 + ((y + 0.07) / 0.28) ** 2 < 1.0] = HAIR
    parts[:, (x / 0.17) ** 2 + ((y + 0.03) / 0.22) ** 2 < 1.0] = FACE
    frames = np.random.default_rng(0).integers(0, 256, (count, side, side, 3), np.uint8)
    w2c = torch.eye(4).repeat(count, 1, 1)
    turn = torch.linspace(-0.3, 0.3, count)
    w2c[:, 0, 0] = w2c[:, 2, 2] = turn.cos()
    w2c[:, 0, 2], w2c[:, 2, 0] = -turn.sin(), turn.sin()
    w2c[:, 1, 3], w2c[:, 2, 3] = -0.2, 6.0
    eye = torch.zeros(count, 3)
    eye[:, 0] = 1.0
    return Take(
        frames=frames,
        alpha=(255 * (parts > 0)).astype(np.uint8),
        parts=parts,
        background=np.full((side, side, 3), 128, np.uint8),
        c2w=torch.linalg.inv(w2c),
        focal_px=1.9 * side,
        centre_px=(side / 2, side / 2),
        landmarks_px=torch.full((count, 68, 2), side / 2),
        landmarks_head=torch.tensor([0.0, 0.3, -0.6]).repeat(68, 1),
        eye=eye,
        audio_features=torch.zeros(2 * count, channels),
        audio_encoder="mel",
    )
