"""Marching and compositing, as mathematics and against loops."""

import math

import torch

from talker.core.types import Rays
from talker.radfield.volume import MAX_SAMPLES, STEP, Samples, composite, distortion, entry_and_exit, march_rays

NO_STOP = torch.zeros(8**3)


def rays_at_box(count: int, seed: int = 0) -> Rays:
    generator = torch.Generator().manual_seed(seed)
    origins = torch.tensor([0.0, 0.0, -4.0]) + torch.randn(count, 3, generator=generator) * 0.3
    aims = torch.randn(count, 3, generator=generator) * 0.7
    return Rays(origins, torch.nn.functional.normalize(aims - origins, dim=-1))


def test_samples_lie_in_occupied_voxels_in_order():
    rays = rays_at_box(50)
    occupied = torch.rand(8**3, generator=torch.Generator().manual_seed(3)) < 0.3
    samples = march_rays(rays, occupied, NO_STOP, torch.full((50,), 0.5))
    cell = (samples.points * 8).long().clamp(0, 7)
    assert len(cell) > 100
    assert occupied[(cell[:, 2] * 8 + cell[:, 1]) * 8 + cell[:, 0]].all()
    distance = ((samples.points * 2 - 1 - rays.origins[samples.ray_of]) * rays.directions[samples.ray_of]).sum(-1)
    same_ray = samples.ray_of[1:] == samples.ray_of[:-1]
    assert (distance[1:] > distance[:-1])[same_ray].all()
    assert samples.starts.tolist() == [int((samples.ray_of < i).sum()) for i in range(51)]


def test_a_full_grid_is_sampled_every_step_between_entry_and_exit():
    rays = rays_at_box(20)
    near, far = entry_and_exit(rays)
    samples = march_rays(rays, torch.ones(8**3, dtype=torch.bool), NO_STOP, torch.full((20,), 0.5))
    expected = ((far - near) / STEP - 0.5).ceil().clamp(min=0, max=MAX_SAMPLES)
    assert (samples.starts.diff() == expected.int()).all()


def test_rays_that_miss_have_no_samples():
    away = Rays(torch.tensor([[0.0, 0.0, -4.0]]), torch.tensor([[0.0, 1.0, 0.0]]))
    samples = march_rays(away, torch.ones(8**3, dtype=torch.bool), NO_STOP, torch.tensor([0.5]))
    assert samples.starts.tolist() == [0, 0]
    done = composite(torch.empty(0), torch.empty(0, 3), samples, away)
    assert done.alpha.tolist() == [0.0]


def test_an_opaque_density_estimate_stops_rays():
    rays = rays_at_box(20)
    full, jitter = torch.ones(8**3, dtype=torch.bool), torch.full((20,), 0.5)
    free = march_rays(rays, full, NO_STOP, jitter)
    stopped = march_rays(rays, full, torch.full((8**3,), 1e6), jitter)
    assert stopped.starts.diff().max() == 9  # ceil(5 / 0.6): each step adds at most the cap
    assert free.starts.diff().max() > 20


def packed(counts: list[int], seed: int = 0) -> tuple[torch.Tensor, torch.Tensor, Samples, Rays]:
    generator = torch.Generator().manual_seed(seed)
    total = sum(counts)
    starts = torch.tensor([0, *torch.tensor(counts).cumsum(0).tolist()], dtype=torch.int32)
    ray_of = torch.arange(len(counts), dtype=torch.int32).repeat_interleave(torch.tensor(counts))
    points = torch.rand(total, 3, generator=generator)
    sigmas = torch.rand(total, generator=generator) * 60
    rgbs = torch.rand(total, 3, generator=generator)
    return sigmas, rgbs, Samples(points, ray_of, starts), rays_at_box(len(counts))


def test_composite_is_the_loop_over_samples():
    sigmas, rgbs, samples, rays = packed([3, 0, 1, 17])
    done = composite(sigmas, rgbs, samples, rays)
    for ray in range(4):
        through, colour = 1.0, torch.zeros(3)
        for s in range(samples.starts[ray], samples.starts[ray + 1]):
            assert math.isclose(done.transmittance[s].item(), through, rel_tol=1e-5)
            opacity = 1.0 - math.exp(-sigmas[s].item() * STEP)
            colour += through * opacity * rgbs[s]
            through *= 1.0 - opacity
        assert torch.allclose(done.values[ray], colour, atol=1e-6)
        assert math.isclose(done.alpha[ray].item(), 1.0 - through, abs_tol=1e-6)


def test_weights_sum_to_at_most_one_and_empty_space_shows_the_background():
    sigmas, rgbs, samples, rays = packed([5, 9])
    assert (composite(sigmas * 1e4, rgbs, samples, rays).alpha <= 1.0 + 1e-6).all()
    empty = composite(torch.zeros_like(sigmas), rgbs, samples, rays)
    assert empty.alpha.abs().max() == 0 and empty.values.abs().max() == 0


def test_distortion_is_the_sum_over_pairs():
    sigmas, rgbs, samples, rays = packed([4, 0, 7])
    expected = 0.0
    for ray in range(3):
        own = range(samples.starts[ray], samples.starts[ray + 1])
        weights = [
            composite(sigmas, rgbs, samples, rays).transmittance[s].item() * (1 - math.exp(-sigmas[s].item() * STEP))
            for s in own
        ]
        expected += sum(a * b * abs(i - j) * STEP for i, a in enumerate(weights) for j, b in enumerate(weights))
        expected += STEP / 3 * sum(w * w for w in weights)
    assert math.isclose(distortion(sigmas, samples).item(), expected / 3, rel_tol=1e-4)


def test_a_surface_is_less_distorted_than_fog():
    _, _, samples, _ = packed([20])
    surface = torch.zeros(20)
    surface[8] = 1e4
    fog = torch.full((20,), 10.0)
    assert distortion(surface, samples) < 0.2 * distortion(fog, samples)
