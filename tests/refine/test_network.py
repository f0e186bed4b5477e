"""The refinement network: identity at birth, w = 0 untouched, about a megabyte."""

from __future__ import annotations

import pytest
import torch

from talker.refine.discriminator import Discriminator
from talker.refine.network import RefinementNet, blend


@pytest.fixture
def moved_net() -> RefinementNet:
    """A network that is no longer the identity."""
    torch.manual_seed(0)
    net = RefinementNet(growth=8)
    torch.nn.init.normal_(net.convolutions[4].weight, std=0.05)
    return net


@pytest.mark.parametrize("size", [(16, 16), (13, 18), (3, 2)])
def test_an_untrained_network_is_the_identity_at_any_size(size):
    images = torch.rand(2, *size, 3)
    assert torch.equal(RefinementNet(growth=8)(images), images)


def test_it_weighs_about_a_megabyte_with_five_convolutions():
    net = RefinementNet()
    assert 0.9e6 < 4 * sum(parameter.numel() for parameter in net.parameters()) < 1.1e6
    assert sum(isinstance(module, torch.nn.Conv2d) for module in net.modules()) == 5


def test_weight_zero_gives_the_render_bit_for_bit(moved_net):
    rendered = torch.rand(12, 12, 3) * 1.2  # even what lies outside [0, 1]
    assert torch.equal(moved_net.refine(rendered, 0), rendered)
    assert blend(rendered, moved_net(rendered[None])[0], 0) is rendered


def test_weight_is_linear_and_one_is_the_network_alone(moved_net):
    rendered = torch.rand(1, 12, 12, 3)
    refined = moved_net(rendered)
    assert torch.allclose(blend(rendered, refined, 1.0), refined)
    assert torch.allclose(blend(rendered, refined, 1.5) - rendered, 1.5 * (refined - rendered), atol=1e-6)
    assert moved_net.refine(rendered[0], 1.5).max() <= 1


def test_folding_puts_detail_back_where_it_came_from(moved_net):
    """A change in one corner leaves the far corner alone: no pixel is misplaced by the folding."""
    images = torch.rand(1, 64, 64, 3)
    changed = images.clone()
    changed[:, :4, :4] = 0
    difference = (moved_net(images) - moved_net(changed)).abs().amax(dim=(0, 3))
    assert difference[:4, :4].max() > 0
    assert difference[40:, 40:].max() == 0  # five 3 x 3 convolutions reach 5 cells of 4 px, so 24 px


def test_save_and_load(moved_net, tmp_path):
    path = tmp_path / "refine.safetensors"
    moved_net.save(path)
    images = torch.rand(1, 8, 8, 3)
    assert torch.equal(RefinementNet.load(path)(images), moved_net(images))


def test_discriminator_judges_one_cell_per_eight_pixels():
    assert Discriminator(width=4)(torch.rand(2, 16, 24, 3)).shape == (2, 1, 2, 3)


def test_no_lattice_is_drawn_whatever_the_biases():
    net = RefinementNet()
    with torch.no_grad():
        net.convolutions[4].bias.copy_(torch.linspace(-1, 1, 48))
        detail = (net(torch.full((1, 16, 20, 3), 0.5)) - 0.5)[0]
    assert detail.std(dim=(0, 1)).max() < 1e-5  # a tint may stay, a pattern not
    assert detail.abs().max() > 0.1
