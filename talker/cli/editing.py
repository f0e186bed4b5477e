"""The flags of `talker preview`, `talker edit` and `talker edits`, and the calls that they become."""

from __future__ import annotations

import argparse
import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING

from talker.cli.arguments import given_edit, given_path, given_word
from talker.cli.describe import describe_edits
from talker.cli.flags import add_flags, add_force, add_project, chosen, sentences
from talker.cli.parser import Parser
from talker.core.errors import BadInput
from talker.core.records import json_text

if TYPE_CHECKING:  # what it imports takes seconds
    from talker.api.options import EditOptions
    from talker.core.types import Reporter
    from talker.editors.region import Region

HELP_WIDTH = 96
PLAN_WORDS = {
    "strategy": "progressive: in rounds, each stronger than the one before; iterative: one image at a time, training "
    "between; once: everything in one round at full strength",
    "rounds": "how often every frame is edited and trained on (progressive: each time more strongly; once: one time)",
    "frames": "how many frames every round edits",
    "text_guidance": "how strongly the instruction counts in the first and in the last round",
    "image_guidance": "how strongly the unedited picture counts",
    "steps": "sampling steps of InstructPix2Pix in the first and in the last round",
    "seed": "of everything random: the same seed, the same edit",
}
PREVIEW_WORDS = {
    "text_guidance": "how strongly the instruction counts: a column for each",
    "steps": "sampling steps of InstructPix2Pix: a column for each, with each guidance; builtin has no use for them",
}


def _add_what(parser: Parser) -> None:
    """What an edit is asked for, be it made or only looked at."""
    from talker.editors.builtin.vocabulary import known_edits
    from talker.editors.region import COVERAGE, PARTS_OF

    lines = [line for kind in known_edits() for line in textwrap.wrap(": ".join(kind), HELP_WIDTH)]
    parser.add_argument_group("what the built-in editor knows", "\n".join(lines))
    parser.add_argument(
        "--instruction",
        required=True,
        action="append",
        type=given_word,
        metavar="TEXT",
        help="what to make of the speaker; several are made one after the other",
    )
    words = "|".join(PARTS_OF)
    parser.add_argument(
        "--only",
        action="append",
        type=given_word,
        default=[],
        metavar=words,
        help=f"edit only this, several times for several things ({COVERAGE}) [everything]",
    )
    parser.add_argument(
        "--keep", action="append", type=given_word, default=[], metavar=words, help="leave this as it is, likewise"
    )
    parser.add_argument(
        "--from",
        dest="base",
        type=given_edit,
        metavar="EDIT",
        help="build on this earlier edit [the speaker as filmed]",
    )


def _add_editor(parser: Parser, others: Sequence[str]) -> None:
    """Who edits, with every editor's own options, and the other fields of `EditOptions`."""
    from talker.api.options import EditOptions
    from talker.editors.registry import EDITORS, option_classes

    known = ", ".join(f"{name} ({entry.label})" for name, entry in EDITORS.items())
    add_flags(parser, EditOptions, ["editor"], {"editor": f"{sentences(EditOptions)['editor']}, {known}"})
    for name, options in option_classes().items():
        add_flags(parser, options, [name])
    add_flags(parser, EditOptions, others)


def _editing(arguments: argparse.Namespace) -> EditOptions:
    from talker.api.options import EditOptions
    from talker.editors.registry import option_classes

    given = vars(arguments)
    own = {name: given[name] for name in option_classes() if name in given}
    return chosen(EditOptions, argparse.Namespace(**given, editor_options=own))


def _region(arguments: argparse.Namespace) -> Region:
    from talker.editors.region import Region

    return Region(tuple(dict.fromkeys(arguments.only)), tuple(dict.fromkeys(arguments.keep)))


# -------------------------------------------------------------------- preview


def add_preview(parser: Parser) -> None:
    from talker.api.options import PreviewOptions

    _add_what(parser)
    _add_editor(parser, ["kernels"])
    add_flags(parser, PreviewOptions, words=PLAN_WORDS | PREVIEW_WORDS)
    parser.add_argument("-o", "--out", type=given_path, metavar="PICTURE.png", help="[in the project's previews/]")
    add_project(parser)
    add_force(parser, "the picture")


def run_preview(arguments: argparse.Namespace, reporter: Reporter) -> str:
    from talker.api import commands
    from talker.api.options import PreviewOptions
    from talker.editors.sequence import join_instructions

    return commands.preview(
        arguments.project,
        join_instructions(arguments.instruction),
        chosen(PreviewOptions, arguments),
        _editing(arguments),
        region=_region(arguments),
        base=arguments.base,
        out=arguments.out,
        force=arguments.force,
        reporter=reporter,
    ).text


# -------------------------------------------------------------------- edit


def add_edit(parser: Parser) -> None:
    from talker.core.types import EditPlan

    _add_what(parser)
    parser.add_argument("--name", type=given_edit, help="the edit's name [from the instruction and its limits]")
    _add_editor(parser, ["kernels", "preset", "training_steps"])
    add_flags(parser, EditPlan, PLAN_WORDS, PLAN_WORDS)
    parser.add_argument("-n", "--dry-run", action="store_true", help="say what would be done, and do nothing")
    parser.add_argument("--json", action="store_true", help="with --dry-run: the plan for programs")
    add_project(parser)
    add_force(parser, "an edit of that name made from other inputs")


def run_edit(arguments: argparse.Namespace, reporter: Reporter) -> str:
    from talker.api import commands
    from talker.core.types import EditPlan, Silent
    from talker.editors.sequence import join_instructions

    if arguments.json and not arguments.dry_run:
        raise BadInput("--json is for --dry-run; talker edits --json tells of edits that are made")
    arguments.instruction = join_instructions(arguments.instruction)
    done = commands.edit(
        arguments.project,
        chosen(EditPlan, arguments),
        _editing(arguments),
        name=arguments.name,
        region=_region(arguments),
        base=arguments.base,
        dry_run=arguments.dry_run,
        force=arguments.force,
        reporter=Silent() if arguments.json else reporter,
    )
    return json_text(done.facts) if arguments.json else done.text


# -------------------------------------------------------------------- edits


def add_edits(parser: Parser) -> None:
    parser.add_argument(
        "--rename", nargs=2, type=given_edit, metavar=("OLD", "NEW"), help="call the edit OLD by the name NEW"
    )
    parser.add_argument("--remove", type=given_edit, metavar="NAME", help="remove an edit for good; needs --force")
    add_project(parser)
    parser.add_argument("--json", action="store_true", help="for programs")
    parser.add_argument("-f", "--force", action="store_true", help="do remove it")


def run_edits(arguments: argparse.Namespace, _reporter: Reporter) -> str:
    from talker.api import commands

    if arguments.rename and arguments.remove:
        raise BadInput("--rename and --remove are two things; do one after the other")
    if arguments.json and (arguments.rename or arguments.remove):
        raise BadInput("--json is for the list; leave it out, or --rename and --remove")
    if arguments.force and not arguments.remove:
        raise BadInput("--force is for --remove; name the edit that is to be gone: --remove NAME --force")
    if arguments.rename:
        return commands.rename_edit(arguments.project, *arguments.rename).text
    if arguments.remove:
        return commands.remove_edit(arguments.project, arguments.remove, force=arguments.force).text
    found = commands.list_edits(arguments.project)
    return json_text(found) if arguments.json else describe_edits(found)
