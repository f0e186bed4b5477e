"""Frames of a video, streamed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import numpy as np

from talker.errors import BadInput
from talker.types import FPS
from talker.video.files import EXACT, Decoder, input_arguments, require_video

# Phones record HDR (HLG or PQ, BT.2020); shown as it is, skin is grey.
_HDR_TO_SDR = (
    "zscale=t=linear:npl=203,format=gbrpf32le,zscale=p=bt709,tonemap=mobius:desat=0,zscale=t=bt709:m=bt709:r=tv"
)
_SHORTFALL_S = 0.5  # containers' durations are rounded, and the last frame may be dropped


@dataclass(frozen=True)
class Crop:
    """A square of the upright source, in its pixels."""

    x0: int
    y0: int
    side: int


def read_frames(
    path: Path,
    *,
    start_s: float | None = None,
    end_s: float | None = None,
    fps: float = FPS,
    max_side_px: int | None = None,  # shrink so that the longer side is at most this
    crop: Crop | None = None,  # cut this square out ...
    size_px: int | None = None,  # ... and resize it to this side
) -> Iterator[np.ndarray]:
    """Upright frames [H, W, 3] uint8 RGB at a constant rate, streamed.

    BadInput when the stream breaks off before the end asked for, naming the second where it does.
    """
    info = require_video(path)
    filters = [f"fps={fps}:start_time=0"]
    if info.is_hdr:
        filters.append(_HDR_TO_SDR)
    filters.append(f"scale=trunc(iw*sar+0.5):ih:flags={EXACT},setsar=1")
    if crop is not None:
        filters.append(f"crop={crop.side}:{crop.side}:{crop.x0}:{crop.y0}:exact=1")
        filters.append(f"scale={size_px or crop.side}:{size_px or crop.side}:flags=area")
    elif max_side_px is not None and max(info.size_px) > max_side_px:
        ratio = max_side_px / max(info.size_px)
        width, height = (max(2, round(side * ratio)) for side in info.size_px)
        filters.append(f"scale={width}:{height}:flags=area")
    # Crops at odd offsets need full chroma, hence RGB before them.
    filters.insert(-2 if crop is not None else len(filters), "format=rgb24")
    command = input_arguments(path, start_s, end_s)
    command += ["-map", "0:V:0", "-vf", ",".join(filters), "-f", "image2pipe", "-c:v", "ppm", "pipe:1"]
    count = 0
    with Decoder(command) as ffmpeg:
        while (frame := _read_ppm(ffmpeg.output)) is not None:
            count += 1
            yield frame
    wanted_s = min(end_s if end_s is not None else np.inf, info.duration_s) - (start_s or 0.0)
    if ffmpeg.complaints and count / fps < wanted_s - _SHORTFALL_S:
        good_s = (start_s or 0.0) + count / fps
        raise BadInput(
            f"{Path(path).name} is broken or cut off after {good_s:.1f} of {info.duration_s:.1f} s; "
            + (f"copy it again or trim with --end {good_s - 0.1:.1f}" if count else "copy or export it again")
        )


def _read_ppm(stream: IO[bytes]) -> np.ndarray | None:
    """The next image of a PPM stream, None at its end. PPM says its size, so rotation needs no bookkeeping here."""
    if stream.readline().strip() != b"P6":
        return None
    width, height = (int(word) for word in stream.readline().split())
    stream.readline()
    data = stream.read(width * height * 3)
    if len(data) < width * height * 3:
        return None
    return np.frombuffer(data, np.uint8).reshape(height, width, 3)
