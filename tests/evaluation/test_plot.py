"""Lines are where their values are, and gaps are gaps."""

from __future__ import annotations

import numpy as np

from talker.evaluation.plot import COLOURS, GAP_PX, LEFT_PX, PANEL_PX, RIGHT_PX, TOP_PX, WIDTH_PX, Panel, plot


def coloured(picture: np.ndarray, colour: tuple[int, int, int]) -> tuple[np.ndarray, np.ndarray]:
    panel = picture[TOP_PX : TOP_PX + PANEL_PX].astype(int)
    return np.nonzero((np.abs(panel - colour) < 30).all(axis=-1))


def test_a_step_is_drawn_where_it_is():
    seconds = np.arange(100) / 25 + 17.0
    step = np.where(np.arange(100) < 50, 0.0, 10.0)
    picture = plot([Panel("a step", (("it", step), ("half", np.full(100, 5.0))))], seconds)
    assert picture.shape == (TOP_PX + PANEL_PX + GAP_PX, WIDTH_PX, 3) and picture.dtype == np.uint8
    y, x = coloured(picture, COLOURS[0])
    middle = LEFT_PX + (WIDTH_PX - RIGHT_PX - LEFT_PX) / 2
    assert y[x < middle - 20].min() > 0.8 * PANEL_PX and y[x > middle + 20].max() < 0.2 * PANEL_PX
    y, x = coloured(picture, COLOURS[1])
    assert np.abs(np.median(y) - PANEL_PX / 2) < 3 and x.min() < LEFT_PX + 5 and x.max() > WIDTH_PX - RIGHT_PX - 5


def test_what_is_unknown_is_not_drawn():
    track = np.sin(np.arange(100.0))
    track[30:70] = np.nan
    _, x = coloured(plot([Panel("gap", (("it", track),))], np.arange(100) / 25), COLOURS[0])
    share = (x - LEFT_PX) / (WIDTH_PX - RIGHT_PX - LEFT_PX)
    assert not ((share > 0.32) & (share < 0.68)).any() and (share < 0.28).any() and (share > 0.72).any()
    nothing = plot([Panel("nothing", (("it", np.full(5, np.nan)),))], np.arange(5) / 25)
    assert not len(coloured(nothing, COLOURS[0])[0])
