"""What lies along an axis: round numbers to mark it with, and the pieces of it where something holds."""

from __future__ import annotations

from itertools import pairwise

import numpy as np


def ticks(
    low: float,
    high: float,
    most: int,
) -> np.ndarray:
    """Round numbers (1, 2 or 5 times a power of ten apart) within a range, at most about `most`."""
    power = 10.0 ** np.floor(np.log10((high - low) / most))
    step = next(power * factor for factor in (1, 2, 5, 10) if (high - low) / (power * factor) <= most)
    found = np.arange(np.ceil(low / step), np.floor(high / step) + 1) * step
    return np.round(found, 12) + 0.0  # no minus zero


def runs(
    flags: np.ndarray,  # [n] bool
    groups: np.ndarray | None = None,  # [n] int
) -> list[range]:
    """The places of every unbroken piece that is true, and of one group."""
    marks = np.where(flags, 1 if groups is None else 1 + groups - groups.min(initial=0), 0)
    starts = np.flatnonzero(np.diff(marks, prepend=0))
    return [range(int(a), int(b)) for a, b in pairwise([*starts, len(marks)]) if marks[a]]
