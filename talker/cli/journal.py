"""Who tells what happens: the console, and a journal where the program that started this one asks for it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from talker.cli.progress import ProgressPrinter
from talker.core.journal import VARIABLE, Journal

if TYPE_CHECKING:
    import numpy as np


class JournalPrinter(ProgressPrinter):
    """Prints as ever, and keeps a journal."""

    def __init__(self, journal: Journal) -> None:
        super().__init__()
        self._journal = journal

    def progress(self, task: str, fraction: float, note: str = "") -> None:
        super().progress(task, fraction, note)
        self._journal.progress(task, fraction, note)

    def notice(self, text: str) -> None:
        super().notice(text)
        self._journal.notice(text)

    def picture(self, rgb: np.ndarray) -> None:
        self._journal.picture(rgb)

    def ended(self, code: int, text: str) -> None:
        self._journal.ended(code, text)


def printer_of(environment: Mapping[str, str]) -> ProgressPrinter:
    path = environment.get(VARIABLE)
    return JournalPrinter(Journal(Path(path))) if path else ProgressPrinter()
