"""Writing a video while it happens: what goes in comes out at once.

Pictures and sound take ways of their own. ffmpeg lets neither get a tenth of a second ahead of the other, counted after
its encoders, and stops reading the one that is: who wrote both in turn would soon wait for himself. The same holds at
the end of the sound: who does not say that there is no more waits for ever with the last pictures.
"""

from __future__ import annotations

import contextlib
import os
import queue
import select
import subprocess
import tempfile
import threading
from pathlib import Path
from types import TracebackType
from typing import BinaryIO

import numpy as np

from talker.core.errors import BadInput, cannot_write
from talker.core.types import AUDIO_RATE_HZ, FPS
from talker.video.files import ffmpeg_path
from talker.video.sound import to_pcm
from talker.video.writer import SYNTHETIC_NOTE, check_frame, failure, picture_coding, picture_input

PATIENCE_S = 2.0  # how long a video that was told to end waits for whoever reads it
_LOOK_UP_S = 0.2
_KEYFRAMES_EVERY_S = 1  # a file that a kill cut off plays up to its last whole second
# ffmpeg would wait for more input to learn what it has been told.
_NO_PROBING = ["-probesize", "32", "-analyzeduration", "0"]


class LiveWriter:
    """Fragmented mp4, H.264 without look-ahead and AAC, into a file or a pipe.

    `hear` takes sound as soon as there is any, `hear_no_more` ends it, `write` takes a frame when it is ready; both run
    from 0 s without a gap. A file is written under its own name from the start and keeps what was written, whatever
    happens; one into which nothing was written is removed. A pipe's reader may take his time, until `stop` is set: then
    he has `PATIENCE_S`.
    """

    def __init__(
        self,
        out: Path | BinaryIO,
        size_px: tuple[int, int],  # (width, height)
        stop: threading.Event | None = None,
    ) -> None:
        self.out = out
        self.size_px = size_px
        self._stop = stop or threading.Event()
        self.frames = 0

    def __enter__(self) -> LiveWriter:
        self._complaints = tempfile.TemporaryFile()
        ear, self._mouth = os.pipe()
        try:
            if isinstance(self.out, Path):
                self.out.parent.mkdir(parents=True, exist_ok=True)
            self._process = subprocess.Popen(
                self._command(ear),
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL if isinstance(self.out, Path) else self.out,
                stderr=self._complaints,
                bufsize=0,
                pass_fds=[ear],
                start_new_session=True,  # Ctrl-C is this process's to answer
            )
        except OSError as error:
            os.close(self._mouth)
            self._complaints.close()
            raise cannot_write(self.out, error) from error
        finally:
            os.close(ear)
        self._sound: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        self._speaker = threading.Thread(target=self._speak, daemon=True)
        self._speaker.start()
        return self

    def _command(self, ear: int) -> list[str]:
        is_file = isinstance(self.out, Path)
        command = [ffmpeg_path(), "-v", "error", "-y", *_NO_PROBING, *picture_input(self.size_px, FPS)]
        command += [*_NO_PROBING, "-f", "s16le", "-ar", str(AUDIO_RATE_HZ), "-ac", "1", "-i", f"pipe:{ear}"]
        command += ["-map", "0:v:0", "-map", "1:a:0", "-c:a", "aac", "-b:a", "96k", *picture_coding()]
        command += ["-crf", "18", "-preset", "veryfast", "-tune", "zerolatency", "-g", str(FPS * _KEYFRAMES_EVERY_S)]
        # The index goes out with the first fragment (delay_moov): by then the sound's delay in AAC is known. A pipe
        # gets a fragment for every frame; frag_every_frame would be the flag for it, if it kept the frames' times.
        command += ["-movflags", "+frag_keyframe+delay_moov+default_base_moof", "-flush_packets", "1"]
        command += [] if is_file else ["-frag_duration", f"{1e6 / FPS / 2:.0f}"]
        command += ["-metadata", f"comment={SYNTHETIC_NOTE}", "-f", "mp4"]
        return [*command, f"file:{self.out}" if is_file else "pipe:1"]

    def hear(
        self,
        samples: np.ndarray,  # [n] float in [-1, 1] at 16 kHz
    ) -> None:
        if len(samples):
            self._sound.put(to_pcm(samples))

    def hear_no_more(self) -> None:
        self._sound.put(b"")

    def _speak(self) -> None:
        with contextlib.suppress(OSError):  # ffmpeg has gone: writing a frame will tell
            while sound := self._sound.get():
                view = memoryview(sound)
                while view:
                    view = view[os.write(self._mouth, view) :]
        os.close(self._mouth)

    def write(
        self,
        rgb: np.ndarray,  # [H, W, 3] uint8
    ) -> None:
        check_frame(rgb, self.size_px)
        try:
            self._show(np.ascontiguousarray(rgb).tobytes())
        except OSError:
            self._end()
            raise self._failure() from None
        self.frames += 1

    def _show(self, picture: bytes) -> None:
        file, view, waited_s = self._process.stdin.fileno(), memoryview(picture), 0.0
        while view:
            if select.select([], [file], [], _LOOK_UP_S)[1]:
                view, waited_s = view[os.write(file, view[: select.PIPE_BUF]) :], 0.0
            elif self._stop.is_set() and not isinstance(self.out, Path):
                waited_s += _LOOK_UP_S
                if waited_s > PATIENCE_S:
                    raise BrokenPipeError

    def _end(self) -> int:
        """ffmpeg's exit status, once it has written all or its reader's time is up."""
        waited_s = 0.0
        while True:
            with contextlib.suppress(subprocess.TimeoutExpired):
                return self._process.wait(_LOOK_UP_S)
            if self._stop.is_set() and not isinstance(self.out, Path):
                waited_s += _LOOK_UP_S
                if waited_s > PATIENCE_S:
                    self._process.kill()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        is_file = isinstance(self.out, Path)
        try:
            if kind is not None and not is_file:
                self._process.kill()  # whoever reads the pipe may have stopped reading
            self._process.stdin.close()
            self.hear_no_more()
            if self._end() != 0 and kind is None and self.frames:
                raise self._failure()
        finally:
            self._process.kill()  # of use only when the end was waited for too long, and interrupted
            self._process.wait()
            self._speaker.join()
            if self.frames == 0 and is_file:
                self.out.unlink(missing_ok=True)
            self._complaints.close()

    def _failure(self) -> BadInput:
        if isinstance(self.out, Path):
            return failure(self._complaints, self.out)
        self._complaints.seek(0)
        ended = f"the video ended after {self.frames / FPS:.1f} s"
        if b"No space left" in self._complaints.read():
            return BadInput(f"Standard output takes no more (No space left on device); {ended}")
        return BadInput(f"Nobody reads the video on standard output any more; {ended}")
