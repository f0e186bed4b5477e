"""Regions: which pixels an edit may change, and how their borders run."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from talker.core.errors import BadInput
from talker.core.types import BACKGROUND, BROWS, FACE, HAIR, LIPS, PARTS, TORSO, mask_of
from talker.editors.editor import Editor, EditRequest, Masks
from talker.editors.region import PARTS_OF, Region, region_weights, within
from tests.editors.portrait import draw_portrait


class Invert(Editor):
    """Edits every pixel."""

    name, reads = "invert", frozenset({"rendered"})

    def describe(self, instruction):
        return f"inverted: {instruction}"

    def edit(self, request):
        return 1 - request.rendered


@pytest.fixture(scope="module")
def masks() -> Masks:
    picture = draw_portrait(128)
    return Masks(torch.from_numpy(picture.alpha)[None].float(), torch.from_numpy(picture.parts)[None])


def edit(region: Region, masks: Masks, originals: torch.Tensor, rendered: torch.Tensor) -> torch.Tensor:
    flags = {"text_guidance": 6.0, "image_guidance": 1.5, "steps": 20, "generator": torch.Generator()}
    return within(Invert(), region).edit(EditRequest(rendered, originals, "x", **flags, masks=masks))


@pytest.mark.parametrize("word", PARTS_OF)
def test_inside_is_the_editors_outside_is_the_original(masks, word):
    """Away from the region's border by more than the blur reaches."""
    generator = torch.Generator().manual_seed(0)
    originals, rendered = torch.rand(2, 1, 128, 128, 3, generator=generator)
    masks = replace(masks, alpha=(masks.parts != BACKGROUND).float())  # no loose hair
    found = edit(Region(only=(word,)), masks, originals, rendered)
    inside = mask_of(masks.parts, PARTS_OF[word]).float()
    near = torch.nn.functional.max_pool2d(inside[:, None], 9, 1, 4)[:, 0]
    deep = 1 - torch.nn.functional.max_pool2d(1 - inside[:, None], 9, 1, 4)[:, 0]
    assert (near == 0).any() and torch.allclose(found[near == 0], originals[near == 0], atol=1e-4)
    assert deep.any() and torch.allclose(found[deep > 0], (1 - rendered)[deep > 0], atol=1e-5)


@pytest.mark.parametrize("word", PARTS_OF)
def test_what_is_kept_and_what_is_edited_make_the_whole(masks, word):
    some, rest = (region_weights(masks, region.parts) for region in (Region(only=(word,)), Region(keep=(word,))))
    assert torch.allclose(some + rest, torch.ones_like(some), atol=1e-5)
    assert some.min() >= 0 and some.max() <= 1 + 1e-6


def test_borders_within_the_person_are_soft_and_the_silhouette_is_the_mattes():
    parts = torch.zeros(1, 256, 256, dtype=torch.uint8)
    parts[:, :, 64:] = FACE
    parts[:, 128:, 64:] = TORSO
    alpha = torch.zeros(1, 256, 256)
    alpha[:, :, 64:] = 1
    alpha[:, :, 63] = 0.3  # a loose hair beyond the labels
    face = region_weights(Masks(alpha, parts), Region(only=("face",)).parts)[0]
    down = face[120:136, 160]
    assert (down.diff() <= 0).all() and ((down > 0.1) & (down < 0.9)).sum() >= 2, "a step, and no soft border"
    assert abs(float(face[127, 160] + face[128, 160]) - 1) < 1e-4
    assert torch.allclose(face[:100, 64:], torch.ones(1)), "the background bleeds into the face"
    assert torch.allclose(face[:100, 63], torch.tensor(0.3)) and not face[:, :60].any()


def test_features_belong_to_the_face_and_not_to_the_skin():
    assert Region(only=("face",), keep=("skin",)).parts == (BROWS, 3, LIPS, 5)
    assert Region(keep=("background",)).parts == tuple(range(1, len(PARTS)))
    assert Region(only=("hair", "background")).parts == (BACKGROUND, HAIR)


@pytest.mark.parametrize(
    ("only", "keep"),
    [(("hair",), ("hair",)), (("hair", "clothes"), ("clothes", "hair")), ((), tuple(PARTS_OF)), (("nose",), ())],
)
def test_contradictions_are_refused(only, keep):
    with pytest.raises(BadInput, match=r"--(only|keep) "):
        Region(only, keep)


def test_a_region_that_no_frame_shows_is_refused():
    bald = np.full((64, 64), FACE, np.uint8)
    speck = bald.copy()
    speck[0, :2] = HAIR
    with pytest.raises(BadInput, match="hair"):
        Region(only=("hair",)).check([bald, speck])
    hairy = bald.copy()
    hairy[:8] = HAIR
    Region(only=("hair",)).check([bald, hairy])
    with pytest.raises(BadInput, match="clothes"):
        Region(keep=("face", "skin", "hair", "background")).check([bald, hairy])


def test_no_region_is_no_wrapper_and_a_region_is_told():
    editor = Invert()
    assert within(editor, Region()) is editor
    limited = within(editor, Region(only=("hair", "skin"), keep=("background",)))
    assert limited.describe("x") == "inverted: x; only hair and skin, keeping background"
    assert limited.reads == {"rendered", "originals"} and limited.name == "invert"
