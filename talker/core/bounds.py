"""Bounds of what people choose, told once: in the type of the field that holds it.

    size_px: Annotated[int, Interval(ge=32, le=2048)] = 256  # side of the square

    editor: Annotated[str, OneOf(editor_names)] = "auto"  # a choice out of a table; of few and fixed ones, a Literal

`check_fields(self)`, in a dataclass's `__post_init__`, holds its numbers and its choices to their types; the command
line (`talker.cli.flags`) and the studio read the same types. None, where a type allows it, has no bounds.
"""

from __future__ import annotations

import dataclasses
import functools
import numbers
import re
import types
import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from annotated_types import Interval, MultipleOf

from talker.core.errors import BadInput

Track = Annotated[int, Interval(ge=1, le=1000)]  # of a file, counted from 1
Seed = Annotated[int, Interval(ge=0, le=2**63 - 1)]  # what numpy and torch both take
_UNITS = re.compile(r"_(s|px|deg|hz)$")
_LONGEST_SHOWN = 40  # letters of a value that is refused


@dataclass(frozen=True)
class Bounds:
    """What a number may be."""

    kind: type[int] | type[float]
    least: float
    most: float
    multiple_of: int = 1

    def read(self, name: str, text: str) -> float:
        """The number that a text tells. BadInput, which calls it by its name, unless it is one within the bounds."""
        try:
            number = self.kind(text)
        except ValueError:
            raise self._refusal(name, repr(_short(text))) from None
        self.check(name, number)
        return number

    def check(self, name: str, value: object) -> None:
        """BadInput unless the value is a number within the bounds; not-a-number is within none."""
        wanted = numbers.Integral if self.kind is int else numbers.Real
        if not isinstance(value, wanted) or isinstance(value, bool):
            raise self._refusal(name, _short(repr(value)))
        if not self.least <= value <= self.most or (self.kind is int and value % self.multiple_of):
            raise self._refusal(name, f"{value:g}" if isinstance(value, float) else str(value))

    def _refusal(self, name: str, shown: str) -> BadInput:
        return BadInput(f"{name} is {_short(shown)}; choose {self}")

    @property
    def span(self) -> str:
        return f"{_shown(self.least)} to {_shown(self.most)}"

    def __str__(self) -> str:
        kinds = {1: "a number" if self.kind is float else "a whole number", 2: "an even number"}
        return f"{kinds.get(self.multiple_of, f'a multiple of {self.multiple_of}')} from {self.span}"


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}..."


def _shown(limit: float) -> str:
    whole = int(limit) if limit == int(limit) else None
    if whole is not None and whole.bit_length() > 32 and whole & (whole + 1) == 0:
        return f"2^{whole.bit_length()} - 1"
    return f"{limit:g}" if whole is None else str(whole)


@dataclass(frozen=True)
class OneOf:
    """In the type of a text that is one of a table's names: what they are now."""

    names: Callable[[], tuple[str, ...]]


def choices_of(hint: Any) -> tuple[str, ...] | None:
    """What a type lets people choose from; None where it is no choice."""
    if typing.get_origin(hint) is typing.Literal:
        return typing.get_args(hint)
    told = typing.get_args(hint)[1:] if typing.get_origin(hint) is Annotated else ()
    return next((each.names() for each in told if isinstance(each, OneOf)), None)


def bounds_of(hint: Any) -> Bounds | None:
    """The bounds of a type, or of each item of a tuple; None where it is of no numbers. TypeError for missing ones."""
    if typing.get_origin(hint) in (typing.Union, types.UnionType, tuple):
        found = [bounds_of(member) for member in typing.get_args(hint) if member is not Ellipsis]
        return next(filter(None, found), None)
    kind, *told = typing.get_args(hint) if typing.get_origin(hint) is Annotated else (hint,)
    if kind not in (int, float):
        return None
    for interval in told:
        if isinstance(interval, Interval):
            multiples = [each.multiple_of for each in told if isinstance(each, MultipleOf)]
            return Bounds(kind, interval.ge, interval.le, *multiples)
    raise TypeError(f"{hint} has no bounds: Annotated[{kind.__name__}, Interval(ge=..., le=...)]")


@functools.cache
def hints_of(options: type) -> Mapping[str, Any]:
    """The types of a dataclass's fields, bounds and all."""
    found = typing.get_type_hints(options, include_extras=True)
    return {field.name: found[field.name] for field in dataclasses.fields(options)}


@functools.cache
def numbers_of(options: type) -> Mapping[str, Bounds]:
    """The bounds of a dataclass's numbers, by their flags."""
    found = {flag_name(name): bounds_of(hint) for name, hint in hints_of(options).items()}
    return {flag: bounds for flag, bounds in found.items() if bounds is not None}


def check_fields(options: object) -> None:
    """BadInput unless the numbers of a dataclass lie within the bounds of their types, and choices are among theirs."""
    for name, hint in hints_of(type(options)).items():
        value, bounds, choices = getattr(options, name), bounds_of(hint), choices_of(hint)
        if value is None:
            continue
        if bounds is not None:
            for number in (value or (None,)) if isinstance(value, (tuple, list)) else (value,):
                bounds.check(flag_name(name), number)
        elif choices is not None and value not in choices:
            raise BadInput(f"{flag_name(name)} is {_short(str(value))!r}; choose one of {', '.join(choices)}")


def flag_name(field_name: str) -> str:
    """`size_px` -> `--size`: people give no units where there is only one."""
    return "--" + _UNITS.sub("", field_name).replace("_", "-")
