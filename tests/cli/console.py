"""What tests of the command line share: things to film, and what users' errors look like."""

from __future__ import annotations

import os
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from talker.cli import main
from talker.core.types import AUDIO_RATE_HZ
from talker.video import VideoWriter


def tone(seconds: float) -> np.ndarray:
    return (0.3 * np.sin(2 * np.pi * 300 * np.arange(int(seconds * AUDIO_RATE_HZ)) / AUDIO_RATE_HZ)).astype(np.float32)


def film(path: Path, seconds: float, sound: bool = True, picture: str = "noise") -> None:
    generator = np.random.default_rng(0)
    with VideoWriter(path, (64, 64), audio=tone(seconds) if sound else None) as video:
        for _ in range(round(seconds * 25)):
            video.write(generator.integers(0, 256, (64, 64, 3), np.uint8))


def refused(capsys, *words: str) -> str:
    """The error of a command line that must fail as users' errors do."""
    before = everything()
    assert main(list(words)) == 2
    said = capsys.readouterr().err
    assert said.startswith("talker: ") and said.count("\n") == 1 and len(said) < 1000, said
    after = everything()
    changed = {path for path in before.keys() | after.keys() if before.get(path) != after.get(path)}
    assert not changed, f"left behind or changed: {changed}"
    return said


def everything() -> dict[Path, bytes]:
    files = (path for path in Path.cwd().rglob("*") if path.is_file() and path.name != ".lock")
    return {path: path.read_bytes() for path in files}


@contextmanager
def spoken_into(monkeypatch, data: bytes):
    """Standard input as a pipe that somebody wrote into and closed."""
    ear, mouth = os.pipe()
    os.write(mouth, data)
    os.close(mouth)
    with os.fdopen(ear, "r") as source:
        monkeypatch.setattr("sys.stdin", source)
        yield
