"""The editing objective: which losses act when, where gradients go, and that training with it helps."""

from __future__ import annotations

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch.nn import functional

from talker.core.losses import PyramidBank
from talker.radfield.targets import Batch
from talker.refine.discriminator import Discriminator
from talker.refine.network import RefinementNet
from talker.refine.objective import LipEdgeObjective, OriginalPatch, RefineObjective, RefineOptions


class RecordingOriginals:
    """Grey originals with lips everywhere, and a list of what was asked for."""

    def __init__(self) -> None:
        self.asked: list[int] = []

    def __call__(self, frame: int, pixels: torch.Tensor) -> OriginalPatch:
        self.asked.append(frame)
        return OriginalPatch(torch.full((len(pixels), 3), 0.5), torch.ones(len(pixels), dtype=torch.bool))


def make_batch(side: int | None, count: int = 2) -> Batch:
    generator = torch.Generator().manual_seed(0)
    n = 20 if side is None else side * side
    pixels = torch.zeros(count, n, 2, dtype=torch.int64)
    target = torch.rand(count, n, 3, generator=generator)
    return Batch(list(range(3, 3 + count)), pixels, target, None if side is None else (side, side))


def make_objective(**options) -> RefineObjective:
    torch.manual_seed(0)
    return RefineObjective(RefinementNet(growth=8), Discriminator(width=4), PyramidBank(), RefineOptions(**options))


ONLY_PIXELS = {"perceptual": 0.0, "style": 0.0, "adversarial": 0.0}


def test_loose_pixels_meet_the_pixel_loss_alone():
    batch = make_batch(None)
    loss = make_objective()(torch.zeros_like(batch.target), batch)
    assert loss.item() == pytest.approx(batch.target.square().mean().item())


@pytest.mark.parametrize("side", [8, 64])  # the lip patches of 64 and of 512 px frames
def test_lip_edge_counts_edges_that_the_original_lacks(side):
    originals, batch = RecordingOriginals(), make_batch(side)
    objective = LipEdgeObjective(originals, weight=1.0)
    assert objective(torch.full_like(batch.target, 0.4), batch).item() == pytest.approx(0, abs=1e-5)
    assert objective(batch.target, batch).item() > 0.1
    assert originals.asked == 2 * batch.frames


def test_lip_edge_has_nothing_to_say_of_loose_pixels():
    originals, batch = RecordingOriginals(), make_batch(None)
    assert LipEdgeObjective(originals, weight=1.0)(batch.target, batch) == 0
    assert originals.asked == []


@pytest.mark.parametrize("name", ["perceptual", "style", "adversarial"])
def test_losses_on_the_final_image_reach_the_field_and_the_network(name):
    objective = make_objective(**{**ONLY_PIXELS, "mse": 0.0, name: 1.0})
    batch = make_batch(16)
    rendered = torch.full_like(batch.target, 0.5).requires_grad_()
    objective(rendered, batch).backward()
    assert rendered.grad.abs().max() > 0
    assert objective.net.convolutions[4].weight.grad.abs().max() > 0
    assert all(parameter.grad is None for parameter in objective.discriminator.parameters())


def test_a_render_on_target_has_no_loss_but_the_judges():
    objective = make_objective(adversarial=0.0)
    batch = make_batch(16)
    assert objective(batch.target, batch).item() == pytest.approx(0, abs=1e-7)


def test_after_step_teaches_the_discriminator_and_leaves_the_network():
    objective = make_objective()
    batch = make_batch(16)
    rendered = torch.full_like(batch.target, 0.2)
    before = [parameter.clone() for parameter in objective.net.parameters()]

    def margin() -> float:
        real, fake = (images.reshape(2, 16, 16, 3) for images in (batch.target, rendered))
        return (objective.discriminator(real).mean() - objective.discriminator(fake).mean()).item()

    start = margin()
    for _ in range(120):
        objective.after_step(rendered, batch)
    assert margin() > start + 0.2
    assert all(torch.equal(a, b) for a, b in zip(before, objective.net.parameters(), strict=True))


def test_tiny_patches_have_no_judge():
    objective = make_objective()
    batch = make_batch(4)
    assert torch.isfinite(objective(torch.zeros_like(batch.target), batch))
    objective.after_step(torch.zeros_like(batch.target), batch)


def test_training_brings_back_detail_that_the_render_lost():
    """g learns to sharpen: the final image comes nearer to the target than the blurred render."""
    objective = make_objective(adversarial=0.0)
    generator = torch.Generator().manual_seed(0)  # blocks without a period: what repeats from fold to fold is not drawn
    blocks = (torch.rand(2, 8, 8, generator=generator) > 0.5).float() * 0.6 + 0.2
    grey = blocks.repeat_interleave(4, dim=1).repeat_interleave(4, dim=2).roll((2, 2), (1, 2))
    target = grey[..., None].expand(2, 32, 32, 3).contiguous()
    blurred = functional.avg_pool2d(target.permute(0, 3, 1, 2), 3, 1, 1, count_include_pad=False).permute(0, 2, 3, 1)
    batch = Batch([0, 1], torch.zeros(2, 1024, 2, dtype=torch.int64), target.reshape(2, 1024, 3), (32, 32))
    optimiser = torch.optim.Adam(objective.parameters(), objective.learning_rate)
    rendered = blurred.reshape(2, 1024, 3)
    start = objective(rendered, batch).item()
    for _ in range(60):
        optimiser.zero_grad()
        objective(rendered, batch).backward()
        optimiser.step()
    assert objective(rendered, batch).item() < 0.7 * start
    with torch.no_grad():
        final = objective.net(blurred)
    assert (final - target).square().mean() < 0.5 * (blurred - target).square().mean()


def test_a_restored_objective_goes_on_as_the_first_one_does(tmp_path):
    """State survives safetensors, moments included: the next steps of both are the same."""
    first = make_objective()
    torch.nn.init.normal_(first.net.convolutions[4].weight, std=0.05)
    batch = make_batch(16)
    for _ in range(3):
        first.after_step(batch.target * 0.5, batch)
    save_file(first.state_dict(), tmp_path / "objective.safetensors")
    second = make_objective()
    second.load_state_dict(load_file(tmp_path / "objective.safetensors"))
    for objective in (first, second):
        objective.after_step(batch.target * 0.5, batch)
    assert torch.equal(second(batch.target * 0.5, batch), first(batch.target * 0.5, batch))
