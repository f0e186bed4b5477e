"""The C++ kernels against the torch reference: values and gradients, over random and degenerate shapes.

All of it for every way to build them that this machine has.
"""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from talker.core.errors import BadInput
from talker.core.types import Rays
from talker.radfield.backends import choose_kernels
from talker.radfield.encoding import GridSpec, spherical_harmonics
from talker.radfield.field import Biases, HeadField
from talker.radfield.kernels import AdamState
from talker.radfield.native import NativeKernels, build
from talker.radfield.occupancy import Occupancy
from talker.radfield.torso import Torso, TorsoOptions
from tests.radfield.conftest import TINY_FIELD

pytestmark = pytest.mark.slow

# Compiler, and what it takes of the CPU. Lightly optimised, which builds faster; rounding is what may differ.
BUILDS = {
    "all of this CPU": (None, None),
    "any CPU, without OpenMP": (None, []),
    "AVX2, as with most laptops": (None, ["-march=x86-64-v3", "-fopenmp"]),
    "clang": ("clang++", ["-march=native", "-fopenmp"]),
}


@pytest.fixture(scope="module", params=BUILDS)
def native(request, native, tmp_path_factory):
    compiler, flags = BUILDS[request.param]
    if flags is None:
        return native
    if compiler and not shutil.which(compiler):
        pytest.skip(f"no {compiler} on this machine")
    if "-march=x86-64-v3" in flags and "avx512f" not in cpu_features():
        pytest.skip("no AVX-512 here: all of this CPU is AVX2 or less, and tested as such")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TALKER_CACHE", str(tmp_path_factory.mktemp("cache")))
        if compiler:
            patch.setenv("CXX", compiler)
        patch.setattr(build, "FLAGS", ["-O1", *build.FLAGS[1:]])
        patch.setattr(build, "OPTIONAL_FLAGS", {flag: build.OPTIONAL_FLAGS.get(flag, "") for flag in flags})
        return NativeKernels()


def cpu_features() -> str:
    facts = Path("/proc/cpuinfo")
    return facts.read_text() if facts.exists() else ""


def field(seed: int = 0, deferred: bool = False) -> HeadField:
    """A field whose tables are large enough to matter."""
    head = HeadField(replace(TINY_FIELD, deferred=deferred), torch.Generator().manual_seed(seed))
    with torch.no_grad():
        head.space_table.mul_(300)
        head.ambient_table.mul_(30)
    return head


def scattered(count: int, rays: int, frames: int, seed: int):
    generator = torch.Generator().manual_seed(seed)
    points = torch.rand(count, 3, generator=generator)
    points[: min(count, 2)] = torch.tensor([[0.0, 0.0, 0.0], [1.0, 1.0, 1.0]])[: min(count, 2)]
    directions = torch.nn.functional.normalize(torch.randn(rays, 3, generator=generator), dim=-1)
    ray_of = torch.randint(rays, (count,), generator=generator).sort().values.int()
    frame_of = torch.randint(frames, (rays,), generator=generator).int()
    biases = Biases(*(torch.randn(frames, 64, generator=generator) * 0.3 for _ in range(3)))
    return points, spherical_harmonics(directions).contiguous(), ray_of, frame_of, biases


@pytest.mark.parametrize("deferred", [False, True])
@pytest.mark.parametrize(("count", "rays", "frames"), [(0, 1, 1), (1, 1, 1), (23, 4, 2), (24, 5, 3), (1001, 40, 4)])
def test_field_values_and_gradients_agree(native, reference, count, rays, frames, deferred):
    head = field(deferred=deferred)
    points, harmonics, ray_of, frame_of, biases = scattered(count, rays, frames, seed=count)
    weigh = torch.randn(count, 3 + head.shape.channels, generator=torch.Generator().manual_seed(9))
    results = []
    for kernels in (reference, native):
        leaves = [t.detach().clone().requires_grad_() for t in (*head.weights, *biases)]
        found = kernels.evaluate(
            head.shape, type(head.weights)(*leaves[:9]), Biases(*leaves[9:]), points, harmonics, ray_of, frame_of
        )
        values = torch.cat([found.sigmas[:, None].log(), found.values, found.ambient], dim=-1)
        (values * weigh).sum().backward()
        # A deferred field's colour MLP is no part of its samples.
        gradients = [torch.zeros_like(leaf) if leaf.grad is None else leaf.grad for leaf in leaves]
        results.append((values.detach(), gradients))
    (expected, expected_gradients), (found, gradients) = results
    assert torch.allclose(found, expected, atol=2e-4)
    for a, b in zip(expected_gradients, gradients, strict=True):
        # A float's last bit may put a sample on the other side of a kink: compare whole gradients, not entries.
        assert (a - b).norm() <= 5e-3 * a.norm() + 1e-6


def random_occupancy(seed: int = 1) -> Occupancy:
    occupancy = Occupancy(64)
    occupancy.set_occupied(torch.rand(64**3, generator=torch.Generator().manual_seed(seed)) < 0.2)
    return occupancy


def random_rays(count: int, seed: int = 2) -> Rays:
    generator = torch.Generator().manual_seed(seed)
    origins = torch.tensor([0.0, 0.0, -5.0]) + torch.randn(count, 3, generator=generator) * 0.2
    aims = torch.randn(count, 3, generator=generator)
    return Rays(origins, torch.nn.functional.normalize(aims - origins, dim=-1).contiguous())


def test_marching_agrees(native, reference):
    occupancy, rays = random_occupancy(), random_rays(300)
    occupancy.stopping = torch.rand(64**3, generator=torch.Generator().manual_seed(4)) * 20
    jitter = torch.rand(300, generator=torch.Generator().manual_seed(5))
    expected, found = reference.march(rays, occupancy, jitter), native.march(rays, occupancy, jitter)
    # A lattice point on a voxel's face may fall to either side in the last bit.
    different = (expected.starts.diff() != found.starts.diff()).sum()
    assert different <= 3
    if different == 0:
        assert torch.allclose(found.points, expected.points, atol=1e-5)


@pytest.mark.parametrize("channels", [3, 16])
def test_compositing_agrees(native, reference, channels):
    occupancy, rays = random_occupancy(), random_rays(100)
    samples = reference.march(rays, occupancy, torch.full((100,), 0.5))
    generator = torch.Generator().manual_seed(6)
    sigmas = torch.rand(len(samples.points), generator=generator) * 40
    values = torch.rand(len(samples.points), channels, generator=generator)
    results = []
    for kernels in (reference, native):
        s, c = sigmas.clone().requires_grad_(), values.clone().requires_grad_()
        done = kernels.composite(s, c, samples, rays)
        (done.values.square().sum() + (done.alpha * 3).sin().sum()).backward()
        results.append((done.values.detach(), done.alpha.detach(), done.depth, done.transmittance, s.grad, c.grad))
    for a, b in zip(*results, strict=True):
        assert torch.allclose(a, b, atol=2e-5)


@pytest.mark.parametrize("deferred", [False, True])
def test_rendering_agrees_within_a_grey_level(native, reference, deferred):
    head, occupancy, rays = field(deferred=deferred), random_occupancy(), random_rays(500)
    biases = Biases(*(torch.randn(1, 64, generator=torch.Generator().manual_seed(7)) * 0.3 for _ in range(3)))
    expected, found = (k.render(head.shape, head.weights, biases, rays, occupancy) for k in (reference, native))
    assert torch.quantile((expected[:, :-1] - found[:, :-1]).abs(), 0.99) < 1 / 255
    assert expected[:, -2].max() > 0.5


@pytest.mark.parametrize("count", [0, 1, 23, 100])
def test_painting_the_torso_agrees(native, reference, count):
    generator = torch.Generator().manual_seed(10)
    torso = Torso(TorsoOptions(4, 64, 10), torch.randn(5, 6, generator=generator), generator)
    with torch.no_grad():
        torso.table.mul_(100)  # large enough to matter, as all that starts near zero
        for parameter in (*torso.bend.parameters(), *torso.colour.parameters()):
            parameter.add_(torch.randn(parameter.shape, generator=generator) * 0.1)
        weights = torso.weights(torch.randn(1, 6, generator=generator))
    positions = torch.rand(count, 2, generator=generator)
    expected, found = (k.paint_torso(torso.grid, weights, positions) for k in (reference, native))
    assert torch.allclose(expected, found, atol=1e-4)
    assert count < 100 or expected.std(0).min() > 0.01


@pytest.mark.parametrize("dims", [2, 3])
def test_encoding_agrees_at_any_length(native, reference, dims):
    spec = GridSpec(dims, 4, 8, 64, 10)
    generator = torch.Generator().manual_seed(8)
    for count in (1, 8, 25):
        results = []
        table, points = torch.randn(spec.vertices, 2, generator=generator), torch.rand(count, dims, generator=generator)
        for kernels in (reference, native):
            leaf, at = table.clone().requires_grad_(), points.clone().requires_grad_(dims == 2)
            out = kernels.encode(spec, leaf, at)
            out.square().sum().backward()
            results.append((out.detach(), leaf.grad, at.grad if dims == 2 else torch.zeros(1)))
        for a, b in zip(*results, strict=True):
            assert torch.allclose(a, b, rtol=1e-3, atol=1e-3)


def test_sparse_adam_agrees_and_leaves_untouched_blocks_alone(native, reference):
    generator = torch.Generator().manual_seed(3)
    start = torch.randn(64, generator=generator)
    values, states = [], []
    for kernels in (reference, native):
        value, state = start.clone(), AdamState(torch.zeros(64), torch.zeros(64))
        for step in range(3):
            gradient = torch.zeros(64)
            gradient[:16] = torch.linspace(1, 2, 16) * (step + 1)
            kernels.sparse_adam(value, gradient, state, 0.1, (0.9, 0.99), 1e-12)
            assert gradient.abs().max() == 0
        values.append(value)
        states.append(state)
    assert torch.allclose(values[0], values[1], atol=1e-6)
    assert torch.equal(values[1][16:], start[16:])
    assert states[1].second[:16].min() > 0


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_the_same_threads_give_the_same_bits(native, threads):
    head = field()
    occupancy, rays = random_occupancy(), random_rays(200)
    points, harmonics, ray_of, frame_of, biases = scattered(5000, 40, 4, seed=1)
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    results = []
    for _ in range(3):
        leaves = [t.detach().clone().requires_grad_() for t in (*head.weights, *biases)]
        weights, conditions = type(head.weights)(*leaves[:9]), Biases(*leaves[9:])
        found = native.evaluate(head.shape, weights, conditions, points, harmonics, ray_of, frame_of)
        (found.sigmas.log().sum() + found.values.sum() + found.ambient.sum()).backward()
        one = Biases(*(bias[:1].contiguous() for bias in biases))
        picture = native.render(head.shape, head.weights, one, rays, occupancy)
        results.append([*found, *(leaf.grad for leaf in leaves), picture])
    torch.set_num_threads(before)
    for other in results[1:]:
        assert all(torch.equal(a, b) for a, b in zip(results[0], other, strict=True))


def test_not_a_number_stays_visible(native):
    head = field()
    points, harmonics, ray_of, frame_of, biases = scattered(10, 2, 1, seed=1)
    biases.density[0, 3] = float("nan")
    found = native.evaluate(head.shape, head.weights, biases, points, harmonics, ray_of, frame_of)
    assert found.values.isnan().any()


@pytest.mark.parametrize("dims", [2, 3])
def test_points_outside_the_grid_read_its_border(native, dims):
    spec = GridSpec(dims, 4, 8, 64, 10)
    table = torch.randn(spec.vertices, 2, generator=torch.Generator().manual_seed(8)).requires_grad_()
    outside = torch.tensor([-1e30, -0.5, 1.5, 1e30, -torch.inf, torch.inf]).repeat_interleave(dims).reshape(-1, dims)
    found = native.encode(spec, table, outside)
    assert torch.equal(found, native.encode(spec, table, outside.clamp(0.0, 1.0)))
    nowhere = native.encode(spec, table, torch.full((3, dims), torch.nan))
    (found.sum() + nowhere.sum()).backward()
    assert nowhere.isfinite().all() and table.grad.isfinite().all()


def test_rays_along_an_axis_march_as_the_reference_does(native, reference):
    directions = torch.cat([torch.eye(3), -torch.eye(3)])
    rays = Rays((-3.0 * directions + 0.013).contiguous(), directions.contiguous())
    occupancy, jitter = random_occupancy(), torch.full((6,), 0.5)
    expected, found = reference.march(rays, occupancy, jitter), native.march(rays, occupancy, jitter)
    assert torch.equal(found.starts, expected.starts) and expected.starts[-1] > 0


def test_wrong_tensors_are_refused_before_cpp_sees_them(native):
    spec = GridSpec(3, 4, 8, 64, 10)
    with pytest.raises(ValueError, match="expected a tensor of shape"):
        native.encode(spec, torch.zeros(3, 2), torch.rand(4, 3))
    with pytest.raises(TypeError, match="float32"):
        native.encode(spec, torch.zeros(spec.vertices, 2, dtype=torch.float64), torch.rand(4, 3))


def test_unknown_kernels_name_those_that_exist():
    with pytest.raises(BadInput, match="auto, torch, native"):
        choose_kernels("cuda9000")


def test_tensors_of_other_shapes_never_reach_the_kernels(native):
    occupancy, rays = random_occupancy(), random_rays(10)
    samples = native.march(rays, occupancy, torch.full((10,), 0.5))
    sigmas, values = torch.ones(len(samples.points)), torch.ones(len(samples.points), 3)
    for bad in (
        lambda: native.composite(sigmas[1:], values, samples, rays),
        lambda: native.composite(sigmas, values[1:], samples, rays),
        lambda: native.composite(sigmas, torch.ones(len(sigmas), 17), samples, rays),
        lambda: native.sparse_adam(sigmas, values, AdamState(sigmas, sigmas), 0.1, (0.9, 0.99), 1e-12),
    ):
        with pytest.raises(ValueError):
            bad()
    occupancy.bricks = occupancy.bricks[1:]
    with pytest.raises(ValueError):
        native.march(rays, occupancy, torch.full((10,), 0.5))
    head, one = field(), Biases(*(torch.zeros(1, 64) for _ in range(3)))
    with pytest.raises(ValueError):
        native.render(head.shape, head.weights, one, rays, occupancy)
