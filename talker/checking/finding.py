"""One thing that a check found: what it is, where, and the way out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from talker.take.presence import told_places

Severity = Literal["stop", "warn", "note"]


@dataclass(frozen=True)
class Finding:
    key: str  # one word for programs
    severity: Severity  # stop: cannot be fitted; warn: the result will suffer; note: good to know
    what: str
    way_out: str
    where_s: tuple[tuple[float, float], ...] = ()  # first and last second of each place

    @property
    def sentence(self) -> str:
        """Everything in one line."""
        where = f" ({self.where})" if self.where_s else ""
        return f"{self.what}{where}; {self.way_out}" if self.way_out else f"{self.what}{where}"

    @property
    def where(self) -> str:
        return told_places(self.where_s) if self.where_s else ""
