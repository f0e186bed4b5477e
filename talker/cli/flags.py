"""Flags out of option dataclasses: one field, one flag, one default, and the field's own sentence as help."""

from __future__ import annotations

import argparse
import dataclasses
import inspect
import re
import types
import typing
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from talker.cli.words import given_path, given_word
from talker.errors import BadInput

_FIELD = re.compile(
    r"^    (\w+):[^#\n]*(?:#\s*(?P<beside>[^\n]+))?\n(?:    (?P<quotes>\"{1,3})(?P<under>.+?)(?P=quotes)\n)?",
    re.M | re.S,
)
_UNITS = re.compile(r"_(s|px|deg|hz)$")


def flag_name(field_name: str) -> str:
    """`size_px` -> `--size`: people give no units where there is only one."""
    return "--" + _UNITS.sub("", field_name).replace("_", "-")


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
    hints, texts = typing.get_type_hints(options), {**sentences(options), **words}
    defaults = {field.name: field.default for field in dataclasses.fields(options)}
    for name in defaults if fields is None else fields:
        default, help_text = defaults[name], texts.get(name, "").replace("%", "%%")
        shown = "" if default is None else f" [{_show(default)}]"
        parser.add_argument(
            flag_name(name),
            dest=name,
            default=argparse.SUPPRESS,
            help=help_text.rstrip(".") + shown,
            **_kind(hints[name]),
        )


def add_project(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--project", type=given_path, metavar="DIR", help="the project folder [the nearest *.talker]")


def add_kernels(parser: argparse.ArgumentParser) -> None:
    """For commands without options of their own to hold it; the default and the words are those of `talker fit`."""
    from talker.options import FitOptions

    help_text = f"{sentences(FitOptions)['kernels']} [{FitOptions.kernels}]"
    parser.add_argument("--kernels", type=given_word, default=FitOptions.kernels, metavar="NAME", help=help_text)


def add_force(parser: argparse.ArgumentParser, what: str) -> None:
    parser.add_argument("-f", "--force", action="store_true", help=f"replace {what}")


def chosen(options: type, arguments: argparse.Namespace) -> Any:
    """The options that a command line asks for."""
    names = {field.name for field in dataclasses.fields(options)}
    return options(**{name: value for name, value in vars(arguments).items() if name in names})


def _kind(hint: Any) -> dict[str, Any]:
    """What argparse needs to read a value of a type."""
    if typing.get_origin(hint) in (typing.Union, types.UnionType):
        hint = next(member for member in typing.get_args(hint) if member is not type(None))
    if typing.get_origin(hint) is typing.Literal:
        return {"choices": typing.get_args(hint), "type": str}
    if typing.get_origin(hint) is tuple:
        member = typing.get_args(hint)[0]
        if typing.get_args(hint)[-1] is Ellipsis:
            return {"type": lambda text: _several(text, member), "metavar": "A,B,..."}
        return {"type": lambda text: _pair(text, member), "metavar": "LOW,HIGH"}
    return {
        "type": {str: given_word, Path: given_path}.get(hint, hint),
        "metavar": {int: "N", float: "X"}.get(hint, "NAME"),
    }


def _pair(text: str, member: type) -> tuple:
    try:
        low, high = (member(part) for part in text.split(","))
    except ValueError:
        raise BadInput(f"{text!r} is not a pair; write two numbers with a comma, for example 3,6") from None
    return low, high


def _several(text: str, member: type) -> tuple:
    try:
        return tuple(member(part) for part in text.split(","))
    except ValueError:
        raise BadInput(f"{text!r} is no row of numbers; write them with commas, for example 3,4,6") from None


def _show(value: Any) -> str:
    return ",".join(map(str, value)) if isinstance(value, tuple) else str(value)
