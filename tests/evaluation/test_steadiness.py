"""What moves evenly does not shake; what shakes, shakes by as much as was put in."""

from __future__ import annotations

import numpy as np
import pytest

from talker.evaluation.steadiness import RIGID, jitter, measure_steadiness
from tests.evaluation.faces import talking


def moving(count: int) -> np.ndarray:
    return talking(np.linspace(0, 20, count) ** 1.5) + np.arange(count)[:, None, None] * (1.5, -0.5)


def test_even_motion_and_speech_are_steady():
    assert jitter(moving(30)) == pytest.approx(0.0, abs=1e-9)


def test_a_head_that_jumps_to_and_fro_has_the_known_jitter():
    shaking = moving(30)
    shaking[1::2, :, 0] += 0.5
    figures = measure_steadiness(shaking, moving(30))
    assert figures.jitter_px == pytest.approx(1.0)  # |0 - 2 * 0.5 + 0|
    assert figures.jitter_reference_px == pytest.approx(0.0, abs=1e-9)


def test_gaps_break_runs_and_are_not_bridged():
    faces = moving(30)
    faces[15:, list(RIGID)] += 40.0  # a jump, hidden by the gap
    faces[14] = np.nan
    assert jitter(faces) == pytest.approx(0.0, abs=1e-9)
    faces[::3] = np.nan
    assert jitter(faces) is None
