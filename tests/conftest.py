"""What several rooms' tests share: a toy take, and a quiet place to run in."""

from __future__ import annotations

import math
import sys
import threading

import numpy as np
import pytest
import torch

from talker.core.types import FACE, HAIR, LIPS, TORSO, Take

# Two threads for each of several test processes would only wait for each other on a small machine.
torch.set_num_threads(min(2, torch.get_num_threads()))


@pytest.fixture(autouse=True)
def _no_hub(monkeypatch):
    """No test waits for a network."""
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")


@pytest.fixture(autouse=True)
def _no_lpips(monkeypatch):
    """Every test sees the machine without the `full` extra, whatever is installed; tests of LPIPS bring their own."""
    monkeypatch.setitem(sys.modules, "lpips", None)


@pytest.fixture
def no_thread_stays():
    """Whatever a test does, no thread of its making outlives it."""
    before = set(threading.enumerate())
    yield
    assert set(threading.enumerate()) <= before


@pytest.fixture
def toy_take() -> Take:
    """12 frames of 16x16: a square face that turns from -20 to 20 degrees and blinks once."""
    count, side = 12, 16
    generator = np.random.default_rng(0)
    frames = generator.integers(0, 256, (count, side, side, 3), np.uint8)
    parts = np.zeros((count, side, side), np.uint8)
    parts[:, 3:11, 4:12] = FACE
    parts[:, 3:5, 4:12] = HAIR
    parts[:, 9, 6:10] = LIPS
    parts[:, 11:, 2:14] = TORSO
    w2c = torch.eye(4).repeat(count, 1, 1)
    for index, yaw in enumerate(torch.linspace(-math.pi / 9, math.pi / 9, count).tolist()):
        w2c[index, :3, :3] = torch.tensor(
            [[math.cos(yaw), 0, -math.sin(yaw)], [0, 1, 0], [math.sin(yaw), 0, math.cos(yaw)]]
        )
        w2c[index, 2, 3] = 6.0
    eye = torch.zeros(count, 3)
    eye[:, 0] = 1.0
    eye[5, 0] = 0.0
    return Take(
        frames=frames,
        alpha=((parts > 0) * 255).astype(np.uint8),
        parts=parts,
        background=np.full((side, side, 3), 128, np.uint8),
        c2w=torch.linalg.inv(w2c),
        focal_px=40.0,
        centre_px=(side / 2, side / 2),
        landmarks_px=torch.full((count, 68, 2), side / 2),
        landmarks_head=torch.zeros(68, 3),
        eye=eye,
        audio_features=torch.randn(2 * count, 6, generator=torch.Generator().manual_seed(0)),
        audio_encoder="mel",
    )
