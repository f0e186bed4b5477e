"""The pass over all frames of a clip: landmarks, person mattes, and the frames themselves on disk."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np

from talker.core.errors import BadInput
from talker.core.prefetch import side_by_side
from talker.core.types import FPS, Reporter
from talker.take.crop import FaceSearch
from talker.take.face_similarity import colours_under
from talker.take.landmarks import LandmarkDetector
from talker.take.masks import opacity, person_segmenter
from talker.take.store import TakeFolder, write_image
from talker.video import Crop, read_frames

WORKING_SIDE_PX = 512  # landmarks are read at up to this size: finer than a small take's own frames
FLOW_SIDE_PX = 320  # pictures are compared at up to this size


@dataclass(frozen=True)
class Tracked:
    """What the pass over all frames found."""

    points: np.ndarray  # [B, M, 3] pixels of the take's frames; NaN where no face was found
    mattes: list[bytes]  # B soft person mattes, PNG
    grey: np.ndarray  # [B, h, h] uint8: what flow compares
    colours: np.ndarray  # [B, M, 3] float32 under the landmarks, in [0, 255]; NaN where no face was found

    def only(
        self,
        frames: np.ndarray,  # [U] places
    ) -> Tracked:
        mattes = [self.mattes[frame] for frame in frames]
        return Tracked(self.points[frames], mattes, self.grey[frames], self.colours[frames])


class Look(NamedTuple):
    """What the networks found in one frame."""

    index: int
    rgb: np.ndarray  # [w, w, 3] uint8, at the working size
    points: np.ndarray | None  # [M, 3] pixels; None where the speaker was not found
    matte: np.ndarray  # [w, w] float32


def track_frames(
    video: Path,
    span_s: tuple[float, float],
    crop: Crop,
    search: FaceSearch,
    detector: LandmarkDetector,
    size_px: int,
    folder: TakeFolder,
    reporter: Reporter,
    *,
    cut_out: bool = False,  # the video's own transparency is the matte
) -> Tracked:
    """Every frame once: landmarks, person matte, and the frame itself on disk at its final size."""
    segment = opacity if cut_out else person_segmenter()
    working_px = max(size_px, min(crop.side, WORKING_SIDE_PX))
    flow_px = min(working_px, FLOW_SIDE_PX)
    expected = max(1, round((span_s[1] - span_s[0]) * FPS))
    points, mattes, grey, colours = [], [], [], []

    def looked_at() -> Iterator[Look]:
        frames = read_frames(
            video, start_s=span_s[0], end_s=span_s[1], crop=crop, size_px=working_px, with_alpha=cut_out
        )
        with ThreadPoolExecutor(1) as beside:  # while this thread follows the face, that one finds the person
            for index, frame in enumerate(frames):
                rgb, found = np.ascontiguousarray(frame[..., :3]), None
                matte = beside.submit(segment, frame)
                if search.tracks.shows_speaker(index):
                    focused = rgb if not search.rivals else blank_others(rgb, search.box_at(index / FPS), crop)
                    found = detector.detect(focused)
                yield Look(index, rgb, found, matte.result())

    def keep(look: Look) -> int:
        index, rgb, found, matte = look
        points.append(found)
        colours.append(None if found is None else colours_under(rgb, found))
        small = cv2.resize(rgb, (flow_px, flow_px), interpolation=cv2.INTER_AREA)
        grey.append(cv2.cvtColor(small, cv2.COLOR_RGB2GRAY))
        if working_px != size_px:
            rgb = cv2.resize(rgb, (size_px, size_px), interpolation=cv2.INTER_AREA)
            matte = cv2.resize(matte, (size_px, size_px), interpolation=cv2.INTER_AREA)
        write_image(folder.frame(index), rgb)
        mattes.append(cv2.imencode(".png", (matte.clip(0, 1) * 255).round().astype(np.uint8))[1].tobytes())
        return index + 1

    for done in side_by_side(keep, looked_at(), workers=1):  # one: frames are appended in their order
        reporter.progress("track", min(1.0, done / expected), "landmarks and person mask")
    known = next((found for found in points if found is not None), None)
    if known is None:
        raise BadInput(f"The face in {video.name} could not be followed; film closer, from the front, in good light")
    nothing = np.full((len(known), 3), np.nan, np.float32)
    places, under = (np.stack([nothing if one is None else one for one in each]) for each in (points, colours))
    return Tracked((places * (size_px / working_px)).astype(np.float32), mattes, np.stack(grey), under)


def blank_others(
    rgb: np.ndarray,  # [H, W, 3] uint8, the crop
    box: np.ndarray,  # [4] the speaker's face, source pixels
    crop: Crop,
) -> np.ndarray:
    """The crop with everything far from the speaker's face painted grey: other faces cannot be followed."""
    scale = rgb.shape[1] / crop.side
    x0, y0, x1, y1 = (box - [crop.x0, crop.y0, crop.x0, crop.y0]) * scale
    margin = 0.45 * (x1 - x0)
    rows = slice(max(0, int(y0 - margin)), max(0, int(y1 + margin)))
    columns = slice(max(0, int(x0 - margin)), max(0, int(x1 + margin)))
    blank = np.full_like(rgb, 128)
    blank[rows, columns] = rgb[rows, columns]
    return blank


def decode(png: bytes) -> np.ndarray:
    return cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_GRAYSCALE)
