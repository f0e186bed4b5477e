"""The stand-in for InstructPix2Pix: what its faults hang on, and what they do not."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from talker.editors.builtin.editor import BuiltinEditor
from talker.editors.editor import EditRequest, Masks, stack_masks
from tests.editors.portrait import draw_portrait
from tools import noisy_editor
from tools.noisy_editor import NoisyEditor, replaced_share, with_faults

TEXT = "make him bronze"
FULL = {"text_guidance": 6.0, "image_guidance": 1.5, "steps": 20}
WEAK = {"text_guidance": 3.0, "image_guidance": 1.5, "steps": 10}


def portraits(count=1):
    found = [draw_portrait(64, x=2.0 * index) for index in range(count)]
    rgb = torch.from_numpy(np.stack([picture.rgb for picture in found])).float()
    masks = [Masks(torch.from_numpy(p.alpha)[None], torch.from_numpy(p.parts)[None]) for p in found]
    return torch.round(rgb * 255) / 255, stack_masks(masks)


def edit(rendered, originals, masks, editor=None, seed=0, **asked):
    generator = torch.Generator().manual_seed(seed)
    request = EditRequest(rendered, originals, TEXT, generator=generator, masks=masks, **asked)
    return (editor or NoisyEditor()).edit(request)


def steady(originals, masks, **asked):
    return edit(originals, originals, masks, BuiltinEditor(), **asked)


def faults(found, wanted):
    return float((found - wanted).abs().mean())


def test_without_faults_it_is_the_builtin_editor():
    originals, masks = portraits(2)
    found = edit(originals, originals, masks, NoisyEditor(size=0.0), **FULL)
    assert torch.allclose(found, steady(originals, masks, **FULL), atol=1e-6)


def test_equal_pictures_get_equal_edits_and_others_get_others():
    originals, masks = portraits(2)
    twice, both = originals[:1].repeat(2, 1, 1, 1), stack_masks([masks[:1], masks[:1]])
    equal = edit(twice, twice, both, **FULL)
    assert torch.equal(equal[0], equal[1])
    found = edit(originals, originals, masks, **FULL)
    wanted = steady(originals, masks, **FULL)
    assert faults((found - wanted)[0], (found - wanted)[1]) > 0.02
    assert not torch.equal(found, edit(originals, originals, masks, seed=1, **FULL))


def test_batches_change_nothing():
    originals, masks = portraits(3)
    whole = edit(originals, originals, masks, **FULL)
    apart = [edit(originals[i : i + 1], originals[i : i + 1], masks[i : i + 1], **FULL)[0] for i in range(3)]
    assert torch.equal(whole, torch.stack(apart))


def test_faults_grow_with_guidance_times_steps():
    """A quarter of s t, and half of the way: an eighth of the faults."""
    originals, masks = portraits(4)
    weak, full = (
        faults(edit(originals, originals, masks, **asked), steady(originals, masks, **asked)) for asked in (WEAK, FULL)
    )
    assert weak == pytest.approx(full / 8, rel=0.25)


def test_a_render_that_is_edited_already_is_changed_little():
    originals, masks = portraits(2)
    wanted = steady(originals, masks, **FULL)
    far, near = edit(originals, originals, masks, **FULL), edit(wanted, originals, masks, **FULL)
    assert faults(near, wanted) < 0.05 * faults(far, wanted)


def test_under_the_original_as_condition_an_edited_render_is_still_far():
    originals, masks = portraits(2)
    wanted = steady(originals, masks, **FULL)
    found = edit(wanted, originals, masks, start=0.9, **FULL)
    assert faults(found, wanted) > 0.3 * faults(edit(originals, originals, masks, **FULL), wanted)


def test_a_late_start_stays_at_the_render():
    originals, masks = portraits(1)
    near, half = (edit(originals, originals, masks, start=start, **FULL) for start in (0.02, 0.5))
    assert (
        faults(near, originals) < 0.02 < faults(half, originals) < faults(steady(originals, masks, **FULL), originals)
    )
    shares = [replaced_share(start) for start in (0.02, 0.25, 0.5, 0.75, 0.98, 1.0)]
    assert shares == sorted(shares) and shares[0] < 0.02 and shares[-1] == 1.0
    assert shares[2] == pytest.approx(0.473, abs=0.002), "1 - sqrt(alpha_bar) of Stable Diffusion's schedule at 500"


def test_the_warp_stays_around_the_mouth(monkeypatch):
    monkeypatch.setattr(noisy_editor, "COLOUR", 0.0)
    monkeypatch.setattr(noisy_editor, "TEXTURE", 0.0)
    picture = draw_portrait(128)
    lips = np.isin(picture.parts, (4, 5))
    moved = [
        np.abs(with_faults(picture.rgb, 1.0, np.random.default_rng(seed), lips) - picture.rgb).max(axis=-1)
        for seed in range(6)
    ]
    rows, columns = np.nonzero(lips)
    y, x = np.mgrid[:128, :128]
    far = np.hypot(x - columns.mean(), y - rows.mean()) > 2.2 * (np.ptp(columns) + 1)
    assert all(each[lips].max() > 0.05 and each[far].max() < 0.02 for each in moved)
    assert np.array_equal(with_faults(picture.rgb, 1.0, np.random.default_rng(0), None), picture.rgb.astype(np.float32))


def test_faults_have_the_sizes_that_the_file_states(monkeypatch):
    grey = np.full((64, 64, 3), 0.5, np.float32)
    draws = np.stack([with_faults(grey, 1.0, np.random.default_rng(seed), None) - 0.5 for seed in range(300)])
    assert abs(draws.mean()) < 0.01
    smooth = draws.mean(axis=(1, 2)).std()
    assert 0.6 * noisy_editor.COLOUR < smooth < noisy_editor.COLOUR
    monkeypatch.setattr(noisy_editor, "COLOUR", 0.0)
    flecks = with_faults(grey, 1.0, np.random.default_rng(0), None) - 0.5
    assert flecks.std() == pytest.approx(noisy_editor.TEXTURE, rel=0.01)
    assert np.allclose(with_faults(grey, 0.5, np.random.default_rng(0), None) - 0.5, 0.5 * flecks, atol=1e-6)
