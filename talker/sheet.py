"""Contact sheets: rows and columns of pictures with words beside them, for people to look at.

Pictures are [H, W, 3] uint8 RGB; all of one sheet are shown at one height.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from talker.project import replacing

_PAPER = (250, 249, 246)
_INK = (40, 40, 44)
_GAP_PX = 6
_LINE_PX = 26


def contact_sheet(
    rows: Sequence[Sequence[np.ndarray]],  # of [H, W, 3] uint8
    column_names: Sequence[str] = (),
    row_names: Sequence[str] = (),
    height_px: int = 192,  # of each picture
) -> np.ndarray:  # [H', W', 3] uint8
    """Pictures in a grid on paper, column names above and row names at the left."""
    rows = [[_at_height(picture, height_px) for picture in row] for row in rows]
    font = ImageFont.load_default(size=15)
    left = _GAP_PX + (max((int(font.getlength(name)) for name in row_names), default=-_GAP_PX) + _GAP_PX)
    top = _GAP_PX + (_LINE_PX if column_names else 0)
    columns = max(len(row) for row in rows)
    widths = [max(row[column].shape[1] for row in rows if column < len(row)) for column in range(columns)]
    edges = left + np.concatenate([[0], np.cumsum([width + _GAP_PX for width in widths])])
    size = (int(edges[-1]), top + len(rows) * (height_px + _GAP_PX))
    paper = Image.new("RGB", size, _PAPER)
    draw = ImageDraw.Draw(paper)
    for column, name in enumerate(column_names[:columns]):
        draw.text((int(edges[column]) + widths[column] // 2, top // 2), name, _INK, font, anchor="mm")
    for number, row in enumerate(rows):
        y = top + number * (height_px + _GAP_PX)
        if number < len(row_names):
            draw.text((_GAP_PX, y + height_px // 2), row_names[number], _INK, font, anchor="lm")
        for column, picture in enumerate(row):
            paper.paste(Image.fromarray(picture), (int(edges[column]), y))
    return np.asarray(paper)


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
    height, width = picture.shape[:2]
    if height == height_px:
        return np.ascontiguousarray(picture)
    shrinks = height > height_px
    size = (max(1, round(width * height_px / height)), height_px)
    return cv2.resize(picture, size, interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC)
