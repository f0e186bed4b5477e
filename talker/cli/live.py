"""Standard input, standard output and Ctrl-C as live driving uses them."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event
from typing import BinaryIO

from talker.core.errors import BadInput

STANDARD_OUTPUT = Path("-")
_PIPE = "arecord -f S16_LE -r 16000 -c 1 -t raw | talker drive --live"


def live_source() -> BinaryIO:
    """Standard input, where something is piped into it."""
    if sys.stdin is None or sys.stdin.closed:
        raise BadInput(f"Standard input is closed; pipe raw sound into it: {_PIPE} -o out.mp4")
    if sys.stdin.isatty():
        raise BadInput(f"Standard input is a terminal; pipe raw sound into it: {_PIPE} -o out.mp4")
    return sys.stdin.buffer


def live_sink(out: Path | None) -> Path | BinaryIO:
    """The file that was asked for, or standard output, where somebody reads it."""
    if out is None:
        raise BadInput("--live needs a place for the video: -o out.mp4, or -o - | ffplay -")
    if out != STANDARD_OUTPUT:
        return out
    if sys.stdout is None or sys.stdout.closed:
        raise BadInput("Standard output is closed; name a file: -o out.mp4")
    if sys.stdout.isatty():
        raise BadInput(f"Standard output is a terminal; pipe the video on: {_PIPE} -o - | ffplay -")
    return sys.stdout.buffer


@contextmanager
def first_interrupt() -> Iterator[Event]:
    """An event that the first Ctrl-C sets, to end a recording as one ends a recording; the second interrupts."""
    stop = Event()
    usual = signal.getsignal(signal.SIGINT)

    def end(_signal: int, _frame: object) -> None:
        stop.set()
        signal.signal(signal.SIGINT, usual)

    signal.signal(signal.SIGINT, end)
    try:
        yield stop
    finally:
        signal.signal(signal.SIGINT, usual)
