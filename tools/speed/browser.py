"""A real browser before a real studio: Debian's chromium, where it is, driven by Playwright, where that is.

For the benchmark, and for the tests' story.
"""

from __future__ import annotations

import importlib.util
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

CHROMIUM = Path("/usr/bin/chromium")
# No display, no sound card, no hand: sound plays without a click, and the microphone is a made-up one.
FLAGS = (
    "--no-sandbox",
    "--autoplay-policy=no-user-gesture-required",
    "--use-fake-ui-for-media-stream",
    "--use-fake-device-for-media-stream",
)


def why_not() -> str | None:
    """Why there is no browser here; None where there is one."""
    if importlib.util.find_spec("playwright") is None:
        return "no playwright: pip install -c constraints.txt '.[dev]'"
    return None if CHROMIUM.is_file() else f"no {CHROMIUM}: apt-get install chromium"


@contextmanager
def open_studio(folder: Path) -> Iterator[str]:
    """`talker studio FOLDER`, as a process of its own; yields its address."""
    root = str(Path(__file__).parents[2])
    environment = {**os.environ, "PYTHONPATH": root}
    process = subprocess.Popen(
        [sys.executable, "-m", "talker", "studio", str(folder), "--port", "0"],
        stdout=subprocess.PIPE,
        text=True,
        env=environment,
    )
    try:
        for line in process.stdout:
            if found := re.search(r"http://\S+", line):
                yield found[0]
                break
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(40)
        process.stdout.close()
