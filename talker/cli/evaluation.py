"""The flags of `talker eval`, and its call."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from talker.cli.arguments import given_edit, given_path
from talker.cli.flags import add_flags, add_force, add_kernels, add_project, chosen
from talker.cli.parser import Parser

if TYPE_CHECKING:  # what it imports takes seconds
    from talker.core.types import Reporter


def add_eval(parser: Parser) -> None:
    from talker.evaluation.options import EvalOptions

    parser.add_argument(
        "--edit", type=given_edit, metavar="NAME", help="judge this edit, beside the unedited speaker [as filmed]"
    )
    parser.add_argument(
        "--speech", type=given_path, metavar="AUDIO", help="judge the speaker saying this [the held-out part]"
    )
    add_flags(parser, EvalOptions)
    add_kernels(parser)
    parser.add_argument(
        "-o",
        "--out",
        type=given_path,
        metavar="DIR",
        help="for eval.json, eval.png (over time) and worst.png [eval/field/ or eval/EDIT/ in the project]",
    )
    add_project(parser)
    add_force(parser, "an evaluation made from other inputs")


def run_eval(arguments: argparse.Namespace, reporter: Reporter) -> str:
    from talker.api import commands
    from talker.evaluation.options import EvalOptions

    flags = {name: getattr(arguments, name) for name in ("edit", "speech", "out", "kernels", "force")}
    return commands.evaluate(arguments.project, chosen(EvalOptions, arguments), reporter=reporter, **flags).text
