"""How tools tell what they are doing."""

from __future__ import annotations

import sys


class Notes:
    """A Reporter that says on standard error which part has begun."""

    def progress(self, task: str, fraction: float, note: str = "") -> None:
        if fraction == 0.0:
            print(f"measuring {task}", file=sys.stderr)

    def notice(self, text: str) -> None:
        print(text, file=sys.stderr)
