"""`talker check`: its flags, and the call that they become."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

from talker.cli.arguments import given_path
from talker.cli.flags import add_flags, add_force, chosen
from talker.cli.parser import Parser
from talker.cli.progress import show
from talker.core.errors import BadInput
from talker.core.records import json_text

if TYPE_CHECKING:
    from talker.core.types import Reporter


def add_check(parser: Parser) -> None:
    from talker.api.commands import FitOptions
    from talker.take.build import TakeOptions

    parser.add_argument("video", type=given_path, metavar="VIDEO", help="mp4, mov, mkv, webm, avi, mts ...")
    parser.add_argument(
        "-o", "--out", type=given_path, metavar="PAGE.html", help="also write a page with pictures and plots"
    )
    add_flags(parser, TakeOptions, ["start_s", "end_s", "size_px", "av_offset_s", "track", "landmarks"])
    add_flags(parser, FitOptions, ["preset", "kernels", "training_steps"])
    parser.add_argument("--json", action="store_true", help="for programs")
    add_force(parser, "PAGE.html")


def run_check(arguments: argparse.Namespace, reporter: Reporter) -> str:
    from talker.api import commands
    from talker.core.types import Silent
    from talker.take.build import TakeOptions

    take, options = chosen(TakeOptions, arguments), chosen(commands.FitOptions, arguments)
    listener = Silent() if arguments.json else reporter
    report = commands.check(arguments.video, arguments.out, take, options, force=arguments.force, reporter=listener)
    page = f"\n   {'page':<14}{arguments.out}" if arguments.out else ""
    text = json_text(report.as_json()) if arguments.json else report.text() + page
    if report.serves:
        return text
    if not arguments.quiet:
        show(text, sys.stdout)
    raise BadInput(report.stops()[0].sentence)
