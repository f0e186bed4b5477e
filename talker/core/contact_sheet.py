"""Contact sheets: rows and columns of pictures with words beside them, for people to look at.

Pictures are [H, W, 3] uint8 RGB; all of one sheet are shown at one height.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from talker.core.temporary import replacing

_PAPER = (250, 249, 246)
_INK = (40, 40, 44)
_GAP_PX = 6
_LINE_PX = 26
_FONT_PX = 15


def contact_sheet(
    rows: Sequence[Sequence[np.ndarray]],  # of [H, W, 3] uint8
    column_names: Sequence[str] = (),
    row_names: Sequence[str] = (),
    height_px: int = 192,  # of each picture
) -> np.ndarray:  # [H', W', 3] uint8
    """Pictures in a grid on paper, column names above and row names at the left."""
    rows = [[_at_height(picture, height_px) for picture in row] for row in rows]
    size_px, boxes = layout(rows, column_names, row_names, height_px)
    font = ImageFont.load_default(size=_FONT_PX)
    paper = Image.new("RGB", size_px, _PAPER)
    draw = ImageDraw.Draw(paper)
    for name, (x, _, width, _) in zip(column_names, max(boxes, key=len)):
        draw.text((x + width // 2, boxes[0][0][1] // 2), name, _INK, font, anchor="mm")
    for number, (row, places) in enumerate(zip(rows, boxes)):
        if number < len(row_names):
            draw.text((_GAP_PX, places[0][1] + height_px // 2), row_names[number], _INK, font, anchor="lm")
        for picture, (x, y, _, _) in zip(row, places):
            paper.paste(Image.fromarray(picture), (x, y))
    return np.asarray(paper)


def layout(
    rows: Sequence[Sequence[np.ndarray]],  # of [H, W, 3]
    column_names: Sequence[str] = (),
    row_names: Sequence[str] = (),
    height_px: int = 192,
) -> tuple[tuple[int, int], list[list[tuple[int, int, int, int]]]]:
    """(width, height) of a contact sheet, and where its pictures are: (x, y, width of the column, height)."""
    font = ImageFont.load_default(size=_FONT_PX)
    left = _GAP_PX + (max((int(font.getlength(name)) for name in row_names), default=-_GAP_PX) + _GAP_PX)
    top = _GAP_PX + (_LINE_PX if column_names else 0)
    columns = max(len(row) for row in rows)
    widths = [max(_width_at(row[column], height_px) for row in rows if column < len(row)) for column in range(columns)]
    edges = [left + sum(widths[:column]) + column * _GAP_PX for column in range(columns + 1)]
    step_px = height_px + _GAP_PX
    boxes = [
        [(edges[column], top + number * step_px, widths[column], height_px) for column in range(len(row))]
        for number, row in enumerate(rows)
    ]
    return (edges[-1], top + len(rows) * step_px), boxes


def depth_picture(
    depth: np.ndarray,  # [H, W] float, 0 where nothing is
) -> np.ndarray:  # [H, W, 3] uint8
    """Depth in colours, near is bright; what is not there is black."""
    there = depth > 0
    if not there.any():
        return np.zeros((*depth.shape, 3), np.uint8)
    near, far = np.percentile(depth[there], [2, 98])
    nearness = np.clip((far - depth) / max(far - near, 1e-6), 0, 1)
    colours = cv2.applyColorMap((30 + 225 * nearness).astype(np.uint8), cv2.COLORMAP_MAGMA)[..., ::-1]
    return np.where(there[..., None], colours, 0).astype(np.uint8)


def save_picture(
    path: Path,  # .png, .jpg
    picture: np.ndarray,  # [H, W, 3] uint8
) -> None:
    with replacing(path) as temporary:
        Image.fromarray(picture).save(temporary)


def _at_height(picture: np.ndarray, height_px: int) -> np.ndarray:
    if len(picture) == height_px:
        return np.ascontiguousarray(picture)
    shrinks = len(picture) > height_px
    size = (_width_at(picture, height_px), height_px)
    return cv2.resize(picture, size, interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC)


def _width_at(picture: np.ndarray, height_px: int) -> int:
    height, width = picture.shape[:2]
    return max(1, round(width * height_px / height))
