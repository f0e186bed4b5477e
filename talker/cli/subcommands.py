"""What talker can be told on the command line: each subcommand's flags, examples, and the call that it becomes.

A subcommand's flags are built only when it is the one asked for: what they import takes seconds.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from talker import __version__
from talker.cli.arguments import given_edit, given_path, given_word
from talker.cli.checking import add_check, run_check
from talker.cli.describe import describe_project
from talker.cli.editing import add_edit, add_edits, add_preview, run_edit, run_edits, run_preview
from talker.cli.evaluation import add_eval, run_eval
from talker.cli.flags import add_flags, add_force, add_kernels, add_project, chosen
from talker.cli.live import STANDARD_OUTPUT, first_interrupt, live_sink, live_source
from talker.cli.parser import Parser, nearest
from talker.cli.progress import show
from talker.cli.studio import add_studio, run_studio
from talker.core.errors import BadInput
from talker.core.records import json_text

if TYPE_CHECKING:  # what it imports takes seconds, too
    from talker.core.types import Reporter

Call = Callable[[argparse.Namespace, "Reporter"], str]


@dataclass(frozen=True)
class Run:
    """A command line, understood."""

    call: Call
    arguments: argparse.Namespace

    @property
    def quiet(self) -> bool:
        return self.arguments.quiet

    @property
    def keeps_stdout(self) -> bool:
        """Whether standard output is for what the command makes, and words go to standard error."""
        return getattr(self.arguments, "out", None) == STANDARD_OUTPUT

    def __call__(self, reporter: Reporter) -> str:
        return self.call(self.arguments, reporter)


@dataclass(frozen=True)
class Subcommand:
    summary: str
    examples: tuple[str, ...]
    add: Callable[[Parser], None]
    call: Call


def read(argv: Sequence[str]) -> Run:
    """The run that a command line asks for. BadInput with the nearest word when it is misspelt."""
    if not argv or argv[0] in ("-h", "--help", "help"):
        show(_overview(), sys.stdout)
        raise SystemExit(0 if argv else 2)
    if argv[0] in ("-V", "--version"):
        show(f"talker {__version__}", sys.stdout)
        raise SystemExit(0)
    name = argv[0]
    if name not in SUBCOMMANDS:
        kind = "flag" if name.startswith("-") else "command"
        hint = nearest(name, ["--help", "--version"] if kind == "flag" else SUBCOMMANDS)
        raise BadInput(f"Unknown {kind} {name}{hint or '; talker --help lists what there is'}")
    return Run(SUBCOMMANDS[name].call, parser_of(name).parse_args(argv[1:]))


def parser_of(name: str) -> Parser:
    """What understands a subcommand's flags."""
    subcommand = SUBCOMMANDS[name]
    parser = Parser(f"talker {name}", subcommand.summary, subcommand.examples)
    subcommand.add(parser)
    parser.add_argument("-q", "--quiet", action="store_true", help="say nothing but errors")
    return parser


def _overview() -> str:
    lines = [f"  {name:<10}{subcommand.summary}" for name, subcommand in SUBCOMMANDS.items()]
    return "\n".join(
        [
            "talker: film a speaker, edit the talking head by instruction, drive it with any audio from any view",
            "",
            "usage: talker COMMAND ...   (talker COMMAND --help for flags and examples; talker --version)",
            "",
            *lines,
        ]
    )


# -------------------------------------------------------------------- speaker


def _add_speaker(parser: Parser) -> None:
    from talker.speaker.record import SpeakerOptions

    parser.add_argument("out", type=given_path, metavar="OUT.mp4")
    add_flags(parser, SpeakerOptions)
    parser.add_argument("--truth", type=given_path, metavar="DIR", help="also write everything that is known exactly")
    add_force(parser, "what is there")


def _speaker(arguments: argparse.Namespace, reporter: Reporter) -> str:
    from talker.api import commands
    from talker.speaker.record import SpeakerOptions

    options = chosen(SpeakerOptions, arguments)
    done = commands.speaker(arguments.out, options, truth=arguments.truth, force=arguments.force, reporter=reporter)
    return done.text


# -------------------------------------------------------------------- fit


def _add_fit(parser: Parser) -> None:
    from talker.api.commands import FitOptions
    from talker.take.build import TakeOptions

    parser.add_argument("video", type=given_path, metavar="VIDEO", help="mp4, mov, mkv, webm, avi, mts ...")
    parser.add_argument(
        "-o", "--out", type=given_path, metavar="DIR", help="the project folder [VIDEO's name with .talker]"
    )
    add_flags(parser, TakeOptions)
    add_flags(parser, FitOptions)
    add_force(parser, "a take or field made from other inputs")


def _fit(arguments: argparse.Namespace, reporter: Reporter) -> str:
    from talker.api import commands
    from talker.take.build import TakeOptions

    take, options = chosen(TakeOptions, arguments), chosen(commands.FitOptions, arguments)
    return commands.fit(arguments.video, arguments.out, take, options, force=arguments.force, reporter=reporter).text


# -------------------------------------------------------------------- drive


def _add_drive(parser: Parser) -> None:
    from talker.core.view import parse_view
    from talker.driving.render import DriveOptions

    parser.add_argument(
        "audio",
        type=given_path,
        nargs="?",
        metavar="AUDIO",
        help="speech: wav, mp3, m4a, flac, ogg ..., or a video with it",
    )
    parser.add_argument(
        "--live",
        action="store_true",
        help="no AUDIO: hear raw 16 kHz mono signed 16-bit little-endian sound on standard input, and write the video "
        "as it comes; needs -o",
    )
    parser.add_argument("--edit", type=given_edit, metavar="NAME", help="drive this edit [the speaker as filmed]")
    parser.add_argument(
        "--background", type=given_word, metavar="IMAGE|#rrggbb", help="another background [the speaker's own]"
    )
    parser.add_argument(
        "--view",
        type=parse_view,
        default=argparse.SUPPRESS,
        metavar="KEY=X,...",
        help="turn on top of the head's own motion, in degrees, and zoom: yaw=20,pitch=-5,roll=0,zoom=1.1; "
        "yaw=-20..20 goes from one to the other along the audio",
    )
    add_flags(parser, DriveOptions, ["motion", "detail", "strength", "eyes", "size_px", "track"])
    add_kernels(parser)
    parser.add_argument(
        "-o",
        "--out",
        type=given_path,
        metavar="OUT.mp4",
        help="the video [renders/0001.mp4 in the project]; with --live, - is standard output",
    )
    add_project(parser)
    add_force(parser, "OUT.mp4")


def _drive(arguments: argparse.Namespace, reporter: Reporter) -> str:
    from talker.api import commands
    from talker.driving.render import DriveOptions

    options = chosen(DriveOptions, arguments)
    flags = {name: getattr(arguments, name) for name in ("edit", "background", "kernels", "force")}
    if arguments.live:
        if arguments.audio is not None:
            raise BadInput(f"--live hears standard input; leave {arguments.audio} out, or --live")
        source, out = live_source(), live_sink(arguments.out)
        try:
            with first_interrupt() as stop:
                return commands.drive_live(
                    arguments.project, source, out, options, stop=stop, reporter=reporter, **flags
                )
        except KeyboardInterrupt:
            raise KeyboardInterrupt("the video ends where it was") from None
    if arguments.audio is None:
        raise BadInput("missing AUDIO; see talker drive --help")
    if arguments.out == STANDARD_OUTPUT:
        raise BadInput("-o - is for --live; name an .mp4")
    return commands.drive(
        arguments.project, arguments.audio, options, out=arguments.out, reporter=reporter, **flags
    ).text


# -------------------------------------------------------------------- info, doctor


def _add_info(parser: Parser) -> None:
    add_project(parser)
    parser.add_argument("--json", action="store_true", help="for programs")


def _info(arguments: argparse.Namespace, _reporter: Reporter) -> str:
    from talker.api import commands

    facts = commands.info(arguments.project)
    return json_text(facts) if arguments.json else describe_project(facts)


def _doctor(_arguments: argparse.Namespace, _reporter: Reporter) -> str:
    from talker.api import doctor

    return doctor.describe(doctor.examine())


SUBCOMMANDS: dict[str, Subcommand] = {
    "speaker": Subcommand(
        "record the demo speaker: a synthetic talker of whom everything is known exactly",
        (
            "talker speaker speaker.mp4",
            "talker speaker speaker.mp4 --seconds 20 --seed 7 --truth speaker-truth",
            "talker speaker calm.mp4 --motion 0.4 --light head",
        ),
        _add_speaker,
        _speaker,
    ),
    "check": Subcommand(
        "say what is wrong with footage, how to mend it, and how long a fit would take here",
        (
            "talker check clip.mp4",
            "talker check phone.mov --start 2 --end 62 --size 512 -o report.html",
            "talker check clip.mp4 --json",
        ),
        add_check,
        run_check,
    ),
    "fit": Subcommand(
        "turn a video of a speaker into a talking radiance field, in a project folder",
        (
            "talker fit clip.mp4",
            "talker fit phone.mov --start 2 --end 62 --size 512 --preset gpu -o anna.talker",
            "talker fit clip.mp4 --landmarks face-alignment --audio hubert",
        ),
        _add_fit,
        _fit,
    ),
    "preview": Subcommand(
        "see an edit on three frames before it is made, over a small grid of guidance and steps",
        (
            'talker preview --instruction "make him a Van Gogh painting"',
            'talker preview --instruction "dye his hair green" --instruction "make the background blue" -o look.png',
            'talker preview --instruction "turn him into a bronze statue" --only face --only hair --text-guidance 4,6',
        ),
        add_preview,
        run_preview,
    ),
    "edit": Subcommand(
        "edit the speaker by an instruction",
        (
            'talker edit --instruction "make him a Van Gogh painting"',
            'talker edit --instruction "turn her into a bronze statue" --name bronze --dry-run',
            'talker edit --instruction "make it an oil painting" --only background --name painted-room',
            'talker edit --instruction "dye his hair green" --from painted-room --name green-hair',
            'talker edit --instruction "make him look like a zombie" --editor ip2p --model timbrooks/instruct-pix2pix',
        ),
        add_edit,
        run_edit,
    ),
    "edits": Subcommand(
        "list the edits of a project, rename or remove one",
        (
            "talker edits",
            "talker edits --rename van-gogh-painting van-gogh",
            "talker edits --remove van-gogh --force",
            "talker edits --json",
        ),
        add_edits,
        run_edits,
    ),
    "drive": Subcommand(
        "make the speaker say any audio, from any view, before any background",
        (
            "talker drive speech.wav",
            "talker drive speech.mp3 --edit van-gogh-painting --view yaw=20,pitch=-5 -o out.mp4",
            "talker drive speech.wav --edit van-gogh-painting --strength 0.6",
            "talker drive speech.wav --view yaw=-20..20,zoom=1..1.2 --size 512",
            "talker drive speech.wav --motion still --background '#1e90ff' --detail 1",
            "arecord -f S16_LE -r 16000 -c 1 -t raw | talker drive --live -o - | ffplay -",
        ),
        _add_drive,
        _drive,
    ),
    "eval": Subcommand(
        "measure how good the speaker, or an edit, is, on frames that the fit never saw",
        (
            "talker eval",
            "talker eval --edit bronze --caption-before 'a photo of a man' --caption-after 'a bronze statue of a man'",
            "talker eval --speech other-voice.wav --frames 500 -o other-voice-eval",
        ),
        add_eval,
        run_eval,
    ),
    "studio": Subcommand(
        "fit, edit and drive in a browser",
        (
            "talker studio",
            "talker studio ~/clips --open",
            "TALKER_TOKEN='a long secret' talker studio ~/clips --host 0.0.0.0 --port 8000",
        ),
        add_studio,
        run_studio,
    ),
    "info": Subcommand(
        "say what a project holds", ("talker info", "talker info --project anna.talker --json"), _add_info, _info
    ),
    "doctor": Subcommand(
        "say what this machine has, and how to get what it lacks", ("talker doctor",), lambda parser: None, _doctor
    ),
}
