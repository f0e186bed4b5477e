"""`python -m tools.gallery PROJECT -o sheet.png`: what the built-in editor does to a take's own frames, for looking at.

Every style on the three frames of the take that `talker preview` shows: frontal, turned, mouth open.
With --lips each name says how far mediapipe's lips moved, in percent of the face width, and the seconds a frame took.
"""

from __future__ import annotations

import argparse
import math
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from talker.api.preview import telling_moments
from talker.core.contact_sheet import contact_sheet, save_picture
from talker.core.errors import BadInput, TalkerError
from talker.core.metrics import lip_shift_fraction
from talker.core.types import Silent, Take
from talker.editors.anchors import take_masks
from talker.editors.builtin.editor import apply_edits
from talker.editors.builtin.parser import Edit, StyleEdit, parse
from talker.editors.builtin.picture import Picture
from talker.editors.builtin.styles import STYLES
from talker.evaluation.faces import find_faces
from talker.projects.project import Project
from talker.take.landmarks import load_detector
from talker.take.store import open_take


def picture_of(take: Take, index: int) -> Picture:
    """A frame as filmed, as the operators want it."""
    masks = take_masks(take, index)
    rgb = take.frames[index].astype(np.float32) / 255.0
    return Picture(rgb, masks.alpha[0].numpy(), masks.parts[0].numpy(), masks.anchors[0].numpy())


def edited(picture: Picture, edits: tuple[Edit, ...]) -> np.ndarray:  # [H, W, 3] uint8
    return np.rint(apply_edits(picture, edits, 1.0) * 255.0).astype(np.uint8)


def lips_moved(
    before: Sequence[np.ndarray],  # of [H, W, 3] uint8
    after: Sequence[np.ndarray],
) -> float:  # the frames' mean, share of the face width; nan where a face was lost
    detector = load_detector("mediapipe")

    def landmarks(pictures: Sequence[np.ndarray]) -> np.ndarray:
        return find_faces(pictures, lambda: detector, "lips", Silent(), successive=False)

    return float(lip_shift_fraction(landmarks(after), landmarks(before)).mean())


def sheet(
    take: Take,
    frames: Sequence[int],
    named_edits: dict[str, tuple[Edit, ...]],
    height_px: int,
    beside: int,  # columns of rows, so that many styles make no endless strip
    lips: bool,
) -> np.ndarray:
    """[H', W', 3] uint8: the originals first, then a row for each name."""
    originals = [take.frames[index] for index in frames]
    rows, names = [originals], ["original"]
    for name, edits in named_edits.items():
        began = time.perf_counter()
        row = [edited(picture_of(take, index), edits) for index in frames]
        seconds = (time.perf_counter() - began) / len(frames)
        names.append(f"{name} {lips_moved(originals, row):.1%} {seconds:.2f} s" if lips else name)
        rows.append(row)
        print(names[-1], file=sys.stderr)
    share = math.ceil(len(rows) / beside)
    strips = [
        contact_sheet(rows[first : first + share], (), names[first : first + share], height_px)
        for first in range(0, len(rows), share)
    ]
    tallest = max(strip.shape[0] for strip in strips)
    padded = [np.pad(s, ((0, tallest - len(s)), (0, 0), (0, 0)), mode="edge") for s in strips]
    return np.concatenate(padded, axis=1)


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tools.gallery", description=__doc__)
    parser.add_argument("project", type=Path, metavar="PROJECT", help="a project with a take; it needs no field")
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="SHEET.png")
    parser.add_argument("--instruction", action="append", metavar="TEXT", help="these instead of every style")
    parser.add_argument("--frames", type=int, nargs="+", metavar="INDEX", help="these instead of the telling three")
    parser.add_argument("--height", type=int, default=160, metavar="PX", help="of each picture [%(default)s]")
    parser.add_argument(
        "--beside", type=int, default=3, metavar="N", help="rows stand in so many columns [%(default)s]"
    )
    parser.add_argument("--lips", action="store_true", help="measure how far each edit moves the lips, and its time")
    arguments = parser.parse_args(argv)
    try:
        take = open_take(Project.open(arguments.project).path("take"))
        frames = arguments.frames or telling_moments(take)
        if not all(0 <= index < len(take) for index in frames):
            raise BadInput(f"the take has frames 0 to {len(take) - 1}")
        every = {style.title: (StyleEdit(style),) for style in STYLES}
        edits = {text: parse(text) for text in arguments.instruction} if arguments.instruction else every
        save_picture(arguments.output, sheet(take, frames, edits, arguments.height, arguments.beside, arguments.lips))
    except TalkerError as error:
        print(f"gallery: {error}", file=sys.stderr)
        return 2
    print(arguments.output)
    return 0


if __name__ == "__main__":
    sys.exit(main())
