"""Small plots over time as SVG: a line, the usual range behind it, marks where something was found.

Colours are the page's: the SVG names classes, and the page says what they look like by day and by night.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from talker.core.axis import runs, ticks

WIDTH, HEIGHT = 640, 120
LEFT, RIGHT, TOP, BOTTOM = 44, 8, 8, 20
MOST_POINTS, MOST_TICKS = 400, 6


def time_plot(
    times_s: np.ndarray,  # [n]
    values: np.ndarray,  # [n], NaN where there is nothing
    *,
    range_y: tuple[float, float] | None = None,  # None: the values' own
    good: tuple[float, float] | None = None,  # values as they should be
    marks_s: Sequence[tuple[float, float]] = (),  # first and last second of what was found
) -> str:
    """One plot as an <svg> element."""
    times_s, values = thinned(times_s, values)
    known = values[np.isfinite(values)]
    low, high = range_y or ((float(known.min()), float(known.max())) if len(known) else (0.0, 1.0))
    if range_y is None:
        low, high = low - 0.05 * (high - low) - 1e-9, high + 0.05 * (high - low) + 1e-9
    first, last = float(times_s[0]), float(max(times_s[-1], times_s[0] + 1e-6))

    def x(time_s: float) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * (time_s - first) / (last - first)

    def y(value: float) -> float:
        share = (min(max(value, low), high) - low) / (high - low)
        return TOP + (HEIGHT - TOP - BOTTOM) * (1.0 - share)

    parts = [f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img">']
    if good is not None:
        top, bottom = y(good[1]), y(good[0])
        size = f'width="{WIDTH - LEFT - RIGHT}" height="{bottom - top:.1f}"'
        parts.append(f'<rect class="good" x="{LEFT}" y="{top:.1f}" {size}/>')
    for start_s, end_s in marks_s:
        width = max(2.0, x(end_s) - x(start_s))
        size = f'width="{width:.1f}" height="{HEIGHT - TOP - BOTTOM}"'
        parts.append(f'<rect class="mark" x="{x(start_s) - 1:.1f}" y="{TOP}" {size}/>')
    for value in (low, high):
        parts.append(f'<text x="{LEFT - 6}" y="{y(value) + 4:.1f}" text-anchor="end">{value:.3g}</text>')
    for place in ticks(first, last, MOST_TICKS):
        parts.append(f'<line class="tick" x1="{x(place):.1f}" x2="{x(place):.1f}" y1="{TOP}" y2="{HEIGHT - BOTTOM}"/>')
        parts.append(f'<text x="{x(place):.1f}" y="{HEIGHT - 5}" text-anchor="middle">{place:g} s</text>')
    for run in runs(np.isfinite(values)):
        points = " ".join(f"{x(times_s[i]):.1f},{y(values[i]):.1f}" for i in run)
        parts.append(f'<polyline class="line" points="{points}"/>')
    return "".join([*parts, "</svg>"])


def thinned(times_s: np.ndarray, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """At most `MOST_POINTS`, each the middle one of its neighbours."""
    if len(values) <= MOST_POINTS:
        return times_s, values
    groups = np.array_split(np.arange(len(values)), MOST_POINTS)
    middle = [np.nanmedian(values[group]) if np.isfinite(values[group]).any() else np.nan for group in groups]
    return times_s[[group[0] for group in groups]], np.array(middle)
