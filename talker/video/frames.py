"""Frames of a video, streamed."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import numpy as np

from talker.core.errors import BadInput
from talker.core.temporary import scratch_folder
from talker.core.types import FPS
from talker.video.files import EXACT, Decoder, VideoInfo, reading, require_video
from talker.video.hdr import table

PLATE = 128  # the grey level behind what is transparent
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
    with_alpha: bool = False,  # opacity as a fourth channel; 255 where the video has none
) -> Iterator[np.ndarray]:
    """Upright frames [H, W, 3] uint8 RGB at a constant rate, streamed; HDR as SDR, transparency before `PLATE`.

    BadInput when the stream breaks off before the end asked for, naming the second where it does.
    """
    info = require_video(path)
    resize = None
    if crop is not None:
        resize = (size_px or crop.side,) * 2
    elif max_side_px is not None and max(info.size_px) > max_side_px:
        ratio = max_side_px / max(info.size_px)
        resize = tuple(max(2, round(side * ratio)) for side in info.size_px)
    command = reading(path, start_s, end_s, info.decoder)
    count = 0
    with _table_file(info.hdr) as colours:
        command += ["-map", "0:V:0", "-vf", _filters(info, fps, crop, resize, colours)]
        command += ["-f", "image2pipe", "-c:v", "pam", "pipe:1"]
        with Decoder(command) as ffmpeg:
            while (frame := _read_pam(ffmpeg.output)) is not None:
                count += 1
                yield _before_plate(frame, with_alpha)
    wanted_s = min(end_s if end_s is not None else np.inf, info.duration_s) - (start_s or 0.0)
    if ffmpeg.complaints and count / fps < wanted_s - _SHORTFALL_S:
        good_s = (start_s or 0.0) + count / fps
        raise BadInput(
            f"{Path(path).name} is broken or cut off after {good_s:.1f} of {info.duration_s:.1f} s; "
            + (f"copy it again or trim with --end {good_s - 0.1:.1f}" if count else "copy or export it again")
        )


def _filters(
    info: VideoInfo,
    fps: float,
    crop: Crop | None,
    resize: tuple[int, int] | None,  # (width, height)
    table: Path | None,  # of an HDR video's colours
) -> str:
    """What ffmpeg does to every frame."""
    shape = [f"crop={crop.side}:{crop.side}:{crop.x0}:{crop.y0}:exact=1"] if crop is not None else []
    shape += [f"scale={resize[0]}:{resize[1]}:flags=area"] if resize is not None else []
    colours = ["format=rgb24"]
    if table is not None or info.has_alpha:
        colours = [f"format={'gbrap' if info.has_alpha else 'gbrp'}{'16le' if table is not None else ''}"]
    colours += [f"lut3d=file={_quoted(table)}"] if table is not None else []
    # What is transparent has colours of its own, which must not run into the speaker's where pictures get smaller.
    colours += ["premultiply=inplace=1"] if info.has_alpha else []
    # Crops at odd offsets need full chroma, and tables RGB; without either, pictures are first made small.
    steps = [*shape, *colours] if colours == ["format=rgb24"] and crop is None else [*colours, *shape]
    last = "format=rgba" if info.has_alpha else "format=rgb24"
    return ",".join([f"fps={fps}:start_time=0", f"scale=trunc(iw*sar+0.5):ih:flags={EXACT},setsar=1", *steps, last])


@contextmanager
def _table_file(transfer: str) -> Iterator[Path | None]:
    """The table of an HDR video's colours on disk, as long as ffmpeg may look into it; None for SDR."""
    if not transfer:
        yield None
        return
    with scratch_folder() as folder:
        path = folder / "hdr.csp"
        path.write_text(table(transfer))
        yield path


def _quoted(path: Path) -> str:
    """A path as the value of a filter's option, inside a list of filters: each has letters of its own to escape."""
    return re.sub(r"([\\'\[\],;])", r"\\\1", re.sub(r"([\\':])", r"\\\1", str(path)))


def _read_pam(stream: IO[bytes]) -> np.ndarray | None:
    """The next image [H, W, C] of a PAM stream, None at its end. It says its size: rotation needs no bookkeeping."""
    if stream.readline().strip() != b"P7":
        return None
    facts = dict(line.split(maxsplit=1) for line in iter(stream.readline, b"ENDHDR\n") if line)
    shape = tuple(int(facts[name]) for name in (b"HEIGHT", b"WIDTH", b"DEPTH"))
    data = stream.read(math.prod(shape))
    return np.frombuffer(data, np.uint8).reshape(shape) if len(data) == math.prod(shape) else None


def _before_plate(
    frame: np.ndarray,  # [H, W, 3], or [H, W, 4] with colours that opacity is multiplied into; uint8
    with_alpha: bool,
) -> np.ndarray:  # [H, W, 3 or 4] uint8
    alpha = frame[..., 3:]
    if alpha.size:
        shown = frame[..., :3].astype(np.uint16) + ((255 - alpha) * (PLATE / 255.0) + 0.5).astype(np.uint16)
        frame = np.minimum(shown, 255).astype(np.uint8)
    elif with_alpha:
        alpha = np.full_like(frame[..., :1], 255)
    return np.concatenate([frame, alpha], axis=-1) if with_alpha else frame
