"""How long work shows on a terminal, or in a log.

Everything that is not an error goes to standard output, so that standard error holds errors alone; unless standard
output is for what the command makes.
"""

from __future__ import annotations

import os
import shutil
import sys
import time
from typing import TextIO

from talker.core.errors import BadInput
from talker.core.text import shown_text

_LOG_EVERY_S = 15.0
_DRAW_EVERY_S = 0.1
_BAR = 20


class ProgressPrinter:
    """A Reporter that draws one living line on a terminal and writes a line now and then into a log."""

    def __init__(self, stream: TextIO | None = None, quiet: bool = False):
        self.quiet = quiet
        self.lost: BadInput | None = None  # why what was to be said could not be said
        self.speak_on(stream or sys.stdout)
        self._task = ""
        self._started = self._said = 0.0
        self._first = 0.0  # fraction at which this run came in: resumed work has a head start

    def speak_on(self, stream: TextIO) -> None:
        self.stream = stream
        self.draws = stream is not None and stream.isatty()  # no stream: it was closed

    def progress(self, task: str, fraction: float, note: str = "") -> None:
        if self.quiet:
            return
        now = time.monotonic()
        if task != self._task:
            self.close()
            self._task, self._started, self._first, self._said = task, now, fraction, now
            if fraction < 1.0:
                self._draw(fraction, note, now)
        elif fraction < 1.0 and now - self._said >= (_DRAW_EVERY_S if self.draws else _LOG_EVERY_S):
            self._said = now
            self._draw(fraction, note, now)
        if fraction >= 1.0:
            self._finish(note, now)

    def notice(self, text: str) -> None:
        if not self.quiet:
            self.close()
            self._line(f"note: {text}")

    def ended(self, code: int, text: str) -> None:
        """The command is over, with this exit code and result or error; a console shows that by itself."""

    def close(self) -> None:
        """Leave the living line as it is and start a new one."""
        if self.draws and self._task:
            self._write("\n")
        self._task = ""

    def _draw(self, fraction: float, note: str, now: float) -> None:
        done = fraction - self._first
        left = "" if done <= 0 else f"{clock((now - self._started) * (1 - fraction) / done)} left"
        words = "  ".join(word for word in (f"{fraction:4.0%}", left, note) if word)
        if not self.draws:
            if self._first < fraction:
                self._line(f"{self._task}: {words.strip()}")
            return
        bar = ("=" * round(_BAR * fraction)).ljust(_BAR)
        self._replace(f"{self._task:<24} [{bar}] {words}")

    def _finish(self, note: str, now: float) -> None:
        words = "  ".join(word for word in (clock(now - self._started), note) if word)
        if self.draws:
            self._replace(f"{self._task:<24} done  {words}")
            self._write("\n")
        else:
            self._line(f"{self._task}: done  {words}")
        self._task = ""

    def _replace(self, text: str) -> None:
        shown = shown_text(text, self.stream.encoding)[: shutil.get_terminal_size().columns - 1]
        self._write(f"\r\x1b[2K{shown}")

    def _line(self, text: str) -> None:
        if self.stream is not None:
            self._write(shown_text(text, self.stream.encoding) + "\n")

    def _write(self, text: str) -> None:
        if self.stream is None:
            return
        try:
            self.stream.write(text)
            self.stream.flush()
        except OSError as error:  # who read it has gone, or a disk is full; the work goes on
            lead_nowhere(self.stream)
            if not isinstance(error, BrokenPipeError):
                self.lost = unwritable(self.stream, error)


def show(text: str, stream: TextIO | None) -> None:
    """The text and the end of its line, in letters that the stream has; no stream: it was closed.

    Raises:
        BadInput: the stream takes no more, though somebody reads it.
        BrokenPipeError: nobody does.
    """
    if stream is None:
        return
    try:
        stream.write(shown_text(text, stream.encoding) + "\n")
        stream.flush()
    except OSError as error:
        lead_nowhere(stream)
        if isinstance(error, BrokenPipeError):
            raise
        raise unwritable(stream, error) from None


def unwritable(stream: TextIO, error: OSError) -> BadInput:
    name = "Standard error" if stream is sys.stderr else "Standard output"
    return BadInput(f"{name} takes no more ({error.strerror}); send it elsewhere and run the same command again")


def lead_nowhere(stream: TextIO) -> None:
    """What is written from now on is lost, and so is what waited to be written."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def clock(seconds: float) -> str:
    """A duration as people say it: 8 s, 2:05, 1:02:05."""
    if seconds < 60:
        return f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"
