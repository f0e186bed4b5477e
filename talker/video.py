"""Video and sound in and out through the ffmpeg that imageio-ffmpeg carries, one frame in memory at a time.

Frames are [H, W, 3] uint8 RGB, upright (ffmpeg applies rotation metadata), square-pixelled and at a constant
rate: frame i of a clip shows the source at (start + i / fps). Sound is mono float32 in [-1, 1] at 16 kHz, padded so
that its sample 0 and frame 0 belong together.
"""

from __future__ import annotations

import contextlib
import re
import subprocess
import tempfile
import wave
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from types import TracebackType
from typing import IO

import numpy as np

from talker.errors import BadInput
from talker.types import AUDIO_RATE_HZ, FPS

SYNTHETIC_NOTE = "Synthetic video: the person shown did not say this. Made with talker."
# A file that names other files (a playlist) must not make ffmpeg open the network.
_SAFE_INPUT = ["-protocol_whitelist", "file,pipe,crypto,data"]
# Phones record HDR (HLG or PQ, BT.2020); shown as it is, skin is grey.
_HDR_TO_SDR = (
    "zscale=t=linear:npl=203,format=gbrpf32le,zscale=p=bt709,tonemap=mobius:desat=0,zscale=t=bt709:m=bt709:r=tv"
)
_EXACT = "bicubic+accurate_rnd+full_chroma_int"  # swscale's default conversion is a grey level too dark
_SHORTFALL_S = 0.5  # containers' durations are rounded, and the last frame may be dropped


@dataclass(frozen=True)
class VideoInfo:
    """What a media file holds, as ffmpeg sees it."""

    duration_s: float
    size_px: tuple[int, int]  # (width, height) as shown: after rotation metadata and pixel aspect; (0, 0) without video
    rate_hz: float  # the video's own mean frame rate
    has_video: bool
    has_audio: bool
    is_hdr: bool


@dataclass(frozen=True)
class Crop:
    """A square of the upright source, in its pixels."""

    x0: int
    y0: int
    side: int


def ffmpeg_path() -> str:
    """The ffmpeg binary: imageio-ffmpeg's own, or the one that IMAGEIO_FFMPEG_EXE names."""
    import imageio_ffmpeg

    return imageio_ffmpeg.get_ffmpeg_exe()


def probe(path: Path) -> VideoInfo:
    """Read a media file's header. BadInput when there is no such file or ffmpeg cannot read it."""
    path = Path(path)
    if not path.exists():
        raise BadInput(f"No such file: {path}")
    if path.is_dir():
        raise BadInput(f"{path} is a folder; give a video file")
    return _probe(str(path.resolve()), path.stat().st_mtime_ns, path.stat().st_size)


@lru_cache(maxsize=32)
def _probe(path: str, _modified_ns: int, _bytes: int) -> VideoInfo:
    result = subprocess.run(
        [ffmpeg_path(), "-hide_banner", *_SAFE_INPUT, "-i", f"file:{path}"],
        capture_output=True,
        stdin=subprocess.DEVNULL,
        check=False,
    )
    return parse_header(result.stderr.decode("utf-8", "replace"), Path(path).name)


def parse_header(
    text: str,  # what `ffmpeg -i` says on stderr
    name: str,  # of the file, for messages
) -> VideoInfo:
    """Facts from ffmpeg's own description of a file (imageio-ffmpeg carries no ffprobe)."""
    if "moov atom not found" in text or "End of file" in text:
        raise BadInput(f"{name} is broken or cut off: its index is missing; copy or export it again")
    streams = re.findall(r"^\s*Stream #.*$", text, re.M)
    if not streams:
        raise BadInput(f"{name} is not a video or sound that ffmpeg can read; export it as mp4 or wav")
    videos = [line for line in streams if ": Video: " in line and "(attached pic)" not in line]
    clock = re.search(r"Duration: (\d+):(\d+):(\d+(?:\.\d+)?)", text)
    duration_s = 3600 * float(clock[1]) + 60 * float(clock[2]) + float(clock[3]) if clock else 0.0
    size, rate_hz = (0, 0), 0.0
    if videos:
        size = _shown_size(videos[0], text)
        rates = re.search(r"([\d.]+)(k?) fps", videos[0]) or re.search(r"([\d.]+)(k?) tbr", videos[0])
        rate_hz = float(rates[1]) * (1000 if rates[2] else 1) if rates else 0.0
    return VideoInfo(
        duration_s=duration_s,
        size_px=size,
        rate_hz=rate_hz,
        has_video=bool(videos) and size != (0, 0),
        has_audio=any(": Audio: " in line for line in streams),
        is_hdr=any(transfer in line for line in videos for transfer in ("arib-std-b67", "smpte2084")),
    )


def _shown_size(stream: str, text: str) -> tuple[int, int]:
    found = re.search(r", (\d+)x(\d+)", stream)
    if not found:
        return 0, 0
    width, height = int(found[1]), int(found[2])
    aspect = re.search(r"SAR (\d+):(\d+)", stream)
    if aspect and int(aspect[1]) and int(aspect[2]):
        width = round(width * int(aspect[1]) / int(aspect[2]))
    rotation = re.search(r"rotation of (-?[\d.]+) degrees", text)
    if rotation and round(float(rotation[1]) / 90) % 2:
        width, height = height, width
    return width, height


def require_video(path: Path) -> VideoInfo:
    """`probe`, and BadInput unless the file holds moving pictures."""
    info = probe(path)
    if not info.has_video:
        raise BadInput(f"{Path(path).name} holds no video; give the file with the speaker's picture")
    if info.duration_s < 0.1:  # ffmpeg gives a picture the length of one frame
        raise BadInput(f"{Path(path).name} is a picture, not a video; give a video of the speaker")
    return info


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
    filters.append(f"scale=trunc(iw*sar+0.5):ih:flags={_EXACT},setsar=1")
    if crop is not None:
        filters.append(f"crop={crop.side}:{crop.side}:{crop.x0}:{crop.y0}:exact=1")
        filters.append(f"scale={size_px or crop.side}:{size_px or crop.side}:flags=area")
    elif max_side_px is not None and max(info.size_px) > max_side_px:
        ratio = max_side_px / max(info.size_px)
        width, height = (max(2, round(side * ratio)) for side in info.size_px)
        filters.append(f"scale={width}:{height}:flags=area")
    # Crops at odd offsets need full chroma, hence RGB before them.
    filters.insert(-2 if crop is not None else len(filters), "format=rgb24")
    command = [ffmpeg_path(), "-v", "error", "-nostdin", *_SAFE_INPUT, *_trim(start_s, end_s), "-i", f"file:{path}"]
    command += ["-map", "0:V:0", "-vf", ",".join(filters), "-f", "image2pipe", "-c:v", "ppm", "pipe:1"]
    count = 0
    with tempfile.TemporaryFile() as complaints:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=complaints, stdin=subprocess.DEVNULL)
        try:
            while (frame := _read_ppm(process.stdout)) is not None:
                count += 1
                yield frame
            process.wait()
        finally:
            process.kill()
            process.stdout.close()
            process.wait()
        complaints.seek(0)
        said = complaints.read().decode("utf-8", "replace")
    wanted_s = min(end_s if end_s is not None else np.inf, info.duration_s) - (start_s or 0.0)
    if said.strip() and count / fps < wanted_s - _SHORTFALL_S:
        good_s = (start_s or 0.0) + count / fps
        raise BadInput(
            f"{Path(path).name} is broken or cut off after {good_s:.1f} of {info.duration_s:.1f} s; "
            + (f"copy it again or trim with --end {good_s - 0.1:.1f}" if count else "copy or export it again")
        )


def _trim(start_s: float | None, end_s: float | None) -> list[str]:
    start = ["-ss", f"{start_s:.6f}"] if start_s else []
    return start + (["-t", f"{end_s - (start_s or 0.0):.6f}"] if end_s is not None else [])


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


def read_audio(
    path: Path,
    *,
    start_s: float | None = None,
    end_s: float | None = None,
) -> np.ndarray:
    """Mono float32 [T] at 16 kHz from any file with sound; gaps and a late start become silence."""
    info = probe(path)
    name = Path(path).name
    if not info.has_audio:
        raise BadInput(f"{name} has no sound; talker learns lips from speech, so give a recording with its sound")
    command = [ffmpeg_path(), "-v", "error", "-nostdin", *_SAFE_INPUT, *_trim(start_s, end_s), "-i", f"file:{path}"]
    command += ["-map", "0:a:0", "-af", "aresample=async=1:first_pts=0", "-ac", "1", "-ar", str(AUDIO_RATE_HZ)]
    command += ["-f", "f32le", "pipe:1"]
    result = subprocess.run(command, capture_output=True, stdin=subprocess.DEVNULL, check=False)
    samples = np.frombuffer(result.stdout[: len(result.stdout) // 4 * 4], np.float32)
    wanted_s = min(end_s if end_s is not None else np.inf, info.duration_s or np.inf) - (start_s or 0.0)
    if len(samples) == 0:
        raise BadInput(f"{name} has no sound in the part asked for, or its sound is broken; check --start and --end")
    if result.stderr.strip() and np.isfinite(wanted_s) and len(samples) / AUDIO_RATE_HZ < 0.5 * wanted_s:
        raise BadInput(f"The sound of {name} breaks off after {len(samples) / AUDIO_RATE_HZ:.1f} s; export it again")
    return samples.copy()


def write_wav(
    path: Path,
    samples: np.ndarray,  # [T] float in [-1, 1], 16 kHz
) -> None:
    """Mono 16-bit WAV."""
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(AUDIO_RATE_HZ)
        file.writeframes((np.clip(samples, -1.0, 1.0) * 32767.0).round().astype("<i2").tobytes())


class VideoWriter:
    """H.264 yuv420p and AAC in an mp4 that players can start before they have all of it.

    `with VideoWriter(path, (width, height), audio=speech) as video: video.write(frame)`. The file appears under its
    name only when everything went well; until then it is a hidden sibling, removed at failure.
    """

    def __init__(
        self,
        path: Path,
        size_px: tuple[int, int],  # (width, height)
        *,
        audio: np.ndarray | Path | None = None,  # [T] float at 16 kHz, or any file with sound
        crf: int = 16,  # x264's quality: 0 is lossless, 23 its default, smaller is better
        fps: float = FPS,
        comment: str = SYNTHETIC_NOTE,
    ) -> None:
        self.path = Path(path)
        self.size_px = size_px
        self._audio = audio
        self._crf = crf
        self._fps = fps
        self._comment = comment
        self._partial = self.path.with_name(f".{self.path.stem}.partial{self.path.suffix or '.mp4'}")
        self._process: subprocess.Popen | None = None

    def __enter__(self) -> VideoWriter:
        self._scratch = tempfile.TemporaryDirectory(prefix="talker-")
        self._complaints = tempfile.TemporaryFile()
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._process = subprocess.Popen(
                self._command(), stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=self._complaints
            )
        except OSError as error:
            self._clean()
            raise BadInput(f"Cannot write {self.path}: {error.strerror}; choose another place for it") from error
        return self

    def _command(self) -> list[str]:
        width, height = self.size_px
        command = [ffmpeg_path(), "-v", "error", "-y", "-f", "rawvideo", "-pix_fmt", "rgb24", "-s", f"{width}x{height}"]
        command += ["-r", f"{self._fps}", "-i", "pipe:0"]
        if self._audio is not None:
            sound = self._audio
            if isinstance(sound, np.ndarray):
                sound = Path(self._scratch.name) / "audio.wav"
                write_wav(sound, self._audio)
            command += [*_SAFE_INPUT, "-i", f"file:{sound}", "-map", "0:v:0", "-map", "1:a:0"]
            command += ["-c:a", "aac", "-b:a", "160k"]
        # H.264's 4:2:0 wants even sides; BT.709 is what players assume where nothing is said.
        even = "pad=ceil(iw/2)*2:ceil(ih/2)*2"
        matrix = f"scale=out_color_matrix=bt709:out_range=tv:flags={_EXACT}"
        tags = "setparams=colorspace=bt709:color_primaries=bt709:color_trc=bt709:range=tv"
        command += ["-vf", f"{even},{matrix},{tags}"]
        command += ["-c:v", "libx264", "-crf", str(self._crf), "-preset", "medium", "-pix_fmt", "yuv420p"]
        command += ["-fflags", "+bitexact", "-flags:v", "+bitexact", "-flags:a", "+bitexact"]  # same input, same file
        command += ["-metadata", f"comment={self._comment}", "-movflags", "+faststart"]
        return [*command, "-f", "mp4", f"file:{self._partial}"]

    def write(
        self,
        rgb: np.ndarray,  # [H, W, 3] uint8
    ) -> None:
        expected = (self.size_px[1], self.size_px[0], 3)
        if rgb.shape != expected or rgb.dtype != np.uint8:
            raise ValueError(f"a frame must be uint8 of shape {expected}, got {rgb.dtype} {rgb.shape}")
        try:
            self._process.stdin.write(np.ascontiguousarray(rgb).data)
        except OSError:
            self._process.wait()
            raise self._failure() from None

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if kind is not None:
                self._process.kill()
                return
            with contextlib.suppress(OSError):  # ffmpeg may have gone; its exit status and words tell why
                self._process.stdin.close()
            if self._process.wait() != 0:
                raise self._failure()
            self._partial.replace(self.path)
        finally:
            self._clean()

    def _failure(self) -> BadInput:
        self._complaints.seek(0)
        said = self._complaints.read().decode("utf-8", "replace").strip()
        if "No space left" in said:
            return BadInput(f"The disk is full: {self.path.name} could not be written; free some space and run again")
        last = said.splitlines()[-1] if said else "ffmpeg stopped without a word"
        return BadInput(f"Could not write {self.path}: {last}; choose another place for it or check its sound")

    def _clean(self) -> None:
        if self._process is not None:
            with contextlib.suppress(OSError):  # the pipe's other end may be dead
                self._process.stdin.close()
            self._process.wait()
            self._partial.unlink(missing_ok=True)
        self._complaints.close()
        self._scratch.cleanup()
