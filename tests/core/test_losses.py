"""Losses against examples worked by hand, and the feature bank's invariances."""

from __future__ import annotations

import math

import pytest
import torch

from talker.core import losses


def grey(rows: list[list[float]]) -> torch.Tensor:
    """[1, H, W, 3] image from one channel's values."""
    return torch.tensor(rows)[None, :, :, None].expand(-1, -1, -1, 3).clone()


def test_lip_edge_is_the_hand_worked_mean_over_the_mask():
    # Forward differences: pixel (0, 0) has right 0.3 and down 0.4, so length 0.5; (1, 0) has right 0 and none below.
    rendered = grey([[0.1, 0.4], [0.5, 0.5]])
    original = grey([[0.0, 0.6], [0.8, 0.8]])  # at (0, 0): right 0.6, down 0.8, length 1
    mask = torch.tensor([[[True, False], [True, False]]])
    expected = (0.5 * math.exp(-1.0) + 0.0) / 2
    assert losses.lip_edge(rendered, original, mask).item() == pytest.approx(expected, abs=1e-4)


def test_lip_edge_ignores_edges_of_the_mask_and_an_empty_mask():
    flat = torch.full((1, 6, 6, 3), 0.7)
    mask = torch.zeros(1, 6, 6, dtype=torch.bool)
    assert losses.lip_edge(torch.rand(1, 6, 6, 3), flat, mask).item() == 0
    mask[:, 2:4, 2:4] = True
    assert losses.lip_edge(flat, flat, mask).item() == pytest.approx(0, abs=1e-5)


def test_lip_edge_forgives_edges_that_the_original_has():
    generator = torch.Generator().manual_seed(0)
    rendered = torch.rand(1, 8, 8, 3, generator=generator)
    mask = torch.ones(1, 8, 8, dtype=torch.bool)
    forgiven = losses.lip_edge(rendered, rendered, mask)
    assert forgiven < losses.lip_edge(rendered, torch.zeros_like(rendered), mask)


def test_lip_edge_has_finite_gradients_on_flat_images():
    rendered = torch.full((1, 4, 4, 3), 0.5, requires_grad=True)
    losses.lip_edge(rendered, rendered.detach(), torch.ones(1, 4, 4, dtype=torch.bool)).backward()
    assert torch.isfinite(rendered.grad).all()


def test_alpha_entropy_is_zero_when_decided_and_log_two_at_a_half():
    assert losses.alpha_entropy(torch.tensor([0.0, 1.0])).item() == pytest.approx(0, abs=2e-4)
    assert losses.alpha_entropy(torch.tensor([0.5])).item() == pytest.approx(math.log(2), abs=1e-6)


def test_gram_matches_plain_loops():
    features = torch.rand(1, 3, 4, 5, generator=torch.Generator().manual_seed(1))
    found = losses.gram(features)[0]
    for i in range(3):
        for j in range(3):
            expected = sum(features[0, i, y, x] * features[0, j, y, x] for y in range(4) for x in range(5)) / 60
            assert found[i, j].item() == pytest.approx(expected.item(), rel=1e-5)


def test_style_ignores_where_texture_lies_and_perceptual_does_not():
    features = [torch.rand(1, 4, 8, 8, generator=torch.Generator().manual_seed(2))]
    moved = [features[0].roll((3, 2), dims=(2, 3))]
    assert losses.style(moved, features).item() == pytest.approx(0, abs=1e-9)
    assert losses.perceptual(moved, features).item() > 0.01


def test_adversarial_losses_fall_as_each_side_wins():
    assert losses.generator_loss(torch.tensor([3.0])) < losses.generator_loss(torch.tensor([-3.0]))
    right = losses.discriminator_loss(torch.tensor([3.0]), torch.tensor([-3.0]))
    assert right < losses.discriminator_loss(torch.tensor([-3.0]), torch.tensor([3.0]))


def test_pyramid_sees_no_edges_in_flat_colour():
    for level in losses.PyramidBank().features(torch.full((1, 32, 32, 3), 0.6)):
        assert level[:, 3:].abs().max().item() < 1e-5


def test_pyramid_is_steered_by_orientation():
    stripes = torch.zeros(1, 32, 32, 3)
    stripes[:, :, ::4] = 1.0
    stripes[:, :, 1::4] = 1.0
    level = losses.PyramidBank().features(stripes)[0][:, 3:]
    luma = level[:, :8].square().mean(dim=(0, 2, 3))  # four odd, then four even filters, one polarity
    assert luma[0] > 50 * luma[2]  # across the stripes against along them
    assert luma[4] > 50 * luma[6]


def test_pyramid_works_on_the_smallest_patches_and_passes_gradients():
    image = torch.rand(1, 8, 8, 3, requires_grad=True)
    levels = losses.PyramidBank().features(image)
    assert [tuple(level.shape[-2:]) for level in levels] == [(8, 8), (4, 4)]
    sum(level.square().sum() for level in levels).backward()
    assert torch.isfinite(image.grad).all() and image.grad.abs().max() > 0
