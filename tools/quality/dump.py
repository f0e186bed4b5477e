"""Where predictions are written losslessly, so that anyone can mark them again."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import cv2
import numpy as np


class Dump:
    """A folder for predictions, or nowhere."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder

    def __truediv__(self, name: str) -> Dump:
        return Dump(None if self._folder is None else self._folder / name)

    def picture(
        self,
        name: str,
        rgb: np.ndarray,  # [H, W, 3] uint8
    ) -> None:
        if self._folder is not None:
            self._folder.mkdir(parents=True, exist_ok=True)
            cv2.imwrite(str(self._folder / f"{name}.png"), np.ascontiguousarray(rgb[..., ::-1]))

    def tracks(
        self,
        name: str,
        values: Mapping[str, np.ndarray],
    ) -> None:
        if self._folder is not None:
            self._folder.mkdir(parents=True, exist_ok=True)
            text = json.dumps({key: np.asarray(track).round(6).tolist() for key, track in values.items()})
            (self._folder / f"{name}.json").write_text(text + "\n")
