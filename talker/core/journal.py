"""What happens, written down for the program that started this one: the studio follows the jobs that it starts.

A journal is a file of lines, each a JSON object with `at_s` and one of these: `progress` (with `fraction`, `note`),
`notice`, `picture` (a file beside the journal, written anew), `ended` (the exit code, with `text`). Whoever writes one
holds its lock, so that others can tell a job at work from one that was killed.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

from talker.core.records import json_text
from talker.core.temporary import replacing, sweep

if TYPE_CHECKING:
    import numpy as np

VARIABLE = "TALKER_JOURNAL"  # of the environment: where `talker COMMAND` is to keep one
LOCK_SUFFIX, PICTURE_SUFFIX = ".lock", ".jpg"
_WRITE_EVERY_S = 0.2
_PICTURE_QUALITY = 88


class Journal:
    """A Reporter that writes."""

    def __init__(self, path: Path) -> None:
        from filelock import FileLock

        self._path = path
        self._lock = FileLock(path.with_suffix(LOCK_SUFFIX))
        self._lock.acquire()  # the system frees it when this process ends
        sweep(path.parent.iterdir(), path.with_suffix(PICTURE_SUFFIX).name)
        self._told, self._told_s = "", 0.0

    def progress(self, task: str, fraction: float, note: str = "") -> None:
        now_s = time.monotonic()
        if task != self._told or fraction >= 1.0 or now_s - self._told_s >= _WRITE_EVERY_S:
            self._told, self._told_s = task, now_s
            self._note(progress=task, fraction=round(fraction, 5), note=note)

    def notice(self, text: str) -> None:
        self._note(notice=text)

    def picture(
        self,
        rgb: np.ndarray,  # [H, W, 3] uint8
    ) -> None:
        from PIL import Image

        path = self._path.with_suffix(PICTURE_SUFFIX)
        with replacing(path) as temporary:
            Image.fromarray(rgb).save(temporary, "JPEG", quality=_PICTURE_QUALITY)
        self._note(picture=path.name)

    def ended(self, code: int, text: str) -> None:
        self._note(ended=code, text=text)

    def _note(self, **facts: object) -> None:
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json_text({"at_s": round(time.time(), 2), **facts}, None) + "\n")
