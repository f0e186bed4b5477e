"""Error-guided sampling: pixels are drawn where the fit is still wrong (RAD-NeRF's error maps, after Instant-NGP).

Every frame has a coarse grid of cells that remembers the squared error of the pixels last drawn there; cells are drawn
in proportion to its root, pixels evenly within. F frames, n pixels of each, G cells.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

CELLS_ACROSS = 32
MEMORY = 0.7  # share that a cell keeps of what it remembered
UNSEEN = 1e-2  # squared error of a cell that was never drawn from
FLOOR = 1e-9  # no cell of the picture is quite out of reach


class ErrorMaps:
    def __init__(
        self,
        size_px: tuple[int, int],  # (width, height)
        wanted: list[np.ndarray],  # of each frame: flat indices of the pixels to begin with
    ) -> None:
        self._width, self._height = size_px
        self._cell = -(-self._width // CELLS_ACROSS)
        self._columns = -(-self._width // self._cell)
        rows = -(-self._height // self._cell)
        self._start = torch.full((len(wanted), rows * self._columns), FLOOR)
        for row, pixels in zip(self._start, wanted, strict=True):
            row[self._cell_of(torch.from_numpy(pixels).long()).unique()] = UNSEEN
        self.errors = self._start.clone()  # [frames, G]

    def reset(self) -> None:
        self.errors.copy_(self._start)

    def _cell_of(self, flat: Tensor) -> Tensor:
        y, x = flat // self._width, flat % self._width
        return y // self._cell * self._columns + x // self._cell

    def draw(self, slot: int, count: int, generator: torch.Generator) -> Tensor:
        """Flat indices [count] of a frame's pixels."""
        cell = torch.multinomial(self.errors[slot].sqrt(), count, replacement=True, generator=generator)
        inside = torch.randint(self._cell**2, (count,), generator=generator)
        x = cell % self._columns * self._cell + inside % self._cell
        y = cell // self._columns * self._cell + inside // self._cell
        return y.clamp(max=self._height - 1) * self._width + x.clamp(max=self._width - 1)

    def note(
        self,
        slots: list[int],  # F
        flat: Tensor,  # [F, n] flat pixel indices
        squared_error: Tensor,  # [F, n]
    ) -> None:
        for slot, cell, error in zip(slots, self._cell_of(flat), squared_error, strict=True):
            drawn = torch.bincount(cell, minlength=self.errors.shape[1])
            found = torch.bincount(cell, weights=error, minlength=self.errors.shape[1]) / drawn.clamp(min=1)
            row = self.errors[slot]
            row.copy_(torch.where(drawn > 0, torch.lerp(found.float() + FLOOR, row, MEMORY), row))
