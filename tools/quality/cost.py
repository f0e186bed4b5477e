"""Running talker as a user would, and what it cost: wall time and peak memory of the command."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from talker.core.errors import TalkerError


@dataclass(frozen=True)
class Cost:
    seconds: float
    peak_rss_mib: float


class CommandFailed(TalkerError):
    """A talker command ended with an error of its own, which it has already printed."""


# On Linux a process begins with the peak memory of the one that started it. So a small one stands between: it starts
# the command, sends its words to standard error (standard output is the benchmark's own), and tells what it cost.
_BETWEEN = """import resource, subprocess, sys
code = subprocess.call(sys.argv[1:], stdout=sys.stderr)
print(code, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)"""


def run_talker(*words: object) -> Cost:
    """Run `talker WORDS` in a process of its own, whose peak memory is therefore its own too."""
    command = [sys.executable, "-c", _BETWEEN, sys.executable, "-m", "talker", *map(str, words)]
    started = time.monotonic()
    code, peak = map(int, subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True).stdout.split())
    if code:
        raise CommandFailed(f"talker {' '.join(map(str, words))} ended with exit code {code}")
    per_mib = 2**20 if sys.platform == "darwin" else 2**10  # ru_maxrss: bytes there, KiB elsewhere
    return Cost(time.monotonic() - started, peak / per_mib)


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
