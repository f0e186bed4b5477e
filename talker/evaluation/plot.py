"""Tracks over time as a picture: panels below each other, one time axis.

N frames; a line has a gap where its track is nan.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from talker.core.axis import runs, ticks

PAPER, INK, GRID = (250, 249, 246), (40, 40, 44), (222, 220, 214)
COLOURS = ((200, 70, 40), (60, 60, 66), (120, 150, 190), (150, 170, 110))  # of a panel's lines, in their order
WIDTH_PX, PANEL_PX = 1100, 150
LEFT_PX, RIGHT_PX, TOP_PX, GAP_PX = 70, 20, 30, 44
SMOOTHER = 2  # lines are drawn at so many times the size, and shrunk
MOST_TICKS = 5


@dataclass(frozen=True)
class Panel:
    title: str
    lines: tuple[tuple[str, np.ndarray], ...]  # (name, [N])


def plot(
    panels: Sequence[Panel],
    seconds: np.ndarray,  # [N] of each frame
) -> np.ndarray:  # [H, W, 3] uint8
    height = TOP_PX + len(panels) * (PANEL_PX + GAP_PX)
    paper = Image.new("RGB", (WIDTH_PX * SMOOTHER, height * SMOOTHER), PAPER)
    boxes = [
        (LEFT_PX, TOP_PX + number * (PANEL_PX + GAP_PX), WIDTH_PX - RIGHT_PX, PANEL_PX) for number in range(len(panels))
    ]
    scales = [_Scale.of(panel, seconds, box) for panel, box in zip(panels, boxes, strict=True)]
    draw = ImageDraw.Draw(paper)
    for panel, scale in zip(panels, scales, strict=True):
        scale.draw_grid(draw)
        for colour, (_, track) in reversed(list(zip(COLOURS, panel.lines))):  # the first line lies on top
            scale.draw_line(draw, seconds, track, colour)
    paper = paper.resize((WIDTH_PX, height), Image.Resampling.BOX)
    draw = ImageDraw.Draw(paper)
    for panel, scale in zip(panels, scales, strict=True):
        scale.write(draw, panel, seconds_below=panel is panels[-1])
    return np.asarray(paper)


@dataclass(frozen=True)
class _Scale:
    """Where values lie in a panel, and its ticks."""

    box: tuple[int, int, int, int]  # left, top, right, height
    x_ticks: np.ndarray
    y_ticks: np.ndarray
    x_range: tuple[float, float]
    y_range: tuple[float, float]

    @classmethod
    def of(cls, panel: Panel, seconds: np.ndarray, box: tuple[int, int, int, int]) -> _Scale:
        values = np.concatenate([track for _, track in panel.lines])
        values = values[np.isfinite(values)]
        low, high = (float(values.min()), float(values.max())) if len(values) else (0.0, 1.0)
        margin = 0.06 * (high - low) or 0.5 * abs(high) or 0.5
        y_range, x_range = (
            (low - margin, high + margin),
            (float(seconds[0]), float(max(seconds[-1], seconds[0] + 0.04))),
        )
        return cls(box, ticks(*x_range, 2 * MOST_TICKS), ticks(*y_range, MOST_TICKS), x_range, y_range)

    def place(self, second: float, value: float) -> tuple[float, float]:
        left, top, right, height = self.box
        x = left + (second - self.x_range[0]) / (self.x_range[1] - self.x_range[0]) * (right - left)
        y = top + (self.y_range[1] - value) / (self.y_range[1] - self.y_range[0]) * height
        return x, y

    def draw_grid(self, draw: ImageDraw.ImageDraw) -> None:
        left, top, right, height = self.box
        for second in self.x_ticks:
            x, _ = self.place(second, self.y_range[0])
            draw.line(_large((x, top), (x, top + height)), GRID, SMOOTHER)
        for value in self.y_ticks:
            _, y = self.place(self.x_range[0], value)
            draw.line(_large((left, y), (right, y)), GRID, SMOOTHER)

    def draw_line(
        self, draw: ImageDraw.ImageDraw, seconds: np.ndarray, track: np.ndarray, colour: tuple[int, int, int]
    ) -> None:
        for run in runs(np.isfinite(track)):
            points = [self.place(seconds[index], track[index]) for index in run]
            if len(points) > 1:
                draw.line(_large(*points), colour, 2 * SMOOTHER, joint="curve")

    def write(self, draw: ImageDraw.ImageDraw, panel: Panel, seconds_below: bool) -> None:
        left, top, right, height = self.box
        font, small = ImageFont.load_default(size=15), ImageFont.load_default(size=12)
        draw.text((left, top - 7), panel.title, INK, font, anchor="ls")
        x = right
        for colour, (name, _) in reversed(list(zip(COLOURS, panel.lines))):
            x -= int(font.getlength(name))
            draw.text((x, top - 7), name, colour, font, anchor="ls")
            x -= 18
        for value in self.y_ticks:
            _, y = self.place(self.x_range[0], value)
            draw.text((left - 8, y), f"{value:g}", INK, small, anchor="rm")
        for second in self.x_ticks:
            x, _ = self.place(second, self.y_range[0])
            unit = " s" if seconds_below else ""
            draw.text((x, top + height + 6), f"{second:g}{unit}", INK, small, anchor="mt")


def _large(*points: tuple[float, float]) -> list[tuple[float, float]]:
    return [(SMOOTHER * x, SMOOTHER * y) for x, y in points]
