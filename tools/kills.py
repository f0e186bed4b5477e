"""Commands killed at random moments and run again: `python -m tools.kills fit|edit|drive --work DIR`.

The command is run once in peace, in a folder of its own. Then again and again in others, each run killed (SIGKILL) at a
random moment of the peaceful one's time, until it ends by itself: every file must come out the same, bit for bit but
for the clock's facts, and nothing else may be left, there or in the temporary directory. Frames that an edit had edited
at a kill may not be edited again. The last line is one JSON object for programs.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import random
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from talker.core.errors import TalkerError
from talker.speaker.speech import speak
from talker.video import write_wav

# Checkpoints so often that a run of seconds has some.
_CHILD = """
import sys
from talker.api import edit_run
from talker.cli import main
from talker.radfield import fit_take
fit_take.CHECKPOINT_EVERY, edit_run.SAVE_EVERY_S = 5, 0.5
sys.exit(main(sys.argv[1:]))
"""
# When, and for how long, in records; how long it may take, in the page of what was found in the footage.
_CLOCK = re.compile(rb'"(finished|seconds)": ("[^"]*"|[0-9.]+)|about [^<]*\(take [^<]* kernels\)')
_CLIP = ["speaker", "--seconds", "3.2", "--size", "64"]
_FIT = ["fit", "../clip.mp4", "-o", "clip.talker", "--size", "64", "--training-steps", "24"]
_EDIT = ["edit", "--instruction", "make him a Van Gogh painting", "--name", "painting"]
_EDIT += ["--rounds", "2", "--frames", "5", "--training-steps", "8"]
_DRIVE = ["drive", "../speech.wav", "--view", "yaw=-20..20"]
COMMANDS = {"fit": _FIT, "edit": _EDIT, "drive": _DRIVE}


class Failed(TalkerError):
    """A command came to another end than a kill or success."""


@dataclass
class Tally:
    command: str
    kills: int = 0
    ended: int = 0  # how often it came to its end after kills
    different: list[str] = field(default_factory=list)  # files that came out otherwise than in peace
    left_behind: list[str] = field(default_factory=list)
    edited_again: int = 0  # frames that had been edited at a kill


def prepare(work: Path) -> None:
    """What every command works from: a clip, a speech, and (under fitted/) a fitted speaker."""
    work.mkdir(parents=True, exist_ok=True)
    if not (work / "clip.mp4").is_file():
        _finish(_start(work, [*_CLIP, str(work / "clip.mp4")]))
    if not (work / "speech.wav").is_file():
        write_wav(work / "speech.wav", speak(2.0, seed=9)[0])
    if not (work / "fitted" / "clip.talker" / "field" / "stage.json").is_file():
        (work / "fitted").mkdir(exist_ok=True)
        _finish(_start(work / "fitted", _FIT))


def kill_often(work: Path, command: str, kills: int, seed: int) -> Tally:
    rng, tally, words = random.Random(seed), Tally(command), COMMANDS[command]
    temporary = work / "temporary"
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir()
    peace = _fresh(work, f"{command}-peace", command)
    started = time.monotonic()
    _finish(_start(peace, words, temporary))
    whole_s = time.monotonic() - started
    wanted, usual = contents(peace), set(temporary.iterdir())  # torch keeps a cache there
    while tally.kills < kills:
        place = _fresh(work, f"{command}-{tally.ended + 1}", command)
        edited: dict[Path, int] = {}
        while True:
            process = _start(place, words, temporary)
            try:
                process.wait(rng.uniform(0.0, whole_s) if tally.kills < kills else None)
                _finish(process)
                break
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
                tally.kills += 1
                edited = _edited(place) | edited  # the first time counts
                print(f"kill {tally.kills}, {place.name}: {_stage_of(place)}", file=sys.stderr, flush=True)
        tally.ended += 1
        tally.edited_again += sum(_edited(place).get(path) != written for path, written in edited.items())
        found = contents(place)
        different = [f"{place.name}/{name}" for name in wanted if found.get(name) != wanted[name]]
        left = [f"{place.name}/{name}" for name in found.keys() - wanted.keys()]
        left += [path.name for path in set(temporary.iterdir()) - usual]
        tally.different += different
        tally.left_behind += left
        if not different and not left:
            shutil.rmtree(place)
    return tally


def contents(folder: Path) -> dict[str, str]:
    """Every file by its digest, whatever the clock says in it."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(_CLOCK.sub(b"", path.read_bytes())).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def _fresh(work: Path, name: str, command: str) -> Path:
    """A folder to run the command in."""
    place = work / name
    shutil.rmtree(place, ignore_errors=True)
    if command == "fit":
        place.mkdir()
    else:
        shutil.copytree(work / "fitted", place)
    return place


def _start(place: Path, words: Sequence[str], temporary: Path | None = None) -> subprocess.Popen:
    environment = os.environ | ({"TMPDIR": str(temporary)} if temporary else {})
    environment["PYTHONPATH"] = str(Path(__file__).parents[1])
    command = [sys.executable, "-c", _CHILD, *words, "--quiet"]
    return subprocess.Popen(command, cwd=place, env=environment, stdout=subprocess.DEVNULL)


def _finish(process: subprocess.Popen) -> None:
    if process.wait():
        raise Failed(f"talker ended with exit code {process.returncode}")


def _edited(place: Path) -> dict[Path, int]:
    """When every frame of an edit was written; the same frame before and after its folder got its name."""
    paths = place.glob("clip.talker/edits/*/frames/round-*/[0-9]*.png")
    return {Path(*path.parts[-2:]): path.stat().st_mtime_ns for path in paths}


def _stage_of(place: Path) -> str:
    """How far it came, for people."""
    names = (path.name for path in place.glob("clip.talker/*") if path.is_dir())
    return ", ".join(sorted([*names, *(path.name for path in place.glob("clip.talker/edits/*"))]))


@contextmanager
def busy(loops: int) -> Iterator[None]:
    """Other processes that want the cores."""
    others = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(loops)]
    try:
        yield
    finally:
        for other in others:
            other.kill()
            other.wait()


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tools.kills", description=__doc__)
    parser.add_argument("command", choices=COMMANDS)
    parser.add_argument("--work", type=Path, required=True, metavar="DIR", help="for clips, projects and trials")
    parser.add_argument("--kills", type=int, default=60, metavar="N", help="[%(default)s]")
    parser.add_argument("--busy", type=int, default=0, metavar="N", help="loops beside, for load [%(default)s]")
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="of the moments [%(default)s]")
    asked = parser.parse_args(argv)
    try:
        work = asked.work.resolve()
        prepare(work)
        with busy(asked.busy):
            tally = kill_often(work, asked.command, asked.kills, asked.seed)
    except TalkerError as error:
        print(f"kills: {error}", file=sys.stderr)
        return 2
    print(json.dumps(vars(tally)))
    return 1 if tally.different or tally.left_behind or tally.edited_again else 0


if __name__ == "__main__":
    sys.exit(main())
