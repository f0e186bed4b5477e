"""Edited frames on disk, round by round: what a killed edit continues from.

Layout under one folder: round-1/00012.png, ..., round-1/trained (an empty file: the round is over); round-0 holds the
frames before any edit, where a strategy trains on those too.
"""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from talker.core.files import damaged, read_bytes, write_whole
from talker.take.store import decode_image


class EditStore:
    """The edited frames of one edit; files appear whole or not at all."""

    def __init__(self, folder: Path):
        self.folder = folder

    def path(self, round_number: int, index: int) -> Path:
        return self.folder / f"round-{round_number}" / f"{index:05d}.png"

    def write(
        self,
        round_number: int,
        index: int,  # frame of the take
        image: np.ndarray,  # [H, W, 3] float in [0, 1]
    ) -> None:
        pixels = np.rint(np.clip(image, 0.0, 1.0) * 255.0).astype(np.uint8)
        encoded, data = cv2.imencode(".png", pixels[..., ::-1])
        if not encoded:
            raise ValueError(f"cannot encode an image of shape {image.shape}")
        write_whole(self.path(round_number, index), data.tobytes())

    def read(self, round_number: int, index: int) -> np.ndarray:
        """[H, W, 3] uint8."""
        path = self.path(round_number, index)
        pixels = decode_image(read_bytes(path, path), cv2.IMREAD_COLOR)
        if pixels is None:
            raise damaged(path, path)
        return np.ascontiguousarray(pixels[..., ::-1])

    def edited(self, round_number: int) -> list[int]:
        """Indices of the frames that this round has edited so far, in order."""
        return sorted(int(path.stem) for path in (self.folder / f"round-{round_number}").glob("[0-9]*.png"))

    def mark_trained(self, round_number: int) -> None:
        write_whole(self.folder / f"round-{round_number}" / "trained", b"")

    def rounds_trained(self) -> int:
        """How many rounds are over; the caller's current field must be the one after that many."""
        number = 0
        while (self.folder / f"round-{number + 1}" / "trained").exists():
            number += 1
        return number

    def forget_training(self) -> None:
        """Every round is to be trained on again; its edits stay."""
        for number in range(self.rounds_trained(), 0, -1):  # from the last: a kill in between leaves no gap
            (self.folder / f"round-{number}" / "trained").unlink()
