"""Writing a video while it happens: pictures and sound go in together, and what went in comes out at once."""

from __future__ import annotations

import contextlib
import os
import subprocess
import tempfile
from pathlib import Path
from types import TracebackType
from typing import BinaryIO

import numpy as np

from talker.errors import BadInput
from talker.types import AUDIO_RATE_HZ, FPS
from talker.video.files import ffmpeg_path
from talker.video.sound import to_pcm
from talker.video.writer import SYNTHETIC_NOTE, check_frame, failure, picture_coding, picture_input

_KEYFRAMES_EVERY_S = 1  # a file that a kill cut off plays up to its last whole second
# ffmpeg would wait for more input to learn what it has been told.
_NO_PROBING = ["-probesize", "32", "-analyzeduration", "0", "-fflags", "nobuffer"]


class LiveWriter:
    """Fragmented mp4, H.264 without look-ahead and AAC, into a file or a pipe.

    A file is written under its own name from the start and keeps what was written, whatever happens; one into which
    nothing was written is removed.
    """

    def __init__(
        self,
        out: Path | BinaryIO,
        size_px: tuple[int, int],  # (width, height)
    ) -> None:
        self.out = out
        self.size_px = size_px
        self.frames = 0

    def __enter__(self) -> LiveWriter:
        self._complaints = tempfile.TemporaryFile()
        ear, self._sound = os.pipe()
        try:
            if isinstance(self.out, Path):
                self.out.parent.mkdir(parents=True, exist_ok=True)
            self._process = subprocess.Popen(
                self._command(ear),
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL if isinstance(self.out, Path) else self.out,
                stderr=self._complaints,
                pass_fds=[ear],
                start_new_session=True,  # Ctrl-C is this process's to answer
            )
        except OSError as error:
            os.close(self._sound)
            self._complaints.close()
            raise BadInput(f"Cannot write {self.out}: {error.strerror}; choose another place for it") from error
        finally:
            os.close(ear)
        return self

    def _command(self, ear: int) -> list[str]:
        is_file = isinstance(self.out, Path)
        command = [ffmpeg_path(), "-v", "error", "-y", *_NO_PROBING, *picture_input(self.size_px, FPS)]
        command += [*_NO_PROBING, "-f", "s16le", "-ar", str(AUDIO_RATE_HZ), "-ac", "1", "-i", f"pipe:{ear}"]
        command += ["-map", "0:v:0", "-map", "1:a:0", "-c:a", "aac", "-b:a", "96k", *picture_coding()]
        command += ["-crf", "18", "-preset", "veryfast", "-tune", "zerolatency", "-g", str(FPS * _KEYFRAMES_EVERY_S)]
        # The index goes out with the first fragment (delay_moov): by then the sound's delay in AAC is known.
        flags = "+frag_keyframe" if is_file else "+frag_every_frame"
        command += ["-movflags", f"{flags}+delay_moov+default_base_moof", "-flush_packets", "1"]
        command += ["-metadata", f"comment={SYNTHETIC_NOTE}", "-f", "mp4"]
        return [*command, f"file:{self.out}" if is_file else "pipe:1"]

    def write(
        self,
        rgb: np.ndarray,  # [H, W, 3] uint8
        sound: np.ndarray,  # [n] float in [-1, 1] at 16 kHz: what is heard while the frame is shown
    ) -> None:
        check_frame(rgb, self.size_px)
        try:
            # Sound first: ffmpeg, short of it, may stop reading pictures, whereas the pipe holds two seconds of sound.
            view = memoryview(to_pcm(sound))
            while view:
                view = view[os.write(self._sound, view) :]
            self._process.stdin.write(np.ascontiguousarray(rgb).data)
            self._process.stdin.flush()
        except OSError:
            self._process.wait()
            raise self._failure() from None
        self.frames += 1

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            with contextlib.suppress(OSError):  # ffmpeg may have gone; its exit status and words tell why
                self._process.stdin.close()
            os.close(self._sound)
            if self._process.wait() != 0 and kind is None:
                raise self._failure()
        finally:
            if self.frames == 0 and isinstance(self.out, Path):
                self.out.unlink(missing_ok=True)
            self._complaints.close()

    def _failure(self) -> BadInput:
        if isinstance(self.out, Path):
            return failure(self._complaints, str(self.out), self.out.name)
        shown_s = self.frames / FPS
        return BadInput(f"Nobody reads the video on standard output any more; it ended after {shown_s:.1f} s")
