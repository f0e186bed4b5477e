"""Cuts are steps that dwarf their neighbours; repeated pictures are steps of nothing."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from talker.core.types import Silent
from talker.take.cuts import Pace, find_cuts, watch_pace
from talker.video import VideoWriter


def test_a_cut_stands_alone():
    steps = 1.0 + 0.3 * np.sin(np.arange(200))
    assert find_cuts(steps) == []
    steps[90] = 12.0
    assert find_cuts(steps) == [90]
    steps[86:95] = [3, 5, 8, 10, 12, 10, 8, 5, 3]  # a quick turn of the head
    assert find_cuts(steps) == []
    assert find_cuts(np.array([20.0, 1.0])) == [0] and find_cuts(np.zeros(0)) == []


def test_seconds_of_cuts_are_of_the_file():
    steps = np.ones(100)
    steps[49] = 30.0
    assert Pace(steps, start_s=4.0).cuts_s == [6.0]  # the 50th step leads to picture 50, two seconds in


@pytest.mark.parametrize("every", [1, 2, 5])
def test_pictures_shown_again_are_not_counted(every):
    steps = np.random.default_rng(0).uniform(0.7, 1.5, 250)
    steps[np.arange(250) % every > 0] = 0.03  # what a codec makes of them
    assert Pace(steps, 0.0).new_per_second() == pytest.approx(25.0 / every, abs=0.5)


def test_calm_moments_are_no_repetition():
    steps = np.random.default_rng(0).uniform(0.8, 1.2, 250)
    steps[60:200] *= 0.02  # sits still
    assert Pace(steps, 0.0).new_per_second() > 22.0 and Pace(np.zeros(0), 0.0).new_per_second() == 0.0


def test_a_black_start_is_no_slow_camera():
    steps = np.random.default_rng(0).uniform(0.7, 1.5, 250)
    steps[:75] = 0.0
    assert Pace(steps, 0.0).new_per_second() < 18.0
    assert Pace(steps, 0.0).new_per_second(np.arange(250) >= 75) > 24.0


def test_a_video_of_two_shots(tmp_path: Path):
    generator = np.random.default_rng(0)
    shots = generator.integers(40, 215, (2, 64, 64, 3))
    with VideoWriter(tmp_path / "two.mp4", (64, 64), crf=8) as writer:
        for index in range(50):
            drift = generator.integers(-4, 5, (64, 64, 3))
            writer.write((shots[index // 30] + drift).astype(np.uint8))
    pace = watch_pace(tmp_path / "two.mp4", (0.0, 2.0), Silent())
    assert pace.cuts_s == [pytest.approx(1.2)] and len(pace.steps) == 49
