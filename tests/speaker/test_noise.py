from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from talker.speaker.noise import lattice_hash, noise, noise_gradient, smoothstep

ROOT = Path(__file__).parents[2]


def test_noise_meets_the_lattice_and_stays_in_range():
    values = np.array([noise(float(i), float(-i), float(2 * i)) for i in range(50)])
    assert values == pytest.approx([lattice_hash(i, -i, 2 * i) for i in range(50)], abs=1e-6)
    assert values.min() >= 0 and values.max() <= 1 and 0.35 < values.mean() < 0.65 and values.std() > 0.15


def test_noise_gradient_is_the_derivative():
    generator = np.random.default_rng(1)
    step = 1e-4
    for x, y, z in generator.uniform(-5, 5, (20, 3)):
        _, *gradient = noise_gradient(x, y, z)
        numeric = [
            (noise(x + dx, y + dy, z + dz) - noise(x - dx, y - dy, z - dz)) / (2 * step)
            for dx, dy, dz in np.eye(3) * step
        ]
        assert gradient == pytest.approx(numeric, abs=2e-3)


def test_smoothstep_runs_either_way():
    assert smoothstep(1.0, 3.0, 0.0) == 0.0 and smoothstep(1.0, 3.0, 4.0) == 1.0 and smoothstep(1.0, 3.0, 2.0) == 0.5
    assert smoothstep(3.0, 1.0, 0.0) == 1.0 and smoothstep(3.0, 1.0, 4.0) == 0.0


@pytest.mark.parametrize("mode", [0o700, 0o707])
def test_compiled_code_is_kept_only_where_others_may_not_write(tmp_path, mode):
    tmp_path.chmod(mode)
    code = "import numba, talker.speaker as s; print(s.NOT_KEPT, '|', numba.config.CACHE_DIR)"
    environment = {**os.environ, "TALKER_CACHE": str(tmp_path / "cache"), "NUMBA_CACHE_DIR": ""}
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment, cwd=ROOT)
    why, _, kept = done.stdout.strip().partition(" | ")
    if mode == 0o700:
        assert why == "None" and kept.startswith(str(tmp_path / "cache"))
    else:
        assert "chmod o-w it" in why and not kept
