"""Mattes and parts of a clip's frames: what landmarks, poses and the clip's own colours say together.

Notation: B frames, M landmarks, H x W an image.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from talker.take.landmarks import LandmarkDetector
from talker.take.masks import keep_speaker, refine_matte
from talker.take.parts import (
    FaceOutlines,
    fit_colours,
    head_places,
    label_parts,
    polygon_mask,
    seed_colours,
    unit_length,
)
from talker.take.pose import HeadMotion


class Labeller:
    """Labels a clip's frames, after it has learnt the speaker's colours from some of them."""

    def __init__(
        self,
        motion: HeadMotion,
        points: np.ndarray,  # [B, M, 3] pixels
        detector: LandmarkDetector,
        size_px: tuple[int, int],  # (width, height)
        examples: Iterable[tuple[int, np.ndarray, np.ndarray]],  # frame, rgb [H, W, 3] uint8, matte [H, W] in [0, 1]
        *,
        cut_out: bool = False,  # mattes are exact already
    ) -> None:
        self._cut_out = cut_out
        self._motion, self._points, self._detector, self._size_px = motion, points, detector, size_px
        self._viewpoints = motion.c2w()[:, :3, 3]
        seeds = []
        for index, rgb, matte in examples:
            places, outlines = self._seen_in(index)
            seeds.append(seed_colours(rgb, matte, outlines, places))
        self._colours = fit_colours([np.concatenate(kind) for kind in zip(*seeds, strict=True)])

    def __call__(
        self,
        index: int,
        rgb: np.ndarray,  # [H, W, 3] uint8
        matte: np.ndarray,  # [H, W] float32 in [0, 1], as the segmenter has it
    ) -> tuple[np.ndarray, np.ndarray]:  # the speaker's own matte [H, W] float32; parts [H, W] uint8
        places, outlines = self._seen_in(index)
        matte = keep_speaker(
            matte if self._cut_out else refine_matte(rgb, matte), polygon_mask(self._size_px, outlines.oval)
        )
        return matte, label_parts(rgb, matte, outlines, places, self._viewpoints[index], self._colours)

    def _seen_in(self, index: int) -> tuple[np.ndarray, FaceOutlines]:
        places = head_places(self._motion, index, self._size_px)
        return places, FaceOutlines.of(self._points[index], self._detector, 1.0 / unit_length(places))
