"""A few things out of however many come, evenly spread over them."""

from __future__ import annotations

from typing import Generic, TypeVar

Thing = TypeVar("Thing")


class EvenSample(Generic[Thing]):
    """Keeps every one at first, then every second, every fourth: between `fewest` and twice as many, once there were
    so many."""

    def __init__(self, fewest: int) -> None:
        self.kept: list[Thing] = []
        self._fewest, self._every, self._offered = fewest, 1, 0

    def offer(self, thing: Thing) -> None:
        if self._offered % self._every == 0:
            self.kept.append(thing)
            if len(self.kept) == 2 * self._fewest:
                self.kept, self._every = self.kept[::2], 2 * self._every
        self._offered += 1
