"""Flags out of option dataclasses: one field, one flag, one default, and the field's own sentence as help."""

from __future__ import annotations

import argparse
import dataclasses
import functools
import inspect
import re
import types
import typing
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from talker.cli.arguments import given_path, given_word
from talker.core.bounds import Bounds, bounds_of, choices_of, flag_name, hints_of
from talker.core.errors import BadInput

_FIELD = re.compile(
    r"^    (\w+):[^#\n]*(?:#\s*(?P<beside>[^\n]+))?\n(?:    (?P<quotes>\"{1,3})(?P<under>.+?)(?P=quotes)\n)?",
    re.M | re.S,
)


@functools.cache
def sentences(options: type) -> dict[str, str]:
    """What stands beside (a comment) or under (a docstring) each field of a dataclass, in its source."""
    found = _FIELD.finditer(inspect.getsource(options))
    return {match[1]: " ".join((match["beside"] or match["under"] or "").split()) for match in found}


def add_flags(
    parser: argparse.ArgumentParser,
    options: type,
    fields: Iterable[str] | None = None,  # None: all
    words: Mapping[str, str] = MappingProxyType({}),  # help for fields whose sentence speaks to programmers
) -> None:
    """One flag for each of the fields; what a command line does not name stays at the field's default."""
    texts, defaults = {**sentences(options), **words}, {each.name: each.default for each in dataclasses.fields(options)}
    for name in defaults if fields is None else fields:
        flag = add_flag(parser, flag_name(name), hints_of(options)[name], texts.get(name, ""), defaults[name])
        flag.dest, flag.default = name, argparse.SUPPRESS


def add_flag(parser: argparse.ArgumentParser, flag: str, hint: Any, help_text: str, default: Any) -> argparse.Action:
    """A flag of a type: its bounds, where it has some, are told in the help and hold for what is given."""
    bounds = bounds_of(hint)
    words, _, own = help_text.rstrip(".").removesuffix("]").partition(" [")  # `own` says what stands for no default
    told = "; ".join(filter(None, (own, "" if default is None else _show(default), bounds and bounds.span)))
    text = f"{words} [{told}]" if told else words
    return parser.add_argument(flag, default=default, help=text.replace("%", "%%"), **_kind(flag, hint, bounds))


def add_project(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--project", type=given_path, metavar="DIR", help="the project folder [the nearest *.talker]")


def add_kernels(parser: argparse.ArgumentParser) -> None:
    """For commands without options of their own to hold it; the default and the words are those of `talker fit`."""
    from talker.api.options import FitOptions

    help_text = f"{sentences(FitOptions)['kernels']} [{FitOptions.kernels}]"
    parser.add_argument("--kernels", type=given_word, default=FitOptions.kernels, metavar="NAME", help=help_text)


def add_force(parser: argparse.ArgumentParser, what: str) -> None:
    parser.add_argument("-f", "--force", action="store_true", help=f"replace {what}")


def chosen(options: type, arguments: argparse.Namespace) -> Any:
    """The options that a command line asks for."""
    names = {field.name for field in dataclasses.fields(options)}
    return options(**{name: value for name, value in vars(arguments).items() if name in names})


def _kind(flag: str, hint: Any, bounds: Bounds | None) -> dict[str, Any]:
    """What argparse needs to read a value of a type."""
    if typing.get_origin(hint) in (typing.Union, types.UnionType):
        hint = next(member for member in typing.get_args(hint) if member is not type(None))
    choices = choices_of(hint)
    if choices is not None:
        return {"choices": choices, "type": str}
    if bounds is None:
        return {"type": given_path if hint is Path else given_word, "metavar": "NAME"}
    if typing.get_origin(hint) is not tuple:
        return {"type": functools.partial(bounds.read, flag), "metavar": "N" if bounds.kind is int else "X"}
    is_pair = typing.get_args(hint)[-1] is not Ellipsis
    return {"type": functools.partial(_several, flag, bounds, is_pair), "metavar": "LOW,HIGH" if is_pair else "A,B,..."}


def _several(flag: str, bounds: Bounds, is_pair: bool, text: str) -> tuple[float, ...]:
    """Numbers with commas between."""
    found = tuple(bounds.read(flag, part) for part in text.split(","))
    if is_pair and len(found) != 2:
        raise BadInput(f"{flag} is {text[:40]}; write two numbers with a comma, for example 3,6")
    return found


def _show(value: Any) -> str:
    return ",".join(map(str, value)) if isinstance(value, tuple) else str(value)
