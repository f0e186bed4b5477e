"""Ticks are round, and runs are what lies between the gaps."""

from __future__ import annotations

import numpy as np
import pytest

from talker.core.axis import runs, ticks


@pytest.mark.parametrize(
    ("low", "high", "most", "expected"),
    [
        (0.0, 1.0, 5, [0, 0.2, 0.4, 0.6, 0.8, 1.0]),
        (-3.0, 38.0, 5, [0, 10, 20, 30]),
        (0.0021, 0.0058, 5, [0.003, 0.004, 0.005]),
        (0.0, 30.0, 6, [0, 5, 10, 15, 20, 25, 30]),
        (3.0, 63.0, 6, [10, 20, 30, 40, 50, 60]),
        (-0.8, 0.8, 6, [-0.5, 0, 0.5]),
    ],
)
def test_ticks_are_round_and_inside(low, high, most, expected):
    assert ticks(low, high, most).tolist() == pytest.approx(expected)


@pytest.mark.parametrize("word", ["", "1", "0", "110100111", "011", "000", "111"])
def test_runs_are_the_flags_again(word):
    flags = np.array([letter == "1" for letter in word], bool)
    found = runs(flags)
    assert [index for run in found for index in run] == np.flatnonzero(flags).tolist()
    assert len(found) == len(word.replace("0", " ").split()) and all(len(run) for run in found)
