"""`talker edit`, killed at random moments and run again: `python -m tools.kills --project DIR`.

An edit of that project is made once in peace. Then it is made again and again under other names, each run killed
(SIGKILL) at a random moment of the peaceful one's time, until it ends by itself; each must come out the same, and no
frame that was there at a kill may be written again. The last line is one JSON object for programs.
"""

from __future__ import annotations

import argparse
import json
import random
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from talker.drive import to_bytes
from talker.errors import TalkerError
from talker.measure import spaced
from talker.metrics import psnr_db
from talker.opening import load_portrait, open_project
from talker.take.store import load_take

COMPARED_FRAMES = 5
PEACEFUL = "kills-peaceful"


class RunAgain(TalkerError):
    """An edit came to another end than a kill or success."""


def kill_often(project: Path, kills: int, words: Sequence[str], seed: int) -> dict[str, float | int]:
    """How often it was killed, over how many edits, how near the worst came, and how many frames were written twice."""
    rng, done, edits, worst_db, twice = random.Random(seed), 0, 0, float("inf"), 0
    shutil.rmtree(project / "edits" / PEACEFUL, ignore_errors=True)
    started = time.monotonic()
    _finish(_start(project, PEACEFUL, words))
    whole_s = time.monotonic() - started
    while done < kills:
        name, edits = f"kills-{edits + 1}", edits + 1
        for left in (project / "edits").glob(f"{name}*"):
            shutil.rmtree(left)
        known: dict[Path, int] = {}
        while True:
            process = _start(project, name, words)
            try:
                process.wait(rng.uniform(0.0, whole_s) if done < kills else None)
                _finish(process)
                break
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
                done += 1
                folder = next((project / "edits").glob(f"{name}.partial-*"), None)
                frames = folder.glob("frames/round-*/*.png") if folder else ()
                known = {path.relative_to(folder): _written(path) for path in frames} | known  # the first time counts
                print(f"kill {done}: edit {edits}, {len(known)} frames were there", file=sys.stderr)
        made = project / "edits" / name
        twice += sum(_written(made / path) != written for path, written in known.items())
        worst_db = min(worst_db, _likeness_db(project, name))
    return {"kills": done, "edits": edits, "worst_psnr_db": round(worst_db, 1), "frames_written_twice": twice}


def _start(project: Path, name: str, words: Sequence[str]) -> subprocess.Popen:
    command = [sys.executable, "-m", "talker", "edit", "--project", project, "--name", name, "--quiet", *words]
    return subprocess.Popen([str(word) for word in command], stdout=subprocess.DEVNULL)


def _finish(process: subprocess.Popen) -> None:
    if process.wait():
        raise RunAgain(f"talker edit ended with exit code {process.returncode}")


def _written(path: Path) -> int:
    return path.stat().st_mtime_ns


def _likeness_db(project: Path, name: str) -> float:
    opened = open_project(project)
    take = load_take(opened.path("take"))
    peaceful, disturbed = (load_portrait(opened, take, each) for each in (PEACEFUL, name))
    for portrait in (peaceful, disturbed):
        portrait.set_audio(take.audio_features, len(take))
    return min(
        psnr_db(*(to_bytes(who.render(index, pose=index).rgb) for who in (disturbed, peaceful)))
        for index in spaced(take.held_out, COMPARED_FRAMES)
    )


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tools.kills", description=__doc__)
    parser.add_argument("--project", type=Path, required=True, metavar="DIR", help="a fitted speaker, small is enough")
    parser.add_argument("--kills", type=int, default=20, metavar="N", help="[%(default)s]")
    parser.add_argument("--strategy", default="progressive", help="[%(default)s]")
    parser.add_argument("--frames", default="20", metavar="N", help="edited in a round [%(default)s]")
    parser.add_argument("--training-steps", default="30", metavar="N", help="in each round [%(default)s]")
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="of the moments [%(default)s]")
    asked = parser.parse_args(argv)
    words = ["--instruction", "make him a Van Gogh painting", "--strategy", asked.strategy, "--frames", asked.frames]
    try:
        found = kill_often(asked.project, asked.kills, [*words, "--training-steps", asked.training_steps], asked.seed)
    except TalkerError as error:
        print(f"kills: {error}", file=sys.stderr)
        return 2
    print(json.dumps(found))
    return 0


if __name__ == "__main__":
    sys.exit(main())
