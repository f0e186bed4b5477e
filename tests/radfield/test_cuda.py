"""The CUDA kernels, run on the CPU, against the torch reference: values and gradients, random and degenerate shapes."""

import pytest
import torch

from talker.core.types import Rays
from talker.radfield.cuda import CudaKernels, backend
from talker.radfield.cuda.mixed import in_low_precision
from talker.radfield.encoding import GridSpec
from talker.radfield.field import Biases
from talker.radfield.fit import Fitter, StepOptions, conditions_for
from talker.radfield.fit_take import new_scene
from talker.radfield.kernels import AdamState
from talker.radfield.occupancy import Occupancy
from talker.radfield.sampling import TakeTargets
from talker.radfield.targets import PixelObjective
from talker.radfield.volume import MAX_SAMPLES, Samples
from tests.radfield.conftest import TINY_FIT
from tests.radfield.cuda_on_cpu import CpuModule, kernel_names
from tests.radfield.test_kernels import field, random_occupancy, random_rays, scattered


@pytest.fixture(scope="module")
def module() -> CpuModule:
    return CpuModule()


@pytest.fixture(scope="module")
def exact(module) -> CudaKernels:
    """In single precision throughout, so that only the order of sums differs from the reference."""
    return CudaKernels(module, torch.float32)


@pytest.fixture(scope="module")
def half(module) -> CudaKernels:
    return CudaKernels(module)


def evaluated(kernels, count: int, rays: int, frames: int, deferred: bool, weight: float = 1.0):
    """Values of the field at scattered points, and gradients of their weighted sum."""
    head = field(deferred=deferred)
    points, harmonics, ray_of, frame_of, biases = scattered(count, rays, frames, seed=count)
    weigh = torch.randn(count, 3 + head.shape.channels, generator=torch.Generator().manual_seed(9)) * weight
    leaves = [t.detach().clone().requires_grad_() for t in (*head.weights, *biases)]
    weights, conditions = type(head.weights)(*leaves[:9]), Biases(*leaves[9:])
    found = kernels.evaluate(head.shape, weights, conditions, points, harmonics, ray_of, frame_of)
    values = torch.cat([found.sigmas[:, None].log(), found.values, found.ambient], dim=-1)
    (values * weigh).sum().backward()
    return values.detach(), [leaf.grad if leaf.grad is None else leaf.grad / weight for leaf in leaves]


@pytest.mark.parametrize("deferred", [False, True])
@pytest.mark.parametrize(("count", "rays", "frames"), [(0, 1, 1), (1, 1, 1), (23, 4, 2), (1001, 40, 4), (130, 3, 40)])
def test_field_values_and_gradients_agree(exact, reference, count, rays, frames, deferred):
    (expected, expected_gradients), (found, gradients) = (
        evaluated(kernels, count, rays, frames, deferred) for kernels in (reference, exact)
    )
    assert torch.allclose(found, expected, atol=2e-5)
    for a, b in zip(expected_gradients, gradients, strict=True):
        if a is not None:  # a deferred field's colours are made elsewhere
            assert (a - b).norm() <= 1e-4 * a.norm() + 1e-6


@pytest.mark.parametrize("weight", [1.0, 1e-9, 1e6])
def test_gradients_of_any_size_survive_half_precision(half, reference, weight):
    (expected, expected_gradients), (found, gradients) = (
        evaluated(kernels, 600, 20, 3, False, weight) for kernels in (reference, half)
    )
    assert torch.allclose(found, expected, atol=2e-3)
    for a, b in zip(expected_gradients, gradients, strict=True):
        assert (a - b).norm() <= 0.06 * a.norm()


def test_a_network_without_a_gradient_has_none():
    weight = torch.ones(3, 3, requires_grad=True)
    out = in_low_precision(lambda x, w: x @ w, [torch.ones(2, 3), weight], [torch.float16, torch.float16])
    out.backward(torch.zeros_like(out))
    assert weight.grad.dtype == torch.float32 and weight.grad.abs().max() == 0


def test_marching_agrees(exact, reference):
    occupancy, rays = random_occupancy(), random_rays(300)
    jitter = torch.rand(300, generator=torch.Generator().manual_seed(5))
    for stopping in (torch.zeros(64**3), torch.rand(64**3, generator=torch.Generator().manual_seed(4)) * 20):
        occupancy.stopping = stopping
        expected, found = reference.march(rays, occupancy, jitter), exact.march(rays, occupancy, jitter)
        # A lattice point on a voxel's face may fall to either side in the last bit.
        assert (expected.starts.diff() != found.starts.diff()).sum() <= 3
        if torch.equal(expected.starts, found.starts):
            assert torch.allclose(found.points, expected.points, atol=1e-5)
            assert torch.equal(found.ray_of, expected.ray_of)


def test_rays_along_an_axis_past_the_box_and_of_no_number(exact, reference):
    directions = torch.cat([torch.eye(3), -torch.eye(3), torch.tensor([[0.0, 1.0, 0.0], [torch.nan] * 3])])
    origins = -3.0 * directions + 0.013
    origins[6:] = torch.tensor([0.0, 0.0, -4.0])
    rays, occupancy, jitter = Rays(origins, directions.contiguous()), random_occupancy(), torch.full((8,), 0.5)
    known = Rays(origins[:7], directions[:7].contiguous())
    expected, found = reference.march(known, occupancy, jitter[:7]), exact.march(rays, occupancy, jitter)
    assert torch.equal(found.starts[:8], expected.starts) and expected.starts[-1] > 0
    assert found.starts[-1] - found.starts[-2] <= MAX_SAMPLES
    nobody = Rays(torch.zeros(0, 3), torch.zeros(0, 3))
    assert exact.march(nobody, occupancy, torch.zeros(0)).starts.tolist() == [0]


@pytest.mark.parametrize("channels", [3, 16])
@pytest.mark.parametrize("counts", [[0], [1], [3, 0, 1, 17], [0, 0, 90, 5] * 40])
def test_compositing_agrees(exact, reference, channels, counts):
    generator, count = torch.Generator().manual_seed(6), sum(counts)
    starts = torch.tensor([0, *torch.tensor(counts).cumsum(0).tolist()], dtype=torch.int32)
    ray_of = torch.arange(len(counts), dtype=torch.int32).repeat_interleave(torch.tensor(counts))
    samples = Samples(torch.rand(count, 3, generator=generator), ray_of, starts)
    rays = random_rays(len(counts))
    sigmas, values = torch.rand(count, generator=generator) * 40, torch.rand(count, channels, generator=generator)
    results = []
    for kernels in (reference, exact):
        s, v = sigmas.clone().requires_grad_(), values.clone().requires_grad_()
        done = kernels.composite(s, v, samples, rays)
        (done.values.square().sum() + (done.alpha * 3).sin().sum()).backward()
        results.append((done.values.detach(), done.alpha.detach(), done.depth, done.transmittance, s.grad, v.grad))
    for a, b in zip(*results, strict=True):
        assert a.shape == b.shape and torch.allclose(a, b, atol=2e-5)


@pytest.mark.parametrize("deferred", [False, True])
def test_rendering_agrees_within_a_grey_level(half, reference, monkeypatch, deferred):
    monkeypatch.setattr(backend, "RENDER_RAYS", 128)
    head, occupancy, rays = field(deferred=deferred), random_occupancy(), random_rays(500)
    biases = Biases(*(torch.randn(1, 64, generator=torch.Generator().manual_seed(7)) * 0.3 for _ in range(3)))
    expected, found = (k.render(head.shape, head.weights, biases, rays, occupancy) for k in (reference, half))
    assert torch.quantile((expected[:, :-1] - found[:, :-1]).abs(), 0.99) < 1 / 255
    assert torch.allclose(expected[:, -1], found[:, -1], atol=0.05)
    assert expected[:, -2].max() > 0.5


def test_a_picture_of_nothing_is_empty(half, reference):
    head, nowhere = field(), Rays(torch.zeros(0, 3), torch.zeros(0, 3))
    biases = Biases(*(torch.zeros(1, 64) for _ in range(3)))
    for kernels in (reference, half):
        assert kernels.render(head.shape, head.weights, biases, nowhere, random_occupancy()).shape == (0, 5)


def test_rays_that_are_opaque_are_evaluated_no_further(exact, reference, monkeypatch):
    head, occupancy, rays = field(), Occupancy(16), random_rays(50)
    evaluate, points = exact.evaluate, []

    def opaque(*arguments):
        found = evaluate(*arguments)
        points.append(len(found.sigmas))
        return found._replace(sigmas=torch.full_like(found.sigmas, 1e3))

    monkeypatch.setattr(exact, "evaluate", opaque)
    biases = Biases(*(torch.zeros(1, 64) for _ in range(3)))
    found = exact.render(head.shape, head.weights, biases, rays, occupancy)
    hit = reference.march(rays, occupancy, torch.full((50,), 0.5)).starts.diff()
    assert points == [int(hit.clamp(max=backend.FIRST_ROUND).sum())]
    assert torch.allclose(found[:, 3], (hit > 0).float())


@pytest.mark.parametrize("dims", [2, 3])
def test_encoding_agrees_at_any_length(exact, reference, dims):
    spec = GridSpec(dims, 5, 8, 64, 10)
    generator = torch.Generator().manual_seed(8)
    for count in (0, 1, 25, 300):
        results = []
        table, points = torch.randn(spec.vertices, 2, generator=generator), torch.rand(count, dims, generator=generator)
        for kernels in (reference, exact):
            leaf, at = table.clone().requires_grad_(), points.clone().requires_grad_(dims == 2)
            out = kernels.encode(spec, leaf, at)
            out.square().sum().backward()
            results.append((out.detach(), leaf.grad, at.grad if dims == 2 else torch.zeros(1)))
        for a, b in zip(*results, strict=True):
            assert torch.allclose(a, b, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("dims", [2, 3])
def test_nothing_beyond_a_table_is_read_or_written(exact, dims):
    spec = GridSpec(dims, 5, 8, 64, 10)
    margin = 4096
    guarded = torch.full((spec.vertices + 2 * margin, 2), torch.nan)
    table = guarded[margin:-margin]
    table.copy_(torch.randn(spec.vertices, 2, generator=torch.Generator().manual_seed(8)))
    places = torch.tensor([-1e30, -0.5, 0.0, 1.0, 1.5, 1e30, -torch.inf, torch.inf, torch.nan])
    points = torch.cartesian_prod(*[places] * dims)
    leaf, at = table.detach().requires_grad_(), points.clone().requires_grad_(dims == 2)
    found = exact.encode(spec, leaf, at)
    found.sum().backward()
    assert found.isfinite().all() and leaf.grad.isfinite().all()
    inside = ~points.isnan().any(1)
    assert torch.equal(found[inside], exact.encode(spec, table, points[inside].clamp(0.0, 1.0)))


def test_sparse_adam_agrees_and_leaves_the_untouched_alone(exact, reference):
    start = torch.randn(32, 2, generator=torch.Generator().manual_seed(3))
    results = []
    for kernels in (reference, exact):
        value, state = start.clone(), AdamState(torch.zeros(32, 2), torch.zeros(32, 2))
        for step in range(3):
            gradient = torch.zeros(32, 2)
            gradient[3:9, 1] = torch.linspace(1, 2, 6) * (step + 1)
            kernels.sparse_adam(value, gradient, state, 0.1, (0.9, 0.99), 1e-12)
            assert gradient.abs().max() == 0
        results.append((value, state.first, state.second))
    for a, b in zip(*results, strict=True):
        assert torch.allclose(a, b, atol=1e-6)
    assert torch.equal(results[1][0][:, 0], start[:, 0])


def test_not_a_number_stays_visible(half):
    head = field()
    points, harmonics, ray_of, frame_of, biases = scattered(10, 2, 1, seed=1)
    biases.density[0, 3] = float("nan")
    assert half.evaluate(head.shape, head.weights, biases, points, harmonics, ray_of, frame_of).values.isnan().any()


def test_wrong_tensors_are_refused_before_a_kernel_sees_them(exact):
    spec = GridSpec(3, 4, 8, 64, 10)
    table = torch.zeros(spec.vertices, 2)
    with pytest.raises(ValueError, match="expected a tensor of shape"):
        exact.encode(spec, torch.zeros(3, 2), torch.rand(4, 3))
    with pytest.raises(TypeError, match="float32"):
        exact.encode(spec, table.double(), torch.rand(4, 3))
    with pytest.raises(TypeError, match="on cpu, not on meta"):
        exact.encode(spec, table, torch.rand(4, 3, device="meta"))
    with pytest.raises(ValueError, match="16 grid levels"):
        many = GridSpec(2, 17, 8, 64, 10)
        exact.encode(many, torch.zeros(many.vertices, 2), torch.rand(4, 2))
    with pytest.raises(ValueError, match="two-dimensional"):
        exact.encode(spec, table, torch.rand(4, 3, requires_grad=True)).sum().backward()


def test_training_on_these_kernels_is_training_on_the_reference(exact, module, reference, ball_take):
    histories = []
    for kernels in (reference, exact):
        module.launched.clear()
        scene, losses = new_scene(ball_take, TINY_FIT, kernels), []
        fitter = Fitter(scene, ball_take, 20, [PixelObjective()], options=StepOptions(samples=1000), seed=1)
        fitter.run(TakeTargets(ball_take, 2, 64), 3, lambda step, loss, to=losses: to.append(loss))
        with torch.no_grad():
            picture = scene.render(ball_take.camera(0), conditions_for(scene, ball_take, [0])).rgb
        histories.append((torch.tensor(losses), picture))
    for a, b in zip(*histories, strict=True):
        assert torch.allclose(a, b, atol=2e-3)
    assert module.launched == set(kernel_names())
