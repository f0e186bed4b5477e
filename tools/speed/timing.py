"""Two clocks: the CPU's for one thread, which other work on the machine hardly moves, and the wall's for several."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal

import torch


@dataclass(frozen=True)
class Race:
    """One piece of work, done by the native kernels and by the reference."""

    native_ms: float
    reference_ms: float

    @property
    def ratio(self) -> float:
        return self.reference_ms / self.native_ms


def race(
    work: Mapping[str, Callable[[], object]],  # by "native" and "torch"
    clock: Literal["cpu", "wall"],  # best CPU time, or median wall time
    threads: int,
    repeats: int,
) -> Race:
    """Times both in turns, so that a busy moment of the machine meets both; one run of each warms up."""
    took: dict[str, list[float]] = {name: [] for name in work}
    read = time.process_time if clock == "cpu" else time.perf_counter
    with torch_threads(threads):
        for turn in range(repeats + 1):
            for name, do in work.items():
                began = read()
                do()
                if turn:
                    took[name].append(1e3 * (read() - began))
    settle = min if clock == "cpu" else statistics.median
    return Race(settle(took["native"]), settle(took["torch"]))


@contextmanager
def torch_threads(count: int) -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)
