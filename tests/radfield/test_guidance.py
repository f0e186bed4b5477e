"""Pixels are drawn where the error is, and from nowhere outside the picture."""

from __future__ import annotations

import numpy as np
import torch

from talker.radfield.guidance import CELLS_ACROSS, MEMORY, UNSEEN, ErrorMaps

SIZE_PX = (70, 50)  # cells of 3 px, the last column and row cut


def maps(*pixels: int) -> ErrorMaps:
    return ErrorMaps(SIZE_PX, [np.array(pixels, np.int32), np.arange(70 * 50, dtype=np.int32)])


def generator() -> torch.Generator:
    return torch.Generator().manual_seed(0)


def test_before_anything_is_known_pixels_come_from_where_they_are_wanted():
    wanted = 20 * 70 + 31
    drawn = maps(wanted).draw(0, 500, generator())
    x, y = drawn % 70, drawn // 70
    near = (x // 3 == 31 // 3) & (y // 3 == 20 // 3)
    assert near.float().mean() > 0.4  # FLOOR lets a few fall elsewhere: 408 cells share the rest
    assert len(drawn[near].unique()) == 9  # evenly within


def test_pixels_never_leave_the_picture_and_reach_its_every_corner():
    drawn = maps().draw(1, 40_000, generator())
    assert drawn.min() == 0 and drawn.max() == 70 * 50 - 1
    assert len(drawn.unique()) > 0.99 * 70 * 50
    assert maps().errors.shape[1] <= CELLS_ACROSS**2


def test_errors_draw_pixels_in_proportion_to_their_root():
    guide = maps()
    right = 25 * 70 + 60  # a pixel with an error 16 times the others'
    flat = torch.arange(70 * 50)[None]
    for _ in range(60):
        error = torch.full((1, 70 * 50), 1e-3)
        error[0, flat[0] // 70 // 3 * 24 + flat[0] % 70 // 3 == 25 // 3 * 24 + 60 // 3] = 16e-3
        guide.note([1], flat, error)
    drawn = guide.draw(1, 100_000, generator())
    share = (drawn // 70 // 3 * 24 + drawn % 70 // 3 == right // 70 // 3 * 24 + right % 70 // 3).float().mean()
    cells = 24 * 17
    assert abs(share * (cells - 1 + 4) / 4 - 1.0) < 0.1


def test_a_cell_forgets_slowly_and_what_was_not_drawn_is_kept():
    guide = maps()
    guide.note([1], torch.tensor([[0, 1]]), torch.tensor([[0.3, 0.5]]))
    assert torch.isclose(guide.errors[1, 0], torch.tensor(MEMORY * UNSEEN + (1 - MEMORY) * 0.4))
    assert (guide.errors[1, 1:] == torch.tensor(UNSEEN)).all()
    guide.reset()
    assert (guide.errors[1] == torch.tensor(UNSEEN)).all()
