"""tiny-cuda-nn's layouts against the reference, by a stand-in for the package that follows its conventions."""

import sys

import pytest
import torch

from talker.core.errors import Missing
from talker.radfield import tcnn
from talker.radfield.cuda.mixed import with_biases, with_frames
from talker.radfield.encoding import GridSpec
from talker.radfield.field import Biases, FieldOptions
from talker.radfield.tcnn import TcnnKernels
from talker.radfield.torso import TorsoOptions
from tests.radfield import toy_tinycudann
from tests.radfield.cuda_on_cpu import CpuModule
from tests.radfield.test_cuda import evaluated
from tests.radfield.test_kernels import field, random_occupancy, random_rays


@pytest.fixture(scope="module")
def module() -> CpuModule:
    return CpuModule()


@pytest.fixture
def kernels(module) -> TcnnKernels:
    return TcnnKernels(toy_tinycudann, module)


TORSO = TorsoOptions()


@pytest.mark.parametrize(
    "spec",
    [
        FieldOptions().shape.space,
        FieldOptions().shape.ambient,
        FieldOptions.paper().shape.space,
        FieldOptions.paper().shape.ambient,
        GridSpec(2, TORSO.levels, 16, TORSO.finest, TORSO.table_log2),
        GridSpec(2, 5, 16, 256, 18),  # scales are whole, and every level dense: a hair above would make it larger
        GridSpec(3, 1, 16, 16, 14),
    ],
)
def test_our_tables_are_its_parameters(spec, kernels, reference):
    theirs = toy_tinycudann.Encoding(spec.dims, tcnn.grid_config(spec))
    for (_, resolution, offset, size), level in zip(theirs.levels, spec.table, strict=True):
        assert (offset, size) == (level.offset, level.vertices)
        assert resolution == level.resolution or not level.dense  # hashes know no resolution
    generator = torch.Generator().manual_seed(1)
    table, points = torch.randn(spec.vertices, 2, generator=generator), torch.rand(50, spec.dims, generator=generator)
    results = []
    for each in (reference, kernels):
        leaf, at = table.clone().requires_grad_(), points.clone().requires_grad_(spec.dims == 2)
        out = each.encode(spec, leaf, at)
        (out * torch.arange(spec.width)).sum().backward()
        results.append((out.detach(), leaf.grad, at.grad))
    (expected, found), (tables, their_tables), (places, their_places) = zip(*results, strict=True)
    assert found.dtype == torch.float32 and (expected - found).norm() <= 0.01 * expected.norm()
    assert (tables - their_tables).norm() <= 0.02 * tables.norm()
    if spec.dims == 2:  # a point at a cell's border may see the next one
        close = (places - their_places).norm(dim=1) <= 0.02 * places.norm(dim=1)
        assert close.float().mean() >= 0.9


@pytest.mark.parametrize("frames", [1, 9, 20])
def test_our_matrices_and_biases_are_its_parameters(kernels, frames):
    generator = torch.Generator().manual_seed(2)
    inputs, frame = torch.randn(30, 24, generator=generator), torch.randint(frames, (30,), generator=generator)
    matrices = [torch.randn(shape, generator=generator) * 0.2 for shape in ((64, 24), (64, 64), (3, 64))]
    bias = torch.randn(frames, 64, generator=generator)
    found = kernels.perceptron(inputs, frame, bias, matrices)
    hidden = inputs @ matrices[0].T + bias[frame]
    for matrix in matrices[1:]:
        hidden = torch.where(hidden > 0, hidden, 0.01 * hidden) @ matrix.T
    assert found.dtype == torch.float32 and torch.allclose(found, hidden, atol=0.02)
    first = with_biases(matrices[0], bias)
    flat = tcnn.network_parameters([first, *matrices[1:]])
    assert torch.equal(flat[: 64 * first.shape[1]].reshape(64, -1), first)
    assert torch.equal(flat[-16 * 64 : -13 * 64].reshape(3, 64), matrices[2]) and flat[-13 * 64 :].abs().max() == 0
    assert with_frames(inputs, frame, frames).shape[1] == first.shape[1] == -(-(24 + frames) // 16) * 16


@pytest.mark.parametrize("deferred", [False, True])
@pytest.mark.parametrize(("count", "weight"), [(0, 1.0), (1, 1.0), (300, 1.0), (300, 1e-8)])
def test_field_values_and_gradients_agree(kernels, reference, count, weight, deferred):
    (expected, expected_gradients), (found, gradients) = (
        evaluated(each, count, 20, 3, deferred, weight) for each in (reference, kernels)
    )
    assert torch.allclose(found, expected, atol=6e-3)
    for a, b in zip(expected_gradients, gradients, strict=True):
        if a is not None:
            assert (a - b).norm() <= 0.1 * a.norm() + 1e-6


def test_rendering_agrees_within_a_grey_level(kernels, reference):
    head, occupancy, rays = field(), random_occupancy(), random_rays(60)
    biases = Biases(*(torch.randn(1, 64, generator=torch.Generator().manual_seed(7)) * 0.3 for _ in range(3)))
    expected, found = (k.render(head.shape, head.weights, biases, rays, occupancy) for k in (reference, kernels))
    assert torch.quantile((expected[:, :4] - found[:, :4]).abs(), 0.99) < 1 / 255
    assert expected[:, 3].max() > 0.5
    assert all(m.calls for m in (*kernels._encodings.values(), *kernels._networks.values()))


def test_another_layout_is_refused_rather_than_read_wrongly(kernels, monkeypatch):
    monkeypatch.setattr(tcnn, "grid_config", lambda spec: {**original(spec), "base_resolution": 17})
    with pytest.raises(Missing, match="lays encodings out differently; use --kernels cuda"):
        kernels.encode(GridSpec(2, 4, 16, 64, 10), torch.zeros(1, 2), torch.rand(4, 2))


original = tcnn.grid_config


def test_what_keeps_it_from_loading_is_one_line(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setitem(sys.modules, "tinycudann", None)
    with pytest.raises(Missing, match="not installed; choose --kernels cuda, or build it: pip install 'git"):
        TcnnKernels()

    def refuse(name: str):
        raise OSError("Could not find compatible tinycudann extension for compute capability 61.")

    monkeypatch.setattr(tcnn.importlib, "import_module", refuse)
    with pytest.raises(Missing, match=r"does not work here .*capability 61.*--kernels cuda"):
        TcnnKernels()
