"""Mattes, part labels and the background plate, on disk: who is a pixel in the frames that show the speaker."""

from __future__ import annotations

import os

import cv2
import numpy as np

from talker.core.prefetch import side_by_side
from talker.core.types import BACKGROUND, Reporter
from talker.take.label import Labeller
from talker.take.landmarks import LandmarkDetector
from talker.take.plate import background_plate, plate_samples
from talker.take.speaker_frames import SpeakerFrames
from talker.take.store import TakeFolder, read_image, write_image
from talker.take.track import decode

COLOUR_SAMPLES = 40  # frames that teach skin, hair and clothes
MOST_LABELLED_PX = 2**23  # pixels that are labelled at a time: each takes 150 bytes or so


def separate(
    folder: TakeFolder,
    followed: SpeakerFrames,
    detector: LandmarkDetector,
    reporter: Reporter,
    *,
    cut_out: bool,  # the mattes are the video's own
) -> np.ndarray:
    """Refined mattes and part labels on disk; returns the background plate [H, W, 3] uint8.

    In frames that do not show the speaker nobody is marked.
    """
    frames, mattes = followed.frames, followed.mattes
    samples = plate_samples(len(frames))
    pictures = np.stack([read_image(folder.frame(frames[i])) for i in samples])
    covered = np.stack([speaker_cover(decode(mattes[i])) for i in samples])
    background, _ = background_plate(pictures, covered)

    def segmented(i: int) -> tuple[int, np.ndarray, np.ndarray]:
        return i, read_image(folder.frame(frames[i])), decode(mattes[i]).astype(np.float32) / 255.0

    chosen = np.unique(np.linspace(0, len(frames) - 1, COLOUR_SAMPLES).round().astype(int))
    size_px, examples = (pictures.shape[2], pictures.shape[1]), map(segmented, chosen)
    labeller = Labeller(followed.motion, followed.points, detector, size_px, examples, cut_out=cut_out)

    def label(i: int) -> int:
        matte, parts = labeller(*segmented(i))
        write_image(folder.alpha(frames[i]), (matte * 255.0).round().astype(np.uint8))
        write_image(folder.parts(frames[i]), parts)
        return i + 1

    workers = max(1, min(os.cpu_count() or 1, MOST_LABELLED_PX // pictures[0, ..., 0].size))
    for done in side_by_side(label, range(len(frames)), workers):
        reporter.progress("masks", done / len(frames), "matte and parts")
    nobody = np.full(pictures.shape[1:3], BACKGROUND, np.uint8)
    for index in np.flatnonzero(~followed.use.usable):
        write_image(folder.alpha(index), np.zeros_like(nobody))
        write_image(folder.parts(index), nobody)
    return background


def speaker_cover(
    matte: np.ndarray,  # [H, W] uint8
) -> np.ndarray:  # [H, W] bool
    """Where the speaker may be, hair's loose ends and all."""
    reach = max(3, round(0.03 * matte.shape[0]))
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1,) * 2)
    return cv2.dilate((matte > 20).astype(np.uint8), kernel).astype(bool)
