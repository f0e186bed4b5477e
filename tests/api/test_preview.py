"""A look at an edit: which frames it shows, which columns, and what it reads."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch

from talker.api.options import MOST_COLUMNS, PreviewOptions
from talker.api.preview import preview_sheet, telling_moments
from talker.core.errors import BadInput
from talker.core.types import EditPlan, Silent
from talker.editors.editor import Editor
from tests.toys import ToyScene


class Steps(Editor):
    """Brighter with the guidance; with the steps, too, unless it has no use for them."""

    name, reads = "steps", frozenset({"rendered"})

    def __init__(self, uses_steps: bool):
        self.uses_steps, self.asked = uses_steps, []

    def describe(self, instruction):
        return instruction

    def edit(self, request):
        assert torch.equal(request.rendered, request.originals)
        assert request.masks.parts.shape == request.rendered.shape[:3]
        self.asked.append((request.text_guidance, request.steps))
        level = 0.02 * request.text_guidance + 0.01 * request.steps * self.uses_steps
        return torch.full_like(request.rendered, level)


@pytest.fixture
def speaking_take(toy_take):
    """Turning from -20 to 20 degrees; the mouth opens widest in frame 6, less in the turned frame 0, closed in 4."""
    landmarks = toy_take.landmarks_px.clone()
    for frame, opening in enumerate([3.0, 1.0, 1.0, 1.5, 0.0, 1.0, 2.0, 1.0, 1.0, 1.0, 1.0, 9.0]):
        landmarks[frame, 61:64, 1] -= opening
    return replace(toy_take, landmarks_px=landmarks)


def test_the_frames_tell_of_front_turn_and_mouth(speaking_take):
    assert telling_moments(speaking_take) == (4, 0, 6)
    # Frames that shut their eyes are not shown, nor is the held-out one (11).
    eye = speaking_take.eye.clone()
    eye[0, 0] = eye[6, 0] = 0.1
    assert telling_moments(replace(speaking_take, eye=eye)) == (4, 1, 3)


def test_how_the_head_is_seen_is_what_counts(speaking_take):
    """A head that is turned and stands aside so that the camera looks it in the face is frontal."""
    c2w = speaking_take.c2w.clone()
    c2w[:, 0, 3], c2w[:, 2, 3] = 0.0, -6.0
    c2w[2, 0, 3] = 6.0 * math.tan(math.radians(30))
    assert telling_moments(replace(speaking_take, c2w=c2w)).turned == 2


@pytest.mark.parametrize(("uses_steps", "columns"), [(True, 6), (False, 3)])
def test_a_column_that_repeats_another_is_left_out(speaking_take, uses_steps, columns, monkeypatch):
    monkeypatch.setattr("talker.api.preview.conditions_for", _condition)
    rows = []
    monkeypatch.setattr("talker.api.preview.contact_sheet", lambda *arguments: rows.append(arguments))
    editor = Steps(uses_steps)
    moments = telling_moments(speaking_take)
    preview_sheet(speaking_take, ToyScene(), None, editor, "x", PreviewOptions(), moments, Silent())
    (pictures, names, sides, _), *_ = rows
    assert [len(row) for row in pictures] == [1 + columns] * 3 and len(names) == 1 + columns
    assert names[:2] == (["original", "guidance 3, 10 steps"] if uses_steps else ["original", "guidance 3"])
    assert sides == ["frontal", "turned", "mouth open"]
    assert len(editor.asked) == 6 + 2 * columns, "frames after the first edit no column twice"
    levels = [int(picture[0, 0, 0]) for picture in pictures[1][1:]]
    assert len(set(levels)) == columns


def _condition(scene, take, indices):
    from talker.core.types import Condition

    return Condition(torch.zeros(1, 64), take.eye[indices], torch.zeros(1, 4), take.c2w[indices])


def test_the_matching_edit_ends_like_the_strongest_column():
    assert PreviewOptions().plan("x") == EditPlan("x")
    plan = PreviewOptions(text_guidance=(7.5, 2.0), steps=(5,)).plan("x")
    assert plan.text_guidance == (3.0, 7.5) and plan.steps == (5, 5)
    assert PreviewOptions(text_guidance=(2.0,)).plan("x").text_guidance == (2.0, 2.0)


@pytest.mark.parametrize(
    ("options", "hint"),
    [
        ({"text_guidance": (31.0,)}, "--text-guidance"),
        ({"text_guidance": (-1.0, 3.0)}, "--text-guidance"),
        ({"text_guidance": (math.nan,)}, "--text-guidance"),
        ({"steps": (0,)}, "--steps"),
        ({"steps": (10, 1001)}, "--steps"),
        ({"image_guidance": 0.5}, "--image-guidance"),
        ({"seed": -1}, "--seed"),
        ({"steps": tuple(range(1, MOST_COLUMNS))}, "12"),
    ],
)
def test_grids_that_cannot_be(options, hint):
    with pytest.raises(BadInput, match=hint):
        PreviewOptions(**options).plan("x")
