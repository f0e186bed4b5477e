"""Writing a video whose end is known."""

from __future__ import annotations

import contextlib
import errno
import subprocess
import tempfile
from pathlib import Path
from types import TracebackType
from typing import IO

import numpy as np

from talker.core.errors import BadInput, cannot_write
from talker.core.temporary import owner_of, scratch_folder
from talker.core.types import FPS
from talker.video.files import EXACT, ffmpeg_path
from talker.video.sound import ALIGNED, write_wav
from talker.video.source import opened
from talker.video.tracks import SoundSource

SYNTHETIC_NOTE = "Synthetic video: the person shown did not say this. Made with talker."
_PLAYABLE = "aformat=sample_rates=16000|22050|24000|32000|44100|48000:channel_layouts=mono|stereo"


class VideoWriter:
    """H.264 yuv420p and AAC in an mp4 that players can start before they have all of it.

    `with VideoWriter(path, (width, height), audio=speech) as video: video.write(frame)`. It is written as it comes:
    for a file that appears whole or not at all, `path` is a temporary one (`talker.core.temporary.replacing`).
    """

    def __init__(
        self,
        path: Path,
        size_px: tuple[int, int],  # (width, height)
        *,
        audio: np.ndarray | SoundSource | None = None,  # [T] float at 16 kHz, or a file's
        crf: int = 16,  # x264's quality: 0 is lossless, 23 its default, smaller is better
        preset: str = "medium",  # how hard x264 thinks
        fps: float = FPS,
        comment: str = SYNTHETIC_NOTE,
    ) -> None:
        self.path = Path(path)
        self.size_px = size_px
        self._audio = audio
        self._crf = crf
        self._preset = preset
        self._fps = fps
        self._comment = comment
        self._process: subprocess.Popen | None = None

    def __enter__(self) -> VideoWriter:
        self._open = contextlib.ExitStack()
        self._complaints = self._open.enter_context(tempfile.TemporaryFile())
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._process = subprocess.Popen(
                self._command(),
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=self._complaints,
                start_new_session=True,  # Ctrl-C is this process's to answer
            )
        except OSError as error:
            self._clean()
            raise cannot_write(self._place, error) from error
        return self

    def _command(self) -> list[str]:
        command = [ffmpeg_path(), "-v", "error", "-y", *picture_input(self.size_px, self._fps)]
        if self._audio is not None:
            sound = self._audio
            if isinstance(sound, np.ndarray):
                sound = SoundSource(self._open.enter_context(scratch_folder()) / "audio.wav", 0)
                write_wav(sound.path, self._audio)
            command += [*opened(sound.path), "-map", "0:v:0", "-map", f"1:a:{sound.track}"]
            command += ["-af", ",".join([*sound.filters, ALIGNED, _PLAYABLE]), "-c:a", "aac", "-b:a", "160k"]
        command += [*picture_coding(), "-crf", str(self._crf), "-preset", self._preset]
        command += ["-fflags", "+bitexact", "-flags:v", "+bitexact", "-flags:a", "+bitexact"]  # same input, same file
        command += ["-metadata", f"comment={self._comment}", "-movflags", "+faststart"]
        return [*command, "-f", "mp4", f"file:{self.path}"]

    def write(
        self,
        rgb: np.ndarray,  # [H, W, 3] uint8
    ) -> None:
        check_frame(rgb, self.size_px)
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
        finally:
            self._clean()

    def _failure(self) -> BadInput:
        return failure(self._complaints, self._place)

    @property
    def _place(self) -> Path:
        """Where people know the video to go."""
        return self.path.with_name(owner_of(self.path) or self.path.name)

    def _clean(self) -> None:
        if self._process is not None:
            with contextlib.suppress(OSError):  # the pipe's other end may be dead
                self._process.stdin.close()
            self._process.wait()
        self._open.close()


def picture_input(size_px: tuple[int, int], fps: float) -> list[str]:
    """Raw frames on standard input."""
    width, height = size_px
    return ["-f", "rawvideo", "-pix_fmt", "rgb24", "-s", f"{width}x{height}", "-r", f"{fps}", "-i", "pipe:0"]


def picture_coding() -> list[str]:
    """H.264 as every player shows it right."""
    # 4:2:0 wants even sides; BT.709 is what players assume where nothing is said.
    even = "pad=ceil(iw/2)*2:ceil(ih/2)*2"
    matrix = f"scale=out_color_matrix=bt709:out_range=tv:flags={EXACT}"
    tags = "setparams=colorspace=bt709:color_primaries=bt709:color_trc=bt709:range=tv"
    return ["-vf", f"{even},{matrix},{tags}", "-c:v", "libx264", "-pix_fmt", "yuv420p"]


def check_frame(rgb: np.ndarray, size_px: tuple[int, int]) -> None:
    expected = (size_px[1], size_px[0], 3)
    if rgb.shape != expected or rgb.dtype != np.uint8:
        raise ValueError(f"a frame must be uint8 of shape {expected}, got {rgb.dtype} {rgb.shape}")


def failure(
    complaints: IO[bytes],  # what ffmpeg said on standard error
    place: Path,  # where it was writing
) -> BadInput:
    """The sentence for a video that could not be written."""
    complaints.seek(0)
    said = complaints.read().decode("utf-8", "replace").strip()
    if "No space left" in said:
        return cannot_write(place.name, OSError(errno.ENOSPC, ""))
    last = said.splitlines()[-1] if said else "ffmpeg stopped without a word"
    return BadInput(f"Could not write {place}: {last}; choose another place for it or check its sound")
