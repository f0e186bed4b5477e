"""Rows of edits on toy pictures whose answer is known."""

from __future__ import annotations

import numpy as np
import pytest

from tools.quality.dump import Dump
from tools.quality.held_out import edited_psnr, lip_shift_pct


def test_edits_are_marked_soft_and_inside_the_head():
    wanted = np.full((40, 40, 3), 128, np.uint8)
    strokes = wanted.copy()
    strokes[::2] += 20  # strokes of one pixel, mean 10 levels too bright once softened
    strokes[:, :10] = 255  # far outside the head
    head = np.zeros((40, 40), bool)
    head[10:30, 22:36] = True
    found = edited_psnr(lambda _: strokes, lambda _: wanted, lambda _: head, [0, 1], Dump(None))
    assert found == pytest.approx(20 * np.log10(255 / 10), abs=0.3)


def test_lips_that_moved_are_seen_and_lost_faces_left_out():
    face = np.zeros((68, 2))
    face[16, 0] = 100.0
    moved = face + np.array([0.0, 1.5]) * (np.arange(68) >= 48)[:, None]
    pictures = {"edited": moved, "expected": face, "lost": None}

    def shift(edited: str) -> float | None:
        return lip_shift_pct(lambda _: edited, lambda _: "expected", lambda name: pictures[name], [0, 1])

    assert shift("edited") == pytest.approx(1.5)
    assert shift("lost") is None
