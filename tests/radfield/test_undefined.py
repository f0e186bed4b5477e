"""Bad numbers, through kernels that stop where C++ leaves the outcome open: conversions, shifts, overflows, bounds."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.radfield.conftest import native_or_none

pytestmark = pytest.mark.slow

BAD_NUMBERS = """
import torch
from dataclasses import replace
from talker.radfield.field import HeadField
from talker.radfield.native import NativeKernels, build
from tests.radfield.conftest import TINY_FIELD
from tests.radfield.test_kernels import random_occupancy, random_rays, scattered
build.FLAGS = ["-O1", *build.FLAGS[1:], "-fsanitize=float-cast-overflow,shift,bounds,signed-integer-overflow"]
build.FLAGS += ["-fsanitize-undefined-trap-on-error"]
build.OPTIONAL_FLAGS = {"-march=native": ""}
kernels, occupancy, jitter = NativeKernels(), random_occupancy(), torch.full((20,), 0.5)

def one(biases):
    return type(biases)(*(bias[:1].contiguous() for bias in biases))

for deferred in (False, True):
    head = HeadField(replace(TINY_FIELD, deferred=deferred), torch.Generator().manual_seed(0))
    for bad in (torch.nan, torch.inf, -torch.inf, 1e30):
        for slot in range(3):
            points, harmonics, ray_of, frame_of, biases = scattered(30, 4, 2, seed=1)
            biases[slot][0, 3] = bad
            found = kernels.evaluate(head.shape, head.weights, biases, points, harmonics, ray_of, frame_of)
            (found.sigmas.sum() + found.values.sum()).backward()
            kernels.render(head.shape, head.weights, one(biases), random_rays(20), occupancy)
        rays = random_rays(20)
        samples = kernels.march(rays, occupancy, jitter)
        sigmas = torch.full((len(samples.points),), bad, requires_grad=True)
        kernels.composite(sigmas, torch.rand(len(sigmas), 3), samples, rays).alpha.sum().backward()
        rays.origins[3], rays.directions[4] = bad, bad
        kernels.march(rays, occupancy, jitter)
        *_, biases = scattered(30, 4, 2, seed=1)
        kernels.render(head.shape, head.weights, one(biases), rays, occupancy)
print("defined")
"""


def test_bad_numbers_leave_nothing_undefined(monkeypatch, tmp_path):
    if native_or_none() is None:
        pytest.skip("no C++ compiler on this machine")
    monkeypatch.setenv("TALKER_CACHE", str(tmp_path))
    done = subprocess.run([sys.executable, "-c", BAD_NUMBERS], capture_output=True, text=True, check=False)
    if "could not build" in done.stderr:
        pytest.skip("this compiler has no sanitizers")
    assert done.stdout == "defined\n", done.stderr[-500:] or f"ended by signal {-done.returncode}"
