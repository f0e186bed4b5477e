"""The project's benchmarks: `python -m tools.bench quality|ears|kernels|fit|drive|edit|studio|gpu`.

Each prints a table for people and, as its last line, one JSON object for programs.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from talker.core.errors import BadInput, TalkerError
from talker.speaker.record import SpeakerOptions
from tools import compare
from tools.ears import ENCODERS, Ears, as_keys, ears_table
from tools.editing.paraphrases import PARAPHRASES, parser_figures
from tools.editing.timed import timed_edit
from tools.notes import Notes
from tools.quality.clips import ROWS, Bench
from tools.quality.dump import Dump
from tools.quality.figures import table
from tools.speed import drive, fit, gpu, kernels, studio
from tools.speed.report import Report


def quality(arguments: argparse.Namespace) -> None:
    for path in [*arguments.clip, *filter(None, [arguments.speech])]:
        if not path.is_file():
            raise BadInput(f"No such file: {path}")
    arguments.project.mkdir(parents=True, exist_ok=True)
    bench = Bench(
        work=arguments.project,
        dump=Dump(arguments.dump),
        reporter=Notes(),
        rows=frozenset(arguments.rows),
        speaker=SpeakerOptions(seconds=arguments.seconds, size_px=arguments.size),
        clip_size_px=arguments.clip_size,
        speech=arguments.speech,
        training_steps=arguments.training_steps,
    )
    clips = {} if arguments.no_demo else {"demo": bench.demo()}
    clips |= {path.name: bench.clip(path) for path in arguments.clip}
    print(table(clips))
    print(json.dumps({name: figures.as_json() for name, figures in clips.items()}, allow_nan=False))


def ears(arguments: argparse.Namespace) -> None:
    arguments.project.mkdir(parents=True, exist_ok=True)
    bench = Ears(arguments.project, Notes(), arguments.encoders, arguments.training_steps, arguments.seed)
    found = {} if arguments.no_demo else {"demo": bench.demo(arguments.seconds)}
    for clip in arguments.clip:
        size_px = arguments.large if clip.stem in arguments.large_clips else arguments.size
        found[clip.stem] = bench.clip(clip, size_px, arguments.speech)
    print(ears_table(found))
    print(json.dumps({encoder: as_keys(found, encoder) for encoder in arguments.encoders}, allow_nan=False))


def speed_kernels(arguments: argparse.Namespace) -> None:
    show(kernels.measure(Notes(), arguments.project, kernels.Sizes(repeats=arguments.repeats)))


def speed_fit(arguments: argparse.Namespace) -> None:
    arguments.project.mkdir(parents=True, exist_ok=True)
    show(fit.measure(arguments.project, Notes(), training_steps=arguments.training_steps))


def speed_drive(arguments: argparse.Namespace) -> None:
    show(drive.measure(arguments.project, Notes(), arguments.long, arguments.training_steps))


def speed_studio(arguments: argparse.Namespace) -> None:
    show(studio.measure(arguments.project, Notes(), arguments.training_steps, arguments.pictures))


def speed_gpu(arguments: argparse.Namespace) -> None:
    show(gpu.measure(Notes(), arguments.project))


def edit(arguments: argparse.Namespace) -> None:
    where = {"project": arguments.project, "size_px": arguments.size}
    cells = compare.compare(arguments.work, [arguments.instruction], [0], compare.size_of(arguments), **where)
    values = compare.as_json(cells) | parser_figures(PARAPHRASES)
    if not arguments.no_timed:
        values |= timed_edit(arguments.work / "12s", arguments.instruction, Notes())
    print(compare.table(cells))
    print(f"Look at {arguments.work}/*/sheet.png")
    print(json.dumps(values, allow_nan=False))


def show(report: Report) -> None:
    print(report.configuration, *report.rows, sep="\n")
    print(json.dumps(report.values, allow_nan=False))


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tools.bench", description=__doc__)
    benchmarks = parser.add_subparsers(required=True)
    one = benchmarks.add_parser("quality", help="figures of the demo speaker and of real clips, beside their nulls")
    one.add_argument("--clip", type=Path, action="extend", nargs="+", default=[], metavar="FILE", help="real clips too")
    one.add_argument("--clip-size", type=int, default=256, metavar="PX", help="side of their takes [%(default)s]")
    one.add_argument("--dump", type=Path, metavar="DIR", help="write every prediction there, losslessly")
    one.add_argument(
        "--project",
        type=Path,
        default=Path("out/quality"),
        metavar="DIR",
        help="recordings and projects; what is already there is measured again, not made again [%(default)s]",
    )
    one.add_argument("--rows", nargs="+", choices=ROWS, default=list(ROWS), help="what to measure [all]")
    one.add_argument("--speech", type=Path, metavar="FILE", help="drive the real clips with this, from the side")
    one.add_argument("--seconds", type=float, default=40.0, help="length of the demo speaker's recording [%(default)s]")
    one.add_argument("--size", type=int, default=256, help="side of the demo speaker's picture, px [%(default)s]")
    one.add_argument("--training-steps", type=int, metavar="N", help="of fits and edits, for a quick look")
    one.add_argument("--no-demo", action="store_true", help="leave the demo speaker out")
    one.set_defaults(run=quality)

    one = benchmarks.add_parser("ears", help="audio encoders against each other, by whole fits")
    one.add_argument("--clip", type=Path, action="extend", nargs="+", default=[], metavar="FILE", help="real clips too")
    one.add_argument("--speech", type=Path, action="extend", nargs="+", default=[], metavar="FILE", help="they say it")
    one.add_argument("--encoders", nargs="+", default=list(ENCODERS), metavar="NAME", help="[hama viseme]")
    one.add_argument("--project", type=Path, default=Path("out/ears"), metavar="DIR", help="where [%(default)s]")
    one.add_argument("--size", type=int, default=256, help="side of the takes, px [%(default)s]")
    one.add_argument("--large", type=int, default=512, help="side of the takes of --large-clips, px [%(default)s]")
    one.add_argument("--large-clips", nargs="+", default=[], metavar="NAME", help="clips fitted at --large")
    one.add_argument("--seconds", type=float, default=40.0, help="length of the demo speaker's recording [%(default)s]")
    one.add_argument("--seed", type=int, default=0, metavar="N", help="of the fits [%(default)s]")
    one.add_argument("--training-steps", type=int, metavar="N", help="for a quick look")
    one.add_argument("--no-demo", action="store_true", help="leave the demo speaker out")
    one.set_defaults(run=ears)

    one = benchmarks.add_parser("kernels", help="the native kernels against the torch reference, as ratios")
    one.add_argument("--project", type=Path, metavar="DIR", help="step and render this project's field [a painted egg]")
    one.add_argument("--repeats", type=int, default=7, metavar="N", help="times that each is done [%(default)s]")
    one.set_defaults(run=speed_kernels)

    one = benchmarks.add_parser("fit", help="the whole of a fit: 20 s of the demo speaker at 256x256")
    one.add_argument("--project", type=Path, default=Path("out/speed"), metavar="DIR", help="where [%(default)s]")
    one.add_argument("--training-steps", type=int, metavar="N", help="for a quick look")
    one.set_defaults(run=speed_fit)

    one = benchmarks.add_parser("drive", help="frames a second, memory, and the latency of live video")
    one.add_argument("--project", type=Path, default=Path("out/speed"), metavar="DIR", help="where [%(default)s]")
    one.add_argument("--long", type=float, default=600.0, metavar="SECONDS", help="speech to grow with [%(default)s]")
    one.add_argument("--training-steps", type=int, metavar="N", help="for a quick look")
    one.set_defaults(run=speed_drive)

    one = benchmarks.add_parser("studio", help="the page in a browser: loading, turning, playing, switching")
    one.add_argument("--project", type=Path, default=Path("out/speed"), metavar="DIR", help="where [%(default)s]")
    one.add_argument("--training-steps", type=int, metavar="N", help="for a quick look")
    one.add_argument("--pictures", type=Path, metavar="DIR", help="also a picture of every screen")
    one.set_defaults(run=speed_studio)

    one = benchmarks.add_parser("gpu", help="all that wants a GPU, in a few minutes; none of it needs weights")
    one.add_argument("--project", type=Path, metavar="DIR", help="fit and drive its take [a painted egg]")
    one.set_defaults(run=speed_gpu)

    one = benchmarks.add_parser("edit", help="strategies, refinement and per-frame editing, on one instruction")
    one.add_argument("--instruction", default=compare.INSTRUCTIONS[0], metavar="TEXT", help="[%(default)s]")
    compare.add_flags(one, Path("out/edit"))
    one.add_argument("--no-timed", action="store_true", help="leave out the edit of 12 s at 256x256, and its fit")
    one.set_defaults(run=edit)

    arguments = parser.parse_args(argv)
    try:
        arguments.run(arguments)
    except TalkerError as error:
        print(f"bench: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
