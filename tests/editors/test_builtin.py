"""What every built-in edit must keep: the range, the lips, the regions, and its place on a moving head."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import torch

from talker.core.types import FACE, HAIR, LIPS, MOUTH, TORSO, mask_of
from talker.editors.builtin import editor
from talker.editors.builtin.editor import BuiltinEditor, Memory, apply_edits, strength_of, whole_edit
from talker.editors.builtin.parser import parse
from talker.editors.builtin.picture import Picture
from talker.editors.builtin.styles import STYLES
from talker.editors.editor import EditRequest, Masks
from tests.editors.portrait import draw_portrait

STYLE_EDITS = [f"make it {style.title}" for style in STYLES]
REGION_EDITS = {
    "hair": "purple hair",
    "lips": "red lips",
    "clothes": "a green shirt",
    "background": "a blue background",
}
EVERY_EDIT = [*STYLE_EDITS, *REGION_EDITS.values(), "green skin"]


@pytest.fixture(scope="module")
def portrait() -> Picture:
    return draw_portrait()


def edited(picture: Picture, instruction: str, strength: float = 1.0) -> np.ndarray:
    return apply_edits(picture, parse(instruction), strength)


def psnr_db(a: np.ndarray, b: np.ndarray) -> float:
    return float(-10 * np.log10(np.square(a - b).mean() + 1e-12))


@pytest.mark.parametrize("instruction", EVERY_EDIT)
def test_pure_in_range_and_visible(portrait, instruction):
    before = portrait.rgb.copy()
    first, second = edited(portrait, instruction), edited(portrait, instruction)
    assert first.shape == before.shape and first.dtype == np.float32
    assert np.isfinite(first).all() and first.min() >= 0.0 and first.max() <= 1.0
    assert (first == second).all() and (portrait.rgb == before).all()
    assert np.abs(first - before).mean() > 0.001


@pytest.mark.parametrize("instruction", EVERY_EDIT)
def test_strength_runs_from_the_original_to_the_edit(portrait, instruction):
    assert np.allclose(edited(portrait, instruction, 0.0), portrait.rgb, atol=1e-6)
    half = edited(portrait, instruction, 0.5)
    assert np.allclose(half, (portrait.rgb + edited(portrait, instruction)) / 2, atol=1e-5)


@pytest.mark.parametrize("instruction", EVERY_EDIT)
@pytest.mark.parametrize("opening", [0.0, 0.08])
def test_the_mouth_can_be_read(instruction, opening):
    """An open mouth stays darker than the lips about it; a closed one does not become open."""
    picture = draw_portrait(opening=opening)
    grey = edited(picture, instruction).mean(axis=-1)
    lips = mask_of(picture.parts, (LIPS,))
    if opening:
        inside = cv2.erode(mask_of(picture.parts, (MOUTH,)).astype(np.uint8), np.ones((3, 3))) > 0
        assert grey[inside].mean() < grey[lips].mean() - 0.04
    else:
        assert grey[lips].std() < 0.16


@pytest.mark.parametrize("instruction", EVERY_EDIT)
def test_the_drawing_of_the_mouth_survives(instruction):
    """Edges about the lips stay where they were, however thick the paint."""
    picture = draw_portrait(opening=0.06)
    near = cv2.dilate(mask_of(picture.parts, (LIPS, MOUTH)).astype(np.uint8), np.ones((5, 5))) > 0
    before, after = (
        image - cv2.GaussianBlur(image, (0, 0), 2.0) for image in (picture.grey, edited(picture, instruction).mean(-1))
    )
    assert np.corrcoef(before[near], after[near])[0, 1] > 0.7


@pytest.mark.parametrize("instruction", EVERY_EDIT)
def test_texture_moves_with_the_head(instruction):
    """A head three pixels further gets the same edit three pixels further: a field can learn it."""
    still, moved = draw_portrait(), draw_portrait(x=3, y=2)
    a = cv2.GaussianBlur(edited(still, instruction), (0, 0), 1.0)
    b = cv2.GaussianBlur(edited(moved, instruction), (0, 0), 1.0)
    inside = cv2.erode(mask_of(still.parts, (FACE, LIPS, MOUTH)).astype(np.uint8), np.ones((7, 7)))[:-2, :-3] > 0
    assert psnr_db(a[:-2, :-3][inside], b[2:, 3:][inside]) > 30.0


@pytest.mark.parametrize(("region", "instruction"), REGION_EDITS.items())
def test_colours_stay_in_their_region(portrait, region, instruction):
    change = np.abs(edited(portrait, instruction) - portrait.rgb).max(axis=-1)
    parts = {"hair": HAIR, "lips": LIPS, "clothes": TORSO, "background": 0}
    own = mask_of(portrait.parts, (parts[region],))
    core = cv2.erode(own.astype(np.uint8), np.ones((3, 3))) > 0
    around = cv2.dilate(own.astype(np.uint8), np.ones((13, 13))) > 0
    assert change[core].mean() > 0.1
    assert change[~around].max() < 0.02


def test_skin_is_told_by_colour_below_the_jaw(portrait):
    """Bare shoulders that the labels call torso turn green too, and a blue shirt never does."""
    parts = portrait.parts.copy()
    neck = mask_of(parts, (8,))
    parts[neck] = TORSO
    green = edited(Picture(portrait.rgb, portrait.alpha, parts, portrait.head_anchors), "green skin")
    shirt = mask_of(portrait.parts, (TORSO,))
    assert (green[neck][:, 1] > green[neck][:, 0]).mean() > 0.9
    assert np.abs(green - portrait.rgb)[shirt].mean() < 0.02


def test_a_style_on_a_region_leaves_the_rest(portrait):
    painted = edited(portrait, "turn the background into a Van Gogh painting")
    inside = cv2.erode((portrait.alpha > 0.99).astype(np.uint8), np.ones((5, 5))) > 0
    assert np.abs(painted - portrait.rgb)[inside].max() < 0.02
    assert np.abs(painted - portrait.rgb)[portrait.alpha < 0.01].mean() > 0.05


def test_van_gogh_paints_a_blue_room_an_ochre_face_and_thick_strokes(portrait):
    painted = edited(portrait, "make him a Van Gogh painting")
    room, face = painted[portrait.alpha < 0.01], painted[mask_of(portrait.parts, (FACE,))]
    assert room[:, 2].mean() > room[:, 0].mean() + 0.05, "blues"
    assert face[:, 0].mean() > face[:, 2].mean() + 0.15, "ochres"
    fine = painted - cv2.GaussianBlur(painted, (0, 0), 2.0)
    plain = portrait.rgb - cv2.GaussianBlur(portrait.rgb, (0, 0), 2.0)
    assert fine[portrait.alpha < 0.01].std() > 5 * plain[portrait.alpha < 0.01].std(), "strokes where the wall was flat"


def test_statues_are_of_one_block(portrait):
    """Dark hair and a blue shirt become the stone or metal of the face."""
    hair, face, shirt = (
        cv2.erode(mask_of(portrait.parts, (part,)).astype(np.uint8), np.ones((5, 5))) > 0
        for part in (HAIR, FACE, TORSO)
    )
    assert portrait.grey[hair].mean() < 0.35 * portrait.grey[face].mean()
    for instruction in ("marble statue", "bronze statue", "golden statue"):
        statue = edited(portrait, instruction)
        grey = statue.mean(axis=-1)
        for part in (hair, shirt):
            assert 0.35 < grey[part].mean() / grey[face].mean() < 1.4
    assert np.ptp(edited(portrait, "marble statue"), axis=-1)[shirt].max() < 0.1
    bronze = edited(portrait, "bronze statue")
    assert (bronze[shirt][:, 0] > bronze[shirt][:, 2]).mean() > 0.9


@pytest.mark.parametrize("size", [(48, 64), (33, 33)])
def test_small_and_odd_sizes_without_a_face(size):
    """A frame in which nothing was found must not stop an edit."""
    rgb = np.random.default_rng(0).random((*size, 3)).astype(np.float32)
    nothing = Picture(rgb, np.zeros(size, np.float32), np.zeros(size, np.uint8))
    for instruction in EVERY_EDIT:
        assert np.isfinite(edited(nothing, instruction)).all()


def test_editor_reads_the_originals_and_follows_the_guidance(portrait):
    assert [strength_of(s, 1.5) for s in (0.0, 3.0, 4.5, 6.0, 9.0)] == [0.0, 0.5, 0.75, 1.0, 1.0]
    assert strength_of(6.0, 3.0) == 0.5
    editor = BuiltinEditor()
    assert editor.reads == {"originals"}
    originals = torch.from_numpy(np.stack([portrait.rgb, draw_portrait(x=2).rgb]))
    masks = Masks(
        torch.from_numpy(np.stack([portrait.alpha] * 2)),
        torch.from_numpy(np.stack([portrait.parts] * 2)),
        torch.from_numpy(np.stack([portrait.head_anchors] * 2)),
    )
    request = EditRequest(
        torch.zeros_like(originals), originals, "make him bronze and the background blue",
        text_guidance=6.0, image_guidance=1.5, steps=20, generator=torch.Generator(), masks=masks,
    )  # fmt: skip
    result = editor.edit(request)
    assert result.shape == originals.shape
    assert np.allclose(result[0].numpy(), edited(portrait, "make him bronze and the background blue"), atol=1e-6)
    assert (result[0] != result[1]).any()


def test_without_masks_styles_still_work(portrait):
    originals = torch.from_numpy(portrait.rgb)[None]
    request = EditRequest(
        originals, originals, "oil painting", text_guidance=6.0, image_guidance=1.5, steps=1,
        generator=torch.Generator(),
    )  # fmt: skip
    result = BuiltinEditor().edit(request)
    assert float((result - originals).abs().mean()) > 0.01


def test_what_is_remembered_is_the_same_edit(portrait, monkeypatch):
    (edit,) = parse("make him an oil painting")
    memory, computed = Memory(limit_bytes=3 * portrait.rgb[..., 0].size), []
    monkeypatch.setattr(editor, "whole_edit", lambda *given: computed.append(1) or whole_edit(*given))
    first = memory.whole_edit(portrait, edit)
    again = memory.whole_edit(portrait, edit)
    assert len(computed) == 1 and np.array_equal(first, again)
    assert np.array_equal(first, whole_edit(portrait, edit))
    memory.whole_edit(draw_portrait(x=2), edit)  # there is room for one
    memory.whole_edit(portrait, edit)
    assert len(computed) == 3
