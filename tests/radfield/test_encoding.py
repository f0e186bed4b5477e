"""Hash grids and spherical harmonics against their definitions."""

import math

import pytest
import torch

from talker.radfield.encoding import GridSpec, corner_rows, encode_grid, spherical_harmonics

SPEC = GridSpec(dims=3, levels=4, base=4, finest=32, table_log2=9)


def test_levels_follow_tiny_cuda_nn():
    scales = [level.scale for level in SPEC.table]
    assert scales[0] == 3.0
    assert math.isclose(scales[-1], 31.0, rel_tol=1e-6)
    assert [level.resolution for level in SPEC.table] == [4, 8, 16, 32]
    assert [level.dense for level in SPEC.table] == [True, True, False, False]
    assert [level.vertices for level in SPEC.table] == [64, 512, 512, 512]
    assert SPEC.vertices == 64 + 3 * 512


def test_a_vertex_gives_its_own_row():
    table = torch.randn(SPEC.vertices, 2, generator=torch.Generator().manual_seed(1))
    level = SPEC.table[0]
    corner = torch.tensor([[1, 2, 3]])
    point = (corner - 0.5) / level.scale
    expected = table[level.offset + 1 + 2 * 4 + 3 * 16]
    assert torch.allclose(encode_grid(SPEC, table, point)[0, :2], expected, atol=1e-5)


def test_between_vertices_features_are_linear():
    table = torch.randn(SPEC.vertices, 2, generator=torch.Generator().manual_seed(2))
    scale = SPEC.table[-1].scale
    ends = (torch.tensor([[5.0, 6.0, 7.0], [6.0, 6.0, 7.0]]) - 0.5) / scale
    middle = 0.25 * ends[:1] + 0.75 * ends[1:]
    low, high = encode_grid(SPEC, table, ends)[:, -2:]
    assert torch.allclose(encode_grid(SPEC, table, middle)[0, -2:], 0.25 * low + 0.75 * high, atol=1e-4)


def test_hash_is_the_xor_of_prime_multiples():
    level = SPEC.table[3]
    x, y, z = 19, 30, 7
    expected = (x ^ (y * 2654435761 & 0xFFFFFFFF) ^ (z * 805459861 & 0xFFFFFFFF)) % 512 + level.offset
    rows = corner_rows(torch.tensor([[x, y, z]]), level)
    assert rows[0, 0].item() == expected
    assert rows[0, 5].item() == corner_rows(torch.tensor([[x + 1, y, z + 1]]), level)[0, 0].item()


@pytest.mark.parametrize("dims", [2, 3])
def test_gradients_are_those_of_the_values(dims):
    spec = GridSpec(dims, levels=4, base=2, finest=9, table_log2=4)
    generator = torch.Generator().manual_seed(3)
    table = torch.randn(spec.vertices, 2, generator=generator, dtype=torch.float64, requires_grad=True)
    points = torch.rand(7, dims, generator=generator, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda t, p: encode_grid(spec, t, p), (table, points))


def test_what_is_not_a_number_reads_the_table_all_the_same():
    table = torch.randn(SPEC.vertices, 2, generator=torch.Generator().manual_seed(4), requires_grad=True)
    found = encode_grid(SPEC, table, torch.tensor([[torch.nan, 0.5, 0.5], [0.2, torch.inf, -3.0]]))
    found.sum().backward()
    assert found[0].isnan().all()


def test_harmonics_are_orthonormal():
    count = 20_000  # a Fibonacci sphere integrates polynomials of this degree well
    k = torch.arange(count) + 0.5
    z, angle = 1 - 2 * k / count, math.pi * (1 + math.sqrt(5)) * k
    ring = (1 - z * z).sqrt()
    basis = spherical_harmonics(torch.stack([ring * angle.cos(), ring * angle.sin(), z], dim=-1).float())
    gram = 4 * math.pi * basis.T @ basis / count
    assert torch.allclose(gram, torch.eye(16), atol=2e-3)
