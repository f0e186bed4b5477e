"""What masks and landmarks leave of space."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch

from talker.core.types import FACE, HAIR
from talker.radfield.hull import JAW_MARGIN, before_jaw_ends, behind_face, carve_hull


def test_the_hull_holds_the_ball_and_little_else(ball_take):
    inside = torch.nn.functional.normalize(torch.randn(200, 3, generator=torch.Generator().manual_seed(0)), dim=-1)
    assert carve_hull(ball_take, inside * 0.6).all()
    corners = torch.tensor([[x, y, 0.0] for x in (-0.95, 0.95) for y in (-0.95, 0.95)])
    assert not carve_hull(ball_take, corners).any()


def test_nothing_stands_in_front_of_the_face():
    landmarks = torch.tensor([[-0.5, 0.0, -0.4], [0.5, 0.0, -0.4], [0.0, 0.2, -0.8], [0.0, 0.9, -0.5]])
    at_nose, beside = torch.tensor([0.0, 0.2, 0.0]), torch.tensor([0.0, -0.8, 0.0])

    def behind(place: torch.Tensor, z: float) -> bool:
        return bool(behind_face(landmarks, (place + torch.tensor([0.0, 0.0, z]))[None])[0])

    assert behind(at_nose, -0.88) and not behind(at_nose, -0.92)
    assert behind(beside, -0.38) and not behind(beside, -0.42)  # a unit from the nose, by whose cone: -0.8 + 0.5 - 0.1
    assert behind(torch.tensor([0.3, 0.2, 0.0]), -0.7)  # a cheek stands out between nose and ear


def test_what_lies_behind_the_jaw_is_neck():
    landmarks = torch.zeros(68, 3)
    across = torch.linspace(-1.0, 1.0, 9)  # from one angle of the jaw, 0.5 down, over the chin, 0.8 down, to the other
    landmarks[4:13] = torch.stack([0.4 * across, 0.8 - 0.3 * across.abs(), -0.6 + 0.4 * across.abs()], dim=-1)

    def before(y: float, z: float) -> bool:
        return bool(before_jaw_ends(landmarks, torch.tensor([[0.1, y, z]]))[0])

    assert before(0.49, 0.9)  # an ear, or what hides it
    assert before(0.5, -0.2 + JAW_MARGIN - 0.01) and not before(0.5, -0.2 + JAW_MARGIN + 0.01)
    assert before(0.65, -0.4 + JAW_MARGIN - 0.01) and not before(0.65, -0.4 + JAW_MARGIN + 0.01)
    assert before(0.9, -0.6 + JAW_MARGIN - 0.01) and not before(0.9, -0.6 + JAW_MARGIN + 0.01)


def test_hair_may_hang_behind_the_jaw(ball_take):
    """The ball again, its jaw across its middle: what was behind it goes, unless the pictures call it hair."""
    shape = ball_take.landmarks_head.clone()
    shape[4:13] = torch.tensor([0.0, 0.0, -0.6])
    low_and_behind = torch.tensor([[0.45, 0.3, 0.2]])
    jawed = replace(ball_take, landmarks_head=shape)
    assert carve_hull(ball_take, low_and_behind).all() and not carve_hull(jawed, low_and_behind).any()
    parts = np.where(ball_take.parts == FACE, HAIR, ball_take.parts)
    assert carve_hull(replace(jawed, parts=parts.astype(np.uint8)), low_and_behind).all()
