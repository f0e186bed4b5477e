"""On machines without a GPU: the reference's functions keep to the device of what they are given.

An operation on two devices is an error on the pretended GPU, as it is on a real one.
"""

import pytest
import torch

from talker.core.types import Rays
from talker.radfield import volume
from talker.radfield.encoding import GridSpec, encode_grid, spherical_harmonics
from talker.radfield.field import Biases, HeadField, evaluate_field, shade
from talker.radfield.kernels import AdamState, TorchKernels
from talker.radfield.occupancy import Occupancy
from talker.radfield.volume import Samples
from tests.radfield.conftest import TINY_FIELD
from tests.radfield.pretended_gpu import GPU, pretended_gpu


@pytest.fixture(autouse=True)
def gpu():
    with pretended_gpu():
        yield


def random_rays(count: int) -> Rays:
    return Rays(torch.rand(count, 3, device=GPU), torch.rand(count, 3, device=GPU))


def packed(rays: int, each: int) -> Samples:
    ray_of = torch.arange(rays, dtype=torch.int32, device=GPU).repeat_interleave(each)
    starts = torch.arange(0, rays * each + 1, each, dtype=torch.int32, device=GPU)
    return Samples(torch.rand(rays * each, 3, device=GPU), ray_of, starts)


def test_two_devices_are_an_error_here_as_on_a_gpu():
    with pytest.raises(RuntimeError, match="same device"):
        torch.zeros(3, device=GPU) + torch.zeros(3)


@pytest.mark.parametrize("dims", [2, 3])
def test_grids(dims):
    spec = GridSpec(dims, 4, 8, 64, 10)
    table = torch.rand(spec.vertices, 2, device=GPU).requires_grad_()
    points = torch.rand(9, dims, device=GPU).requires_grad_()
    encode_grid(spec, table, points).sum().backward()
    assert table.grad.device == points.grad.device == GPU


def test_the_field():
    head = HeadField(TINY_FIELD, torch.Generator()).to(GPU)
    biases = Biases(*(torch.rand(2, 64, device=GPU) for _ in range(3)))
    rays, samples = random_rays(4), packed(4, 3)
    harmonics, frame_of = spherical_harmonics(rays.directions), torch.zeros(4, dtype=torch.int32, device=GPU)
    found = evaluate_field(head.shape, head.weights, biases, samples.points, harmonics, samples.ray_of, frame_of)
    done = volume.composite(found.sigmas, found.values, samples, rays)
    rgb = shade(head.shape, head.weights, biases, done.values, done.alpha, harmonics, frame_of)
    (rgb.sum() + volume.distortion(found.sigmas, samples)).backward()
    assert head.space_table.grad.device == done.depth.device == GPU


def test_marching_and_the_occupancy_grid():
    occupancy = Occupancy(16, GPU)
    occupancy.carve(torch.rand(16**3) < 0.5)  # masks are read on the CPU
    samples = volume.march_rays(random_rays(5), occupancy.occupied, occupancy.stopping, torch.rand(5, device=GPU))
    assert samples.points.device == samples.starts.device == occupancy.bricks.device == GPU
    assert occupancy.voxel_points(torch.Generator()).device == GPU
    occupancy.restore({name: tensor.cpu() for name, tensor in occupancy.tensors().items()})
    assert all(tensor.device == GPU for tensor in occupancy.tensors().values())


def test_sparse_adam():
    value, gradient = torch.rand(8, 2, device=GPU), torch.rand(8, 2, device=GPU)
    state = AdamState(torch.zeros_like(value), torch.zeros_like(value))
    TorchKernels().sparse_adam(value, gradient, state, 0.1, (0.9, 0.99), 1e-12)
