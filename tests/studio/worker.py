"""Stands for `talker check VIDEO`: what it does is in the video's name. Steps that are done are done for good."""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path

from talker.core.journal import VARIABLE, Journal

STEPS = 12


def leave(_signal: int, _frame: object) -> None:
    sys.exit(143)


def main() -> int:
    signal.signal(signal.SIGTERM, leave)
    video = Path(sys.argv[2])
    journal = Journal(Path(os.environ[VARIABLE]))
    print("what it prints", flush=True)
    try:
        if video.stem == "bad":
            journal.ended(2, "bad.mp4 is bad; film it again")
            return 2
        done, runs = Path(f"{video.name}.steps"), Path(f"{video.name}.runs")
        with runs.open("a") as file:
            file.write(f"{os.getpid()}\n")
        for step in range(int(done.read_text()) if done.exists() else 0, STEPS):
            journal.progress("look", step / STEPS)
            if video.stem == "crash" and step == 2:
                os.kill(os.getpid(), signal.SIGKILL)
            time.sleep(0.0 if video.stem == "quick" else 0.06)
            done.write_text(str(step + 1))
        journal.notice("all seen")
        journal.ended(0, f"{video.name}: good")
    except SystemExit:
        journal.ended(143, "")
        raise
    return 0


if __name__ == "__main__":
    sys.exit(main())
