"""The paper's tables on our material: `python -m tools.compare`.

progressive / iterative / once; base, + PDU, + refinement; and every driven frame edited by itself, as it is and
deflickered. All edits but the last row's are by `tools.noisy_editor`. Every edit is kept once it is judged:
run the same command again after a kill, or with more instructions and seeds. The last line is one JSON object.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from talker.api.edit_run import TrainingOptions
from talker.core.errors import TalkerError
from talker.speaker.record import SpeakerOptions
from tools.editing.matrix import INSTRUCTIONS, Comparison, Size
from tools.editing.table import Cell, as_json, table
from tools.noisy_editor import PROPORTIONS
from tools.notes import Notes
from tools.quality.clips import Bench
from tools.quality.dump import Dump

USUAL = Size()


def compare(
    work: Path,
    instructions: Sequence[str],
    seeds: Sequence[int],
    size: Size,
    *,
    project: Path | None = None,  # None: the demo speaker, recorded and fitted in `work`
    size_px: int = 128,  # of the demo speaker
) -> list[Cell]:
    work.mkdir(parents=True, exist_ok=True)
    if project is None:
        speaker = SpeakerOptions(seconds=20.0, size_px=size_px)
        Bench(work, Dump(None), Notes(), frozenset(), speaker).demo()
        project = work / "demo.talker"
    return Comparison.of(project, work, size, Notes()).run(instructions, seeds)


def add_flags(parser: argparse.ArgumentParser, work: Path) -> None:
    parser.add_argument("--work", type=Path, default=work, metavar="DIR", help="where [%(default)s]")
    parser.add_argument("--project", type=Path, metavar="DIR", help="edit this speaker [the demo speaker, 20 s]")
    parser.add_argument("--size", type=int, default=128, metavar="PX", help="side of the demo speaker [%(default)s]")
    parser.add_argument("--frames", type=int, default=USUAL.frames, metavar="N", help="edited a round [%(default)s]")
    parser.add_argument(
        "--round-steps",
        type=int,
        default=USUAL.training.round_steps,
        metavar="N",
        help="training steps in each round [%(default)s]",
    )
    parser.add_argument(
        "--lip-steps", type=int, default=USUAL.training.lip_steps, metavar="N", help="after them [%(default)s]"
    )
    parser.add_argument("--driven", type=int, default=USUAL.driven, metavar="N", help="judged frames [%(default)s]")


def size_of(arguments: argparse.Namespace) -> Size:
    training = TrainingOptions(round_steps=arguments.round_steps, lip_steps=arguments.lip_steps)
    return Size(arguments.frames, training, arguments.driven)


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tools.compare", description=__doc__)
    parser.add_argument("--instructions", nargs="+", default=INSTRUCTIONS, metavar="TEXT", help="[four of them]")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2], metavar="N", help="[0 1 2]")
    add_flags(parser, Path("out/compare"))
    asked = parser.parse_args(argv)
    where = {"project": asked.project, "size_px": asked.size}
    try:
        cells = compare(asked.work, asked.instructions, asked.seeds, size_of(asked), **where)
    except TalkerError as error:
        print(f"compare: {error}", file=sys.stderr)
        return 2
    print(f"noisy editor at full strength: {PROPORTIONS}")
    print(table(cells))
    print(f"Look at {asked.work}/*/sheet.png")
    print(json.dumps(as_json(cells), allow_nan=False))
    return 0


if __name__ == "__main__":
    sys.exit(main())
