"""Running talker as a user would, and what it cost: wall time and peak memory of the command."""

from __future__ import annotations

import json
import os
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from talker.errors import TalkerError


@dataclass(frozen=True)
class Cost:
    seconds: float
    peak_rss_mib: float


class CommandFailed(TalkerError):
    """A talker command ended with an error of its own, which it has already printed."""


def run_talker(*words: object) -> Cost:
    """Run `talker WORDS` in a process of its own, whose peak memory is therefore its own too."""
    command = [sys.executable, "-m", "talker", *map(str, words)]
    started = time.monotonic()
    to_stderr = [(os.POSIX_SPAWN_DUP2, 2, 1)]  # standard output is the benchmark's own
    process = os.posix_spawn(sys.executable, command, os.environ, file_actions=to_stderr)
    _, status, usage = os.wait4(process, 0)
    code = os.waitstatus_to_exitcode(status)
    if code:
        raise CommandFailed(f"talker {' '.join(command[3:])} ended with exit code {code}")
    per_mib = 2**20 if sys.platform == "darwin" else 2**10  # ru_maxrss: bytes there, KiB elsewhere
    return Cost(time.monotonic() - started, usage.ru_maxrss / per_mib)


class CostBook:
    """What commands cost when they ran, kept beside what they made, so that a second look need not run them again."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._costs: dict[str, dict] = json.loads(path.read_text()) if path.is_file() else {}

    def run(
        self,
        name: str,
        made: Path,  # what the command makes; when it is there and its cost is known, the command is not run
        *words: object,
    ) -> Cost:
        asked = " ".join(map(str, words))
        known = self._costs.get(name)
        if known and known["command"] == asked and made.exists():
            return Cost(known["seconds"], known["peak_rss_mib"])
        cost = run_talker(*words)
        self._costs[name] = {"command": asked, **asdict(cost)}
        self._path.write_text(json.dumps(self._costs, indent=1) + "\n")
        return cost
