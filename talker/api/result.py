"""What every command that makes something returns."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Outcome:
    """What a command leaves behind."""

    path: Path  # the file or folder that it made
    text: str  # one or a few lines for people
    already_done: bool = False
    facts: dict[str, Any] | None = None  # the same for programs, as JSON values, where somebody may want it
