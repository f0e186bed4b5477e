"""What every command that makes something returns."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Outcome:
    """What a command leaves behind."""

    path: Path  # the file or folder that it made
    text: str  # one or a few lines for people
    already_done: bool = False
