"""The flags of `talker studio`, and its call."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from annotated_types import Interval

from talker.cli.arguments import given_path, given_word
from talker.cli.flags import add_flag
from talker.cli.parser import Parser
from talker.core.text import text_of

if TYPE_CHECKING:  # what it imports takes seconds
    from talker.core.types import Reporter

Port = Annotated[int, Interval(ge=0, le=65535)]  # 0: any that is free


def add_studio(parser: Parser) -> None:
    parser.add_argument(
        "folder",
        type=given_path,
        nargs="?",
        default=Path("."),
        metavar="FOLDER",
        help="with videos and projects [this one]",
    )
    add_flag(parser, "--port", Port, "where it listens", 7860)
    parser.add_argument("--open", action="store_true", help="open it in the browser, too")
    parser.add_argument(
        "--host",
        type=given_word,
        default="127.0.0.1",
        metavar="NAME",
        help="another address than this machine's own; needs a token",
    )
    parser.add_argument(
        "--token",
        type=text_of,
        metavar="SECRET",
        help="what a browser must know to come in [$TALKER_TOKEN, or nothing, on loopback]; given here, every user of "
        "this machine can read it in the list of processes (ps): rather set TALKER_TOKEN",
    )


def run_studio(arguments: argparse.Namespace, reporter: Reporter) -> str:
    from talker.studio.serve import serve

    return serve(
        arguments.folder,
        port=arguments.port,
        host=arguments.host,
        token=arguments.token,
        opens=arguments.open,
        reporter=reporter,
    )
